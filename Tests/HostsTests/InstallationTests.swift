import Boot
import Foundation
import Synchronization
import Testing

@testable import Hosts

/// What a machine boots next depends on these: they are durable before they are answered.
@Suite struct InstallationTests {
    @Test func installedIsDurableWhenTheReportReturns() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        place.advance(5)
        #expect(try ledger.reportInstalled(token: token, address: nil) == "one")
        // No flush: what is on disk now must be enough.
        let copy = try Ledger()
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: place.path + suffix, toPath: copy.path + suffix)
        }
        #expect(try copy.open().isInstalled(host: "one"))
        #expect(try copy.open().installedAt(host: "one") == place.now)
        #expect(ledger.isInstalled(host: "one") && !ledger.isInstalled(host: "two"))
    }

    @Test func armingClearsItDurably() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        _ = try ledger.reportInstalled(token: token, address: nil)
        place.advance(1)
        try ledger.arm(host: "one")
        #expect(!ledger.isInstalled(host: "one"))
        #expect(ledger.installedAt(host: "one") == nil)
        #expect(try !place.open().isInstalled(host: "one"))
    }

    @Test func theDecisionFollowsTheReport() throws {
        let place = try Ledger()
        let ledger = try place.open()
        guard case .boot = try Sample.askForScript(ledger, mac: Sample.mac(1)).outcome else {
            Issue.record("host one is not given its profile")
            return
        }
        _ = try ledger.reportInstalled(token: try #require(ledger.issueToken(host: "one")), address: nil)
        #expect(try Sample.askForScript(ledger, mac: Sample.mac(1)).outcome == .localDisk)
        try ledger.arm(host: "one")
        guard case .boot = try Sample.askForScript(ledger, mac: Sample.mac(1)).outcome else {
            Issue.record("an armed host is not given its profile")
            return
        }
    }

    @Test func aReportThatCannotBeStoredIsNotBelieved() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        try place.setBroken(true, table: "mark")
        #expect(throws: HostsError(.failure, "")) { try ledger.reportInstalled(token: token, address: nil) }
        #expect(!ledger.isInstalled(host: "one"))
        #expect(throws: HostsError(.failure, "")) { try ledger.arm(host: "one") }
        try place.setBroken(false, table: "mark")
        _ = try ledger.reportInstalled(token: token, address: nil)
        #expect(ledger.isInstalled(host: "one"))
    }

    @Test func reportingAgainIsHarmless() throws {
        let place = try Ledger()
        let ledger = try place.open()
        let token = try #require(ledger.issueToken(host: "one"))
        for _ in 0..<3 { _ = try ledger.reportInstalled(token: token, address: nil) }
        #expect(ledger.isInstalled(host: "one"))
        #expect(try place.count("mark") == 1)
    }

    @Test func anotherProcessReadsItBesideTheDaemon() throws {
        let place = try Ledger()
        #expect(throws: HostsError(.failure, "")) { try OfflineInstallations(path: place.path) }
        let ledger = try place.open()
        _ = try ledger.reportInstalled(token: try #require(ledger.issueToken(host: "one")), address: nil)
        let offline = try OfflineInstallations(path: place.path)
        #expect(offline.isInstalled(host: "one") && !offline.isInstalled(host: "two"))
    }

    @Test func upIsNotInstalled() throws {
        let place = try Ledger()
        let ledger = try place.open()
        _ = try ledger.reportUp(token: try #require(ledger.issueToken(host: "one")), address: nil)
        #expect(!ledger.isInstalled(host: "one"))
    }

    /// An operator arms a host while its report is being stored. The later of the two must win on disk and in memory:
    /// an arming that was acknowledged last may not be lost.
    @Test func anArmingDuringAReportIsNotLost() throws {
        let place = try Ledger()
        let interruption = Mutex<(@Sendable () -> Void)?>(nil)
        let calls = Mutex(0)
        let ledger = try HostLedger(path: place.path, key: place.key) {
            // The second question for the time comes after the token was checked and before the mark is stored.
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            if number == 2, let body = interruption.withLock({ $0 }) { body() }
            return place.now
        }
        let token = try #require(ledger.issueToken(host: "one"))
        let armed = DispatchSemaphore(value: 0)
        interruption.withLock {
            $0 = {
                Thread.detachNewThread {
                    try? ledger.arm(host: "one")
                    armed.signal()
                }
                // When the two exclude each other the arming waits for the report: that is as good.
                if armed.wait(timeout: .now() + 0.3) == .success { armed.signal() }
            }
        }
        calls.withLock { $0 = 0 }
        _ = try ledger.reportInstalled(token: token, address: nil)
        armed.wait()
        interruption.withLock { $0 = nil }
        #expect(!ledger.isInstalled(host: "one"))
        #expect(try !place.open().isInstalled(host: "one"))
    }
}
