import Artifacts
import Foundation
import Glibc
import Store
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
            var random = SeededRandom(seed: seed)
            let files = KillingFileOperations(seed: seed, &random)
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

/// The same numbers for the same seed (splitmix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
