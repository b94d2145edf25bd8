import Foundation
import Logging
import TestSupport
import Testing

@testable import Daemon

@Suite struct BallastTests {
    private static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// A file system of its own, which can be filled.
    private func withDisk(_ megabytes: Int, _ body: (URL) async throws -> Void) async throws {
        try Requirement.demand([.root])
        try await TemporaryDirectory.with(prefix: "ballast") { directory in
            let run = CommandRunner.local
            try await run.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", directory.path])
            do {
                try await body(directory)
            } catch {
                try await run.run(["umount", directory.path])
                throw error
            }
            try await run.run(["umount", directory.path])
        }
    }

    private func free(_ directory: URL) async throws -> Int {
        let text = try await CommandRunner.local.run(["stat", "-f", "-c", "%a %S", directory.path]).output
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        return numbers.reduce(1, *)
    }

    @Test func aFullDiskGivesRoomBack() async throws {
        try await withDisk(200) { disk in
            let ballast = Ballast(directory: disk.path, logger: Self.quiet)
            ballast.takeIfAmple()
            #expect(try await free(disk) < (200 - 31) << 20)
            _ = try await CommandRunner.local.result(of: [
                "sh", "-c", "dd if=/dev/zero of=\(disk.path)/filler bs=1M 2>/dev/null; :",
            ])
            #expect(try await free(disk) == 0)
            ballast.releaseIfTight()
            #expect(try await free(disk) >= Int(Ballast.size))
            // Not while it is needed.
            ballast.takeIfAmple()
            #expect(try await free(disk) >= Int(Ballast.size))
            try FileManager.default.removeItem(at: disk.appending(path: "filler"))
            ballast.takeIfAmple()
            #expect(FileManager.default.fileExists(atPath: disk.path + "/ballast"))
        }
    }

    @Test func aSmallDiskIsLeftAlone() async throws {
        try await withDisk(64) { disk in
            let ballast = Ballast(directory: disk.path, logger: Self.quiet)
            ballast.takeIfAmple()
            ballast.releaseIfTight()
            let left = try await free(disk)
            #expect(left == 64 << 20)
        }
    }

    @Test func aDirectoryThatIsNotThereIsNoTrouble() {
        let ballast = Ballast(directory: "/does/not/exist", logger: Self.quiet)
        ballast.releaseIfTight()
        ballast.takeIfAmple()
    }
}
