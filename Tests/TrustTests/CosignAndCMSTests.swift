import Foundation
import TestSupport
import Testing

@testable import Trust

@Suite struct CosignAndCMSTests {
    @Test(arguments: [
        ("openssl ecparam -name prime256v1 -genkey -noout -out k", "openssl dgst -sha256 -sign k file"),
        ("openssl ecparam -name secp384r1 -genkey -noout -out k", "openssl dgst -sha256 -sign k file"),
        ("openssl genrsa -out k 2048 2>/dev/null", "openssl dgst -sha256 -sign k file"),
        ("openssl genpkey -algorithm ed25519 -out k", "openssl pkeyutl -sign -inkey k -rawin -in file"),
    ])
    func whatAKeyPairSignsIsGoodAndNothingElse(_ make: String, _ sign: String) async throws {
        try await SignatureLab.with { lab in
            try await lab.run("\(make); openssl pkey -in k -pubout -out k.pub; \(sign) >raw; base64 -w0 raw >sig")
            let key = try TrustKey(name: "k", format: .cosign, text: lab.text("k.pub"))
            let signature = try lab.bytes("sig")
            #expect(await lab.fault(signature, .cosign, [key]) == nil)
            #expect(await lab.fault(signature, .cosign, [key], over: .bytes([1])) != nil)
            #expect(await lab.fault(signature, .cosign, []) == "no cosign key is known here")
            let reference =
                sign.contains("dgst")
                ? "base64 -d changed >raw2; openssl dgst -sha256 -verify k.pub -signature raw2 file"
                : "base64 -d changed >raw2; openssl pkeyutl -verify -pubin -inkey k.pub -rawin -in file -sigfile raw2"
            let wrong = try await lab.falselyGood(signature, .cosign, [key], reference: reference)
            #expect(wrong.isEmpty, "\(wrong)")
        }
    }

    private func certificate(_ lab: SignatureLab, _ name: String, _ options: String = "-days 30") async throws {
        try await lab.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout \(name).key -out \(name).crt \(options) -subj /CN=\(name) 2>/dev/null"
        )
    }

    @Test(arguments: ["PEM", "DER"])
    func aSignersOwnCertificateVouches(_ form: String) async throws {
        try await SignatureLab.with { lab in
            try await certificate(lab, "me")
            try await certificate(lab, "other")
            try await lab.run(
                "openssl cms -sign -binary -in file -signer me.crt -inkey me.key -outform \(form) -out sig")
            let (me, other) = (
                try TrustKey(name: "me", format: .x509, text: lab.text("me.crt")),
                try TrustKey(name: "other", format: .x509, text: lab.text("other.crt"))
            )
            let signature = try lab.bytes("sig")
            let checks = await lab.check(signature, .x509, [other, me])
            #expect(checks.map(\.fault) == [nil] && checks.map(\.key?.name) == ["me"])
            #expect(await lab.fault(signature, .x509, [other])?.contains("certificate verify error") == true)
            #expect(await lab.fault(signature, .x509, [me], over: .bytes([1])) != nil)
            let reference =
                "openssl cms -verify -binary -content file -in changed -inform \(form) -CAfile me.crt -certfile me.crt -purpose any -partial_chain -out /dev/null"
            let wrong = try await lab.falselyGood(signature, .x509, [me], reference: reference, step: 7)
            #expect(wrong.isEmpty, "\(wrong)")
        }
    }

    @Test func anAuthorityVouchesForWhomItIssuedTo() async throws {
        try await SignatureLab.with { lab in
            try await certificate(lab, "ca")
            try await lab.run(
                """
                openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf 2>/dev/null
                openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -days 2 -out leaf.crt 2>/dev/null
                openssl cms -sign -binary -in file -signer leaf.crt -inkey leaf.key -outform PEM -out sig
                """)
            let key = try TrustKey(name: "ca", format: .x509, text: lab.text("ca.crt"))
            let signature = try lab.bytes("sig")
            let now = Int64(Date().timeIntervalSince1970)
            #expect(await lab.fault(signature, .x509, [key], at: now) == nil)
            let expired = await lab.fault(signature, .x509, [key], at: now + 3 * 86_400)
            #expect(expired?.contains("certificate has expired") == true, "\(expired ?? "")")
        }
    }

    @Test func weakHashesAndContentInsideAreRefused() async throws {
        try await SignatureLab.with { lab in
            try await certificate(lab, "me")
            let key = try TrustKey(name: "me", format: .x509, text: lab.text("me.crt"))
            let base = "openssl cms -sign -binary -in file -signer me.crt -inkey me.key -outform PEM -out sig"
            try await lab.run("\(base) -md sha1")
            #expect(await lab.fault(try lab.bytes("sig"), .x509, [key])?.contains("rests on SHA1") == true)
            try await lab.run("\(base) -nodetach")
            #expect(await lab.fault(try lab.bytes("sig"), .x509, [key])?.contains("holds its content") == true)
        }
    }
}
