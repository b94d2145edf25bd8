import Foundation
import TestSupport

/// A site whose machines boot the small test guest, and a server that has it.
struct GuestSite {
    static let requirements = ProvisionerServer.requirements + GuestImage.requirements

    let server: ProvisionerServer

    /// The profile `guest`: the guest reports to `report` below its per-boot URL, and is verified by `verify`.
    static func start(
        in lab: NetworkLab, machines: [SiteFixture.Machine], report: String = "up", verify: String? = nil
    ) async throws -> GuestSite {
        let site = SiteFixture(
            machines: machines,
            profiles: [
                "guest:",
                "  kernel: \"guest:1/linux\"",
                "  initrd: [\"guest:1/initrd.gz\"]",
                "  overlay: {overlay/note: {from: \"notes:1/note\", fill: true}}",
                "  args: [console=ttyS0, \"phonehome=${boot.url}/\(report)\"]",
            ] + (verify.map { ["  verify: \($0)"] } ?? []))
        let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
        let cache = FileManager.default.temporaryDirectory.appending(path: "provisioner-test-guest")
        let guest = try await GuestImage.build(in: cache)
        try await server.artifactctl("push", "guest:1", guest.kernel.path, guest.initrd.path)
        let note = lab.directory.appending(path: "note")
        try Data("written for ${host.name}\n".utf8).write(to: note)
        try await server.artifactctl("push", "notes:1", note.path)
        return GuestSite(server: server)
    }

    static func machine(_ number: Int, assignment: String?) -> SiteFixture.Machine {
        .init(
            name: "hv0\(number)", mac: "52:54:00:20:99:0\(number)", address: "10.20.99.2\(number)",
            assignment: assignment)
    }
}
