import Artifacts
import Testing

@Suite struct TreePagesTests {
    private static let configuration = Descriptor(mediaType: MediaType.imageConfiguration, digest: .empty, size: 0)

    private static func pages(_ paths: [String]) throws -> [Manifest] {
        var cutter = TreePages(configuration: configuration)
        var pages: [Manifest] = []
        for path in paths {
            let file = ReleaseFile(digest: SHA256.digest(of: path.utf8), size: 1)
            if let page = try cutter.add(ArtifactPath(path), file) { pages.append(page) }
        }
        if let page = cutter.end() { pages.append(page) }
        return pages
    }

    private static func list(_ pages: [Manifest]) throws -> FileList {
        try FileList(pages.map { try FilePage(manifest: $0) })
    }

    private static let paths = (100_000..<140_000).map { "pool/main/p\($0 / 10)/file-\($0).deb" }

    @Test func pagesHaveEveryFileOnceAndStayBelowTheLimitOfAManifest() throws {
        let pages = try Self.pages(Self.paths)
        #expect(pages.count > 8 && pages.count < 50)
        #expect(try Self.list(pages).map(\.path.description) == Self.paths)
        for page in pages { #expect(try page.canonicalJSON().count < Manifest.maximumSize) }
    }

    @Test func theLongestPathsFitToo() throws {
        let tail = String(repeating: "\"", count: 1000)
        let pages = try Self.pages((10_000..<16_000).map { "\($0)\(tail)" })
        for page in pages { #expect(try page.canonicalJSON().count < Manifest.maximumSize) }
        #expect(try Self.list(pages).count == 6000)
    }

    /// A file more, a file less or another content changes the page it is on, and at most the one after.
    @Test func aChangeInOnePlaceLeavesTheOtherPages() throws {
        let before = try Set(Self.pages(Self.paths).map { SHA256.digest(of: try $0.canonicalJSON()) })
        for place in [0, 777, 20_000, 39_999] {
            var paths = Self.paths
            paths.remove(at: place)
            let after = try Set(Self.pages(paths).map { SHA256.digest(of: try $0.canonicalJSON()) })
            #expect(after.subtracting(before).count <= 2)
        }
    }

    @Test func nothingGivesNoPage() throws { #expect(try Self.pages([]).isEmpty) }

    @Test func onlyAnIndexOfTheRightTypeIsATree() throws {
        let tree = Manifest(tree: [Descriptor(mediaType: MediaType.imageManifest, digest: .empty, size: 1)])
        #expect(try Manifest(json: tree.canonicalJSON()).isTree)
        #expect(!Manifest(index: []).isTree)
        #expect(!Manifest(configuration: Self.configuration, layers: []).isTree)
    }
}
