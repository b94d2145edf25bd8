import Artifacts
import Testing

@Suite struct FileListTests {
    private static func file(_ text: String) -> ReleaseFile {
        ReleaseFile(digest: SHA256.digest(of: text.utf8), size: Int64(text.utf8.count))
    }

    private static func page(_ paths: [String]) throws -> FilePage {
        try FilePage(paths.map { (try ArtifactPath($0), file($0)) })
    }

    private static func paths(_ list: FileList) -> [String] { list.map(\.path.description) }

    @Test func aPageIsInTheOrderOfBytesWhateverOrderItCameIn() throws {
        let page = try Self.page(["b", "a/b", "a-b", "é", "a/\u{301}c", "B"])
        #expect(page.map(\.path.description) == ["B", "a-b", "a/b", "a/\u{301}c", "b", "é"])
        for path in ["b", "a/b", "a-b", "é", "B"] { #expect(try page[ArtifactPath(path)] == Self.file(path)) }
        for path in ["a", "a/", "c", "A", "e\u{301}", "ab", "\u{1}x"].compactMap({ try? ArtifactPath($0) }) {
            #expect(page[path] == nil, "\(path)")
        }
        #expect(page.totalSize == 15)
    }

    /// Every file of pages cut at every place is found, and nothing else is.
    @Test func aListFindsWhatItsPagesHave() throws {
        let paths = (0..<60).map { "d\($0 % 7)/e\($0 / 9)/f\($0)" }.sorted {
            Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8))
        }
        for cut in 0...paths.count {
            let list = try FileList([Self.page(Array(paths[..<cut])), Self.page([]), Self.page(Array(paths[cut...]))])
            #expect(Self.paths(list) == paths)
            #expect(list.count == 60)
            for path in paths { #expect(try list[ArtifactPath(path)] == Self.file(path)) }
            for path in ["d0", "d0/e0", "zzz", "a", "d3/e1/f", "d3/e1/f999"] {
                #expect(try list[ArtifactPath(path)] == nil)
            }
        }
    }

    @Test func pagesOutOfOrderAreRefusedByName() throws {
        for pages in [[["b"], ["a"]], [["a", "c"], ["b"]], [["a"], ["a"]], [["a", "b"], ["b", "c"]]] {
            let error = try #require(throws: ArtifactError.self) {
                try FileList(pages.map { try Self.page($0) })
            }
            #expect(error.code == .invalidManifest)
            #expect(error.message.contains("is listed after"))
        }
    }

    @Test(arguments: [
        [["a"], ["a/b"]], [["a", "a-b"], ["a.b", "a/b"]], [["x/y"], ["x/y-z", "x/y/z/w"]], [["a/b/c"], ["a/b/c/d/e"]],
    ])
    func aFileOnAnotherPageIsNoFolder(_ pages: [[String]]) throws {
        let error = try #require(throws: ArtifactError.self) { try FileList(pages.map { try Self.page($0) }) }
        #expect(error.message.contains("both a file and the folder"))
    }

    @Test(arguments: [["Packages", "packages"], ["a/É", "a/é"], ["é", "e\u{301}"], ["x/A/b", "x/a/B"]])
    func pathsThatDifferInCaseOnlyAreToldApart(_ clash: [String]) throws {
        let paths = try (clash + ["other", "OTHER2"]).map { try ArtifactPath($0) }
        let error = try #require(throws: ArtifactError.self) { try ArtifactPath.requireDistinctInAnyCase(paths) }
        for path in clash { #expect(error.message.contains("'\(path)'")) }
        try ArtifactPath.requireDistinctInAnyCase(paths.dropFirst())
    }
}
