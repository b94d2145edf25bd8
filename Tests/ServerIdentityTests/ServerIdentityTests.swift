import Artifacts
import Foundation
import TestSupport
import Testing

@testable import ServerIdentity

@Suite struct ServerIdentityTests {
    @Test func openSSLBelievesItAndCountsTheSameFingerprint() async throws {
        let identity = try ServerIdentity.make(name: "provisioner")
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
            let text = try await openssl("x509", "-in", path, "-noout", "-dates", "-ext", "subjectAltName", "-subject")
            #expect(text.contains("notBefore=Jan  1 00:00:00 1970 GMT"))
            #expect(text.contains("notAfter=Dec 31 23:59:59 9999 GMT"))
            #expect(text.contains("DNS:provisioner"))
            // A client whose clock is decades off believes it too.
            for time in ["86400", "7000000000"] {
                #expect(try await openssl("verify", "-attime", time, "-CAfile", path, path).contains("OK"))
            }
        }
    }

    @Test func survivesItsTextForm() throws {
        let identity = try ServerIdentity.make(name: "provisioner")
        let again = try ServerIdentity(certificate: identity.certificate, privateKey: identity.privateKey)
        #expect(again.fingerprint == identity.fingerprint)
    }

    @Test func everyoneIsAnother() throws {
        #expect(try ServerIdentity.make(name: "a").fingerprint != ServerIdentity.make(name: "a").fingerprint)
    }

    @Test func refusesDamageAndForeignKeys() throws {
        let first = try ServerIdentity.make(name: "a")
        let second = try ServerIdentity.make(name: "a")
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
        let identity = try ServerIdentity.make(name: "a")
        var dumped = ""
        dump(identity, to: &dumped)
        #expect(!dumped.contains("PRIVATE") && !"\(identity)".contains("PRIVATE"))
    }
}
