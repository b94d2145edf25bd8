import Foundation
import TestSupport
import Testing

/// The OCI Distribution specification 1.1, section by section, as its conformance program asks: pull, push, content
/// discovery, content management.
@Suite struct RegistryConformanceTests {
    private func with(_ body: (RegistryClient) async throws -> Void) async throws {
        try await ServedLab.with(arguments: ["--control", "127.0.0.1:5000"]) { lab, _ in
            try await body(RegistryClient(lab))
        }
    }

    @Test func pullsByTagAndDigestAndSaysWhatIsNotThere() async throws {
        try await with { client in
            #expect(try await client.send("GET", "/v2/").status == 200)
            let blob = try await client.pushBlob("a", Data("content".utf8))
            let manifest = try await client.pushManifest("a", "1", layers: [blob])
            for method in ["GET", "HEAD"] {
                let bytes = try await client.send(method, "/v2/a/blobs/\(blob.digest)")
                #expect(bytes.status == 200)
                #expect(bytes["docker-content-digest"] == blob.digest)
                #expect(bytes["content-length"] == "7")
                for reference in ["1", manifest] {
                    let answer = try await client.send(method, "/v2/a/manifests/\(reference)")
                    #expect(answer.status == 200)
                    #expect(answer["docker-content-digest"] == manifest)
                    #expect(answer["content-type"] == RegistryClient.manifestType)
                }
                for (path, code) in [
                    ("/v2/a/blobs/\(RegistryClient.absent)", "BLOB_UNKNOWN"),
                    ("/v2/nobody/blobs/\(blob.digest)", "BLOB_UNKNOWN"),
                    ("/v2/a/manifests/2", "MANIFEST_UNKNOWN"),
                    ("/v2/a/manifests/\(RegistryClient.absent)", "MANIFEST_UNKNOWN"),
                    // What the conformance program asks for, and expects not to be there.
                    ("/v2/a/manifests/.INVALID_MANIFEST_NAME", "MANIFEST_UNKNOWN"),
                ] {
                    let answer = try await client.send(method, path)
                    #expect(answer.status == 404, "\(method) \(path)")
                    if method == "GET" { #expect(answer.code == code, "\(path)") }
                }
            }
        }
    }

    @Test func aRangeOfABlobIsServed() async throws {
        try await with { client in
            let blob = try await client.pushBlob("a", Data("0123456789".utf8))
            let path = "/v2/a/blobs/\(blob.digest)"
            for (range, expected) in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89")] {
                let answer = try await client.send("GET", path, ["Range: \(range)"])
                #expect(answer.status == 206)
                #expect(answer.body == Data(expected.utf8))
            }
            let outside = try await client.send("GET", path, ["Range: bytes=10-"])
            #expect(outside.status == 416)
            #expect(outside["content-range"] == "bytes */10")
            let other = try await client.send("GET", path, ["Range: bytes=2-4", "If-Range: \"another\""])
            #expect(other.status == 200)
        }
    }

    @Test func pushesABlobInEveryWay() async throws {
        try await with { client in
            let bytes = ServedLab.bytes(50_000)
            let digest = try await client.digest(bytes)
            // POST with the bytes.
            let single = try await client.send("POST", "/v2/single/blobs/uploads/?digest=\(digest)", [], bytes)
            #expect(single.status == 201)
            #expect(single["location"] == "/v2/single/blobs/\(digest)")
            // POST, then PUT.
            let place = try await client.open("whole")
            #expect(try await client.send("PUT", "\(place)?digest=\(digest)", [], bytes).status == 201)
            // POST, one PATCH without a range, PUT.
            let stream = try await client.open("stream")
            #expect(try await client.send("PATCH", stream, [], bytes).status == 202)
            #expect(try await client.send("PUT", "\(stream)?digest=\(digest)").status == 201)
            for name in ["single", "whole", "stream"] {
                #expect(try await client.send("GET", "/v2/\(name)/blobs/\(digest)").body == bytes)
            }
        }
    }

    @Test func pushesInChunksAndResumesAtEveryClassOfOffset() async throws {
        try await with { client in
            let bytes = ServedLab.bytes(1000)
            let digest = try await client.digest(bytes)
            let place = try await client.open("a")
            func chunk(_ range: Range<Int>) async throws -> RegistryClient.Answer {
                try await client.send(
                    "PATCH", place, ["Content-Range: \(range.lowerBound)-\(range.upperBound - 1)"], bytes[range])
            }
            // Before the first byte: behind it, and far behind it.
            for wrong in [1..<10, 999..<1000] { #expect(try await chunk(wrong).status == 416) }
            #expect(try await chunk(0..<400).status == 202)
            // The same chunk again, one that overlaps, and one that leaves a hole.
            for wrong in [0..<400, 399..<500, 401..<500, 0..<1] {
                let answer = try await chunk(wrong)
                #expect(answer.status == 416, "\(wrong)")
                #expect(answer["range"] == "0-399")
                #expect(answer["location"] != nil)
            }
            let status = try await client.send("GET", place)
            #expect(status.status == 204)
            #expect(status["range"] == "0-399")
            #expect(status["upload-offset"] == "400")
            let disagrees = try await client.send("PATCH", place, ["Content-Range: 400-500"], bytes[400..<402])
            #expect(disagrees.status == 400)
            #expect(disagrees.code == "SIZE_INVALID")
            #expect(try await chunk(400..<999).status == 202)
            let last = try await client.send(
                "PUT", "\(place)?digest=\(digest)", ["Content-Range: 999-999"], bytes[999..<1000])
            #expect(last.status == 201)
            #expect(try await client.send("GET", place).status == 404)
            #expect(try await client.send("GET", "/v2/a/blobs/\(digest)").body == bytes)
        }
    }

    @Test func aCancelledUploadIsGone() async throws {
        try await with { client in
            let place = try await client.open("a")
            #expect(try await client.send("PATCH", place, [], Data("abc".utf8)).status == 202)
            #expect(try await client.send("DELETE", place).status == 204)
            for method in ["GET", "PATCH", "DELETE"] {
                let answer = try await client.send(method, place)
                #expect(answer.status == 404)
                #expect(answer.code == "BLOB_UPLOAD_UNKNOWN")
            }
            // Under another name it never was.
            let other = try await client.open("b")
            #expect(try await client.send("GET", other.replacing("/v2/b/", with: "/v2/c/")).status == 404)
        }
    }

    @Test func mountsAcrossNamesWithAndWithoutASource() async throws {
        try await with { client in
            let blob = try await client.pushBlob("a", Data("shared".utf8))
            let mounted = try await client.send("POST", "/v2/b/blobs/uploads/?mount=\(blob.digest)&from=a")
            #expect(mounted.status == 201)
            #expect(mounted["location"] == "/v2/b/blobs/\(blob.digest)")
            #expect(try await client.send("GET", "/v2/b/blobs/\(blob.digest)").status == 200)
            let anywhere = try await client.send("POST", "/v2/c/blobs/uploads/?mount=\(blob.digest)")
            #expect(anywhere.status == 201)
            for query in [
                "mount=\(RegistryClient.absent)&from=a", "mount=\(RegistryClient.absent)",
                "mount=\(blob.digest)&from=x",
                "mount=\(blob.digest)&from=BAD", "mount=sha512:00",
            ] {
                let opened = try await client.send("POST", "/v2/d/blobs/uploads/?\(query)")
                #expect(opened.status == 202, "\(query)")
                #expect(opened["location"]?.hasPrefix("/v2/d/blobs/uploads/") == true)
            }
        }
    }

    @Test func listsTagsInPages() async throws {
        try await with { client in
            for tag in ["b", "a", "d", "c"] { try await client.pushManifest("a", tag, layers: []) }
            #expect(try await client.send("GET", "/v2/a/tags/list").json["tags"] as? [String] == ["a", "b", "c", "d"])
            let first = try await client.send("GET", "/v2/a/tags/list?n=3")
            #expect(first.json["tags"] as? [String] == ["a", "b", "c"])
            #expect(first["link"] == "</v2/a/tags/list?n=3&last=c>; rel=\"next\"")
            let second = try await client.send("GET", "/v2/a/tags/list?n=3&last=c")
            #expect(second.json["tags"] as? [String] == ["d"])
            #expect(second["link"] == nil)
            let none = try await client.send("GET", "/v2/a/tags/list?n=0")
            #expect(none.json["tags"] as? [String] == [])
            #expect(none["link"] == nil)
            #expect(try await client.send("GET", "/v2/nobody/tags/list").code == "NAME_UNKNOWN")
            #expect(try await client.send("GET", "/v2/_catalog").json["repositories"] as? [String] == ["a"])
        }
    }

    @Test func listsReferrersWithFilters() async throws {
        try await with { client in
            let subject = try await client.pushManifest("a", "1", layers: [])
            let empty = try await client.send("GET", "/v2/a/referrers/\(RegistryClient.absent)")
            #expect(empty.status == 200)
            #expect(empty["content-type"] == "application/vnd.oci.image.index.v1+json")
            #expect((empty.json["manifests"] as? [Any])?.isEmpty == true)
            let first = try await client.attach("a", to: subject, type: "application/x.one")
            let second = try await client.attach("a", to: subject, type: "application/x.two")
            #expect(first["oci-subject"] == subject)
            let all = try await client.send("GET", "/v2/a/referrers/\(subject)")
            #expect((all.json["manifests"] as? [[String: Any]])?.count == 2)
            #expect(all["oci-filters-applied"] == nil)
            let one = try await client.send("GET", "/v2/a/referrers/\(subject)?artifactType=application/x.two")
            let listed = try #require((one.json["manifests"] as? [[String: Any]])?.first)
            #expect(listed["digest"] as? String == second["docker-content-digest"])
            #expect(listed["artifactType"] as? String == "application/x.two")
            #expect((listed["annotations"] as? [String: String])?["note"] == "x")
            #expect(one["oci-filters-applied"] == "artifactType")
            // Of a subject that comes later.
            let early = try await client.attach("a", to: RegistryClient.absent, type: "application/x.one")
            #expect(early.status == 201)
            #expect(early["oci-subject"] == RegistryClient.absent)
            #expect(try await client.send("GET", "/v2/a/referrers/sha512:00").status == 400)
        }
    }

    @Test func deletesTagsManifestsAndBlobs() async throws {
        try await with { client in
            let blob = try await client.pushBlob("a", Data("content".utf8))
            let manifest = try await client.pushManifest("a", "1", layers: [blob])
            let needed = try await client.send("DELETE", "/v2/a/blobs/\(blob.digest)")
            #expect(needed.status == 405)
            #expect(needed.code == "UNSUPPORTED")
            #expect(try await client.send("DELETE", "/v2/a/manifests/1").status == 202)
            #expect(try await client.send("GET", "/v2/a/manifests/1").status == 404)
            #expect(try await client.send("GET", "/v2/a/manifests/\(manifest)").status == 200)
            #expect(try await client.send("DELETE", "/v2/a/manifests/\(manifest)").status == 202)
            #expect(try await client.send("GET", "/v2/a/manifests/\(manifest)").status == 404)
            #expect(try await client.send("DELETE", "/v2/a/blobs/\(blob.digest)").status == 202)
            #expect(try await client.send("GET", "/v2/a/blobs/\(blob.digest)").status == 404)
            for path in ["manifests/1", "manifests/\(manifest)", "blobs/\(blob.digest)"] {
                #expect(try await client.send("DELETE", "/v2/a/\(path)").status == 404)
            }
            #expect(try await client.send("GET", "/v2/a/tags/list").json["tags"] as? [String] ?? [] == [])
        }
    }

    @Test func manifestsThatCannotBeAreRefusedWithTheirCode() async throws {
        try await with { client in
            let config = try await client.pushBlob("a", Data("{}".utf8))
            let good = client.manifest(config: config, layers: [], extra: [:])
            for (reference, type, body, status, code) in [
                ("sha256:totallywrong", RegistryClient.manifestType, good, 400, "DIGEST_INVALID"),
                (RegistryClient.absent, RegistryClient.manifestType, good, 400, "DIGEST_INVALID"),
                ("-x", RegistryClient.manifestType, good, 400, "NAME_INVALID"),
                ("1", "text/plain", good, 400, "MANIFEST_INVALID"),
                ("1", RegistryClient.manifestType, Data("blablabla".utf8), 400, "MANIFEST_INVALID"),
                ("1", RegistryClient.manifestType, Data(count: (4 << 20) + 1), 413, "MANIFEST_INVALID"),
            ] {
                let answer = try await client.send(
                    "PUT", "/v2/a/manifests/\(reference)", ["Content-Type: \(type)"], body)
                #expect(answer.status == status, "\(reference) \(type)")
                #expect(answer.code == code, "\(reference) \(type)")
            }
            #expect(try await client.send("GET", "/v2/a/tags/list").json["tags"] as? [String] == [])
            let unsupported = try await client.send("PATCH", "/v2/a/manifests/1")
            #expect(unsupported.status == 405)
            #expect(unsupported.code == "UNSUPPORTED")
            #expect(try await client.send("PUT", "/v2/A/manifests/1", [], good).code == "NAME_INVALID")
        }
    }
}

/// The registry by curl, each answer whole.
struct RegistryClient {
    static let manifestType = "application/vnd.oci.image.manifest.v1+json"
    static let absent = "sha256:" + String(repeating: "0", count: 64)
    private static let base = "http://127.0.0.1:5000"

    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: Data

        subscript(name: String) -> String? { headers[name] }
        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:] }
        var code: String? { (json["errors"] as? [[String: Any]])?.first?["code"] as? String }
    }

    struct Blob {
        var digest: String
        var size: Int
    }

    private let lab: NetworkLab

    init(_ lab: NetworkLab) { self.lab = lab }

    func send(_ method: String, _ path: String, _ headers: [String] = [], _ body: Data? = nil) async throws -> Answer {
        let id = UUID().uuidString
        let head = lab.directory.appending(path: "\(id).head")
        let output = lab.directory.appending(path: "\(id).body")
        var arguments = ["curl", "-sS", "--max-time", "60", "-D", head.path, "-o", output.path]
        arguments += method == "HEAD" ? ["-I"] : ["-X", method]
        arguments += headers.flatMap { ["-H", $0] }
        if let body {
            let file = lab.directory.appending(path: "\(id).sent")
            try body.write(to: file)
            if !headers.contains(where: { $0.lowercased().hasPrefix("content-type") }) {
                arguments += ["-H", "Content-Type: application/octet-stream"]
            }
            arguments += ["--data-binary", "@\(file.path)"]
        }
        try await lab.run(arguments + [path.hasPrefix("http") ? path : Self.base + path])
        let lines = try String(contentsOf: head, encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
        // After "100 Continue" comes the answer itself.
        let start = lines.lastIndex { $0.hasPrefix("HTTP/") } ?? 0
        let fields = lines[(start + 1)...].compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (line[..<colon].lowercased(), value)
        }
        return Answer(
            status: Int(lines[start].split(separator: " ")[1]) ?? 0,
            headers: Dictionary(fields) { first, _ in first }, body: (try? Data(contentsOf: output)) ?? Data())
    }

    func digest(_ bytes: Data) async throws -> String {
        let file = try ServedLab.file(UUID().uuidString, bytes, lab)
        return "sha256:" + (try await lab.run(["sha256sum", file])).output.prefix(64)
    }

    /// Opens an upload, and gives its path.
    func open(_ name: String) async throws -> String {
        let answer = try await send("POST", "/v2/\(name)/blobs/uploads/")
        guard answer.status == 202, let place = answer["location"] else {
            throw TestSupportError(.commandFailed, "no upload: \(answer)")
        }
        return place
    }

    func pushBlob(_ name: String, _ bytes: Data) async throws -> Blob {
        let digest = try await digest(bytes)
        let answer = try await send("PUT", "\(try await open(name))?digest=\(digest)", [], bytes)
        guard answer.status == 201 else { throw TestSupportError(.commandFailed, "not pushed: \(answer)") }
        return Blob(digest: digest, size: bytes.count)
    }

    func manifest(config: Blob, layers: [Blob], extra: [String: Any]) -> Data {
        func descriptor(_ blob: Blob, _ type: String) -> [String: Any] {
            ["mediaType": type, "digest": blob.digest, "size": blob.size]
        }
        var document: [String: Any] = [
            "schemaVersion": 2, "mediaType": Self.manifestType,
            "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": layers.map { descriptor($0, "application/octet-stream") },
        ]
        document.merge(extra) { $1 }
        return (try? JSONSerialization.data(withJSONObject: document, options: .sortedKeys)) ?? Data()
    }

    /// Gives the manifest's digest.
    @discardableResult
    func pushManifest(_ name: String, _ tag: String, layers: [Blob]) async throws -> String {
        let config = try await pushBlob(name, Data("{}".utf8))
        let body = manifest(config: config, layers: layers, extra: [:])
        let answer = try await send("PUT", "/v2/\(name)/manifests/\(tag)", ["Content-Type: \(Self.manifestType)"], body)
        guard answer.status == 201, let digest = answer["docker-content-digest"] else {
            throw TestSupportError(.commandFailed, "not published: \(answer)")
        }
        return digest
    }

    /// Publishes a manifest whose subject is another one.
    func attach(_ name: String, to subject: String, type: String) async throws -> Answer {
        let config = try await pushBlob(name, Data("{}".utf8))
        let body = manifest(
            config: config, layers: [],
            extra: [
                "artifactType": type, "annotations": ["note": "x"],
                "subject": ["mediaType": Self.manifestType, "digest": subject, "size": 1],
            ])
        return try await send(
            "PUT", "/v2/\(name)/manifests/\(try await digest(body))", ["Content-Type: \(Self.manifestType)"], body)
    }
}
