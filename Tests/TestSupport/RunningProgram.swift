package import Foundation
package import Subprocess
import Synchronization
import SystemPackage

/// A program that runs beside the test (a server, a virtual machine), with its output in a log file.
///
/// Whoever starts one must stop it; inside a ``NetworkLab`` the lab does. If the test process dies first, however it
/// dies, the kernel kills the program.
package final class RunningProgram: Sendable {
    /// The command line.
    package let command: [String]
    /// Its standard output and standard error, in the order they were written.
    package let log: LogFile
    /// Its process number; that of the program itself, also when it runs in a network namespace.
    package let processID: Int32
    private let run: Task<TerminationStatus, any Error>
    private let ending: Ending

    /// Holds how the program ended, for readers that do not want to wait.
    private final class Ending: Sendable {
        let status = Mutex<Result<TerminationStatus, any Error>?>(nil)
    }

    /// Starts a program and returns as soon as its process exists.
    ///
    /// - Parameters:
    ///   - command: the program, found by `PATH`, and its arguments.
    ///   - runner: where to run it and with which environment.
    ///   - log: the file for its output; made or emptied here.
    ///   - grace: how long ``stop()`` lets it end by itself between SIGTERM and SIGKILL.
    /// - Returns: the program, running.
    /// - Throws: an error of Subprocess when no process can be made. A program that is not in `PATH` shows otherwise:
    ///   it ends at once, and its log says why.
    package static func start(
        _ command: [String], by runner: CommandRunner = .local, log: URL, grace: Duration = .seconds(5)
    ) async throws -> RunningProgram {
        let configuration = ChildProcess.configuration(
            ChildProcess.dyingWithThisProcess(runner.prefix + command), environment: runner.environment, grace: grace)
        let file = try FileDescriptor.open(
            FilePath(log.path), .writeOnly, options: [.create, .truncate, .append, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        let ending = Ending()
        let (started, startedContinuation) = AsyncStream.makeStream(of: Int32.self)
        // Not structured: the program outlives this call. `stop()` cancels and awaits this task.
        let run = Task {
            defer { startedContinuation.finish() }
            do {
                let ended = try await Subprocess.run(
                    configuration, input: .none,
                    output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .combinedWithOutput
                ) { execution in
                    startedContinuation.yield(execution.processIdentifier.value)
                }
                ending.status.withLock { $0 = .success(ended.terminationStatus) }
                return ended.terminationStatus
            } catch {
                ending.status.withLock { $0 = .failure(error) }
                throw error
            }
        }
        for await processID in started {
            return RunningProgram(command: command, log: LogFile(log), processID: processID, run: run, ending: ending)
        }
        // The stream ended without a process: the start failed, and the task says why; or this task was cancelled, and
        // then the program must not stay behind.
        run.cancel()
        _ = try await run.value
        try Task.checkCancellation()
        throw TestSupportError(.programExited, "\(command.joined(separator: " ")) was not started")
    }

    private init(
        command: [String], log: LogFile, processID: Int32, run: Task<TerminationStatus, any Error>, ending: Ending
    ) {
        self.command = command
        self.log = log
        self.processID = processID
        self.run = run
        self.ending = ending
    }

    /// False once the program has ended and was reaped.
    package var isRunning: Bool {
        ending.status.withLock { $0 == nil }
    }

    /// Its exit code; nil while it runs, and when a signal ended it.
    package var exitCode: Int32? {
        guard case .exited(let code)? = status else { return nil }
        return Int32(code)
    }

    /// How the program ended, or nil while it runs.
    package var status: TerminationStatus? {
        ending.status.withLock { try? $0?.get() }
    }

    /// Waits for a line of the log that contains `expected`, and returns it.
    ///
    /// - Throws: `timedOut`, or `programExited` when the program ends first; both with the end of the log.
    @discardableResult
    package func waitForLine(containing expected: String, timeout: Duration = .seconds(10)) async throws -> String {
        try await log.waitForLine(
            containing: expected, timeout: timeout, writer: command.first ?? "", isWriting: { self.isRunning })
    }

    /// Waits until the program has ended by itself.
    ///
    /// - Throws: `timedOut` with the end of the log; the program then still runs.
    @discardableResult
    package func waitForExit(timeout: Duration) async throws -> TerminationStatus {
        let deadline = ContinuousClock.now + timeout
        while isRunning {
            guard ContinuousClock.now < deadline else {
                throw TestSupportError(
                    .timedOut, "\(command.first ?? "") still runs after \(timeout); end of log:\n\(log.tail())")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await run.value
    }

    /// Ends the program: SIGTERM, SIGKILL after the grace time. Returns when it is reaped; harmless if it has ended.
    package func stop() async {
        run.cancel()
        _ = await run.result
    }
}
