import Artifacts
import Fixtures
import Foundation
import Glibc
import Store
import StoreFaults
import Synchronization

/// Works on a store as its seed says, until it kills itself: before or after a system call of the write path, or at any
/// moment. Each thing that the store has acknowledged is told on standard output at once; the test that started this opens
/// the directory afterwards and holds the store to it.
///
/// `store-crash DIRECTORY SEED`
@main
enum StoreCrash {
    static func main() async {
        guard CommandLine.arguments.count == 3, let seed = UInt64(CommandLine.arguments[2]) else {
            print("usage: store-crash DIRECTORY SEED")
            exit(2)
        }
        do {
            var random = SeededGenerator(seed: seed)
            let moment = LastMoment(seed: seed, &random)
            // What a crash leaves is often a part of a file.
            let files = FaultyFileOperations(longestWrite: 700, observer: { _ in moment.pass() })
            let store = try Work.open(CommandLine.arguments[1], files)
            if seed % 3 == 2 {
                // At any moment, inside of SQLite too.
                let delay = random.next() % 120_000
                Thread.detachNewThread {
                    usleep(UInt32(delay))
                    Kill.now()
                }
            }
            var work = try Work(store: store, random: random, prefix: "s\(seed)")
            try await work.run()
            Told.line("survived")
        } catch {
            Told.line("failed \(error)")
            exit(1)
        }
    }
}

enum Kill {
    static func now() -> Never {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }
}

enum Told {
    /// One write, so that a line is told whole or not at all.
    static func line(_ text: String) {
        let bytes = Array("\(text)\n".utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// Ends the process at an event that the seed decides: before or after a system call of the write path.
final class LastMoment: Sendable {
    private let count = Atomic<UInt64>(0)
    private let last: UInt64

    /// Every third seed dies by the clock instead.
    init(seed: UInt64, _ random: inout SeededGenerator) { last = seed % 3 == 2 ? .max : random.next() % 1000 }

    func pass() { if count.wrappingAdd(1, ordering: .relaxed).oldValue == last { Kill.now() } }
}
