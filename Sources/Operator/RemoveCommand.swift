internal import ArgumentParser
internal import Artifacts
internal import NIOHTTP1

/// `artifactctl rm NAME:TAG`.
struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Take a version or a channel from the server.",
        discussion: """
            NAME:TAG takes the tag: its files can still be named by digest. NAME@sha256:HEX takes the manifest and every \
            version tag that names it; one that a channel names stays until the channel is elsewhere. The bytes go with the \
            next collection, unless something else needs them.
            """)

    @OptionGroup var server: ServerOptions

    @Argument(help: "What to take: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    func validate() throws {
        do { _ = try Reference(reference) } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
        let reference = try Reference(reference)
        _ = try await ControlClient.with(try server.connection()) { client in
            try await client.require([202], .DELETE, "/v2/\(reference.name)/manifests/\(reference.version)")
        }
        print("\(reference) is gone")
    }
}
