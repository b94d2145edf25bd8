import Artifacts
import Foundation
import TestSupport
import Testing

@testable import ServerIdentity

@Suite struct ServerIdentityTests {
    @Test func openSSLBelievesItAndCountsTheSameFingerprint() async throws {
        let identity = try ServerIdentity.make()
        try await TemporaryDirectory.with(prefix: "identity") { directory in
            let path = directory.appending(path: "c.pem").path
            try Data(identity.certificate.utf8).write(to: URL(filePath: path))
            func openssl(_ arguments: String...) async throws -> String {
                try await CommandRunner.local.run(["openssl"] + arguments).output
            }
            #expect(try await openssl("verify", "-CAfile", path, path).contains("OK"))
            let fingerprint = try await openssl("x509", "-in", path, "-noout", "-fingerprint", "-sha256")
            let hex = fingerprint.split(separator: "=").last?.replacing(":", with: "").lowercased() ?? ""
            #expect("sha256:" + hex.trimmingCharacters(in: .whitespacesAndNewlines) == identity.fingerprint.description)
            let text = try await openssl(
                "x509", "-in", path, "-noout", "-dates", "-ext", "basicConstraints", "-subject")
            #expect(text.contains("notBefore=Jan  1 00:00:00 1970 GMT"))
            #expect(text.contains("notAfter=Dec 31 23:59:59 9999 GMT"))
            #expect(text.contains("CA:TRUE"))
            // A client whose clock is decades off believes it too.
            for time in ["86400", "7000000000"] {
                #expect(try await openssl("verify", "-attime", time, "-CAfile", path, path).contains("OK"))
            }
        }
    }

    @Test func openSSLBelievesWhatItIssuesForItsNamesOnly() async throws {
        let identity = try ServerIdentity.make()
        let issued = try identity.issue(names: ["artifacts.rack.example", "box"], addresses: ["10.0.0.1"])
        try await TemporaryDirectory.with(prefix: "identity") { directory in
            let authority = directory.appending(path: "ca.pem").path
            let server = directory.appending(path: "server.pem").path
            try Data(identity.certificate.utf8).write(to: URL(filePath: authority))
            try Data(issued.certificate.utf8).write(to: URL(filePath: server))
            func verify(_ arguments: String...) async throws -> Bool {
                try await CommandRunner.local.result(
                    of: ["openssl", "verify", "-purpose", "sslserver", "-CAfile", authority] + arguments + [server]
                ).succeeded
            }
            #expect(try await verify("-verify_hostname", "artifacts.rack.example"))
            #expect(try await verify("-verify_hostname", "box"))
            #expect(try await verify("-verify_ip", "10.0.0.1"))
            #expect(try await !verify("-verify_hostname", "other.example"))
            #expect(try await !verify("-verify_ip", "10.0.0.2"))
            for time in ["86400", "7000000000"] { #expect(try await verify("-attime", time)) }
        }
        let other = try ServerIdentity(certificate: issued.certificate, privateKey: issued.privateKey)
        #expect(!other.isAuthority)
        #expect(throws: ServerIdentityError.self) { try other.issue(names: ["x"], addresses: []) }
    }

    @Test func survivesItsTextForm() throws {
        let identity = try ServerIdentity.make()
        let again = try ServerIdentity(certificate: identity.certificate, privateKey: identity.privateKey)
        #expect(again.fingerprint == identity.fingerprint)
    }

    @Test func everyoneIsAnother() throws {
        #expect(try ServerIdentity.make().fingerprint != ServerIdentity.make().fingerprint)
    }

    @Test func refusesDamageAndForeignKeys() throws {
        let first = try ServerIdentity.make()
        let second = try ServerIdentity.make()
        for (certificate, key) in [
            (first.certificate, second.privateKey), ("", first.privateKey), (first.certificate, ""),
            (String(first.certificate.dropLast(60)), first.privateKey),
            (first.certificate, String(first.privateKey.dropFirst(60))),
            (first.privateKey, first.certificate),
        ] {
            #expect(throws: ServerIdentityError.self) {
                _ = try ServerIdentity(certificate: certificate, privateKey: key)
            }
        }
    }

    @Test func neverPrintsItsKey() throws {
        let identity = try ServerIdentity.make()
        var dumped = ""
        dump(identity, to: &dumped)
        #expect(!dumped.contains("PRIVATE") && !"\(identity)".contains("PRIVATE"))
    }
}
