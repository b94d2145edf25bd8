import Foundation
import TestSupport
import Testing

/// The registry by curl: what is wrong gets the specification's error, and nothing is left half-done.
@Suite struct RegistryProtocolTests {
    static let base = "http://127.0.0.1:5000/v2"
    static let zeros = "sha256:" + String(repeating: "0", count: 64)

    private func with(_ body: (NetworkLab, ProvisionerServer) async throws -> Void) async throws {
        try await ServedLab.with(arguments: ["--control", "127.0.0.1:5000"], body)
    }

    /// Opens an upload and gives its URL.
    private func open(_ lab: NetworkLab) async throws -> String {
        let head = try await ServedLab.curl(
            lab, "-D", "-", "-o", "/dev/null", "-X", "POST", Self.base + "/a/blobs/uploads/")
        #expect(head.output.contains("202"))
        let location = try #require(head.lines.first { $0.lowercased().hasPrefix("location:") })
        return "http://127.0.0.1:5000" + location.dropFirst("location:".count).trimmingCharacters(in: .whitespaces)
    }

    @Test func aDigestThatDoesNotMatchIsRefusedAndLeavesNothing() async throws {
        try await with { lab, server in
            let file = try ServedLab.file("f", ServedLab.bytes(100_000), lab)
            let place = try await open(lab)
            let answer = try await ServedLab.curl(lab, "-X", "PUT", "-T", file, "\(place)?digest=\(Self.zeros)")
            #expect(answer.output.contains("DIGEST_INVALID"))
            #expect(try await ServedLab.status(lab, place) == "404")
            #expect(try await ServedLab.status(lab, "-I", Self.base + "/a/blobs/\(Self.zeros)") == "404")
            let staging = server.dataDirectory.appending(path: "staging").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: staging).isEmpty)
        }
    }

    @Test func otherAlgorithmsAndBadNamesAreRefusedByName() async throws {
        try await with { lab, _ in
            let other = try await ServedLab.curl(
                lab, Self.base + "/a/blobs/sha512:" + String(repeating: "0", count: 128))
            #expect(other.output.contains("DIGEST_INVALID"))
            #expect(other.output.contains("sha512"))
            let name = try await ServedLab.curl(lab, Self.base + "/UPPER/tags/list")
            #expect(name.output.contains("NAME_INVALID"))
            let unknown = try await ServedLab.curl(lab, Self.base + "/nobody/tags/list")
            #expect(unknown.output.contains("NAME_UNKNOWN"))
            #expect(try await ServedLab.status(lab, Self.base + "/") == "200")
            #expect(try await ServedLab.status(lab, Self.base + "/a/manifests/none") == "404")
        }
    }

    @Test func aManifestThatNamesAMissingBlobIsRefused() async throws {
        try await with { lab, server in
            let manifest =
                #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[{"mediaType":"a/b","digest":"\#(Self.zeros)","size":3}]}"#
            let file = try ServedLab.file("m.json", Data(manifest.utf8), lab)
            let answer = try await put(file, "missing", lab)
            #expect(answer.output.contains("MANIFEST_BLOB_UNKNOWN"))
            #expect(answer.output.contains(Self.zeros))
            #expect(try await server.artifactctl("ls").lines.count == 1)
        }
    }

    private func put(_ file: String, _ tag: String, _ lab: NetworkLab) async throws -> CommandResult {
        try await ServedLab.curl(
            lab, "-X", "PUT", "-H", "Content-Type: application/vnd.oci.image.manifest.v1+json", "--data-binary",
            "@\(file)",
            Self.base + "/a/manifests/\(tag)")
    }

    @Test(arguments: ["../x", "/etc/passwd", "a/../b", "a//b", ""])
    func aFileNameThatLeadsOutIsRefused(_ title: String) async throws {
        try await with { lab, server in
            let blob = try ServedLab.file("blob", Data("abc".utf8), lab)
            try await server.artifactctl("push", "a:1", blob)
            let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            let manifest =
                #"{"schemaVersion":2,"layers":[{"mediaType":"a/b","digest":"\#(digest)","size":3,"annotations":{"org.opencontainers.image.title":"\#(title)"}}]}"#
            let file = try ServedLab.file("m.json", Data(manifest.utf8), lab)
            let answer = try await put(file, "evil", lab)
            #expect(answer.output.contains("MANIFEST_INVALID"))
            #expect(try await ServedLab.status(lab, Self.base + "/a/manifests/evil") == "404")
        }
    }

    @Test func aTruncatedUploadGoesOnWhereItStands() async throws {
        try await with { lab, _ in
            let bytes = ServedLab.bytes(1_000_000)
            let first = try ServedLab.file("first", bytes.prefix(300_000), lab)
            let rest = try ServedLab.file("rest", bytes.dropFirst(300_000), lab)
            let whole = try ServedLab.file("whole", bytes, lab)
            let digest = "sha256:" + (try await lab.run(["sha256sum", whole])).output.prefix(64)
            let place = try await open(lab)
            #expect(try await ServedLab.status(lab, "-X", "PATCH", "-T", first, place) == "202")

            // A client that promises more than it sends, and goes away.
            let broken = try await lab.commands.result(of: [
                "sh", "-c",
                "(printf 'PATCH \(place.dropFirst("http://127.0.0.1:5000".count)) HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nContent-Length: 500000\\r\\n\\r\\n'; head -c 1000 \(rest); sleep 1) | nc -q0 127.0.0.1 5000 || true",
            ])
            #expect(broken.succeeded)
            let place2 = try await ServedLab.curl(lab, "-D", "-", place)
            let offset = try #require(place2.lines.first { $0.lowercased().hasPrefix("upload-offset:") })
            #expect(offset.hasSuffix(" 301000"), "\(offset)")

            // The wrong offset is refused and told; the session stays.
            let wrong = try await ServedLab.curl(
                lab, "-D", "-", "-X", "PATCH", "-H", "Content-Range: 300000-999999", "-T", rest, place)
            #expect(wrong.output.contains("416"))
            #expect(wrong.output.lowercased().contains("range: 0-300999"))
            let tail = try ServedLab.file("tail", bytes.dropFirst(301_000), lab)
            let done = try await ServedLab.status(
                lab, "-X", "PUT", "-H", "Content-Range: 301000-999999", "-T", tail, "\(place)?digest=\(digest)")
            #expect(done == "201")
            let fetched = lab.directory.appending(path: "fetched").path
            _ = try await ServedLab.curl(lab, "-o", fetched, Self.base + "/a/blobs/\(digest)")
            try await lab.run(["cmp", whole, fetched])
        }
    }

    @Test func overTCPEveryCallNeedsTheToken() async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let token = try ServedLab.file("token", Data("0123456789abcdef-secret\n".utf8), lab)
            let server = try await ProvisionerServer.start(
                in: lab, site: ServedLab.site.yaml, arguments: ["--control", "127.0.0.1:5000", "--token-file", token])
            for path in ["/v2/", "/api/v1/hosts", "/api/v1/artifacts"] {
                #expect(try await ServedLab.status(lab, "http://127.0.0.1:5000\(path)") == "401")
                #expect(
                    try await ServedLab.status(lab, "-H", "Authorization: Bearer wrong", "http://127.0.0.1:5000\(path)")
                        == "401")
                #expect(
                    try await ServedLab.status(
                        lab, "-H", "Authorization: Bearer 0123456789abcdef-secret", "http://127.0.0.1:5000\(path)")
                        == "200")
            }
            let command = [try BuiltProducts.artifactctl(), "ls", "--server", "http://127.0.0.1:5000"]
            let without = try await lab.commands.result(of: command)
            #expect(without.exitCode == 1)
            #expect(without.standardError.contains("token"))
            try await lab.run(command + ["--token-file", token])
            #expect(!server.program.log.text.contains("0123456789abcdef"))
        }
    }
}
