import Archives
import Artifacts
import Foundation
import TestSupport
import Testing

/// Where files lie, against xorriso, which knows it too.
@Suite struct ImageLayoutTests {
    private static let ipxe = URL(filePath: "/usr/lib/ipxe/ipxe.iso")

    /// Paths with the places that xorriso reports: `File data lba:  0 , 33 , 1 , 12 , '/path'`.
    private func reported(_ image: String) async throws -> [String: ArchiveListing.Extent] {
        let result = try await CommandRunner.local.run([
            "xorriso", "-indev", image, "-find", "/", "-type", "f", "-exec", "report_lba", "--",
        ])
        var found: [String: ArchiveListing.Extent] = [:]
        for line in result.standardOutput.split(whereSeparator: \.isNewline) where line.hasPrefix("File data lba:") {
            let fields = line.split(separator: ",", maxSplits: 4).map { $0.trimmingCharacters(in: .whitespaces) }
            let path = fields[4].trimmingCharacters(in: ["'"]).dropFirst()
            let (block, size) = (try #require(Int64(fields[1])), try #require(Int64(fields[3])))
            let extent = ArchiveListing.Extent(offset: block * 2048, size: size)
            // Pieces of one file follow one another.
            if let first = found[String(path)] {
                found[String(path)] = ArchiveListing.Extent(offset: first.offset, size: first.size + size)
            } else {
                found[String(path)] = extent
            }
        }
        return found
    }

    private func compare(_ image: String) async throws {
        let listing = try ISO9660Walker(ArchiveFile(path: image)).list()
        let reported = try await reported(image)
        let ours = Dictionary(listing.files.map { ($0.path.description, $0.extent) }) { first, _ in first }
        for (path, extent) in reported where extent.size > 0 {
            #expect(ours[path] == extent, "\(path)")
        }
        // What xorriso does not list is the hidden catalog of El Torito.
        let more = Set(ours.keys).subtracting(reported.keys)
        #expect(more.allSatisfy { $0.lowercased().contains("boot.cat") }, "\(more)")
    }

    @Test(arguments: [
        ["xorriso", "-as", "mkisofs", "-quiet", "-R"],
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "--hardlinks"],
        [
            "xorriso", "-as", "mkisofs", "-quiet", "-R", "-b", "el.img", "-c", "boot.cat", "-no-emul-boot",
            "-boot-load-size", "4",
        ],
        ["genisoimage", "-quiet", "-R", "-b", "el.img", "-c", "boot.cat", "-no-emul-boot"],
        ["genisoimage", "-quiet", "-R", "-cache-inodes"], ["genisoimage", "-quiet", "-R", "-iso-level", "3"],
    ])
    func everyFileLiesWhereXorrisoSaysAndReadsAsItWasWritten(_ command: [String]) async throws {
        try await ArchiveLab.with { lab in
            var files = ["el.img": String(repeating: "x", count: 4096)]
            for number in 0..<300 { files["many/file-\(number)"] = "number \(number)" }
            let deep = (1...11).map { "folder\($0)" }.joined(separator: "/")
            files["\(deep)/deep"] = "deep"
            files["ünï/cödé"] = "utf"
            files[String(repeating: "n", count: 200)] = "long"
            try lab.write(files)
            try FileManager.default.linkItem(atPath: lab.path("tree/many/file-1"), toPath: lab.path("tree/hard"))
            files["hard"] = "number 1"
            try lab.link("long-link", to: String(repeating: "many/../", count: 40) + "many/file-2")
            _ = try await CommandRunner(prefix: ["env", "-C", lab.directory.path]).run(
                command + ["-o", "a.iso", "tree"])
            try await compare(lab.path("a.iso"))
            var texts = try await lab.texts("a.iso")
            texts = texts.filter { !$0.key.contains("boot.cat") && !$0.key.contains("rr_moved") }
            if command.contains("-b") { texts["el.img"] = files["el.img"] }
            #expect(texts == files)
        }
    }

    @Test func anImageOfDebianReadsTheSameToBothReaders() async throws {
        try Requirement.demand([.file(Self.ipxe, package: "ipxe")])
        try await ArchiveLab.with { lab in
            try FileManager.default.copyItem(at: Self.ipxe, to: lab.directory.appending(path: "a.iso"))
            try await compare(lab.path("a.iso"))
            #expect(try await lab.view("a.iso").view?.fileCount ?? 0 > 3)
        }
    }

    /// Two extents that follow one another are one file; it is sparse here, and only its two ends are looked at.
    @Test func aFileOver4GiBIsOnePiece() async throws {
        try await ArchiveLab.with { lab in
            let size: Int64 = (4 << 30) + 5000
            try lab.write(["after": "after"])
            let place = lab.path("tree/big")
            try await lab.run(
                "sh", "-c", "printf begin >'\(place)'; truncate -s \(size - 3) '\(place)'; printf end >>'\(place)'")
            // Written into a pipe that leaves holes, it takes no room.
            try await lab.run(
                "sh", "-c",
                "xorriso -as mkisofs -quiet -R -iso-level 3 -o - tree | dd of=a.iso bs=1M conv=sparse iflag=fullblock status=none; rm tree/big"
            )
            let file = try ArchiveFile(path: lab.path("a.iso"))
            let listing = try ISO9660Walker(file).list()
            let extent = try #require(listing.files.first { $0.path.description == "big" }?.extent)
            #expect(extent.size == size)
            #expect(try file.read(at: extent.offset, count: 5) == Array("begin".utf8))
            #expect(try file.read(at: extent.offset + size - 3, count: 3) == Array("end".utf8))
        }
    }
}
