internal import ArgumentParser
internal import ControlAPI
internal import Foundation
internal import NIOHTTP1

/// `artifactctl host ls|show|arm`.
struct HostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "Hosts, discovered machines and their timelines.",
        subcommands: [HostListCommand.self, HostShowCommand.self, HostArmCommand.self])
}

struct HostListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List hosts of the site file and discovered machines.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Only those that stopped half-way through a boot, with the likely cause of each.")
    var stuck = false

    func run() async throws {
        var list = try await ControlClient.with(try server.connection()) { client in
            try await client.document([HostReport].self, "/api/v1/hosts")
        }
        if stuck { list.removeAll { $0.stuck == nil } }
        print(json ? try OutputFormat.json(list) : stuck ? Self.causes(list) : Self.table(list))
    }

    static func causes(_ list: [HostReport]) -> String {
        guard !list.isEmpty else { return "no machine is stuck" }
        return OutputFormat.table(
            ["HOST", "MAC", "LAST SEEN", "STOPPED, AND THE LIKELY CAUSE"],
            list.map { host in
                [
                    host.name ?? "-", host.macs.joined(separator: " "), host.lastSeen.map(OutputFormat.time) ?? "never",
                    host.stuck ?? "",
                ]
            })
    }

    static func table(_ list: [HostReport]) -> String {
        OutputFormat.table(
            ["HOST", "STATE", "PROFILE", "BOOT", "ADDRESS", "LAST SEEN", "MAC"],
            list.map { host in
                [
                    host.name ?? "-", host.stuck == nil ? host.state : "\(host.state), STUCK", host.profile ?? "-",
                    host.boot ?? "-", host.address ?? "-",
                    host.lastSeen.map(OutputFormat.time) ?? "never", host.macs.joined(separator: " "),
                ]
            })
    }
}

struct HostShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a host, or a discovered machine, with its timeline.")

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The host's name, or a MAC address.")
    var host: String

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(HostReport.self, "/api/v1/hosts/\(HostPath.escape(host))")
        }
        print(json ? try OutputFormat.json(report) : Self.text(report))
    }

    static func text(_ host: HostReport) -> String {
        let facts: [(String, String?)] = [
            ("host", host.name ?? "not in the site file"), ("state", host.state),
            ("profile", host.profile.map { "\($0), boot: \(host.boot ?? "-")" }),
            ("mac", host.macs.joined(separator: " ")),
            ("address", host.address), ("uuid", host.uuid), ("serial", host.serial),
            ("machine", [host.architecture, host.platform].compactMap { $0 }.joined(separator: ", ")),
        ]
        var lines = facts.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : name.padding(toLength: 9, withPad: " ", startingAt: 0) + $0 }
        }
        let events = host.events ?? []
        lines.append("")
        lines.append(events.isEmpty ? "never seen" : timeline(events))
        if let boot = host.lastBoot { lines += ["", summary(boot)] }
        return lines.joined(separator: "\n")
    }

    /// What the last boot took, and why it stopped.
    static func summary(_ boot: HostReport.Boot) -> String {
        let steps = boot.steps.map { step in
            let size = step.bytes > 0 ? ", \(ByteCount(step.bytes))" : ""
            let times = step.count > 1 ? ", \(step.count) times" : ""
            return "\(step.phase) \(String(format: "%.1f", Double(step.milliseconds) / 1000)) s\(times)\(size)"
        }
        let failures = boot.failures > 0 ? "; \(boot.failures) failed requests" : ""
        let line = "last boot \(OutputFormat.time(boot.started)): \(steps.joined(separator: "; "))\(failures)"
        return boot.cause.map { line + "\nSTUCK     \($0)" } ?? line
    }

    /// One line for each step, with the seconds since the step before.
    static func timeline(_ events: [HostReport.Event]) -> String {
        var previous: Int64?
        return events.map { event in
            let gap = previous.map { String(format: "%+8.1f s", Double(event.time - $0) / 1000) } ?? "          "
            previous = event.time
            let size = event.bytes.map { $0 > 0 ? " (\(ByteCount($0)))" : "" } ?? ""
            let kind = event.kind.padding(toLength: 10, withPad: " ", startingAt: 0)
            return "\(OutputFormat.time(event.time)) \(gap)  \(kind)\(event.detail)\(size)"
        }.joined(separator: "\n")
    }
}

struct HostArmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arm", abstract: "Have a host given its profile again at the next boot.",
        discussion:
            "A host with 'boot: once' that has reported that it is installed boots its disk until it is armed. THIS INSTALLS IT AGAIN."
    )

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The host's name.")
    var host: String

    func run() async throws {
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(HostReport.self, "/api/v1/hosts/\(HostPath.escape(host))/arm", method: .POST)
        }
        print(
            json
                ? try OutputFormat.json(report)
                : "\(host) is armed: \(report.profile ?? "no profile"), boot: \(report.boot ?? "-")")
    }
}

/// A host's name or MAC in a URL's path.
enum HostPath {
    static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-.:"))) ?? text
    }
}
