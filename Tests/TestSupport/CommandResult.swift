package import Subprocess

/// What a command that ran to its end has left: how it ended and what it wrote.
package struct CommandResult: Sendable {
    /// The command as it was run, with the prefix of its runner.
    package let command: [String]
    /// How it ended: an exit code or a signal.
    package let status: TerminationStatus
    /// Everything it wrote to its standard output, decoded as UTF-8.
    package let standardOutput: String
    /// Everything it wrote to its standard error, decoded as UTF-8.
    package let standardError: String

    /// True when the command exited with code 0.
    package var succeeded: Bool { status.isSuccess }

    /// Its exit code; nil when a signal ended it.
    package var exitCode: Int32? {
        guard case .exited(let code) = status else { return nil }
        return Int32(code)
    }

    /// The signal that ended it; nil when it exited.
    package var signal: Int32? {
        guard case .signaled(let signal) = status else { return nil }
        return Int32(signal)
    }

    /// The standard output without the white space at its ends: what a shell's `$(...)` gives, and a little more.
    package var output: String { standardOutput.trimmed }

    /// The standard output, line by line, without empty lines.
    package var lines: [String] { standardOutput.split(whereSeparator: \.isNewline).map(String.init) }
}

extension CommandResult: CustomStringConvertible {
    package var description: String {
        var text = "\(command.joined(separator: " ")): \(status)"
        if !standardError.isEmpty { text += "\nstderr: \(standardError.trimmed)" }
        if !succeeded, !standardOutput.isEmpty { text += "\nstdout: \(standardOutput.trimmed)" }
        return text
    }
}

extension String {
    /// This string without white space and line ends at its ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
