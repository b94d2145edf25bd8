import Subprocess

/// Runs commands to completion, each within a time limit, somewhere: on this machine or in a network namespace.
///
/// There is no shell in between: arguments are passed as they are. Output is held in memory (16 MiB at most per
/// stream); for a program that keeps running, use ``RunningProgram``.
package struct CommandRunner: Sendable {
    /// Put in front of every command, for example `ip netns exec NAME`.
    package let prefix: [String]
    /// Environment variables that every command gets in addition to those of this process.
    package let environment: [String: String]

    /// Runs commands on this machine, as this process would.
    package static let local = CommandRunner()

    /// Makes a runner; without arguments it is ``local``.
    package init(prefix: [String] = [], environment: [String: String] = [:]) {
        self.prefix = prefix
        self.environment = environment
    }

    /// Runs `command` and throws unless it exits with 0.
    ///
    /// - Parameters:
    ///   - command: the program, found by `PATH`, and its arguments.
    ///   - input: what the command reads from its standard input; empty means end of file at once.
    ///   - timeLimit: after this the command gets SIGTERM and, 1 s later, SIGKILL.
    /// - Returns: what the command wrote.
    /// - Throws: `commandFailed` with command, status and stderr; or what ``result(of:input:timeLimit:)`` throws.
    @discardableResult
    package func run(
        _ command: [String], input: String = "", timeLimit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let result = try await result(of: command, input: input, timeLimit: timeLimit)
        guard result.succeeded else { throw TestSupportError(.commandFailed, "\(result)") }
        return result
    }

    /// Runs `command` and returns its result, whatever its status.
    ///
    /// Parameters as in ``run(_:input:timeLimit:)``.
    ///
    /// - Throws: `timedOut`; `CancellationError` when this task is cancelled; or an error of Subprocess when the
    ///   program cannot be started. The command has ended and is reaped when this throws.
    package func result(
        of command: [String], input: String = "", timeLimit: Duration = .seconds(60)
    ) async throws -> CommandResult {
        let command = prefix + command
        let configuration = ChildProcess.configuration(command, environment: environment, grace: .seconds(1))
        let limit = 16 * 1024 * 1024
        let result: CommandResult? = try await withThrowingTaskGroup(of: CommandResult?.self) { group in
            group.addTask {
                let ended = try await Subprocess.run(
                    configuration, input: .string(input), output: .string(limit: limit), error: .string(limit: limit))
                return CommandResult(
                    command: command, status: ended.terminationStatus,
                    standardOutput: ended.standardOutput, standardError: ended.standardError)
            }
            group.addTask {
                try await Task.sleep(for: timeLimit)
                return nil
            }
            // The loser of the race is cancelled; for the command that means its teardown, which the group awaits.
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        try Task.checkCancellation()
        guard let result else {
            throw TestSupportError(.timedOut, "\(command.joined(separator: " ")) did not end within \(timeLimit)")
        }
        return result
    }
}
