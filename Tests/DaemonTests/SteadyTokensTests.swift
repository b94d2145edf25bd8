import Artifacts
import Site
import Synchronization
import Testing

@testable import Boot
@testable import Daemon

@Suite struct SteadyTokensTests {
    /// A ledger that counts: token N is good as long as it is the last of its host.
    private final class Ledger: Sendable {
        let now = Mutex<Int64>(0)
        let issued = Mutex<[String: Int]>([:])
        let isOut = Mutex(false)

        func make() -> SteadyTokens {
            SteadyTokens(
                clock: { self.now.withLock { $0 } },
                isGood: { token in
                    let parts = token.split(separator: "-")
                    return parts.count == 2
                        && self.issued.withLock { $0[String(parts[0])] == Int(parts[1]) }
                },
                issue: { host in
                    guard !self.isOut.withLock({ $0 }) else { return nil }
                    return self.issued.withLock { issued in
                        issued[host, default: 0] += 1
                        return "\(host)-\(issued[host] ?? 0)"
                    }
                })
        }
    }

    private static func plan(_ host: String, _ content: String = "kernel") throws -> BootPlan {
        let reference = FileReference(
            artifact: Reference(name: try ArtifactName("os"), version: .tag(try Tag("1"))),
            path: try ArtifactPath("linux"))
        let digest = SHA256.digest(of: content.utf8)
        return BootPlan(
            host: host, profile: "p", frequency: .once,
            kernel: PlanFile(reference: reference, file: ReleaseFile(digest: digest, size: 1)), initrds: [],
            overlay: [],
            verifier: .grub, arguments: [], answer: nil)
    }

    @Test func requestsOfOneBootHaveOneToken() throws {
        let ledger = Ledger()
        let tokens = ledger.make()
        let plan = try Self.plan("a")
        let first = tokens.token(host: "a", plan: plan)
        #expect(first == "a-1")
        ledger.now.withLock { $0 = 3599 }
        #expect(tokens.token(host: "a", plan: plan) == first)
        #expect(tokens.token(host: "b", plan: try Self.plan("b")) == "b-1", "each host has its own")
        #expect(tokens.token(host: "a", plan: plan) == first)
        ledger.now.withLock { $0 = 3600 }
        #expect(tokens.token(host: "a", plan: plan) == "a-2", "an hour is the end")
        #expect(tokens.token(host: "a", plan: plan) == "a-2")
    }

    @Test func anotherPlanAndATokenThatWasUsedUpGiveAnother() throws {
        let ledger = Ledger()
        let tokens = ledger.make()
        #expect(tokens.token(host: "a", plan: try Self.plan("a")) == "a-1")
        #expect(tokens.token(host: "a", plan: try Self.plan("a", "new kernel")) == "a-2")
        // The machine reported that it is installed, and the ledger took the token.
        ledger.issued.withLock { $0["a"] = 7 }
        #expect(tokens.token(host: "a", plan: try Self.plan("a", "new kernel")) == "a-8")
    }

    @Test func withoutATokenThereIsNone() throws {
        let ledger = Ledger()
        let tokens = ledger.make()
        ledger.isOut.withLock { $0 = true }
        #expect(tokens.token(host: "a", plan: try Self.plan("a")) == nil)
        ledger.isOut.withLock { $0 = false }
        #expect(tokens.token(host: "a", plan: try Self.plan("a")) == "a-1")
    }
}
