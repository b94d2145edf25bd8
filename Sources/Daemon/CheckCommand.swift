package import ArgumentParser
internal import Artifacts
internal import ConfigurationFile
internal import Recipes
internal import Site
internal import Store

/// `provisioner check FILE`.
package struct CheckCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a site file.",
        discussion: "Prints every finding as FILE:LINE:COLUMN and ends with status 1 when one is an error.")

    @Argument(help: "The site file.")
    var file: String

    @Option(help: "Also check that the artifacts which assigned profiles name are in this data directory.")
    var data: String?

    @Flag(help: "Print errors and warnings only.")
    var quiet = false

    package init() {}

    package func run() throws {
        let reading = SiteFile.read(file)
        for finding in reading.diagnostics where !quiet || finding.severity != .info {
            print(finding.rendered(file: file))
        }
        guard let site = reading.site else { throw ExitCode.failure }
        if let data {
            let releases: ReleaseIndex
            do {
                releases = try OfflineCatalog.releases(
                    in: data, policy: site.trust, packagedKeys: BuiltInRecipes.keys, now: SteadyClock().seconds())
            } catch {
                print("\(data): there is no catalog: is it the server's --data, and has the server run once?")
                throw ExitCode.failure
            }
            let missing = MissingArtifacts.find(
                in: site, releases: releases, archives: ArchiveViewDirectory(dataPath: data))
            for line in missing { print("\(file):1:1: error: \(line) [V53]") }
            if !missing.isEmpty { throw ExitCode.failure }
        }
        print(
            "\(file): valid: \(site.substrates.count) substrates, \(site.hosts.count) hosts, \(site.services.count) services, "
                + "\(site.profiles.count) profiles, \(site.assignments.count) assignments")
    }
}
