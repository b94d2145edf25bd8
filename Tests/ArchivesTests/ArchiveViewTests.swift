import Archives
import Artifacts
import Foundation
import TestSupport
import Testing

/// Views of archives that real tools made.
@Suite struct ArchiveViewTests {
    private static let files = [
        "README": "read me", "install.amd/vmlinuz": "the kernel", "install.amd/gtk/initrd.gz": "the initrd",
        "empty": "", "a long name that ISO 9660 by itself could never have.txt": "long",
        "deep/1/2/3/4/5/6/7/8/9/10/file": "deep",
    ]

    private func make(_ lab: ArchiveLab, withLinks: Bool = true) throws {
        try lab.write(Self.files)
        guard withLinks else { return }
        try lab.link("debian", to: ".")
        try lab.link("install", to: "install.amd")
        try lab.link("install.amd/up", to: "../README")
        try lab.link("out", to: "../../etc/passwd")
        try lab.link("absolute", to: "/etc/passwd")
    }

    @Test(arguments: [
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", "a", "tree"],
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", "a", "tree"],
        ["genisoimage", "-quiet", "-R", "-J", "-o", "a", "tree"],
        ["tar", "--format=ustar", "-cf", "a", "-C", "tree", "."],
        ["tar", "--format=pax", "-cf", "a", "-C", "tree", "."],
        ["tar", "--format=gnu", "-cf", "a", "-C", "tree", "."],
        ["tar", "-czf", "a", "-C", "tree", "."],
        ["tar", "-cJf", "a", "-C", "tree", "."],
        ["sh", "-c", "cd tree && zip -qry ../a ."],
    ])
    func showsWhatWasPackedAndFollowsLinks(_ command: [String]) async throws {
        try await ArchiveLab.with { lab in
            try make(lab)
            _ = try await CommandRunner(prefix: ["env", "-C", lab.directory.path]).run(command)
            let name = command.contains("-qry") || command.last?.contains("zip") == true ? "a.zip" : "a"
            #expect(try await lab.texts(name) == Self.files)
            let view = try #require(try await lab.view(name).view)
            let bytes = ArchiveViewFile.encode(view)
            #expect(ArchiveViewFile.isWhole(bytes))
            try Data(bytes).write(to: lab.directory.appending(path: "view"))
            let file = try ArchiveViewFile(path: lab.path("view"))
            func digest(_ path: String) throws -> Digest? { try file.file(at: ArtifactPath(path))?.digest }
            let kernel = SHA256.digest(of: "the kernel".utf8)
            for path in [
                "install.amd/vmlinuz", "install/vmlinuz", "debian/install/vmlinuz", "debian/debian/install.amd/vmlinuz",
            ] { #expect(try digest(path) == kernel, "\(path)") }
            #expect(try digest("install/up") == SHA256.digest(of: "read me".utf8))
            for path in ["out", "absolute", "install.amd", "none", "README/x", "install.amd/vmlinuz/x", "debian"] {
                #expect(try digest(path) == nil, "\(path)")
            }
            func names(_ folder: String?, limit: Int = 100) throws -> [String]? {
                try file.entries(in: folder.map { try ArtifactPath($0) }, limit: limit)?
                    .map { $0.name + ($0.file == nil ? "/" : "") }.sorted()
            }
            // Links are what they lead to; those that lead out are not there.
            let outermost = [
                "README", "a long name that ISO 9660 by itself could never have.txt", "debian/", "deep/", "empty",
                "install.amd/", "install/",
            ]
            #expect(try names(nil) == outermost)
            #expect(try names("debian") == outermost, "through a link to the outermost folder")
            for folder in ["install.amd", "install", "debian/debian/install"] {
                #expect(try names(folder) == ["gtk/", "up", "vmlinuz"], "\(folder)")
            }
            #expect(try names("deep/1/2/3/4/5/6/7/8/9/10") == ["file"])
            #expect(try names("install.amd", limit: 1)?.count == 1)
            for path in ["out", "absolute", "none", "README", "README/x", "install.amd/vmlinuz", "dee"] {
                #expect(try names(path) == nil, "\(path)")
            }
        }
    }

    @Test(arguments: [["-J"], []])
    func showsImagesWithoutRockRidge(_ options: [String]) async throws {
        try await ArchiveLab.with { lab in
            try lab.write(["BOOT/KERNEL.IMG": "the kernel", "README": "read me", "A.B": "dot"])
            _ = try await CommandRunner(prefix: ["env", "-C", lab.directory.path]).run(
                ["genisoimage", "-quiet"] + options + ["-o", "a.iso", "tree"])
            #expect(
                try await lab.texts("a.iso") == ["BOOT/KERNEL.IMG": "the kernel", "README": "read me", "A.B": "dot"])
        }
    }

    @Test func whatIsNoArchiveHasNoView() async throws {
        try await ArchiveLab.with { lab in
            try Data("nothing of the kind".utf8).write(to: lab.directory.appending(path: "a.iso"))
            #expect(try await lab.view("a.iso").view == nil)
            try Data().write(to: lab.directory.appending(path: "empty.tar"))
            #expect(try await lab.view("empty.tar").view == nil)
            try await lab.run("sh", "-c", "head -c 100000 /dev/urandom | gzip >initrd.gz")
            #expect(try await lab.view("initrd.gz").view == nil)
        }
    }
}
