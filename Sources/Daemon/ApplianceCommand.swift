internal import ArgumentParser

/// `provisioner appliance`: what a flashed box runs.
struct ApplianceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "appliance", abstract: "What the services of a flashed box run.",
        subcommands: [ApplianceSetupCommand.self, ApplianceConsoleCommand.self])
}

/// Files that the two commands share below the state directory.
enum AppliancePath {
    static let state = "/run/appliance"

    static func problems(in state: String) -> String { state + "/problems" }
    static func advice(in state: String) -> String { state + "/advice" }
    static func site(in state: String) -> String { state + "/site.yaml" }
    static func keys(in state: String) -> String { state + "/authorized_keys" }
    static func shadow(in state: String) -> String { state + "/shadow" }
    static let login = "/bin/login"
}
