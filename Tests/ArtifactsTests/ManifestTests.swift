import Artifacts
import Testing

@Suite struct ManifestTests {
    private static let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private static let descriptor = #"{"mediaType":"text/plain","digest":"\#(digest)","size":3}"#

    private static func read(_ json: String) throws -> Manifest { try Manifest(json: json.utf8) }

    @Test func readsAnImageManifest() throws {
        let manifest = try Self.read(
            #"""
            {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "x/y",
             "config": \#(Self.descriptor), "layers": [\#(Self.descriptor), \#(Self.descriptor)],
             "subject": \#(Self.descriptor), "annotations": {"k": "v"}, "unknown": [1, {"deep": null}]}
            """#)
        #expect(manifest.mediaType == MediaType.imageManifest)
        #expect(manifest.artifactType == "x/y")
        #expect(manifest.config?.size == 3)
        #expect(manifest.layers?.map(\.digest.description) == [Self.digest, Self.digest])
        #expect(manifest.subject?.mediaType == "text/plain")
        #expect(manifest.annotations == ["k": "v"])
    }

    @Test func readsAnIndex() throws {
        let manifest = try Self.read(#"{"schemaVersion": 2, "manifests": [\#(Self.descriptor)]}"#)
        #expect(manifest.manifests?.count == 1)
        #expect(manifest.layers == nil)
    }

    @Test(arguments: [
        (#"{}"#, "schemaVersion"), (#"{"schemaVersion":"2"}"#, "schemaVersion"),
        (#"{"schemaVersion":1}"#, "schemaVersion"),
        (#"{"schemaVersion":null}"#, "schemaVersion"), (#"{"schemaVersion":2,"layers":{}}"#, "layers"),
        (#"{"schemaVersion":2,"layers":[7]}"#, "[0]"),
        (#"{"schemaVersion":2,"layers":[{"digest":"\#(digest)","size":3}]}"#, "mediaType"),
        (#"{"schemaVersion":2,"layers":[{"mediaType":"a/b","size":3}]}"#, "digest"),
        (#"{"schemaVersion":2,"layers":[{"mediaType":"a/b","digest":"\#(digest)"}]}"#, "size"),
        (#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"\#(digest)","size":"3"}}"#, "config.size"),
        (
            #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"\#(digest)","size":1.5}}"#,
            "a number is not whole"
        ),
        (
            #"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"\#(digest)","size":9223372036854775808}}"#,
            "too large"
        ),
        (#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha512:00","size":3}}"#, "'sha512'"),
        (#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:00","size":3}}"#, "64 hexadecimal digits"),
        (#"{"schemaVersion":2,"annotations":{"k":1}}"#, "annotations"),
    ])
    func namesTheKeyAtFault(_ json: String, _ expected: String) throws {
        let error = try #require(throws: ArtifactError.self) { try Self.read(json) }
        #expect(error.code == .invalidManifest)
        #expect(error.message.contains(expected), "\(error.message)")
    }

    @Test(arguments: ["config", "subject", "layers", "manifests"]) func rejectsNegativeSizes(_ key: String) throws {
        let bad = #"{"mediaType":"a/b","digest":"\#(Self.digest)","size":-1}"#
        let value = ["layers", "manifests"].contains(key) ? "[\(bad)]" : bad
        let error = try #require(throws: ArtifactError.self) {
            try Self.read(#"{"schemaVersion":2,"\#(key)":\#(value)}"#)
        }
        #expect(error.message.contains("negative"))
    }

    @Test(arguments: [
        "", " ", "x", "[]", "null", "\"a\"", "{", #"{"schemaVersion":2"#, #"{"schemaVersion":2}}"#, "\u{feff}x",
        String(repeating: "[", count: 100_000), String(repeating: #"{"a":"#, count: 100_000),
    ])
    func rejectsWhatIsNoManifest(_ json: String) {
        #expect(throws: ArtifactError(.invalidManifest, "")) { try Self.read(json) }
    }

    @Test func rejectsBytesThatAreNoText() {
        #expect(throws: ArtifactError(.invalidManifest, "")) { try Manifest(json: [0xff, 0xfe, 0x00, 0x80]) }
    }

    @Test func rejectsMoreThan4MiB() throws {
        let head = Array(#"{"schemaVersion":2}"#.utf8)
        let fits = head + [UInt8](repeating: 32, count: Manifest.maximumSize - head.count)
        #expect(throws: Never.self) { try Manifest(json: fits) }
        let error = try #require(throws: ArtifactError.self) { try Manifest(json: fits + [32]) }
        #expect(error.code == .invalidManifest)
        #expect(error.message.contains("4194305"))
    }

    @Test func writesCanonicalBytes() throws {
        let digest = try Digest(Self.digest)
        let manifest = Manifest(
            configuration: Descriptor(mediaType: MediaType.imageConfiguration, digest: digest, size: 2),
            layers: [
                Descriptor(
                    mediaType: MediaType.file, digest: digest, size: 3,
                    annotations: [AnnotationKey.title: "a/b", "z": "é"])
            ], annotations: ["b": "2", "a": "1"])
        let text = String(decoding: try manifest.canonicalJSON(), as: UTF8.self)
        #expect(
            text == #"{"annotations":{"a":"1","b":"2"},"artifactType":"application/vnd.provisioner.artifact.v1","#
                + #""config":{"digest":"\#(Self.digest)","#
                + #""mediaType":"application/vnd.oci.image.config.v1+json","size":2},"#
                + #""layers":[{"annotations":{"org.opencontainers.image.title":"a/b","z":"é"},"#
                + #""digest":"\#(Self.digest)","mediaType":"application/octet-stream","size":3}],"#
                + #""mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}"#)
        #expect(try Manifest(json: text.utf8).canonicalJSON() == Array(text.utf8))
    }
}
