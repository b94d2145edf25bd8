package import ArgumentParser
internal import Glibc

extension AsyncParsableCommand {
    /// Runs a program with its arguments and ends it: status 0 when it is done, 1 when it was refused or failed, 2 for
    /// wrong usage. Results are on standard output, errors on standard error.
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
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            // Help and version come as an "error" with success.
            write(text, to: code == .success ? 1 : 2)
            Glibc.exit(code == .success ? 0 : code == .validationFailure ? 2 : 1)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        guard !text.isEmpty else { return }
        let bytes = Array((text + "\n").utf8)
        _ = Glibc.write(descriptor, bytes, bytes.count)
    }
}
