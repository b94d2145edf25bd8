import Foundation
import TestSupport
import Testing

/// The Debian packages, in a clean Debian 12.
@Suite(.serialized)
struct DebianPackageTests {
    /// The newest package of a name in `build/`.
    private static func built(_ name: String) throws -> URL {
        let folder = TestOutput.repository.appending(path: "build")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        let found = files.filter { $0.lastPathComponent.hasPrefix(name + "_") && $0.pathExtension == "deb" }
        guard let file = found.max(by: { $0.lastPathComponent < $1.lastPathComponent }) else {
            throw TestSupportError(.missingRequirement, "there is no \(name) package in \(folder.path): make deb")
        }
        return file
    }

    /// The same package with a lower version: what an upgrade starts from.
    private static func older(_ package: URL, in root: DebianRoot) async throws {
        try await root.run(
            """
            cd /root
            dpkg-deb --raw-extract \(package.lastPathComponent) older
            sed -i 's/^Version: .*/Version: 0.1.0/' older/DEBIAN/control
            sed -i 's/artifactctl (= .*)/artifactctl (= 0.1.0)/' older/DEBIAN/control
            dpkg-deb --root-owner-group -Znone --build older older.deb >/dev/null
            rm -r older
            """)
    }

    @Test func installsUpgradesAndGoesAsDebianPackagesDo() async throws {
        let package = try Self.built("provisioner")
        try await DebianRoot.with { root in
            try root.add(package)
            try await Self.older(package, in: root)
            try await root.run("apt-get update -qq")

            // The version before, and nothing else.
            try await root.run("cd /root && apt-get install -y -qq ./older.deb")
            #expect(try await root.run("dpkg-query -W -f '${Version}' provisioner").output == "0.1.0")
            #expect(try await root.run("provisioner --version; artifactctl --version").output.contains("artifactctl"))
            #expect(try await root.run("provisioner check /etc/provisioner/site.yaml").succeeded)
            for user in ["provisioner", "provisioner-authority"] {
                #expect(try await root.run("getent passwd \(user)").output.hasSuffix("/usr/sbin/nologin"))
            }
            let enabled = "/etc/systemd/system/multi-user.target.wants/"
            for unit in ["provisioner.service", "provisioner-authority.service"] {
                let link = try? FileManager.default.destinationOfSymbolicLink(
                    atPath: root.directory.path + enabled + unit)
                #expect(link?.hasSuffix("/lib/systemd/system/\(unit)") == true)
            }

            // An edited configuration, and data.
            try await root.run(
                """
                echo '# mine' >>/etc/provisioner/site.yaml
                mkdir -p /var/lib/provisioner /var/lib/provisioner-authority
                echo precious >/var/lib/provisioner/blob
                cd /root && apt-get install -y -qq ./\(package.lastPathComponent)
                """)
            #expect(try await root.run("dpkg-query -W -f '${Version}' provisioner").output != "0.1.0")
            #expect(try await root.run("tail -1 /etc/provisioner/site.yaml").output == "# mine")
            #expect(root.has("/var/lib/provisioner/blob"))

            try await root.run("apt-get remove -y -qq provisioner")
            #expect(!root.has("/usr/bin/provisioner") && !root.has("/usr/bin/artifactctl"))
            #expect(root.has("/var/lib/provisioner/blob") && root.has("/etc/provisioner/site.yaml"))

            try await root.run("apt-get purge -y -qq provisioner")
            for path in [
                "/var/lib/provisioner", "/var/lib/provisioner-authority", "/etc/provisioner",
                "/etc/default/provisioner",
                enabled + "provisioner.service", enabled + "provisioner-authority.service",
            ] {
                #expect(!root.has(path), "\(path) is still there")
            }
        }
    }

    @Test func unitsAreSoundAndConfined() async throws {
        let package = try Self.built("provisioner")
        try await DebianRoot.with { root in
            try root.add(package)
            try await root.run(
                "apt-get update -qq && cd /root && apt-get install -y -qq ./\(package.lastPathComponent)")
            let units = ["provisioner.service", "provisioner-authority.service"]
            for unit in units {
                let verify = try await root.result(of: "systemd-analyze verify --man=no /lib/systemd/system/\(unit)")
                #expect(verify.succeeded && verify.standardError.isEmpty, "\(verify)")
                // 25 is an exposure of 2.5.
                let security = try await root.result(
                    of: "systemd-analyze security --offline=true --threshold=25 --no-pager /lib/systemd/system/\(unit)")
                #expect(security.succeeded, "\(security)")
                let text = try String(
                    contentsOf: root.directory.appending(path: "lib/systemd/system/\(unit)"), encoding: .utf8)
                let bounding = text.firstMatch(of: /CapabilityBoundingSet=(.*)/).map { String($0.output.1) }
                #expect(
                    bounding
                        == (unit == "provisioner.service"
                            ? "CAP_NET_BIND_SERVICE" : "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE"))
                print("\(unit): \(security.lines.last ?? "")")
            }
        }
    }

    @Test func theConfigurationThatShipsIsValidWholeToo() async throws {
        let package = try Self.built("provisioner")
        try await TemporaryDirectory.with(prefix: "package") { directory in
            try await CommandRunner.local.run(["dpkg-deb", "--extract", package.path, directory.path])
            let file = directory.appending(path: "etc/provisioner/site.yaml")
            let whole = try String(contentsOf: file, encoding: .utf8)
                .replacing(try Regex("^#: ").anchorsMatchLineEndings(), with: "")
            let path = directory.appending(path: "whole.yaml")
            try Data(whole.utf8).write(to: path)
            for candidate in [file, path] {
                let check = try await CommandRunner.local.result(
                    of: [try BuiltProducts.provisioner(), "check", candidate.path])
                #expect(check.succeeded, "\(check)")
            }
            #expect(whole.contains("\nhosts:\n"))
        }
    }

    @Test func pagesAndCompletionsTellOfEveryCommand() async throws {
        try Requirement.demand([.tool("mandoc", package: "mandoc")])
        let package = try Self.built("provisioner")
        try await TemporaryDirectory.with(prefix: "package") { directory in
            try await CommandRunner.local.run(["dpkg-deb", "--extract", package.path, directory.path])
            let folder = directory.appending(path: "usr/share/man/man1")
            let pages = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            for command in [
                "provisioner", "provisioner-serve", "provisioner-authority-serve", "provisioner-appliance-setup",
                "artifactctl", "artifactctl-push", "artifactctl-login", "artifactctl-host-arm",
            ] {
                #expect(pages.contains(command + ".1.gz"))
            }
            for page in pages {
                let lint = try await CommandRunner.local.result(
                    of: ["mandoc", "-Tlint", "-Wwarning", folder.appending(path: page).path])
                #expect(lint.succeeded, "\(page): \(lint.standardOutput)")
            }
            let serve = try await CommandRunner.local.run([
                "mandoc", "-Tascii", folder.appending(path: "provisioner-serve.1.gz").path,
            ])
            #expect(serve.standardOutput.contains("authority"))
            for completion in ["bash-completion/completions", "fish/vendor_completions.d", "zsh/vendor-completions"] {
                let files = try FileManager.default.contentsOfDirectory(
                    atPath: directory.appending(path: "usr/share/\(completion)").path)
                #expect(files.count == 2, "\(completion): \(files)")
            }
        }
    }

    @Test func theClientAloneInstallsAndGivesWayToTheServer() async throws {
        let client = try Self.built("artifactctl")
        let server = try Self.built("provisioner")
        try await DebianRoot.with { root in
            try root.add(client)
            try root.add(server)
            try await root.run("apt-get update -qq && cd /root && apt-get install -y -qq ./\(client.lastPathComponent)")
            #expect(try await root.run("artifactctl --version").output.contains("artifactctl"))
            #expect(!root.has("/usr/bin/provisioner"))
            try await root.run("cd /root && apt-get install -y -qq ./\(server.lastPathComponent)")
            #expect(try await root.run("provisioner --version && artifactctl --version").succeeded)
        }
    }
}
