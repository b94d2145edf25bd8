import Artifacts
import ConfigurationFile
import Recipes
import Testing
import Trust

@Suite struct PackageIndexTests {
    private static func index(_ packages: String...) throws -> PackageIndex {
        let text = packages.map { package in
            let name = package.prefix { $0 != "\n" }
            return "Package: \(package)\nFilename: pool/\(name).deb\nSHA256: 0\n"
        }
        return try PackageIndex(Array(text.joined(separator: "\n").utf8))
    }

    private static func files(
        _ index: PackageIndex, names: [String] = [], priorities: [String] = [], recommends: Bool = false
    ) throws -> [String] {
        var choice = PackageIndex.Choice()
        choice.names = names
        choice.priorities = priorities
        choice.recommends = recommends
        return try index.files(choice).map { String($0.fileName.dropLast(4)) }
    }

    @Test func whatIsNeededComesAlong() throws {
        let index = try Self.index(
            "a\nDepends: b (>= 1:2-3~), c:any | d\nPre-Depends: e [amd64]", "b\nDepends: a", "c", "d",
            "e\nRecommends: f", "f\nSuggests: g", "g", "h\nPriority: required")
        #expect(try Self.files(index, names: ["a"]) == ["a", "b", "c", "e"])
        #expect(try Self.files(index, names: ["a"], recommends: true) == ["a", "b", "c", "e", "f"])
        #expect(try Self.files(index, priorities: ["required", "important"]) == ["h"])
        var all = PackageIndex.Choice()
        all.everything = true
        #expect(try index.files(all).count == 8)
    }

    @Test func ofAlternativesTheFirstThatIsThereIsTaken() throws {
        let index = try Self.index(
            "a\nDepends: gone | virtual | c", "c", "z\nProvides: virtual (= 1)\nPriority: standard",
            "b\nProvides: virtual, other\nPriority: optional", "d\nDepends: other", "e\nRecommends: gone")
        #expect(try Self.files(index, names: ["a"]) == ["a", "z"], "the provider of the higher priority")
        #expect(try Self.files(index, names: ["d"]) == ["b", "d"])
        #expect(try Self.files(index, names: ["virtual"]) == ["z"])
        #expect(try Self.files(index, names: ["e"], recommends: true) == ["e"], "nobody has to recommend what is there")
    }

    @Test func twoVersionsBothCome() throws {
        let text = "Package: a\nFilename: pool/a1.deb\n\nPackage: a\nFilename: pool/a2.deb\n\n\n"
        var choice = PackageIndex.Choice()
        choice.names = ["a"]
        #expect(try PackageIndex(Array(text.utf8)).files(choice).map(\.description) == ["pool/a1.deb", "pool/a2.deb"])
    }

    @Test func whatCannotBeMetIsTold() throws {
        let index = try Self.index("a\nDepends: gone | lost")
        for (names, words) in [(["b"], "no package 'b'"), (["a"], "'a' needs gone or lost")] {
            let error = #expect(throws: TrustError.self) { _ = try Self.files(index, names: names) }
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        }
        for text in ["", "Package: a\n", "Package: a\nFilename: ../../etc/passwd\n", "Package: a\nFilename: /a.deb\n"] {
            #expect(throws: TrustError.self, "\(text)") { _ = try PackageIndex(Array(text.utf8)) }
        }
    }

    @Test(arguments: BuiltInRecipes.all.map(\.name))
    func everyRecipeThatShipsIsWhole(_ name: String) throws {
        let reading = Recipe.parse(try #require(BuiltInRecipes.bytes(name)), keyring: BuiltInRecipes.keyring)
        #expect(reading.recipe != nil && reading.diagnostics.isEmpty, "\(reading.diagnostics)")
    }

    @Test func aRecipeNamesOneOfItsLists() throws {
        let text = """
            schema: provisioner.recipe/1
            title: t
            artifact: a
            version: "1"
            from: /x
            keys: {k: {minisign: x}}
            lists: [{path: dists/x/main/Packages.gz, name: main/Packages}]
            files: {f: {}}
            packages: [{list: other/Packages, colour: red}]
            """
        let reading = Recipe.parse(Array(text.utf8), keyring: { _ in nil })
        let messages = reading.diagnostics.map(\.message).joined(separator: "\n")
        #expect(reading.recipe == nil)
        #expect(messages.contains("'other/Packages' is not the name of a list above") && messages.contains("colour"))
        let good = text.replacing("other/Packages, colour: red", with: "main/Packages, everything: true")
        let recipe = try #require(Recipe.parse(Array(good.utf8), keyring: { _ in nil }).recipe)
        #expect(recipe.lists[0].isCompressed && recipe.packages[0].choice.everything)
    }
}
