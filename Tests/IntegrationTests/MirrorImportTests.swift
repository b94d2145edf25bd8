import Foundation
import Recipes
import TestSupport
import Testing

/// A subset of Debian's archive: imported, verified on the server, and installed from by apt, which verifies it once more.
@Suite struct MirrorImportTests {
    private static let requirements: [Requirement] =
        ProvisionerServer.requirements + [
            .tool("apt-ftparchive", package: "apt-utils"), .tool("apt-get", package: "apt"),
            .tool("dpkg-deb", package: "dpkg"), .tool("dpkg-scanpackages", package: "dpkg-dev"),
        ]

    /// The recipe that ships, with another choice of packages.
    private static func recipe(_ packages: [String], in folder: URL, _ tree: UpstreamTree?) throws -> String {
        let text = String(decoding: try #require(BuiltInRecipes.bytes("debian-12-mirror")), as: UTF8.self)
        let start = try #require(text.range(of: "\npackages:\n"))
        let end = try #require(text.range(of: "\nprofile: |"))
        let changed = text[..<start.upperBound] + packages.joined(separator: "\n") + text[end.lowerBound...]
        if let tree { return try tree.recipe("mirror", String(changed)) }
        let file = folder.appending(path: "mirror.yaml")
        try Data(changed.utf8).write(to: file)
        return file.path
    }

    /// Runs apt-get with nothing of this machine.
    private static func apt(_ arguments: [String], keyring: String, _ lab: NetworkLab) async throws -> CommandResult {
        let root = lab.directory.appending(path: "apt")
        for folder in ["etc/apt/apt.conf.d", "etc/apt/preferences.d", "state/lists/partial", "cache/archives/partial"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: folder), withIntermediateDirectories: true)
        }
        for file in ["status", "apt.conf"] { try Data().write(to: root.appending(path: file)) }
        let source = "deb [signed-by=\(keyring)] http://10.20.99.1/debian-12-mirror:12 bookworm main\n"
        try Data(source.utf8).write(to: root.appending(path: "etc/apt/sources.list"))
        let options = [
            "Dir::Etc=\(root.path)/etc/apt", "Dir::State=\(root.path)/state", "Dir::Cache=\(root.path)/cache",
            "Dir::State::status=\(root.path)/status", "APT::Architecture=amd64", "APT::Architectures=amd64",
            "APT::Sandbox::User=root", "Acquire::Languages=none",
        ]
        return try await lab.commands.result(
            of: ["env", "APT_CONFIG=\(root.path)/apt.conf", "apt-get"] + options.flatMap { ["-o", $0] } + arguments,
            timeLimit: .seconds(120))
    }

    // MARK: A miniature

    private static let control: [(name: String, type: String, fields: [String])] = [
        ("base", "deb", ["Priority: required"]),
        ("tool", "deb", ["Depends: base (>= 1), missing | library:any", "Recommends: extra"]),
        ("library", "deb", ["Pre-Depends: mail-agent", "Multi-Arch: allowed"]),
        ("extra", "deb", ["Depends: none-at-all | base"]),
        ("postman", "deb", ["Provides: mail-agent (= 1)", "Priority: standard"]),
        ("aardvark", "deb", ["Provides: mail-agent"]),
        ("unwanted", "deb", ["Depends: tool"]),
        ("anna", "udeb", ["Priority: standard"]),
    ]

    private static func makeArchive(_ folder: URL, _ tree: UpstreamTree) async throws {
        let local = CommandRunner.local
        for (name, type, fields) in control {
            let build = folder.appending(path: "build/\(name)/DEBIAN")
            let pool = folder.appending(path: "pool/main/\(name.prefix(1))/\(name)")
            for place in [build, pool] {
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            var lines = ["Package: \(name)", "Version: 1", "Architecture: amd64", "Maintainer: x <x@example.net>"]
            if !fields.contains(where: { $0.hasPrefix("Priority") }) { lines.append("Priority: optional") }
            lines += fields + ["Description: \(name)", " of a miniature"]
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: build.appending(path: "control"))
            try await local.run(
                [
                    "dpkg-deb", "--root-owner-group", "--build", folder.path + "/build/\(name)",
                    "\(pool.path)/\(name)_1_amd64.\(type)",
                ])
        }
        try FileManager.default.removeItem(at: folder.appending(path: "build"))
        let gpg = "gpg --homedir \(tree.home) --batch --yes --pinentry-mode loopback --passphrase ''"
        try await local.run(
            [
                "sh", "-euc",
                """
                cd '\(folder.path)'
                d=dists/bookworm/main
                mkdir -p $d/binary-amd64 $d/debian-installer/binary-amd64
                apt-ftparchive packages pool >$d/binary-amd64/Packages
                dpkg-scanpackages -t udeb pool >$d/debian-installer/binary-amd64/Packages
                for p in $d/*/Packages $d/*/*/Packages; do xz -k $p; done
                apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=bookworm \
                    -o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures=amd64 \
                    release dists/bookworm >/tmp/release.$$
                mv /tmp/release.$$ dists/bookworm/Release
                find dists -name Packages -delete
                \(gpg) --clearsign --output dists/bookworm/InRelease dists/bookworm/Release
                \(gpg) --armor --detach-sign --output dists/bookworm/Release.gpg dists/bookworm/Release
                """,
            ])
    }

    private static let choice = [
        "  - {list: main/binary-amd64/Packages, priorities: [required], names: [tool], recommends: true}",
        "  - {list: main/debian-installer/binary-amd64/Packages, everything: true}",
    ]

    @Test func aMirrorIsCompleteInItselfAndEveryLinkOfItsChainCounts() async throws {
        try Requirement.demand(Self.requirements)
        try await NetworkLab.with { lab in
            try await UpstreamTree.with(in: lab.directory) { tree in
                var site = ServedLab.site
                site.trust = ["policies:", "  - {artifacts: [\"*\"], signers: [up]}"]
                let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
                try await server.artifactctl(
                    "trust", "add", "up", "--openpgp", tree.fingerprint, "--keyring", tree.keyring)
                let folder = lab.directory.appending(path: "upstream")
                try await Self.makeArchive(folder, tree)
                let recipe = try Self.recipe(Self.choice, in: lab.directory, tree)
                let suite = "dists/bookworm"
                let victims = [
                    "\(suite)/InRelease", "\(suite)/Release", "\(suite)/Release.gpg",
                    "\(suite)/main/binary-amd64/Packages.xz",
                    "\(suite)/main/debian-installer/binary-amd64/Packages.xz", "pool/main/t/tool/tool_1_amd64.deb",
                    "pool/main/p/postman/postman_1_amd64.deb", "pool/main/a/anna/anna_1_amd64.udeb",
                ]
                let refusals = try await UpstreamTree.refusals(of: victims, in: folder) {
                    try await server.artifactctlResult(["import", recipe, "--from", folder.path])
                }
                #expect(refusals == 8)
                let result = try await server.artifactctl("import", recipe, "--from", folder.path)
                #expect(result.output.contains("verified: rule for *: signed by "), "\(result)")
                let verified = try await server.artifactctl("verify", "debian-12-mirror:12")
                #expect(verified.output.contains("verdict  trusted"), "\(verified)")
                let files = try await server.artifactctl("show", "debian-12-mirror:12").output
                for name in ["base", "tool", "library", "extra", "postman", "anna"] {
                    #expect(files.contains("/\(name)_1_amd64."), "\(name)")
                }
                for name in ["unwanted", "aardvark"] { #expect(!files.contains("/\(name)_"), "\(name)") }

                let ring = lab.directory.path + "/up.gpg"
                try await lab.commands.run(["gpg", "--batch", "--yes", "--output", ring, "--dearmor", tree.keyring])
                let update = try await Self.apt(["update"], keyring: ring, lab)
                #expect(update.succeeded && !update.standardError.contains("W:"), "\(update)")
                let install = try await Self.apt(["-y", "--download-only", "install", "tool"], keyring: ring, lab)
                #expect(install.succeeded && install.standardOutput.contains("extra"), "\(install)")

                let more = try await server.artifactctl(
                    "import", recipe, "--from", folder.path, "--package", "unwanted", "--artifact", "more")
                #expect(more.output.contains("verified: "))
                #expect(try await server.artifactctl("show", "more:12").output.contains("/unwanted_1_amd64.deb"))
                let none = try await server.artifactctlResult(
                    ["import", recipe, "--from", folder.path, "--package", "no-such-thing"])
                #expect(none.exitCode == 1 && none.standardError.contains("no package 'no-such-thing'"), "\(none)")
                let other = try await server.artifactctlResult([
                    "import", "rocky-9", "--package", "x", "--from", "/tmp",
                ])
                #expect(other.exitCode == 1 && other.standardError.contains("chooses no packages"), "\(other)")
            }
        }
    }

    @Test func debiansOwnArchiveGivesAMirrorThatAptInstallsFrom() async throws {
        let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
        try Requirement.demand(
            Self.requirements + [.file(URL(filePath: keyring), package: "debian-archive-keyring")])
        try await NetworkLab.with { lab in
            let package = try await CommandRunner.local.run(["apt-get", "--print-uris", "download", "hello"])
            let archive = try #require(package.output.split(separator: "'").first?.split(separator: "/pool/").first)
            let recipe = try Self.recipe(
                ["  - {list: main/binary-amd64/Packages, names: [hello, openssh-server], recommends: true}"],
                in: lab.directory, nil)
            let stick = lab.directory.appending(path: "stick").path
            let fetched = try await CommandRunner.local.result(
                of: [
                    try BuiltProducts.artifactctl(), "import", recipe, "--from", String(archive), "--download", stick,
                    "--cache", lab.directory.path + "/cache",
                ], timeLimit: .seconds(600))
            #expect(fetched.succeeded, "\(fetched)")
            var site = ServedLab.site
            site.trust = [
                "policies:", "  - {artifacts: [\"*\"], signers: [debian-archive-12, debian-stable-12], threshold: 2}",
            ]
            let server = try await ProvisionerServer.start(in: lab, site: site.yaml)
            let result = try await server.artifactctl(
                "import", recipe, "--from", stick, timeLimit: .seconds(600))
            #expect(result.output.contains("signed by debian-archive-12, debian-stable-12"), "\(result)")
            let verified = try await server.artifactctl("verify", "debian-12-mirror:12", timeLimit: .seconds(300))
            #expect(verified.output.contains("verdict  trusted"), "\(verified)")
            let update = try await Self.apt(["update"], keyring: keyring, lab)
            #expect(update.succeeded && !update.standardError.contains("W:"), "\(update)")
            let install = try await Self.apt(
                ["-y", "--download-only", "install", "hello", "openssh-server"], keyring: keyring, lab)
            #expect(install.succeeded, "\(install)")
            let archives = lab.directory.appending(path: "apt/cache/archives").path
            let count = try FileManager.default.contentsOfDirectory(atPath: archives).count { $0.hasSuffix(".deb") }
            #expect(count > 20, "\(count) packages, and what openssh-server recommends")
        }
    }
}
