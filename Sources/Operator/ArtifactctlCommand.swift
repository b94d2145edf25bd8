package import ArgumentParser
internal import ControlAPI
internal import Foundation

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
        subcommands: [PushCommand.self, PullCommand.self, ListCommand.self, ShowCommand.self, HostCommand.self])

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
            Foundation.exit(0)
        } catch {
            let code = exitCode(for: error)
            let isUsage = code == .validationFailure
            let text = error is OperatorError ? "artifactctl: \(error)" : fullMessage(for: error)
            if code == .success {
                print(text)
            } else if !text.isEmpty {
                FileHandle.standardError.write(Data((text + "\n").utf8))
            }
            Foundation.exit(code == .success ? 0 : isUsage ? 2 : 1)
        }
    }
}
