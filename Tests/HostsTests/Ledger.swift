import Artifacts
import Boot
import ConfigurationFile
import Foundation
import GRDB
import Hosts
import Site
import Synchronization
import Testing

/// A ledger in a directory of its own, with a clock that stands still until it is told. The directory is removed with
/// this value: keep it in a variable that is used to the end of the test.
final class Ledger: Sendable {
    let path: String
    let key: AuthenticationKey
    private let time = Mutex<Int64>(1_700_000_000_000)
    private let directory: String

    var now: Int64 { time.withLock { $0 } }

    init() throws {
        key = try #require(AuthenticationKey.random())
        let parent = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        directory = "\(parent)/hosts-tests-\(UUID().uuidString)"
        path = directory + "/hosts.sqlite"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// The ledger keeps this directory through its clock.
    func open(key: AuthenticationKey? = nil, machineLimit: Int = HostLedger.machineLimit) throws -> HostLedger {
        try HostLedger(path: path, key: key ?? self.key, machineLimit: machineLimit) { self.now }
    }

    func advance(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }

    /// Makes every write to a table fail, or work again: what a full or broken disk looks like to the ledger.
    func setBroken(_ isBroken: Bool, table: String) throws {
        try DatabaseQueue(path: path).write { database in
            try database.execute(
                sql: isBroken
                    ? """
                    CREATE TRIGGER broken_\(table) BEFORE INSERT ON \(table)
                    BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END
                    """
                    : "DROP TRIGGER broken_\(table)")
        }
    }

    /// Rows that are on disk.
    func count(_ table: String) throws -> Int {
        try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }
}

/// A small site, its artifacts, and machines of it.
enum Sample {
    static let text = """
        schema: provisioner.site/1
        root_domain: example.net
        substrates:
          lab:
            zone: lab.example.net
            segments:
              main: {subnet: 10.0.0.0/24, gateway: 10.0.0.1, pool: {range: [10.0.0.100, 10.0.0.200]}}
        hosts:
          one:
            form: ph
            plane: lab
            interfaces:
              lan: {mac: "02:00:00:00:00:01", at: lab/main, ip: 10.0.0.11}
          two:
            form: ph
            plane: lab
            interfaces:
              lan: {mac: "02:00:00:00:00:02", at: lab/main, ip: dhcp}
        services:
          pxe: {zone: lab, provider: one}
          artifacts: {zone: lab, provider: one}
        authority:
          lab: {declared: router}
        profiles:
          debian: {kernel: "debian:12/vmlinuz", initrd: ["debian:12/initrd.gz", "debian:12/extra.cpio"]}
        assignments:
          one: {profile: debian, boot: once}
          two: {profile: debian, boot: always}
        """

    static func site() throws -> Site {
        let reading = Site.parse(Array(text.utf8))
        return try #require(reading.site, "\(reading.diagnostics)")
    }

    static func mac(_ number: UInt64) -> MACAddress { MACAddress(value: 0x0200_0000_0000 | number) }

    static func address(_ last: UInt32) -> IPv4Address { IPv4Address(value: 0x0a00_0000 | last) }

    static func releases() throws -> ReleaseIndex {
        var files: [ArtifactPath: ReleaseFile] = [:]
        for path in ["vmlinuz", "initrd.gz", "extra.cpio", "preseed.cfg"] {
            files[try ArtifactPath(path)] = ReleaseFile(digest: SHA256.digest(of: Array(path.utf8)), size: 10)
        }
        var index = ReleaseIndex()
        index.insert(try Release(digest: .empty, files: files), name: try ArtifactName("debian"), tag: try Tag("12"))
        return index
    }

    /// What the boot plane does when a machine asks for its script.
    @discardableResult
    static func askForScript(
        _ ledger: HostLedger, mac: MACAddress, address: IPv4Address? = nil, fields: [String: String] = [:]
    ) throws -> BootDecision {
        var request = BootRequest(fields: fields, address: address)
        request.mac = mac
        let decision = BootDecider(site: try site(), releases: try releases(), installations: ledger).decide(request)
        ledger.noteScript(request, decision: decision, detail: decision.reason)
        return decision
    }
}

extension HostLedger {
    func machine(_ mac: MACAddress) -> MachineRecord? { machines.first { $0.mac == mac } }
    func kinds(_ mac: MACAddress) -> [HostEvent.Kind] { machine(mac)?.events.map(\.kind) ?? [] }
}
