package import Foundation

/// A running provisioner in a lab, with its site file and data in the lab's directory.
package struct ProvisionerServer: Sendable {
    /// The daemon.
    package let program: RunningProgram
    /// Its site file.
    package let siteFile: URL
    /// Its data directory.
    package let dataDirectory: URL
    /// Its control socket.
    package let socket: String
    private let lab: NetworkLab

    /// What a lab with a server needs on this machine.
    package static let requirements: [Requirement] =
        NetworkLab.requirements + [
            .tool("dnsmasq", package: "dnsmasq-base"),
            .file(URL(filePath: "/usr/lib/ipxe/undionly.kpxe"), package: "ipxe"),
        ]

    /// Writes the site file and starts the daemon, with further arguments of `provisioner serve` and variables
    /// (`NAME=VALUE`); returns when it is
    /// ready.
    /// - Throws: `programExited` or `timedOut` with the end of its log.
    package static func start(
        in lab: NetworkLab, site: String, arguments: [String] = [], environment: [String] = [],
        name: String = "provisioner"
    ) async throws -> ProvisionerServer {
        let siteFile = lab.directory.appending(path: "site.yaml")
        try Data(site.utf8).write(to: siteFile)
        return try await start(
            in: lab, siteFile: siteFile, arguments: arguments, environment: environment, name: name)
    }

    /// Starts the daemon on files that are there already, for instance after a crash.
    package static func start(
        in lab: NetworkLab, siteFile: URL, arguments: [String] = [], environment: [String] = [],
        name: String = "provisioner"
    ) async throws -> ProvisionerServer {
        let data = lab.directory.appending(path: "data")
        let socket = lab.directory.appending(path: "control.sock").path
        let program = try await lab.start(
            (environment.isEmpty ? [] : ["env"] + environment) + [
                try BuiltProducts.provisioner(), "serve", "--site", siteFile.path, "--data", data.path,
                "--control-socket", socket, "--reserve", "16",
            ] + arguments, log: "\(name).log", grace: .seconds(20))
        try await program.waitForLine(containing: "ready:", timeout: .seconds(60))
        return ProvisionerServer(program: program, siteFile: siteFile, dataDirectory: data, socket: socket, lab: lab)
    }

    /// Runs artifactctl against this server and throws unless it succeeds.
    @discardableResult
    package func artifactctl(_ arguments: String..., timeLimit: Duration = .seconds(120)) async throws -> CommandResult
    {
        try await lab.commands.run(command(arguments), timeLimit: timeLimit)
    }

    /// Runs artifactctl, whatever its status.
    package func artifactctlResult(_ arguments: [String]) async throws -> CommandResult {
        try await lab.commands.result(of: command(arguments), timeLimit: .seconds(120))
    }

    private func command(_ arguments: [String]) throws -> [String] {
        ["env", "PROVISIONER_SOCKET=\(socket)", try BuiltProducts.artifactctl()] + arguments
    }

    /// What the server knows of a host, by name or MAC.
    package func host(_ name: String) async throws -> HostStatus {
        let result = try await artifactctl("host", "show", "--json", name)
        return try JSONDecoder().decode(HostStatus.self, from: Data(result.standardOutput.utf8))
    }

    /// Waits until a host's timeline has an event of a kind.
    /// - Throws: `timedOut` with the timeline as far as it came.
    package func waitForEvent(_ kind: String, of host: String, timeout: Duration) async throws -> HostStatus {
        let end = ContinuousClock.now + timeout
        while true {
            let status = try? await self.host(host)
            if let status, status.events.contains(where: { $0.kind == kind }) { return status }
            guard ContinuousClock.now < end else {
                let seen = status?.events.map { "\($0.kind) \($0.detail)" }.joined(separator: "\n") ?? "nothing"
                throw TestSupportError(.timedOut, "\(host) had no event '\(kind)' after \(timeout); it had:\n\(seen)")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}

/// A host as `artifactctl host show --json` tells it.
package struct HostStatus: Decodable, Sendable {
    /// One step of its timeline.
    package struct Event: Decodable, Sendable, Hashable {
        package let time: Int64
        package let kind: String
        package let detail: String
        package let bytes: Int64?
    }

    package let name: String?
    package let state: String
    package let address: String?
    package let events: [Event]

    /// The kinds of its events, each once, in the order they first came.
    package var steps: [String] {
        events.reduce(into: []) { if !$0.contains($1.kind) { $0.append($1.kind) } }
    }
}
