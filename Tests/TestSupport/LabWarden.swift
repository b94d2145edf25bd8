import Foundation
import Subprocess

/// The process that removes a lab: at its regular end, and also when the test process is killed.
///
/// It is a shell that reads a pipe held open by this process alone. At the end of that input, for whatever reason,
/// it kills every process in the lab's namespaces, removes the namespaces (their interfaces go with them) and the lab's
/// directory, and ends. It has a session of its own and ignores the signals that end a test run in a terminal.
struct LabWarden: Sendable {
    private let work: Task<CommandResult, any Error>
    private let dismissal: AsyncStream<Never>.Continuation

    private static let script = """
        trap '' HUP INT TERM
        cat >/dev/null
        failed=0
        for namespace in $(ip netns list | cut -d' ' -f1); do
            case $namespace in
            "$1" | "$1"-*)
                for process in $(ip netns pids "$namespace"); do kill -KILL "$process"; done 2>/dev/null
                ip netns delete "$namespace" || failed=1
                rm -rf "/etc/netns/$namespace"
                ;;
            esac
        done
        rmdir /etc/netns 2>/dev/null
        rm -rf "$2" || failed=1
        exit $failed
        """

    /// Starts the warden of the lab whose namespaces are `lab` and all that begin with `lab-`.
    static func start(lab: String, directory: URL) async throws -> LabWarden {
        let command = ["sh", "-c", script, "lab-warden", lab, directory.path]
        let configuration = ChildProcess.configuration(command, environment: [:], grace: .seconds(1))
        let (dismissed, dismissal) = AsyncStream.makeStream(of: Never.self)
        let (started, startedContinuation) = AsyncStream.makeStream(of: Void.self)
        // Not structured: it must outlive this call, and a cancelled test most of all needs its warden.
        let work = Task.detached {
            defer { startedContinuation.finish() }
            let ended = try await Subprocess.run(
                configuration, input: .inputWriter, output: .string(limit: 65_536), error: .string(limit: 65_536)
            ) { execution in
                startedContinuation.finish()
                for await _ in dismissed {}
                try await execution.standardInputWriter.finish()
            }
            return CommandResult(
                command: ["lab-warden", lab], status: ended.terminationStatus,
                standardOutput: ended.standardOutput, standardError: ended.standardError)
        }
        for await _ in started {}
        return LabWarden(work: work, dismissal: dismissal)
    }

    /// Lets the warden do its work, and waits for it.
    ///
    /// - Throws: `cleanupFailed` with what it could not remove.
    func dismiss() async throws {
        dismissal.finish()
        let result = try await work.value
        guard result.succeeded else { throw TestSupportError(.cleanupFailed, "\(result)") }
    }
}
