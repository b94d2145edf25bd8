import Archives
import Artifacts
import Foundation
import TestSupport
import Testing

/// Two readers must agree; and the one in the other process is believed nothing beyond the form of what it says.
@Suite struct DisagreementTests {
    /// Tells what it is given.
    private struct FakeReader: ArchiveStreaming {
        let events: [ArchiveStreamParser.Event]

        func stream(
            _ path: String, contents: Bool, _ receive: (ArchiveStreamParser.Event) async throws -> Void
        ) async throws {
            for event in events { try await receive(event) }
        }
    }

    @Test func anyDifferenceIsARefusal() async throws {
        try await ArchiveLab.with { lab in
            try lab.write(["x": "text"])
            try lab.link("l", to: "x")
            try await lab.run("tar", "-cf", "a.tar", "-C", "tree", "x", "l")
            let place: Int64 = 512
            let digest = SHA256.digest(of: "text".utf8)
            func entry(_ path: String, _ kind: ArchiveStreamParser.Kind = .file) -> ArchiveStreamParser.Event {
                .entry(path: Array(path.utf8), kind)
            }
            func build(_ events: [ArchiveStreamParser.Event]) async throws -> ArchiveView? {
                try await ArchiveViewBuilder(reader: FakeReader(events: events)).build(
                    lab.path("a.tar"), into: MemorySink())
            }
            let link = entry("l", .link(Array("x".utf8)))
            let good: [ArchiveStreamParser.Event] = [
                entry("x"), .end(size: 4, place: place, digest: digest), link, .finished,
            ]
            #expect(try await build(good)?.fileCount == 1)
            let bad: [(String, [ArchiveStreamParser.Event])] = [
                ("size", [entry("x"), .end(size: 5, place: place, digest: digest), link]),
                ("begins", [entry("x"), .end(size: 4, place: 1024, digest: digest), link]),
                ("bytes", [entry("x"), .end(size: 4, place: place, digest: .empty), link]),
                ("whether there is a file", [link]),
                ("whether there is a file", good.dropLast() + [entry("y"), .end(size: 0, place: nil, digest: .empty)]),
                ("link", [entry("x"), .end(size: 4, place: place, digest: digest)]),
                ("link", good.dropLast() + [entry("m", .link([]))]),
            ]
            for (words, events) in bad {
                let error = await #expect(throws: ArchiveError.self) { try await build(events) }
                #expect(error?.message.contains("two readers disagree on") == true, "\(words)")
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
            await #expect(throws: ArchiveError(.hostile, "")) { try await build(good.dropLast() + good) }
        }
    }

    @Test func theReaderIsConfined() async throws {
        try await ArchiveLab.with { lab in
            try await lab.run("mkfifo", "pipe")
            // It waits for its input, which never comes: the pipe is open for both.
            let script = """
                exec 3<>pipe
                prlimit --fsize=0 -- '\(try BuiltProducts.provisioner())' archive-read <&3 &
                until grep -q 'Seccomp:.2' /proc/$!/status; do kill -0 $!; sleep 0.1; done
                cat /proc/$!/status; kill $!
                """
            let runner = CommandRunner(prefix: ["env", "-C", lab.directory.path])
            let status = try await runner.run(["bash", "-ec", script]).output
            #expect(status.contains("Seccomp:\t2"), "\(status)")
            #expect(status.contains("NoNewPrivs:\t1"))
        }
    }

    @Test func nonsenseOfTheReaderIsAnError() throws {
        for bytes in [
            Array("?".utf8), Array("Ez".utf8) + [0, 0, 0, 0, 0, 0, 0, 0], [UInt8(ascii: "D"), 255, 255, 255, 255],
            Array("ZZ".utf8),
        ] {
            var parser = ArchiveStreamParser()
            parser.feed(bytes)
            #expect(throws: ArchiveError(.failure, "")) { while try parser.next() != nil {} }
        }
        var parser = ArchiveStreamParser()
        parser.feed(Array("X".utf8) + [0, 0, 0, 2] + Array("no".utf8))
        let error = #expect(throws: ArchiveError(.damaged, "")) { try parser.next() }
        #expect(error?.message == "no")
    }

    @Test func aViewThatIsDamagedIsToldAndNeverCrashes() async throws {
        try await ArchiveLab.with { lab in
            try lab.write(["x": "text", "y/z": "more"])
            var target = "y"
            for number in 0..<45 {
                try lab.link("l\(number)", to: target)
                target = "l\(number)"
            }
            try lab.link("loop1", to: "loop2")
            try lab.link("loop2", to: "loop1")
            try await lab.run("tar", "-cf", "a.tar", "-C", "tree", ".")
            let view = try #require(try await lab.view("a.tar").view)
            let bytes = ArchiveViewFile.encode(view)
            func lookUp(_ bytes: [UInt8], _ path: String) throws -> Digest? {
                try Data(bytes).write(to: lab.directory.appending(path: "view"))
                return try ArchiveViewFile(path: lab.path("view")).file(at: ArtifactPath(path))?.digest
            }
            #expect(try lookUp(bytes, "l38/z") == SHA256.digest(of: "more".utf8))
            #expect(try lookUp(bytes, "l44/z") == nil)
            #expect(try lookUp(bytes, "loop1/x") == nil)
            for index in stride(from: 0, to: bytes.count, by: 3) {
                var broken = bytes
                broken[index] ^= 0x41
                #expect(!ArchiveViewFile.isWhole(broken))
                _ = try? lookUp(broken, "y/z")
                _ = try? lookUp(Array(bytes.prefix(index)), "l3/z")
            }
        }
    }
}
