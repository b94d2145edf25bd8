import Archives
import Artifacts
import Foundation
import TestSupport
import Testing

/// Archives that want something: each is refused with a reason, and nothing of them is shown.
@Suite struct HostileArchiveTests {
    private func refusal(
        _ lab: ArchiveLab, _ name: String, _ words: String, _ code: ArchiveError.Code,
        limits: ArchiveLimits = ArchiveLimits(), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let error = await #expect(throws: ArchiveError.self, sourceLocation: sourceLocation) {
            try await lab.view(name, limits: limits)
        }
        #expect(error?.code == code, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
    }

    private func with(_ body: (ArchiveLab) async throws -> Void) async throws {
        try await ArchiveLab.with { lab in
            try lab.write(["a/one": "first", "a/two": "second", "b": String(repeating: "b", count: 5000)])
            try await body(lab)
        }
    }

    @Test func tarArchives() async throws {
        try await with { lab in
            try await lab.run("tar", "-cf", "good.tar", "-C", "tree", ".")
            #expect(try await lab.texts("good.tar").count == 3)
            try await lab.run("sh", "-c", "cp good.tar twice.tar; tar -rf twice.tar -C tree ./b")
            try await refusal(lab, "twice.tar", "'b' is there twice", .hostile)
            try await lab.run("tar", "-cf", "up.tar", "-C", "tree", "--transform", "s,^b,../b,", "b")
            try await refusal(lab, "up.tar", "'..' is not allowed", .hostile)
            try await lab.run("tar", "-Pcf", "absolute.tar", lab.path("tree/b"))
            try await refusal(lab, "absolute.tar", "begins with a slash", .hostile)
            try await lab.run(
                "sh", "-c",
                "truncate -s 1M tree/hole; tar -Scf sparse.tar -C tree hole; tar --format=pax -Scf pax.tar -C tree hole; rm tree/hole"
            )
            try await refusal(lab, "sparse.tar", "sparse file", .unsupported)
            try await refusal(lab, "pax.tar", "sparse files", .unsupported)
            try await lab.run("sh", "-c", "tar -cf end.tar -C tree b; truncate -s 3000 end.tar")
            try await refusal(lab, "end.tar", "cut off", .damaged)
            try await lab.run(
                "sh", "-c", "cp good.tar sum.tar; printf X | dd of=sum.tar bs=1 seek=520 conv=notrunc status=none")
            try await refusal(lab, "sum.tar", "wrong checksum", .damaged)
            try await refusal(lab, "good.tar", "more than 3 entries", .hostile, limits: ArchiveLimits(entries: 3))
            try await refusal(lab, "good.tar", "more than 1 components", .hostile, limits: ArchiveLimits(depth: 1))
        }
    }

    @Test func zipArchives() async throws {
        try await with { lab in
            try await lab.run("sh", "-c", "cd tree && zip -qr ../good.zip .")
            try await lab.run(
                "python3", "-c",
                """
                import zipfile
                def make(name, *entries):
                    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
                        for path, data in entries: z.writestr(path, data)
                make("up.zip", ("../x", "x"))
                make("absolute.zip", ("/x", "x"))
                make("twice.zip", ("x", "1"), ("x", "2"))
                make("bomb.zip", ("x", b"0" * (64 << 20)))
                """)
            try await refusal(lab, "up.zip", "'..' is not allowed", .hostile)
            try await refusal(lab, "absolute.zip", "begins with a slash", .hostile)
            try await refusal(lab, "twice.zip", "'x' is there twice", .hostile)
            try await refusal(lab, "bomb.zip", "members have more than", .hostile)
            try await lab.run("sh", "-c", "cd tree && zip -q -P secret ../secret.zip b")
            await #expect(throws: ArchiveError.self) { try await lab.view("secret.zip") }
            try await lab.run(
                "sh", "-c",
                "head -c 300 good.zip >cut.zip; tar -czf good.tar.gz tree; head -c 200 good.tar.gz >cut.tar.gz")
            for name in ["cut.zip", "cut.tar.gz"] {
                // Nothing of it could be read, or it is refused: either way there is no view.
                let view = try? await lab.view(name).view
                #expect(view == nil, "\(name)")
            }
        }
    }

    /// A directory record by the file's name in it: LBA at 2, size at 10, flags at 25, interleave at 26, all in both orders.
    private func patch(_ lab: ArchiveLab, _ name: String, _ change: (inout [UInt8], (String) -> Int) -> Void) throws {
        var image = try [UInt8](Data(contentsOf: lab.directory.appending(path: "good.iso")))
        let whole = image
        change(&image) { identifier in
            let bytes = Array(identifier.utf8)
            // The first may be in the path table.
            let place = whole.ranges(of: [UInt8(bytes.count)] + bytes).last?.lowerBound ?? 0
            return place - 32
        }
        try Data(image).write(to: lab.directory.appending(path: name))
    }

    private static func both(_ value: UInt32) -> [UInt8] {
        let big = (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        return big.reversed() + big
    }

    private func block(_ image: [UInt8], _ record: Int) -> UInt32 {
        image[record + 2..<record + 6].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test func images() async throws {
        try await with { lab in
            try await lab.run("genisoimage", "-quiet", "-o", "good.iso", "tree")
            #expect(try await lab.texts("good.iso").count == 3)
            try patch(lab, "loop.iso") { image, record in
                // Folder A is the root.
                let root = self.block(image, 32768 + 156)
                image.replaceSubrange(record("A") + 2..<record("A") + 10, with: Self.both(root))
            }
            try await refusal(lab, "loop.iso", "it loops", .hostile)
            try patch(lab, "beyond.iso") { image, record in
                image.replaceSubrange(record("ONE.;1") + 2..<record("ONE.;1") + 10, with: Self.both(900_000))
            }
            try await refusal(lab, "beyond.iso", "reaches beyond the end", .damaged)
            try patch(lab, "overlap.iso") { image, record in
                let target = self.block(image, record("B.;1")) + 1
                image.replaceSubrange(record("ONE.;1") + 2..<record("ONE.;1") + 10, with: Self.both(target))
            }
            try await refusal(lab, "overlap.iso", "two files share bytes", .hostile)
            try patch(lab, "twice.iso") { image, record in
                image[record("TWO.;1") + 33] = UInt8(ascii: "O")
                image[record("TWO.;1") + 34] = UInt8(ascii: "N")
                image[record("TWO.;1") + 35] = UInt8(ascii: "E")
            }
            try await refusal(lab, "twice.iso", "is there twice", .hostile)
            try patch(lab, "orders.iso") { image, record in image[record("ONE.;1") + 9] ^= 1 }
            try await refusal(lab, "orders.iso", "contradicts itself", .damaged)
            try patch(lab, "interleave.iso") { image, record in image[record("ONE.;1") + 26] = 1 }
            try await refusal(lab, "interleave.iso", "interleaved", .unsupported)
            try patch(lab, "xar.iso") { image, record in image[record("ONE.;1") + 1] = 1 }
            try await refusal(lab, "xar.iso", "extended attribute", .unsupported)
            try patch(lab, "associated.iso") { image, record in image[record("ONE.;1") + 25] |= 4 }
            try await refusal(lab, "associated.iso", "associated files", .unsupported)
            try patch(lab, "piece.iso") { image, record in image[record("ONE.;1") + 25] |= 0x80 }
            try await refusal(lab, "piece.iso", "do not follow one another", .unsupported)
            try patch(lab, "last.iso") { image, record in image[record("TWO.;1") + 25] |= 0x80 }
            try await refusal(lab, "last.iso", "has no last piece", .damaged)
            try patch(lab, "name.iso") { image, record in image[record("ONE.;1") + 32] = 200 }
            try await refusal(lab, "name.iso", "longer than its directory record", .damaged)
            try patch(lab, "slash.iso") { image, record in image[record("ONE.;1") + 34] = UInt8(ascii: "/") }
            try await refusal(lab, "slash.iso", "has a slash", .hostile)
            try await lab.run("sh", "-c", "head -c 45000 good.iso >cut.iso")
            try await refusal(lab, "cut.iso", "cut off", .damaged)
        }
    }

    @Test func universalDiskFormatIsNamedAndUnpackingOffered() async throws {
        try await with { lab in
            try FileManager.default.removeItem(atPath: lab.path("tree"))
            try lab.write(["README.TXT": "This disc contains a UDF file system"])
            try await lab.run("genisoimage", "-quiet", "-udf", "-o", "good.iso", "tree")
            try await refusal(lab, "good.iso", "unpack it", .unsupported)
            try patch(lab, "udf.iso") { image, _ in
                for sector in 16..<24 {
                    let place = sector * 2048
                    if image[place + 1..<place + 6].elementsEqual("CD001".utf8) {
                        image.replaceSubrange(place + 1..<place + 6, with: (sector == 16 ? "BEA01" : "NSR02").utf8)
                    }
                }
            }
            try await refusal(lab, "udf.iso", "UDF image without ISO 9660: unpack it", .unsupported)
        }
    }
}
