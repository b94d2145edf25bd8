internal import ArgumentParser
internal import Logging

/// `--log-level`: what is written to standard error.
struct LogLevelOption: ExpressibleByArgument, Sendable {
    static let help: ArgumentHelp = "trace, debug, info, notice, warning, error or critical."

    let level: Logger.Level

    init(level: Logger.Level) { self.level = level }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }
    var defaultValueDescription: String { level.rawValue }

    /// Sends every logger of this program to standard error. Once, at the start.
    func bootstrap() {
        let level = level
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
