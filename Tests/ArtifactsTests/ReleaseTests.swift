import Artifacts
import Testing

@Suite struct ReleaseTests {
    private static func layer(_ title: String?, _ content: String = "x", size: Int64 = 1) -> Descriptor {
        Descriptor(
            mediaType: MediaType.file, digest: SHA256.digest(of: content.utf8), size: size,
            annotations: title.map { [AnnotationKey.title: $0] })
    }

    private static func release(_ layers: [Descriptor]) throws -> Release {
        let configuration = Descriptor(mediaType: MediaType.imageConfiguration, digest: .empty, size: 0)
        return try Release(digest: .empty, manifest: Manifest(configuration: configuration, layers: layers))
    }

    @Test func listsTheFilesThatLayersName() throws {
        let release = try Self.release([
            Self.layer("vmlinuz", "k", size: 5), Self.layer("boot/initrd.gz", "i", size: 7), Self.layer(nil, "other"),
        ])
        #expect(
            Dictionary(uniqueKeysWithValues: release.files.map { ($0.path, $0.file) }) == [
                try ArtifactPath("vmlinuz"): ReleaseFile(digest: SHA256.digest(of: "k".utf8), size: 5),
                try ArtifactPath("boot/initrd.gz"): ReleaseFile(digest: SHA256.digest(of: "i".utf8), size: 7),
            ])
        #expect(release.files.totalSize == 12)
    }

    @Test func hasNoFilesWithoutLayers() throws {
        let release = try Release(digest: .empty, manifest: Manifest(json: #"{"schemaVersion":2}"#.utf8))
        #expect(release.files.isEmpty)
        #expect(release.files.totalSize == 0)
    }

    @Test(arguments: ["..", "../vmlinuz", "/vmlinuz", "a/../../b", "", "a\u{0}", "a/../\u{301}b"])
    func rejectsTitlesThatLeadOut(_ title: String) {
        #expect(throws: ArtifactError(.invalidPath, "")) { try Self.release([Self.layer(title)]) }
    }

    @Test func rejectsTwoBlobsUnderOnePath() throws {
        #expect(throws: ArtifactError(.invalidManifest, "")) {
            try Self.release([Self.layer("a", "1"), Self.layer("a", "2")])
        }
        #expect(throws: ArtifactError(.invalidManifest, "")) {
            try Self.release([Self.layer("a", "1", size: 1), Self.layer("a", "1", size: 2)])
        }
        #expect(try Self.release([Self.layer("a", "1"), Self.layer("a", "1")]).files.count == 1)
    }

    @Test(arguments: [["a", "a/b"], ["a/b", "a"], ["a/b/c/d", "x", "a/b"], ["a/\u{301}b", "a"]])
    func rejectsAFileThatIsAlsoAFolder(_ titles: [String]) throws {
        let error = try #require(throws: ArtifactError.self) { try Self.release(titles.map { Self.layer($0) }) }
        #expect(error.code == .invalidManifest)
        #expect(error.message.contains("both a file and the folder"))
    }

    @Test func allowsPathsThatOnlyBeginAlike() throws {
        #expect(try Self.release(["a", "ab", "a.b/c", "b/a"].map { Self.layer($0) }).files.count == 4)
    }

    @Test func totalSizeDoesNotOverflow() throws {
        let release = try Self.release([Self.layer("a", size: .max), Self.layer("b", size: .max)])
        #expect(release.files.totalSize == .max)
    }
}
