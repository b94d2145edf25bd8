import Foundation
import TestSupport

/// A lab with a running provisioner, for tests with real tools.
enum ServedLab {
    static let machine = SiteFixture.Machine(
        name: "hv01", mac: "52:54:00:20:99:21", address: "10.20.99.21", assignment: "{profile: installer, boot: once}")
    static let site = SiteFixture(
        machines: [machine],
        profiles: [
            "installer:", "  kernel: \"os:1/linux\"", "  initrd: [\"os:1/initrd\"]",
            "  args: [\"url=${answer.url}\", \"host=${host.fqdn}\"]", "  answer: \"answers:1/answer.cfg\"",
        ])

    static func with(
        site: SiteFixture = Self.site, arguments: [String] = [],
        _ body: (NetworkLab, ProvisionerServer) async throws -> Void
    ) async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let server = try await ProvisionerServer.start(in: lab, site: site.yaml, arguments: arguments)
            try await body(lab, server)
        }
    }

    /// Publishes what the site's profile names.
    static func pushProfile(_ lab: NetworkLab, _ server: ProvisionerServer) async throws {
        let linux = try file("linux", Data("the kernel".utf8), lab)
        let initrd = try file("initrd", Data("the initrd".utf8), lab)
        let answer = try file(
            "answer.cfg", Data("I am ${host.name}, report to ${boot.url}/installed, ${HOME}\n".utf8), lab)
        try await server.artifactctl("push", "os:1", linux, initrd)
        try await server.artifactctl("push", "answers:1", answer)
    }

    /// Writes a file into the lab's directory and gives its path.
    static func file(_ name: String, _ bytes: Data, _ lab: NetworkLab) throws -> String {
        let url = lab.directory.appending(path: name)
        try bytes.write(to: url)
        return url.path
    }

    /// Bytes that do not compress and are the same in every run.
    static func bytes(_ count: Int, seed: UInt64 = 1) -> Data {
        var state = seed
        var data = Data(capacity: count)
        while data.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
        }
        return data.prefix(count)
    }

    /// curl in the lab's namespace, quiet but for errors; never throws for a status.
    static func curl(_ lab: NetworkLab, _ arguments: String...) async throws -> CommandResult {
        try await lab.commands.result(of: ["curl", "-sS", "--max-time", "60"] + arguments)
    }

    /// A tar with one file of 2.5 MB in it, `initrd`.
    static func tree(_ lab: NetworkLab) async throws -> String {
        let tree = lab.directory.appending(path: "tree")
        try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: false)
        try bytes(2_500_000).write(to: tree.appending(path: "initrd"))
        let tar = lab.directory.appending(path: "tree.tar").path
        try await lab.commands.run(["tar", "-cf", tar, "-C", tree.path, "initrd"])
        return tar
    }

    /// `provisioner boot-key VERB` on a server's data directory.
    static func bootKey(_ lab: NetworkLab, _ server: ProvisionerServer, _ verb: String) async throws -> CommandResult {
        try await lab.commands.result(
            of: [try BuiltProducts.provisioner(), "boot-key", verb, "--data", server.dataDirectory.path])
    }

    /// openssl's look at a detached CMS signature over a file. All are paths.
    static func cmsCheck(_ signature: String, over content: String, by certificate: String) -> [String] {
        [
            "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", content, "-CAfile",
            certificate, "-purpose", "any", "-out", "/dev/null",
        ]
    }

    /// The status of one HTTP request.
    static func status(_ lab: NetworkLab, _ arguments: String...) async throws -> String {
        try await lab.commands.result(
            of: ["curl", "-sS", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}"] + arguments
        ).output
    }
}
