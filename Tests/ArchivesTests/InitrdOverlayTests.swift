import Archives
import Artifacts
import Foundation
import TestSupport
import Testing

@Suite struct InitrdOverlayTests {
    private func file(_ path: String, _ text: String, mode: UInt16 = 0o644) throws -> InitrdOverlay.File {
        InitrdOverlay.File(path: try ArtifactPath(path), mode: mode, bytes: Array(text.utf8))
    }

    @Test func cpioUnpacksWhatWentInAndTheSameBytesComeOut() async throws {
        try Requirement.demand([.tool("cpio", package: "cpio")])
        try await ArchiveLab.with { lab in
            let files = [
                try file("etc/ssl/site.crt", "certificate"), try file("preseed.cfg", "d-i\n"),
                try file("usr/bin/hook", "#!/bin/sh\n", mode: 0o755), try file("empty", ""),
            ]
            let bytes = try InitrdOverlay.build(files, isCompressed: false)
            #expect(bytes == (try InitrdOverlay.build(files.reversed(), isCompressed: false)))
            #expect(bytes.count.isMultiple(of: 4) && bytes.starts(with: "070701".utf8))
            try Data(bytes).write(to: lab.directory.appending(path: "a.cpio"))
            let listed = try await lab.run("sh", "-c", "cpio -itv --numeric-uid-gid <a.cpio 2>/dev/null")
            #expect(listed.lines.allSatisfy { $0.contains(" 0 ") && $0.contains("1970") }, "\(listed)")
            #expect(listed.output.contains("-rwxr-xr-x"))
            try await lab.run(
                "sh", "-c",
                "mkdir out; cd out; cpio -i --quiet <../a.cpio; cat etc/ssl/site.crt preseed.cfg usr/bin/hook empty >../all"
            )
            #expect(try String(contentsOfFile: lab.path("all"), encoding: .utf8) == "certificated-i\n#!/bin/sh\n")
            // A kernel unpacks archives that follow one another; so does this, by hand.
            let order = try await lab.run("sh", "-c", "cpio -it --quiet <a.cpio").output.split(separator: "\n")
            #expect(
                order == [
                    "empty", "etc", "etc/ssl", "etc/ssl/site.crt", "preseed.cfg", "usr", "usr/bin", "usr/bin/hook",
                ])
        }
    }

    /// An EFI stub puts the overlay right behind an initrd of any size, where a plain cpio would not be found.
    @Test func compressedItFollowsAnInitrdOfAnySize() async throws {
        try Requirement.demand([.tool("gzip", package: "gzip")])
        try await ArchiveLab.with { lab in
            let files = [try file("note", "for hv01\n")]
            let plain = try InitrdOverlay.build(files, isCompressed: false)
            let bytes = try InitrdOverlay.build(files)
            #expect(try bytes.starts(with: [0x1f, 0x8b]) && bytes == InitrdOverlay.build(files))
            #expect(bytes[4..<8].allSatisfy { $0 == 0 }, "no time in it")
            try Data(bytes).write(to: lab.directory.appending(path: "overlay"))
            try await lab.run("sh", "-c", "gzip -dc <overlay >plain")
            #expect(FileManager.default.contents(atPath: lab.path("plain")).map { Array($0) } == plain)
        }
    }

    @Test func aPathThatIsAFileAndAFolderIsRefused() throws {
        #expect(throws: ArchiveError(.hostile, "")) {
            try InitrdOverlay.build([file("etc", "x"), file("etc/passwd", "y")])
        }
        #expect(throws: ArchiveError(.hostile, "")) {
            try InitrdOverlay.build([file("etc/passwd", "y"), file("etc", "x")])
        }
    }

    @Test func nothingIsAnArchiveOfNothing() throws {
        let bytes = try InitrdOverlay.build([], isCompressed: false)
        #expect(bytes.starts(with: "070701".utf8) && bytes.count < 512)
    }
}
