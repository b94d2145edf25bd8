import Subprocess
import SystemPackage

/// How every child of the test bench is started.
enum ChildProcess {
    /// A configuration for a command line; the program is looked up in `PATH`.
    ///
    /// The child leads a session of its own: a signal meant for the test process (Ctrl-C in a terminal) does not reach
    /// it, and its descendants can be ended together with it. When the task that runs it is cancelled, the group gets
    /// SIGTERM and, after `grace`, SIGKILL.
    static func configuration(_ command: [String], environment: [String: String], grace: Duration) -> Configuration {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: grace)]
        var variables: [Environment.Key: String?] = [:]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        return Configuration(
            executable: executable(command.first ?? ""),
            arguments: Arguments(Array(command.dropFirst())),
            environment: .inherit.updating(variables),
            platformOptions: options)
    }

    /// A path as it is; anything else is looked up in `PATH`.
    private static func executable(_ program: String) -> Executable {
        program.contains("/") ? .path(FilePath(program)) : .name(program)
    }

    /// The same command, killed by the kernel as soon as the thread that started it ends.
    ///
    /// Subprocess starts all children from one thread that lives as long as the process, so this means: when the test
    /// process dies, however it dies. The mark survives exec but not a change of user, so it is a second net only.
    static func dyingWithThisProcess(_ command: [String]) -> [String] {
        ["setpriv", "--pdeathsig", "KILL", "--"] + command
    }
}
