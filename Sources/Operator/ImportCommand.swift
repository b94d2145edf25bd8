internal import ArgumentParser
internal import Artifacts
internal import AsyncHTTPClient
internal import ConfigurationFile
internal import Foundation
internal import NIOCore
internal import Recipes
internal import Trust

/// `artifactctl import RECIPE`.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Fetch an operating system from upstream, verify it, and publish it.",
        discussion: """
            RECIPE is one that ships (--list), or a YAML file. Lists and signatures are fetched first, then the files; each is \
            compared with the signed list, or its own signature, by the keys that the recipe pins. Upstream's signatures go along \
            with the version, so that the server verifies them too. What was fetched is kept: run it again after anything broke.

              artifactctl import --list
              artifactctl import debian-12-netboot
              artifactctl import ubuntu-24.04 --version 24.04.2 --ssh-key ~/.ssh/id_ed25519
              artifactctl import rocky-9 --download /mnt/stick     # where there is a network
              artifactctl import rocky-9 --from /mnt/stick         # where there is none
            """)

    @OptionGroup var server: ServerOptions

    @OptionGroup(title: "Signatures") var evidence: EvidenceOptions

    @Flag(help: "List the recipes that ship.")
    var list = false

    @Option(help: "Upstream's version, which becomes the tag (default: the recipe's).")
    var version: String?

    @Option(help: "Another mirror's URL, or a folder of upstream's layout.")
    var from: String?

    @Option(
        help: "Fetch and verify into this folder, in upstream's layout, and publish nothing.", completion: .directory)
    var download: String?

    @Option(help: "The artifact's name (default: the recipe's).", transform: { try ArtifactName($0) })
    var artifact: ArtifactName?

    @Option(
        help: "A further package, with all that it needs, of a recipe that chooses packages; more than once for more.")
    var package: [String] = []

    @Option(help: "Where fetched files are kept (default: ~/.cache/provisioner).", completion: .directory)
    var cache: String?

    @Flag(help: "Go on where upstream signs nothing.")
    var unsigned = false

    @Flag(help: "Print JSON, and no progress.")
    var json = false

    @Argument(help: "A recipe's name or file.", completion: .file(extensions: ["yaml"]))
    var recipe: String?

    func validate() throws {
        if !list, recipe == nil { throw ValidationError("name a recipe; --list lists those that ship") }
        if download != nil, from.map({ !UpstreamSource.isURL($0) }) == true {
            throw ValidationError("--download fetches from a URL: --from names a folder")
        }
    }

    func run() async throws {
        if list { return print(try Self.listing(json: json)) }
        let (recipe, notes) = try load()
        let progress = ProgressReport(style: ProgressReport.style(json: json))
        for note in notes { progress.note(note) }
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .follow(max: 5, allowCycles: false)
        configuration.timeout = .init(connect: .seconds(30), read: .seconds(120))
        let http = HTTPClient(configuration: configuration)
        do {
            try await run(recipe, http, progress)
            try await http.shutdown()
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private func run(_ recipe: Recipe, _ http: HTTPClient, _ progress: ProgressReport) async throws {
        let place = from.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } ?? recipe.source
        let source = UpstreamSource(place: place, cache: cacheFolder(recipe), client: http)
        let job = RecipeImport(recipe: recipe, source: source, progress: progress, acceptsUnsigned: unsigned)
        let found = try await job.run(signing: try evidence.read())
        if let download { return try copy(recipe, found, source, to: download, progress) }
        let name = artifact ?? recipe.artifact
        let reference = Reference(name: name, version: .tag(try Tag(recipe.version)))
        let files = try found.files.map { try LocalFile($0.place, path: $0.name) }
        let result = try await ControlClient.with(try server.connection()) { client in
            try await Push(client: client, reference: reference, progress: progress, evidence: found.evidence).run(
                files)
        }
        guard !json else { return print(try OutputFormat.json(result)) }
        print("\(reference) \(result.digest)")
        print(found.verdict.map { "verified: \($0.explanation)" } ?? "not signed by upstream: \(recipe.unsigned ?? "")")
        if !recipe.profile.isEmpty { print("\nA profile for the site file:\n\n\(recipe.profile)") }
        for fact in recipe.unchecked { print("not checked against upstream: \(fact)") }
        guard recipe.unsigned == nil else { return }
        let signers = recipe.keys.map(\.name).joined(separator: ", ")
        print("\nTo insist on these signatures, in the site file under trust.policies:\n")
        print("- {artifacts: [\(name)], signers: [\(signers)]}")
        for key in recipe.keys {
            guard let url = key.fetch else { continue }
            let ring = source.isFolder ? "\(place)/\(url.split(separator: "/").last ?? "")" : source.cached(url)
            print("artifactctl trust add \(key.name) --openpgp \(key.text) --keyring '\(ring)'")
        }
    }

    private func cacheFolder(_ recipe: Recipe) -> URL {
        let base =
            cache.map { URL(filePath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/provisioner")
        return base.appendingPathComponent("\(recipe.artifact)".replacing("/", with: "_"))
            .appendingPathComponent(recipe.version)
    }

    // MARK: Recipes

    private func load() throws -> (Recipe, notes: [String]) {
        let text = recipe ?? ""
        let parsed: (recipe: Recipe?, diagnostics: [String])
        if let bytes = BuiltInRecipes.bytes(text) {
            let reading = Recipe.parse(bytes, version: version, keyring: BuiltInRecipes.keyring)
            parsed = (reading.recipe, reading.diagnostics.map { $0.rendered(file: text) })
        } else {
            guard let bytes = FileManager.default.contents(atPath: text) else {
                throw OperatorError(
                    .file,
                    "there is no recipe '\(text)', and no such file: 'artifactctl import --list' lists those that ship")
            }
            let folder = URL(filePath: text).deletingLastPathComponent()
            let reading = Recipe.parse(Array(bytes), version: version) { name in
                FileManager.default.contents(atPath: folder.appendingPathComponent(name).path).map { Array($0) }
                    ?? BuiltInRecipes.keyring(name)
            }
            parsed = (reading.recipe, reading.diagnostics.map { $0.rendered(file: text) })
        }
        guard var recipe = parsed.recipe else {
            throw OperatorError(.file, parsed.diagnostics.joined(separator: "\n"))
        }
        if !package.isEmpty {
            guard !recipe.packages.isEmpty else {
                throw OperatorError(.file, "--package: the recipe '\(text)' chooses no packages")
            }
            recipe.packages[0].choice.names += package
        }
        return (recipe, parsed.diagnostics)
    }

    /// A recipe for `--list --json`.
    private struct Entry: Codable {
        var name: String
        var title: String
        var version: String
        var signedBy: [String]
        var unchecked: [String]
    }

    private static func listing(json: Bool) throws -> String {
        let entries = BuiltInRecipes.all.compactMap { name, bytes -> Entry? in
            guard let recipe = Recipe.parse(bytes, keyring: BuiltInRecipes.keyring).recipe else { return nil }
            return Entry(
                name: name, title: recipe.title, version: recipe.version,
                signedBy: recipe.unsigned == nil ? recipe.keys.map { "\($0.format.rawValue) \($0.text)" } : [],
                unchecked: recipe.unchecked)
        }
        guard !json else { return try OutputFormat.json(entries) }
        return OutputFormat.table(
            ["RECIPE", "VERSION", "WHAT", "SIGNED BY"],
            entries.map {
                [$0.name, $0.version, $0.title, $0.signedBy.isEmpty ? "nobody" : $0.signedBy.joined(separator: ", ")]
            })
    }

    // MARK: Sticks

    /// Lays what was verified out as upstream does, for `--from` elsewhere.
    private func copy(
        _ recipe: Recipe, _ found: RecipeImport.Result, _ source: UpstreamSource, to folder: String,
        _ progress: ProgressReport
    ) throws {
        func put(_ place: String, _ path: String) throws {
            let target = URL(filePath: folder).appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try? FileManager.default.removeItem(at: target)
            do {
                try FileManager.default.copyItem(atPath: place, toPath: target.path)
            } catch {
                throw OperatorError(.file, "\(target.path) cannot be written: \(error.localizedDescription)")
            }
        }
        for file in found.files { try put(file.place, file.path) }
        let small =
            recipe.lists.map(\.path) + recipe.lists.compactMap(\.signature) + recipe.files.compactMap(\.signature)
        for path in small { try put(source.cached(path), path) }
        for url in recipe.keys.compactMap(\.fetch) {
            try put(source.cached(url), url.split(separator: "/").last.map(String.init) ?? url)
        }
        print(
            "\(recipe.title) \(recipe.version) is in \(folder): artifactctl import \(self.recipe ?? "") --from \(folder)"
        )
    }
}
