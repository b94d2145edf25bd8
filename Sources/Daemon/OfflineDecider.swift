internal import Artifacts
internal import Boot
internal import Hosts
internal import Recipes
internal import Site
internal import Store

/// Decisions as the daemon makes them, beside it: for commands that tell what a machine would get.
enum OfflineDecider {
    /// By what the data directory holds now.
    /// - Throws: `StoreError` when there is no catalog.
    static func make(for site: Site, data: String) throws(StoreError) -> BootDecider {
        let releases = try OfflineCatalog.releases(
            in: data, policy: site.trust, packagedKeys: BuiltInRecipes.keys, now: SteadyClock().seconds())
        return make(for: site, data: data, releases: releases)
    }

    /// The same with `releases` as what is published.
    static func make(for site: Site, data: String, releases: ReleaseIndex) -> BootDecider {
        let installations: any InstallationReading =
            (try? OfflineInstallations(path: DefaultPath.hostsDatabase(in: data))) ?? NoInstallations()
        return BootDecider(
            site: site, releases: releases, installations: installations, archives: ArchiveViewDirectory(dataPath: data)
        )
    }
}
