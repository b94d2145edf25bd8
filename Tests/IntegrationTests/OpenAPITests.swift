import Foundation
import TestSupport
import Testing

/// The document of the control plane's routes is valid, and the running server does what it says: every operation is
/// called, and every answer compared with its schema.
@Suite struct OpenAPITests {
    @Test func theServerDoesWhatItsDocumentSays() async throws {
        try Requirement.demand(PythonEnvironment.requirements)
        try await ServedLab.with(arguments: LoginTests.control) { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let other = try ServedLab.file("other", Data("other".utf8), lab)
            try await server.artifactctl("push", "os:2", other)
            let script = try ServedLab.file("check.py", Data(Self.script.utf8), lab)
            let result = try await lab.commands.result(
                of: [PythonEnvironment.python, script, server.socket], timeLimit: .seconds(120))
            #expect(result.succeeded, "\(result)")
            #expect(result.output.contains("every operation was called"), "\(result)")
        }
    }

    @Test func metricsAreInPrometheusForm() async throws {
        try await ServedLab.with(arguments: ["--control", "127.0.0.1:5000"]) { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let client = try await lab.addHost("hv01", address: "10.20.99.21/24")
            for path in ["ipxe/script?mac=52-54-00-20-99-21", "os:1/linux"] {
                try await client.run(["curl", "-sS", "-o", "/dev/null", "http://10.20.99.1/\(path)"])
            }
            let answer = try await ServedLab.curl(lab, "-D", "-", "http://127.0.0.1:5000/metrics")
            #expect(answer.output.contains("text/plain; version=0.0.4"))
            let lines = answer.output.split(whereSeparator: \.isNewline).map(String.init)
            #expect(lines.contains("provisioner_tags 2"))
            #expect(lines.contains("provisioner_writable 1"))
            #expect(lines.contains("provisioner_machines_stuck 0"))
            #expect(lines.contains { $0.hasPrefix("provisioner_blobs{state=\"present\"} ") })
            #expect(lines.contains { $0.hasPrefix("provisioner_control_requests_total{code=\"201\"} ") })
            #expect(lines.contains("provisioner_boot_events_total{kind=\"script\"} 1"))
            #expect(lines.contains("provisioner_boot_bytes_total{kind=\"kernel\"} 10"))
            // Each class has those of the classes before it, and the last has all.
            let classes = lines.compactMap { line in
                line.wholeMatch(of: /provisioner_boot_phase_seconds_bucket\{phase="kernel",le="([^"]+)"\} ([01])/)
                    .map { (String($0.1), Int($0.2) ?? -1) }
            }
            #expect(classes.count == 13 && classes.last?.0 == "+Inf" && classes.last?.1 == 1)
            #expect(zip(classes, classes.dropFirst()).allSatisfy { $0.1 <= $1.1 })
            #expect(lines.contains("provisioner_boot_phase_seconds_count{phase=\"kernel\"} 1"))
            let shown = try await server.artifactctl("host", "show", "hv01").output
            #expect(shown.contains(/last boot .*: script 0.0 s.*; kernel [0-9.]+ s, 10 B/), "\(shown)")
            #expect(!shown.contains("STUCK"))
            let body = lines.drop { !$0.hasPrefix("# HELP") }
            let form = /#\ (HELP|TYPE)\ [a-z_]+\ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})?\ [0-9.]+/
            #expect(body.allSatisfy { $0.wholeMatch(of: form) != nil }, "\(body)")
        }
    }

    private static let script = """
        import hashlib, hmac, http.client, json, socket, sys
        import jsonschema, openapi_spec_validator
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        class Connection(http.client.HTTPConnection):
            def connect(self):
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(sys.argv[1])

        def call(method, path, body=None):
            connection = Connection("server")
            kind = "application/vnd.provisioner.blobs.v1" if isinstance(body, bytes) else "application/json"
            content = body if body is None or isinstance(body, bytes) else json.dumps(body)
            connection.request(method, "/api/v1" + path, content, {"content-type": kind})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None

        document = call("GET", "/openapi.json")[1]
        openapi_spec_validator.validate(document)
        # References are looked up from the document, not from the schema that is being checked.
        document = json.loads(json.dumps(document).replace('"#/', '"urn:openapi#/'))
        registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(document))
        left = {(m.upper(), p) for p, item in document["paths"].items() for m in item}

        def check(method, template, expected, body=None, query="", **parameters):
            operation = document["paths"][template][method.lower()]
            path = template
            for name, value in parameters.items():
                path = path.replace("{" + name + "}", value)
            status, answer = call(method, path + query, body)
            assert status == expected, (method, path, status, answer)
            described = operation["responses"].get(str(status))
            assert described is not None, ("undocumented", method, path, status)
            schema = described.get("content", {}).get("application/json", {}).get("schema")
            assert (schema is None) == (answer is None), (method, path, answer)
            if schema is not None:
                jsonschema.Draft202012Validator(schema, registry=registry).validate(answer)
            if body is not None and expected < 400 and not isinstance(body, bytes):
                sent = operation["requestBody"]["content"]["application/json"]["schema"]
                jsonschema.Draft202012Validator(sent, registry=registry).validate(body)
            if expected < 400:
                left.discard((method, template))
            return answer

        check("GET", "/openapi.json", 200)
        check("GET", "/status", 200)
        assert len(check("GET", "/artifacts", 200)) == 3
        first = check("GET", "/artifacts", 200, query="?n=2")
        last = first[1]["name"] + ":" + first[1]["tag"]
        assert len(first) == 2 and len(check("GET", "/artifacts", 200, query="?n=2&last=" + last)) == 1
        assert len(check("GET", "/artifacts", 200, query="?name=os")) == 2
        check("GET", "/artifacts", 400, query="?name=OS")
        blobs = [b"one", b"two", b"{}"]
        digests = ["sha256:" + hashlib.sha256(blob).hexdigest() for blob in blobs]
        assert check("POST", "/missing-blobs/{name}", 200, {"digests": digests}, name="a/b")["missing"] == digests
        check("POST", "/missing-blobs/{name}", 400, {"digests": ["md5:1"]}, name="a/b")
        check("POST", "/missing-blobs/{name}", 400, {"digests": digests[:1] * 8193}, name="a/b")
        check("POST", "/missing-blobs/{name}", 413, {"digests": digests[:1] * 20000}, name="a/b")
        batch = b"".join(hashlib.sha256(b).digest() + len(b).to_bytes(4, "big") + b for b in blobs)
        assert check("POST", "/blobs/{name}", 200, batch, name="a/b")["storedCount"] == 3
        check("POST", "/blobs/{name}", 400, batch[:-1], name="a/b")
        check("POST", "/blobs/{name}", 400, batch[:-1] + b"?", name="a/b")
        check("POST", "/blobs/{name}", 415, {}, name="a/b")
        assert check("POST", "/missing-blobs/{name}", 200, {"digests": digests}, name="a/b")["missing"] == []
        sizes = check("POST", "/missing-blobs/{name}", 200, {"digests": [], "sizes": [2, 5 << 20]}, name="a/b")
        assert sizes["heldSizes"] == [2], sizes
        image = "application/vnd.oci.image.manifest.v1+json"
        def manifest(blob):
            layer = {"mediaType": "application/octet-stream", "digest": digests[blob], "size": 3}
            config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digests[2], "size": 2}
            return json.dumps({"schemaVersion": 2, "mediaType": image, "config": config, "layers": [layer]})
        def publish(expected, *entries):
            manifests = [{"name": "a/b", "tag": t, "mediaType": image, "content": c} for t, c in entries]
            for entry in manifests:
                if entry["tag"] is None: del entry["tag"]
            return check("POST", "/manifests", expected, {"manifests": manifests})
        assert len(publish(201, ("1", manifest(0)), (None, manifest(1)))["digests"]) == 2
        publish(409, ("2", manifest(0)), ("1", manifest(1)))
        publish(404, ("2", manifest(0).replace(digests[0], "sha256:" + "0" * 64)))
        publish(400, ("2", "{"))
        assert len(check("GET", "/artifacts", 200, query="?name=a/b")) == 1
        check("PUT", "/quotas", 200, {"names": "a/*", "limit": 1000})
        check("PUT", "/quotas", 400, {"names": "A", "limit": 1000})
        check("PUT", "/quotas", 400, {"names": "a", "limit": -1})
        assert check("GET", "/quotas", 200)[0]["used"] > 0
        large = b"x" * 2000
        check("POST", "/blobs/{name}", 507, hashlib.sha256(large).digest() + (2000).to_bytes(4, "big") + large,
            name="a/b")
        check("DELETE", "/quotas/{names}", 204, names="a/*")
        check("DELETE", "/quotas/{names}", 404, names="a/*")
        code = check("POST", "/login/code", 200)
        check("POST", "/login/challenge", 200, {"nonce": "0123456789abcdef"})
        check("POST", "/login/challenge", 400, {"nonce": "short"})
        check("POST", "/login", 403, {"nonce": "0123456789abcdef", "proof": "x", "name": "n"})
        key = hashlib.sha256(code["code"].replace("-", "").encode()).digest()
        text = "provisioner login, client\\n" + code["fingerprint"] + "\\n0123456789abcdef"
        proof = hmac.new(key, text.encode(), "sha256").hexdigest()
        check("POST", "/login", 200, {"nonce": "0123456789abcdef", "proof": proof, "name": "n"})
        trust = check("GET", "/trust", 200)
        assert trust["rules"] == [] and {k["source"] for k in trust["keys"]} == {"package"}, trust
        line = "RWSkb2hM8ZfWVTBbPfA/zxpAgV7kkpae6gUuYQEGWwai1awvfkMW/KRr"
        key = {"name": "rel", "format": "minisign", "key": line, "validBefore": 4102444800}
        assert check("POST", "/trust/keys", 201, key)["fingerprint"] == line
        check("POST", "/trust/keys", 409, key)
        check("POST", "/trust/keys", 400, {"name": "bad", "format": "minisign", "key": "RWQ"})
        check("POST", "/trust/revocations", 400, {"key": "rel", "reason": ""})
        check("POST", "/trust/revocations", 404, {"key": "none", "reason": "lost"})
        assert check("POST", "/trust/revocations", 200, {"key": "rel", "reason": "lost"})["revokedAt"] > 0
        check("POST", "/trust/revocations", 409, {"key": "rel", "reason": "lost"})
        assert [k["name"] for k in check("GET", "/trust", 200)["keys"] if k["source"] == "added"] == ["rel"]
        for method in ("GET", "POST"):
            found = check(method, "/verdicts/{version}", 200, version="os:1")
            assert found["verdict"]["outcome"] == "unrestricted", found
            check(method, "/verdicts/{version}", 404, version="os:none")
            check(method, "/verdicts/{version}", 400, version="os")
        assert check("GET", "/archives/{version}", 200, version="os:1") == []
        check("GET", "/archives/{version}", 404, version="os:none")
        check("GET", "/hosts", 200)
        check("GET", "/hosts/{host}", 200, host="hv01")
        check("GET", "/hosts/{host}", 404, host="nobody")
        check("POST", "/hosts/{host}/arm", 200, host="hv01")
        check("PUT", "/channels/{channel}", 200, {"version": "1", "expected": "none"}, channel="os:prod")
        check("PUT", "/channels/{channel}", 409, {"version": "1", "expected": "none"}, channel="os:prod")
        check("PUT", "/channels/{channel}", 404, {"version": "9"}, channel="os:prod")
        check("PUT", "/channels/{channel}", 400, {"version": "9"}, channel="os")
        check("GET", "/channels/{channel}", 200, channel="os:prod")
        check("GET", "/channels/{channel}", 404, channel="os:none")
        check("POST", "/channels/{channel}/rollback", 409, {}, channel="os:prod")
        check("PUT", "/channels/{channel}", 200, {"version": "2"}, channel="os:prod")
        check("POST", "/channels/{channel}/rollback", 200, {}, channel="os:prod")
        made = check("POST", "/tokens", 201, {"name": "n", "scopes": ["*:pull"], "lifetime": 60})
        check("POST", "/tokens", 400, {"name": "", "scopes": ["*:pull"]})
        check("POST", "/tokens", 400, {"name": "n", "scopes": ["*:fly"]})
        check("GET", "/tokens", 200)
        check("DELETE", "/tokens/{id}", 204, id=made["summary"]["id"])
        check("DELETE", "/tokens/{id}", 404, id="00000000")
        assert len(check("GET", "/audit", 200, query="?after=1&limit=2")) == 2
        check("GET", "/audit", 200, query="?newest=1")
        check("GET", "/audit", 400, query="?after=x")
        check("POST", "/collection", 200, {"isDryRun": True, "overridesBrake": False})
        check("POST", "/collection", 200, {"isDryRun": False, "overridesBrake": False})
        check("GET", "/scrub", 200)
        check("PUT", "/retention", 200, {"names": "os", "keptVersions": 1})
        check("PUT", "/retention", 400, {"names": "os", "keptVersions": 0})
        check("PUT", "/retention", 400, {"names": "OS", "keptVersions": 1})
        check("PUT", "/retention", 400, {"names": "os"})
        assert len(check("GET", "/retention", 200)) == 1
        check("POST", "/retention/apply", 200, {"isDryRun": True})
        check("POST", "/retention/apply", 200, {"isDryRun": False})
        check("DELETE", "/retention/{names}", 204, names="os")
        check("DELETE", "/retention/{names}", 404, names="os")
        assert not left, left
        print("every operation was called")
        """
}
