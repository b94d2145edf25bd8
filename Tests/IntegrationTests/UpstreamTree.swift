import Foundation
import Recipes
import TestSupport
import Testing

/// A miniature of an upstream's folder: the names, layouts and signature schemes of a recipe, made with the tools that
/// upstreams use, and signed by keys of the test.
struct UpstreamTree {
    static let requirements: [Requirement] = [
        .tool("gpg", package: "gnupg"), .tool("minisign", package: "minisign"), .tool("xorriso", package: "xorriso"),
        .tool("zip", package: "zip"), .tool("sha512sum", package: "coreutils"),
    ]

    /// Holds keys, recipe copies and trees.
    let directory: URL
    let home: String
    let fingerprint: String
    let minisign: String

    private var gpg: [String] {
        ["gpg", "--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]
    }

    static func with(in directory: URL, _ body: (UpstreamTree) async throws -> Void) async throws {
        try Requirement.demand(requirements)
        // A socket's path is short: the agent's lies in the home.
        let home = "/tmp/pg-\(UInt32.random(in: 0 ... .max))"
        try await CleanupStack.with { cleanup in
            try FileManager.default.createDirectory(
                atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            await cleanup.add("remove \(home)") {
                _ = try await CommandRunner.local.result(of: ["gpgconf", "--homedir", home, "--kill", "all"])
                try FileManager.default.removeItem(atPath: home)
            }
            let local = CommandRunner.local
            try await local.run(
                [
                    "gpg", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", "",
                    "--quick-gen-key", "up@example.net", "rsa2048", "sign",
                ])
            let listed = try await local.run(["gpg", "--homedir", home, "--batch", "--with-colons", "--list-keys"])
            guard let fingerprint = listed.lines.first(where: { $0.hasPrefix("fpr:") })?.split(separator: ":").last
            else {
                throw TestSupportError(.commandFailed, "\(listed)")
            }
            try await local.run(["minisign", "-G", "-W", "-p", "\(home)/up.pub", "-s", "\(home)/up.key"])
            let key = try String(contentsOfFile: "\(home)/up.pub", encoding: .utf8).split(whereSeparator: \.isNewline)[
                1]
            let tree = UpstreamTree(
                directory: directory, home: home, fingerprint: String(fingerprint), minisign: String(key))
            try await local.run(tree.gpg + ["--armor", "--output", tree.keyring, "--export"])
            try await body(tree)
        }
    }

    var keyring: String { directory.appending(path: "up.asc").path }

    /// The recipe with the test's keys in the place of upstream's.
    func recipe(_ name: String, _ text: String) throws -> String {
        var text = text
        for line in text.split(whereSeparator: \.isNewline)
        where line.contains("openpgp: ") || line.contains("minisign: ") {
            let key = line.prefix { $0 != ":" }
            let isFirst = !text.contains("openpgp: \(fingerprint)")
            let changed =
                line.contains("minisign: ")
                ? "\(key): {minisign: \(minisign)}"
                : isFirst ? "\(key): {openpgp: \(fingerprint), keyring: up.asc}" : ""
            text = text.replacing(line, with: changed)
        }
        let file = directory.appending(path: "\(name).yaml")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    /// Lays the files, lists and signatures of a recipe out below a folder.
    func make(_ recipe: Recipe, in folder: URL) async throws {
        for file in recipe.files {
            let place = try target(file.path, in: folder)
            try await content(of: file.path, at: place)
            if let signature = file.signature { try await sign(place, as: try target(signature, in: folder)) }
        }
        // The innermost first: what lists it has its hash.
        for list in recipe.lists.reversed() {
            let place = try target(list.path, in: folder)
            try Data(try await text(of: list, recipe, in: folder).utf8).write(to: URL(filePath: place))
            if let signature = list.signature {
                try await sign(place, as: try target(signature, in: folder))
            } else if list.path.hasSuffix("InRelease") || list.path.hasSuffix("-CHECKSUM") {
                try await CommandRunner.local.run(gpg + ["--output", place + ".signed", "--clear-sign", place])
                try FileManager.default.removeItem(atPath: place)
                try FileManager.default.moveItem(atPath: place + ".signed", toPath: place)
            }
        }
    }

    /// Flips a bit of one file after the other, and imports: how many were refused. Each file is whole again afterwards.
    static func refusals(
        of paths: [String], in folder: URL, _ attempt: () async throws -> CommandResult
    ) async throws -> Int {
        var refusals = 0
        for path in paths {
            let place = folder.appending(path: path)
            let whole = try Data(contentsOf: place)
            var broken = whole
            broken[broken.startIndex + broken.count / 2] ^= 1
            try broken.write(to: place)
            let result = try await attempt()
            #expect(result.exitCode == 1, "\(path): \(result)")
            refusals += result.exitCode == 1 ? 1 : 0
            try whole.write(to: place)
        }
        return refusals
    }

    private func target(_ path: String, in folder: URL) throws -> String {
        let place = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        return place.path
    }

    private func content(of path: String, at place: String) async throws {
        let source = directory.appending(path: "content-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: source.appending(path: "boot"), withIntermediateDirectories: true)
        try Data("the kernel of \(path)".utf8).write(to: source.appending(path: "boot/vmlinuz"))
        let local = CommandRunner(prefix: ["env", "-C", source.path])
        switch path {
        case _ where path.hasSuffix(".iso"):
            try await local.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", place, "."])
        case _ where path.hasSuffix(".tar.gz"): try await local.run(["tar", "-czf", place, "."])
        case _ where path.hasSuffix(".zip"): try await local.run(["zip", "-qr", place, "."])
        default: try ServedLab.bytes(300_000, seed: UInt64(path.utf8.count)).write(to: URL(filePath: place))
        }
    }

    private func sign(_ place: String, as signature: String) async throws {
        if signature.hasSuffix(".minisig") {
            try await CommandRunner.local.run(["minisign", "-S", "-s", "\(home)/up.key", "-m", place, "-x", signature])
        } else {
            let armor = signature.hasSuffix(".asc") ? ["--armor"] : []
            try await CommandRunner.local.run(gpg + armor + ["--output", signature, "--detach-sign", place])
        }
    }

    /// A list as its upstream writes it.
    private func text(of list: Recipe.List, _ recipe: Recipe, in folder: URL) async throws -> String {
        if list.path.hasSuffix("InRelease") {
            var text =
                "Origin: Debian\nSuite: oldstable\nMD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/x\nSHA256:\n"
            for inner in recipe.lists where inner.path != list.path {
                let place = folder.appending(path: inner.path).path
                let size = try Data(contentsOf: URL(filePath: place)).count
                text += " \(try await hash(place, "sha256sum")) \(size) \(inner.name)\n"
            }
            return text
        }
        var text = ""
        for file in recipe.files {
            let place = folder.appending(path: file.path).path
            let name = list.folder.map { "./\($0)/\(file.name)" } ?? "\(file.name)"
            if list.path.contains("CHECKSUM") {
                let size = try Data(contentsOf: URL(filePath: place)).count
                text += "# \(name): \(size) bytes\nSHA256 (\(name)) = \(try await hash(place, "sha256sum"))\n"
            } else {
                let tool = list.path.contains("512") ? "sha512sum" : "sha256sum"
                text += "\(try await hash(place, tool)) \(list.path.contains("talos") ? " " : "*")\(name)\n"
            }
        }
        return text
    }

    private func hash(_ place: String, _ tool: String) async throws -> String {
        try await CommandRunner.local.run([tool, place]).output.split(separator: " ").first.map(String.init) ?? ""
    }
}
