internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import NIOHTTP1
internal import Trust

/// `artifactctl verify NAME:TAG`.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Verify every signature of a version again, and tell the verdict.",
        discussion: """
            The server verifies, with the keys and rules that it has now. The exit status is 0 when the version may boot, and 1 \
            when it may not.

              artifactctl verify debian-installer:12
            """)

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The version: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    func validate() throws {
        do { _ = try Reference(reference) } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
        let reference = try Reference(reference)
        let report = try await ControlClient.with(try server.connection()) { client in
            try await client.document(VerdictReport.self, "\(ControlPath.verdicts)/\(reference)", method: .POST)
        }
        print(
            json
                ? try OutputFormat.json(report) : "\(reference)\ndigest   \(report.digest)\n\(VerdictText.text(report))"
        )
        if report.verdict?.mayBoot != true { throw ExitCode.failure }
    }
}
