package import ArgumentParser
internal import ControlAPI
internal import Glibc

/// `provisioner`: the daemon and the commands that act on the machine it runs on.
package struct ProvisionerCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "provisioner",
        abstract: "A network-boot and artifact server.",
        discussion: """
            Machines of a site boot what its site file says, from artifacts that were pushed with artifactctl.
            Exit status: 0 done, 1 refused or failed, 2 wrong usage.
            """,
        version: "provisioner \(ProductVersion.current)",
        subcommands: [ServeCommand.self, CheckCommand.self, ExplainCommand.self])

    package init() {}

    /// Runs the program with its arguments and ends it.
    package static func launch() async -> Never {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            Glibc.exit(0)
        } catch {
            CommandExit.end(Self.self, error)
        }
    }
}

/// How a command ends: one mapping for both programs' exit statuses.
enum CommandExit {
    /// Prints what an error says and ends the program with 0, 1 or 2.
    static func end(_ command: any ParsableCommand.Type, _ error: any Error) -> Never {
        let code = command.exitCode(for: error)
        let text = command.fullMessage(for: error)
        if code == .success {
            print(text)
            Glibc.exit(0)
        }
        if !text.isEmpty { StandardError.write(text) }
        Glibc.exit(code == .validationFailure ? 2 : 1)
    }
}
