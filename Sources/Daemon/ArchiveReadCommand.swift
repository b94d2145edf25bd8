internal import ArgumentParser
internal import ConfinedReader

/// `provisioner archive-read`: what the server runs to have an archive read, on its standard input.
struct ArchiveReadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ConfinedArchiveReader.command, abstract: "Read an archive for the server.", shouldDisplay: false)

    @Flag(help: "Tell the contents, and not their hashes only.")
    var contents = false

    func run() throws {
        guard ConfinedArchiveReader.read(sendsContents: contents) else { throw ExitCode.failure }
    }
}
