package import ArgumentParser
internal import ControlAPI

/// `artifactctl`: the operator's client.
package struct ArtifactctlCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "artifactctl",
        abstract: "Push, list and fetch artifacts; look after hosts.",
        discussion: """
            Artifacts are named NAME:TAG, or NAME@sha256:HEX; a file of one is NAME:TAG/PATH.
            Exit status: 0 done, 1 refused or failed, 2 wrong usage.
            """,
        version: "artifactctl \(ProductVersion.current)",
        subcommands: [
            LoginCommand.self, ImportCommand.self, PushCommand.self, PushManyCommand.self, PullCommand.self,
            ListCommand.self,
            ShowCommand.self, SignCommand.self, VerifyCommand.self, TrustCommand.self,
            PromoteCommand.self, RollbackCommand.self, HistoryCommand.self, RemoveCommand.self, HostCommand.self,
            StatusCommand.self, TokenCommand.self, CertificateCommand.self, LoginCodeCommand.self, AuditCommand.self,
            CollectCommand.self, RetentionCommand.self, QuotaCommand.self, ScrubCommand.self,
        ])

    package init() {}
}
