internal import Artifacts
package import ConfigurationFile
internal import Trust

extension Recipe {
    /// Reads a recipe. `@VERSION@` becomes the version, `@ARTIFACT@` in the profile the published name.
    ///
    /// `version` replaces the recipe's own, and `keyring` gives the bytes of a certificate file that is named.
    /// - Returns: nil, with findings, when it cannot be used.
    package static func parse(
        _ bytes: [UInt8], version: String? = nil, keyring: @escaping (String) -> [UInt8]?
    ) -> (recipe: Recipe?, diagnostics: [FileDiagnostic]) {
        let diagnostics = DiagnosticCollector()
        guard
            let root = YAMLDocument.root(
                of: bytes, maximumSize: 1 << 20, needs: "'schema: \(schema)'", diagnostics)
        else { return (nil, diagnostics.sorted) }
        let recipe = RecipeReader(root: root, keyring: keyring).read(version: version)
        return (diagnostics.hasErrors ? nil : recipe, diagnostics.sorted)
    }
}

/// Findings have the code R01: what a recipe needs.
private struct RecipeReader {
    let root: YAMLSection
    let keyring: (String) -> [UInt8]?

    func read(version override: String?) -> Recipe? {
        defer { root.finish() }
        let schema = root.requiredString("schema", "R01", example: Recipe.schema)
        if let schema, schema != Recipe.schema {
            root.fail("schema", "R01", "'\(schema)' is not known: this version reads '\(Recipe.schema)'")
        }
        let title = root.requiredString("title", "R01", example: "Debian 12")
        let name = root.requiredString("artifact", "R01", example: "debian-12").flatMap { text -> ArtifactName? in
            guard let name = try? ArtifactName(text) else {
                root.fail("artifact", "R01", "'\(text)' is no name of an artifact")
                return nil
            }
            return name
        }
        let ownVersion = root.requiredString("version", "R01", example: "\"12\"")
        let source = root.requiredString("from", "R01", example: "https://mirror.example.net/debian")
        guard let version = override ?? ownVersion else { return nil }
        if (try? Tag(version)) == nil {
            root.fail("version", "R01", "'\(version)' is no tag: it names the artifact's version")
        }
        func filled(_ text: String) -> String { text.replacing("@VERSION@", with: version) }
        let keys = readKeys()
        let lists = root.sections("lists").compactMap { readList($0, filled) }
        let files = readFiles(filled)
        let packages = root.sections("packages").compactMap { readPackages($0, lists) }
        let unsigned = root.string("unsigned")
        if keys.isEmpty, unsigned == nil {
            root.fail("keys", "R01", "say which keys sign it, or under 'unsigned' why none does")
        }
        if files.isEmpty { root.fail("files", "R01", "name at least one file: NAME: {path: ...}") }
        let profile = root.string("profile") ?? ""
        let unchecked = root.strings("unchecked").map(\.text)
        guard let title, let name, let source else { return nil }
        return Recipe(
            title: title, artifact: name, version: version, source: trimmed(filled(source)), keys: keys, lists: lists,
            files: files, packages: packages, unsigned: unsigned,
            profile: filled(profile).replacing("@ARTIFACT@", with: "\(name):\(version)"),
            unchecked: unchecked)
    }

    private func trimmed(_ text: String) -> String { text.hasSuffix("/") ? String(text.dropLast()) : text }

    private func readKeys() -> [Recipe.Key] {
        guard let section = root.section("keys") else { return [] }
        return section.keys.compactMap { name, _ in
            guard let entry = section.named(name) else { return nil }
            defer { entry.finish() }
            let texts = SignatureFormat.allCases.compactMap { format in
                entry.string(format.rawValue).map { (format, $0) }
            }
            let file = entry.string("keyring")
            let fetch = entry.string("fetch")
            guard texts.count == 1, let (format, text) = texts.first else {
                section.fail(name, "R01", "one key is expected: openpgp, minisign, ssh, cosign or x509")
                return nil
            }
            var ring: [UInt8] = []
            if format == .openpgp {
                guard (file == nil) != (fetch == nil) else {
                    section.fail(name, "R01", "certificates are either a file, keyring:, or fetched from a URL, fetch:")
                    return nil
                }
                if let file {
                    guard let bytes = keyring(file) else {
                        entry.fail("keyring", "R01", "'\(file)' cannot be read")
                        return nil
                    }
                    ring = bytes
                }
            }
            return Recipe.Key(name: name, format: format, text: text, keyring: ring, fetch: fetch)
        }
    }

    private func readList(_ entry: YAMLSection, _ filled: (String) -> String) -> Recipe.List? {
        defer { entry.finish() }
        let path = entry.requiredString("path", "R01", example: "SHA256SUMS").map(filled)
        let name = entry.string("name").map(filled)
        let folder = entry.string("folder").map(filled).flatMap { self.path($0, entry, "folder") }
        let signature = entry.string("signature").map(filled)
        guard let path,
            let title = self.path(name ?? path.split(separator: "/").last.map(String.init) ?? path, entry, "name")
        else { return nil }
        return Recipe.List(path: path, name: title, folder: folder, signature: signature)
    }

    private func readPackages(_ entry: YAMLSection, _ lists: [Recipe.List]) -> Recipe.Packages? {
        defer { entry.finish() }
        var choice = PackageIndex.Choice()
        choice.everything = entry.boolean("everything") ?? false
        choice.recommends = entry.boolean("recommends") ?? false
        choice.names = entry.strings("names").map(\.text)
        choice.priorities = entry.strings("priorities").map(\.text)
        guard let list = entry.requiredString("list", "R01", example: "main/binary-amd64/Packages"),
            let path = self.path(list, entry, "list")
        else { return nil }
        guard lists.contains(where: { $0.name == path }) else {
            entry.fail("list", "R01", "'\(path)' is not the name of a list above")
            return nil
        }
        return Recipe.Packages(list: path, choice: choice)
    }

    private func readFiles(_ filled: (String) -> String) -> [Recipe.File] {
        guard let section = root.section("files") else { return [] }
        return section.keys.compactMap { name, _ in
            guard let entry = section.named(name) else { return nil }
            defer { entry.finish() }
            let path = entry.string("path").map(filled) ?? filled(name)
            let signature = entry.string("signature").map(filled)
            guard let title = self.path(filled(name), section, name) else { return nil }
            return Recipe.File(name: title, path: path, signature: signature)
        }
    }

    private func path(_ text: String, _ section: YAMLSection, _ key: String) -> ArtifactPath? {
        do {
            return try ArtifactPath(text)
        } catch {
            section.fail(key, "R01", error.message)
            return nil
        }
    }
}
