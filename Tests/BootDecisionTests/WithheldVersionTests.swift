import Artifacts
import Boot
import Site
import Testing

/// Versions that machines are not given, and files inside archives, at the one decision.
@Suite struct WithheldVersionTests {
    /// One archive with one file in it.
    private struct OneArchive: ArchiveLookup {
        let archive: Digest
        let path: ArtifactPath

        func member(_ path: ArtifactPath, of archive: Digest) -> ArchiveMember? {
            guard archive == self.archive, path == self.path else { return nil }
            return ArchiveMember(file: ReleaseFile(digest: .empty, size: 7), offset: 4096)
        }

        func entries(in folder: ArtifactPath?, of archive: Digest, limit: Int) -> [FolderEntry]? { nil }

        func refusal(of archive: Digest) -> String? { archive == self.archive ? nil : "it is a test" }
    }

    private func decide(
        _ site: Site, _ releases: ReleaseIndex, archives: any ArchiveLookup = NoArchives()
    ) throws -> BootDecision {
        let decider = BootDecider(site: site, releases: releases, installations: NoInstallations(), archives: archives)
        return
            decider
            .decide(BootRequest(mac: try LabSite.mac("52:54:00:00:01:01")))
    }

    @Test func aMachineWaitsForAWithheldVersionAndIsTold() throws {
        let site = try LabSite.site()
        var releases = try LabSite.releases(of: site)
        #expect(try decide(site, releases).plan != nil)
        let name = try ArtifactName("debian")
        for digest in releases.digests(of: name) {
            releases.withhold(digest, name: name, Withholding("it is not signed as the site asks"))
        }
        let decision = try decide(site, releases)
        #expect(decision.outcome == .hold(seconds: BootDecider.holdSeconds))
        #expect(decision.reason == "profile debian cannot be served: debian:12.11: it is not signed as the site asks")
        for digest in releases.digests(of: name) { releases.withhold(digest, name: name, nil) }
        #expect(try decide(site, releases).plan != nil)
    }

    @Test func aFileInsideAnArchiveIsBootedAndAMissingOneIsExplained() throws {
        var site = try LabSite.site()
        let place = "debian:12.11/install.amd/vmlinuz/inner/linux"
        let index = try #require(site.profiles.firstIndex { $0.name == "debian" })
        site.profiles[index].kernel = try FileReference(place)
        let releases = try LabSite.releases(of: LabSite.site())
        let archive = SHA256.digest(of: "debian:12.11/install.amd/vmlinuz".utf8)
        let lookup = OneArchive(archive: archive, path: try ArtifactPath("inner/linux"))
        let plan = try #require(try decide(site, releases, archives: lookup).plan)
        #expect(plan.kernel.file.size == 7 && plan.kernel.reference.description == place)
        let content = try releases.content(FileReference(place), in: lookup)
        #expect(content?.container == archive && content?.offset == 4096)
        let none = try decide(site, releases, archives: NoArchives())
        #expect(none.reason.contains("the archive is not shown as a folder: archives are not looked into here"))
    }

    @Test func aBlobIsThereAsLongAsSomeNameGivesIt() throws {
        var releases = ReleaseIndex()
        let file = ReleaseFile(digest: SHA256.digest(of: "x".utf8), size: 1)
        let release = try Release(digest: .empty, files: [try ArtifactPath("x"): file])
        let (a, b) = (try ArtifactName("a"), try ArtifactName("b"))
        for name in [a, b] { releases.insert(release, name: name, tag: try Tag("1")) }
        let withheld = Withholding("w")
        releases.withhold(.empty, name: a, withheld)
        releases.withhold(.empty, name: a, withheld)
        #expect(releases.blobSize(file.digest) == 1)
        releases.withhold(.empty, name: b, withheld)
        #expect(releases.blobSize(file.digest) == nil)
        #expect(try releases.file(FileReference("a:1/x")) == nil)
        #expect(try releases.release(Reference("a:1")) != nil)
        releases.remove(.empty, name: a)
        releases.withhold(.empty, name: b, nil)
        #expect(releases.blobSize(file.digest) == 1)
        releases.remove(.empty, name: b)
        #expect(releases.blobSize(file.digest) == nil && releases.names.isEmpty)
    }
}
