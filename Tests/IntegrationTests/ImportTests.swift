import Foundation
import Recipes
import TestSupport
import Testing

/// `artifactctl import`: Debian from its real archive, every other recipe from a miniature of its upstream. The mirror of
/// Debian has tests of its own.
@Suite struct ImportTests {
    static let recipes = BuiltInRecipes.all.map(\.name)

    /// A server that takes nothing that is not signed by the test's keys.
    private func with(
        _ body: (NetworkLab, ProvisionerServer, UpstreamTree) async throws -> Void
    ) async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            try await UpstreamTree.with(in: lab.directory) { tree in
                var site = ServedLab.site
                site.trust = ["keys:", "  upm: {minisign: \"\(tree.minisign)\"}", "policies:"]
                site.trust += ["  - {artifacts: [\"*\"], signers: [up, upm]}"]
                let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
                try await server.artifactctl(
                    "trust", "add", "up", "--openpgp", tree.fingerprint, "--keyring", tree.keyring)
                try await body(lab, server, tree)
            }
        }
    }

    private static func text(_ name: String) throws -> String {
        String(decoding: try #require(BuiltInRecipes.bytes(name)), as: UTF8.self)
    }

    private static func parsed(_ name: String) throws -> Recipe {
        let reading = Recipe.parse(try #require(BuiltInRecipes.bytes(name)), keyring: BuiltInRecipes.keyring)
        return try #require(reading.recipe, "\(reading.diagnostics)")
    }

    @Test(arguments: recipes.filter { !["debian-12-mirror", "talos", "memtest86plus"].contains($0) })
    func everyRecipeImportsWhatItsUpstreamSignsAndNothingElse(_ name: String) async throws {
        try await with { lab, server, tree in
            let recipe = try Self.parsed(name)
            let copy = try tree.recipe(name, try Self.text(name))
            let folder = lab.directory.appending(path: "upstream")
            try await tree.make(recipe, in: folder)
            // One byte of a file, of a list, or of a signature: nothing is published.
            let first = try #require(recipe.files.first)
            let victims =
                [first.path] + recipe.lists.map(\.path) + recipe.lists.compactMap(\.signature)
                + recipe.files.compactMap(\.signature)
            let refusals = try await UpstreamTree.refusals(of: victims, in: folder) {
                try await server.artifactctlResult(["import", copy, "--from", folder.path])
            }
            #expect(refusals == victims.count)
            #expect(try await !server.artifactctl("ls").output.contains("\(recipe.artifact):"))

            let result = try await server.artifactctl("import", copy, "--from", folder.path)
            #expect(result.output.contains("verified: rule for *: signed by "), "\(result)")
            let reference = "\(recipe.artifact):\(recipe.version)"
            #expect(try await server.artifactctl("verify", reference).output.contains("verdict  trusted"))
            let served = try await ServedLab.status(lab, "-I", "http://10.20.99.1/\(reference)/\(first.name)")
            #expect(served == "200")
            // The same again is fine.
            try await server.artifactctl("import", copy, "--from", folder.path)
        }
    }

    @Test(arguments: ["talos", "memtest86plus"])
    func whatUpstreamDoesNotSignNeedsAWordAndASignatureOfOnesOwn(_ name: String) async throws {
        try await with { lab, server, tree in
            let recipe = try Self.parsed(name)
            let folder = lab.directory.appending(path: "upstream")
            try await tree.make(recipe, in: folder)
            let refused = try await server.artifactctlResult(["import", name, "--from", folder.path])
            #expect(refused.exitCode == 1 && refused.standardError.contains("--unsigned"), "\(refused)")
            let unsigned = try await server.artifactctlResult(["import", name, "--from", folder.path, "--unsigned"])
            #expect(unsigned.exitCode == 1 && unsigned.standardError.contains("needs 1 of up, upm"), "\(unsigned)")
            let result = try await server.artifactctl(
                "import", name, "--from", folder.path, "--unsigned", "--minisign-key", "\(tree.home)/up.key")
            #expect(result.output.contains("not signed by upstream"), "\(result)")
        }
    }

    @Test func whatIsFetchedIsTakenUpWhereItBrokeOffAndFillsAStick() async throws {
        try await with { lab, server, tree in
            let name = "rocky-9"
            let recipe = try Self.parsed(name)
            let copy = try tree.recipe(name, try Self.text(name))
            let folder = lab.directory.appending(path: "upstream")
            try await tree.make(recipe, in: folder)
            // The boot plane is a mirror like any other: plain HTTP with ranges.
            try await server.artifactctl("push", "mirror:1", folder.path, "--minisign-key", "\(tree.home)/up.key")
            let mirror = "http://10.20.99.1/mirror:1"
            let cache = lab.directory.appending(path: "cache").path
            let stick = lab.directory.appending(path: "stick")
            try await server.artifactctl(
                "import", copy, "--from", mirror, "--cache", cache, "--download", stick.path)
            #expect(try await !server.artifactctl("ls").output.contains("rocky-9:"))
            for path in [recipe.files[0].path, recipe.lists[0].path, try #require(recipe.lists[0].signature)] {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: stick.appending(path: path).path, andPath: folder.appending(path: path).path), "\(path)"
                )
            }
            // A fetch that was killed has left the first half, under another name.
            let found = try await lab.commands.run(["find", cache, "-name", "*.iso"]).output
            let image = try Data(contentsOf: URL(filePath: found))
            try image.prefix(image.count / 2).write(to: URL(filePath: found + ".partial"))
            try FileManager.default.removeItem(atPath: found)
            let again = try await server.artifactctl("import", copy, "--from", mirror, "--cache", cache)
            #expect(again.output.contains("verified: "), "\(again)")
            // And a file that was kept, and rotted, is fetched anew.
            var rotten = image
            rotten[100] ^= 1
            try rotten.write(to: URL(filePath: found))
            try await server.artifactctl("import", copy, "--from", mirror, "--cache", cache, "--artifact", "other")
            try await server.artifactctl("import", copy, "--from", stick.path, "--artifact", "third")
        }
    }

    /// InRelease and the list of images come from Debian's archive as they are; kernel and initrd, which these sign, from
    /// Debian's own package of them.
    @Test func debianComesFromItsRealArchive() async throws {
        try Requirement.demand(ProvisionerServer.requirements + DebianInstaller.requirements)
        try await NetworkLab.with { lab in
            let folder = lab.directory.appending(path: "debian")
            let suite = folder.appending(path: "dists/bookworm")
            let images = suite.appending(path: "main/installer-amd64/current/images")
            let boot = images.appending(path: "netboot/debian-installer/amd64")
            try FileManager.default.createDirectory(at: boot, withIntermediateDirectories: true)
            let package = try await CommandRunner.local.run(["apt-get", "--print-uris", "download", "hello"])
            let archive = try #require(package.output.split(separator: "'").first?.split(separator: "/pool/").first)
            for path in ["dists/bookworm/InRelease", "dists/bookworm/main/installer-amd64/current/images/SHA256SUMS"] {
                try await CommandRunner.local.run(
                    ["curl", "-sSfL", "-o", folder.appending(path: path).path, "\(archive)/\(path)"])
            }
            for (name, file) in [("linux", DebianInstaller.kernel), ("initrd.gz", DebianInstaller.initrd)] {
                try FileManager.default.copyItem(at: file, to: boot.appending(path: name))
            }
            // The key comes with the server: the rule only names it.
            var site = ServedLab.site
            site.trust = [
                "policies:", "  - {artifacts: [\"*\"], signers: [debian-archive-12, debian-stable-12], threshold: 2}",
            ]
            let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
            let result = try await server.artifactctl("import", "debian-12-netboot", "--from", folder.path)
            #expect(result.output.contains("signed by debian-archive-12, debian-stable-12"), "\(result)")
            let verified = try await server.artifactctl("verify", "debian-12-netboot:12")
            #expect(verified.output.contains("verdict  trusted"), "\(verified)")
            #expect(try await server.artifactctl("trust", "ls").output.contains("package"))
        }
    }

    @Test func mistakesAreToldByName() async throws {
        try await ServedLab.with { lab, server in
            let none = try await server.artifactctlResult(["import", "debian-11"])
            #expect(none.exitCode == 1 && none.standardError.contains("there is no recipe 'debian-11'"))
            #expect(try await server.artifactctlResult(["import"]).exitCode == 2)
            let file = try ServedLab.file(
                "bad.yaml",
                Data("schema: provisioner.recipe/1\ntitle: x\nartifact: X\nversion: 1\nfrom: /x\nfils: {}\n".utf8), lab)
            let bad = try await server.artifactctlResult(["import", file])
            for words in ["'X' is no name", "unknown key 'fils': did you mean 'files'?", "say which keys sign it"] {
                #expect(bad.standardError.contains(words), "\(bad)")
            }
            let listed = try await server.artifactctl("import", "--list")
            for name in Self.recipes { #expect(listed.output.contains("\n\(name) "), "\(name)") }
        }
    }
}
