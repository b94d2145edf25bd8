import Foundation

/// Another machine on a lab's link: a network namespace with an interface `eth0` plugged into the lab's bridge.
package struct LabHost: Sendable {
    /// The namespace's name.
    package let namespace: String
    /// Runs commands on this host, time limits and results as in ``CommandRunner``.
    package let commands: CommandRunner
    private let lab: NetworkLab

    init(namespace: String, lab: NetworkLab) {
        self.namespace = namespace
        self.commands = CommandRunner(prefix: ["ip", "netns", "exec", namespace])
        self.lab = lab
    }

    /// Runs a command on this host and throws unless it exits with 0; see ``CommandRunner``.
    @discardableResult
    package func run(
        _ command: [String], input: String = "", timeLimit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await commands.run(command, input: input, timeLimit: timeLimit)
    }

    /// Starts a program on this host; the lab stops it at its end. Parameters as in ``NetworkLab/start(_:log:grace:)``.
    package func start(
        _ command: [String], log: String, grace: Duration = .seconds(5)
    ) async throws -> RunningProgram {
        try await lab.start(command, by: commands, log: log, grace: grace)
    }

    func plugIn(port: String, address: String?, nameServer: String?) async throws {
        let ip = CommandRunner.local
        if let nameServer {
            // `ip netns exec` puts this file in the place of /etc/resolv.conf; the warden removes the folder.
            let folder = URL(filePath: "/etc/netns/\(namespace)", directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let resolver = Data("nameserver \(nameServer)\n".utf8)
            try resolver.write(to: folder.appending(path: "resolv.conf"))
        }
        try await ip.run(["ip", "netns", "add", namespace])
        try await ip.run(["ip", "-n", namespace, "link", "set", "lo", "up"])
        // Both ends are made inside the lab, so that no interface of it is ever in this machine's own namespace.
        try await lab.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        try await lab.ip("link", "set", port, "master", NetworkLab.bridge, "up")
        if let address {
            try await ip.run(["ip", "-n", namespace, "address", "add", address, "dev", "eth0"])
        }
        try await ip.run(["ip", "-n", namespace, "link", "set", "eth0", "up"])
    }
}
