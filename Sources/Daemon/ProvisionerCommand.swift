package import ArgumentParser
internal import ControlAPI

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
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, PreflightCommand.self, AuthorityCommand.self,
            BackupCommand.self,
            RestoreCommand.self, ReindexCommand.self, BootKeyCommand.self, ApplianceCommand.self,
        ])

    package init() {}
}
