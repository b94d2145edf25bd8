package import Foundation
import Synchronization

/// A network of its own for one test: a namespace with a bridge, and whatever is plugged into that bridge.
///
/// The server under test runs in the lab's namespace and owns the bridge's address; virtual machines (``boot(_:)``) and
/// other hosts (``addHost(_:address:nameServer:)``) are on the same link. No packet leaves the lab and none comes in.
///
/// Nothing stays behind: programs are stopped in the reverse order of their start, then a ``LabWarden`` kills what is
/// left in the namespaces and removes them with all their interfaces. The warden also does that when the test process
/// dies. Labs are independent: tests may run several at once.
package final class NetworkLab: Sendable {
    /// What ``with(address:isolation:_:)`` needs on this machine.
    package static let requirements: [Requirement] = [
        .root, .tool("ip", package: "iproute2"), .tool("setpriv", package: "util-linux"),
    ]

    /// The bridge, in the lab's namespace.
    package static let bridge = "br0"
    /// The bridge's MAC address: fixed, because a bridge without one takes and changes to those of its ports.
    package static let bridgeMAC = "02:00:0a:14:63:01"

    private static let count = Atomic<Int>(0)

    /// The namespace's name, unique on this machine: `provlab-PID-N`.
    package let name: String
    /// The bridge's address with its prefix length.
    package let address: String
    /// A directory for logs and state of this lab's programs; removed with the lab.
    package let directory: URL
    /// Runs commands in the lab's namespace, time limits and results as in ``CommandRunner``.
    package let commands: CommandRunner
    private let cleanup: CleanupStack
    private let portCount = Atomic<Int>(0)

    /// Makes a lab, runs `body` with it, and removes it, whether `body` returned, threw or was cancelled. Waits first
    /// where this process has many labs already: so no lab is made within another.
    ///
    /// - Parameters:
    ///   - address: the bridge's IPv4 address with its prefix length.
    ///   - isolation: where `body` runs; leave it at its default.
    ///   - body: gets the lab, which is up but has no server yet.
    /// - Returns: what `body` returned.
    /// - Throws: `missingRequirement`; the error of `body`; `cleanupFailed` when something could not be removed.
    package static func with<Value>(
        address: String = "10.20.99.1/24",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (NetworkLab) async throws -> Value
    ) async throws -> Value {
        try Requirement.demand(requirements)
        await LabSlots.ofThisProcess.enter()
        do {
            let value = try await make(address, body)
            await LabSlots.ofThisProcess.leave()
            return value
        } catch {
            await LabSlots.ofThisProcess.leave()
            throw error
        }
    }

    private static func make<Value>(
        _ address: String, isolation: isolated (any Actor)? = #isolation, _ body: (NetworkLab) async throws -> Value
    ) async throws -> Value {
        let number = count.add(1, ordering: .relaxed).newValue
        let name = "provlab-\(ProcessInfo.processInfo.processIdentifier)-\(number)"
        return try await TemporaryDirectory.with(prefix: name) { directory in
            try await CleanupStack.with { cleanup in
                let lab = NetworkLab(name: name, address: address, directory: directory, cleanup: cleanup)
                let warden = try await LabWarden.start(lab: name, directory: directory)
                await cleanup.add("remove \(name)") { try await warden.dismiss() }
                try await lab.makeBridge()
                return try await body(lab)
            }
        }
    }

    private init(name: String, address: String, directory: URL, cleanup: CleanupStack) {
        self.name = name
        self.address = address
        self.directory = directory
        self.commands = CommandRunner(prefix: ["ip", "netns", "exec", name])
        self.cleanup = cleanup
    }

    private func makeBridge() async throws {
        let bridge = Self.bridge
        try await CommandRunner.local.run(["ip", "netns", "add", name])
        try await ip("link", "set", "lo", "up")
        try await ip("link", "add", bridge, "address", Self.bridgeMAC, "type", "bridge", "stp_state", "0")
        // The server's own router advertisements must not configure the server.
        try await run(["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/\(bridge)/accept_ra"])
        try await ip("address", "add", address, "dev", bridge)
        try await ip("link", "set", bridge, "up")
    }

    /// The bridge's address without its prefix length: the server's address.
    package var serverAddress: String {
        address.split(separator: "/").first.map(String.init) ?? address
    }

    /// Runs a command in the lab's namespace and throws unless it exits with 0; see ``CommandRunner``.
    @discardableResult
    package func run(
        _ command: [String], input: String = "", timeLimit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await commands.run(command, input: input, timeLimit: timeLimit)
    }

    /// Starts a program in the lab's namespace; the lab stops it at its end, if nobody has before.
    ///
    /// - Parameters:
    ///   - command: the program and its arguments.
    ///   - log: the file for its output, relative to ``directory`` unless it is an absolute path.
    ///   - grace: how long it may take to end by itself after SIGTERM.
    /// - Returns: the program, running but perhaps not ready: wait for a line of its log.
    /// - Throws: an error of Subprocess when no process can be made.
    package func start(
        _ command: [String], log: String, grace: Duration = .seconds(5)
    ) async throws -> RunningProgram {
        try await start(command, by: commands, log: log, grace: grace)
    }

    /// Plugs another machine into the bridge: a namespace of its own, for clients such as curl, dig or a DHCP client.
    ///
    /// - Parameters:
    ///   - host: a short name, unique in this lab.
    ///   - address: the address of its interface `eth0`, with prefix length; nil for none (a DHCP client sets it).
    ///   - nameServer: the server its resolver asks; nil for this machine's `/etc/resolv.conf`.
    /// - Returns: the host, with its link up.
    /// - Throws: `commandFailed` when `ip` refuses, for example because the name is taken.
    package func addHost(
        _ host: String, address: String? = nil, nameServer: String? = nil
    ) async throws -> LabHost {
        let host = LabHost(namespace: "\(name)-\(host)", lab: self)
        try await host.plugIn(port: "veth\(nextPort())", address: address, nameServer: nameServer)
        return host
    }

    /// Starts a virtual machine on the bridge; the lab stops it at its end.
    ///
    /// - Throws: `missingRequirement` when QEMU or a firmware is absent.
    package func boot(_ configuration: VirtualMachine.Configuration) async throws -> VirtualMachine {
        let tap = "tap\(nextPort())"
        try await ip("tuntap", "add", "dev", tap, "mode", "tap")
        try await ip("link", "set", tap, "master", Self.bridge, "up")
        return try await VirtualMachine.start(configuration, on: tap, in: self)
    }

    func start(
        _ command: [String], by runner: CommandRunner, log: String, grace: Duration
    ) async throws -> RunningProgram {
        let url = URL(filePath: log, relativeTo: directory)
        let program = try await RunningProgram.start(command, by: runner, log: url.absoluteURL, grace: grace)
        await cleanup.add("stop \(command.first ?? "")") { await program.stop() }
        return program
    }

    func ip(_ arguments: String...) async throws {
        try await CommandRunner.local.run(["ip", "-n", name] + arguments)
    }

    private func nextPort() -> Int {
        portCount.add(1, ordering: .relaxed).newValue
    }
}
