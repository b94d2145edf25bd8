import Artifacts
import Foundation
import GPGV
import TestSupport
import Testing

@testable import Trust

/// OpenPGP, by gpgv: what counts is what gpgv says of each signature, and the text that it gives.
@Suite struct OpenPGPTests {
    /// A GnuPG home with keys `a`, `b` and so on; each call of `gpg` is a line of shell.
    private func with(
        _ names: [String], time: String = "", _ body: (SignatureLab, String, [String: TrustKey]) async throws -> Void
    ) async throws {
        try await SignatureLab.with { lab in
            let home = "/tmp/pg-\(UInt32.random(in: 0 ... .max))"
            try await CleanupStack.with { cleanup in
                try FileManager.default.createDirectory(
                    atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
                await cleanup.add("remove \(home)") {
                    _ = try await CommandRunner.local.result(of: ["gpgconf", "--homedir", home, "--kill", "all"])
                    try FileManager.default.removeItem(atPath: home)
                }
                let gpg = "gpg --homedir \(home) --batch --yes --quiet --pinentry-mode loopback --passphrase ''"
                var keys: [String: TrustKey] = [:]
                for name in names {
                    try await lab.run(
                        "\(gpg) \(time) --quick-gen-key \(name)@example.net rsa2048 sign never 2>/dev/null")
                    keys[name] = try await key(name, lab, gpg)
                }
                try await body(lab, gpg, keys)
            }
        }
    }

    private func key(_ name: String, _ lab: SignatureLab, _ gpg: String) async throws -> TrustKey {
        let listed = try await lab.run("\(gpg) --with-colons --list-keys \(name)@example.net")
        let fingerprint = listed.lines.first { $0.hasPrefix("fpr:") }?.split(separator: ":").last ?? ""
        try await lab.run("\(gpg) --armor --export \(name)@example.net >\(name).asc")
        return try TrustKey(
            name: name, format: .openpgp, text: String(fingerprint), keyring: lab.bytes("\(name).asc"))
    }

    @Test func detachedSignaturesAreGoodInBothForms() async throws {
        try await with(["a", "b"]) { lab, gpg, keys in
            let (a, b) = (try #require(keys["a"]), try #require(keys["b"]))
            for option in ["", "--armor"] {
                try await lab.run("\(gpg) \(option) -u a@example.net -o sig --detach-sign file")
                let checks = await lab.check(try lab.bytes("sig"), .openpgp, [a, b])
                #expect(checks.map(\.fault) == [nil] && checks.map(\.key?.name) == ["a"])
                #expect(checks[0].tool.hasPrefix("gpgv (GnuPG) "))
                #expect(SignatureFormat(sniffing: try lab.bytes("sig")) == .openpgp)
                let other = await lab.fault(try lab.bytes("sig"), .openpgp, [a], over: .bytes([1]))
                #expect(other == "the signature is not of these bytes")
                #expect(await lab.fault(try lab.bytes("sig"), .openpgp, [b])?.contains("is not in the keyring") == true)
            }
        }
    }

    /// gpgv exits with 2 here, and the signature of the key that is known counts.
    @Test func oneKnownSignerOfTwoCountsAndABadOneSpoilsBoth() async throws {
        try await with(["a", "b"]) { lab, gpg, keys in
            let a = try #require(keys["a"])
            try await lab.run(
                """
                \(gpg) -u a@example.net -u b@example.net -o sig --detach-sign file
                \(gpg) -u a@example.net -o good --detach-sign file
                echo other >other; \(gpg) -u a@example.net -o bad --detach-sign other
                cat good bad >mixed
                """)
            let checks = await lab.check(try lab.bytes("sig"), .openpgp, [a])
            #expect(checks.count == 2 && checks.contains { $0.fault == nil && $0.key?.name == "a" })
            let mixed = await lab.check(try lab.bytes("mixed"), .openpgp, [a])
            #expect(!mixed.isEmpty && mixed.allSatisfy { $0.fault != nil }, "\(mixed)")
        }
    }

    @Test func expiredRevokedAndWeakSignaturesDoNotCount() async throws {
        try await with(["a", "b"], time: "--faked-system-time 20200101T000000") { lab, gpg, keys in
            let (a, b) = (try #require(keys["a"]), try #require(keys["b"]))
            let then = "--faked-system-time 20200101T000001 --ignore-time-conflict"
            try await lab.run(
                "\(gpg) \(then) --allow-weak-digest-algos --digest-algo SHA1 -u a@example.net -o weak --detach-sign file"
            )
            #expect(await lab.fault(try lab.bytes("weak"), .openpgp, [a]) != nil, "a signature over SHA-1")
            for name in ["a", "b"] {
                try await lab.run("\(gpg) -u \(name)@example.net -o \(name).sig --detach-sign file")
            }
            #expect(await lab.fault(try lab.bytes("a.sig"), .openpgp, [a]) == nil)
            try await lab.run("\(gpg) --faked-system-time 20200102T000000 --quick-set-expire \(a.text) 1d 2>/dev/null")
            let expired = try await key("a", lab, gpg)
            #expect(await lab.fault(try lab.bytes("a.sig"), .openpgp, [expired]) == "its key has expired")
            let home = try #require(gpg.split(separator: " ").first { $0.hasPrefix("/tmp/pg-") })
            try await lab.run(
                "sed 's/^:-/-/' \(home)/openpgp-revocs.d/\(b.text).rev >rev; \(gpg) --import rev 2>/dev/null")
            let revoked = try await key("b", lab, gpg)
            #expect(await lab.fault(try lab.bytes("b.sig"), .openpgp, [revoked]) == "its key is revoked by its owner")
        }
    }

    @Test func aMessageIsNoDetachedSignature() async throws {
        try await with(["a"]) { lab, gpg, keys in
            let a = try #require(keys["a"])
            try await lab.run(
                "\(gpg) -u a@example.net --armor -o armoured --sign file; \(gpg) -u a@example.net -o binary --sign file; \(gpg) -u a@example.net -o clear --clear-sign file"
            )
            for name in ["armoured", "clear"] {
                let fault = await lab.fault(try lab.bytes(name), .openpgp, [a])
                #expect(fault?.contains("not a detached signature") == true, "\(name): \(fault ?? "")")
            }
            let fault = await lab.check(try lab.bytes("binary"), .openpgp, [a])
            #expect(fault.allSatisfy { $0.fault != nil })
        }
    }

    /// gpgv exits with 0 here.
    @Test func textAroundAClearSignedBlockCountsForNothing() async throws {
        try await with(["a"]) { lab, gpg, keys in
            let a = try #require(keys["a"])
            let digest = SHA256.digest(of: "linux".utf8).hex
            try lab.write("sums", Array("\(digest)  linux\n".utf8))
            try await lab.run("\(gpg) -u a@example.net -o clear --clear-sign sums")
            let other = SHA256.digest(of: "evil".utf8).hex
            let around = Array("\(other)  evil\n".utf8)
            try lab.write("mixed", around + (try lab.bytes("clear")) + around)
            let verifier = SignatureVerifier(openPGP: GPGV())
            let (checks, text) = await verifier.clearSigned(.file(path: lab.path("mixed")), keys: [a])
            let list = try ChecksumList(try #require(text))
            #expect(list.entries.keys.map(\.description) == ["linux"], "\(checks)")
            var broken = try lab.bytes("clear")
            let place = try #require(broken.firstRange(of: Array(digest.utf8)))
            broken[place.lowerBound] = broken[place.lowerBound] == 48 ? 49 : 48
            let (bad, none) = await verifier.clearSigned(.bytes(broken), keys: [a])
            #expect(none == nil && bad.allSatisfy { $0.fault != nil })
        }
    }

    @Test func withoutGPGVNothingIsGood() async throws {
        try await with(["a"]) { lab, gpg, keys in
            let a = try #require(keys["a"])
            try await lab.run("\(gpg) -u a@example.net -o sig --detach-sign file")
            let checks = await lab.check(try lab.bytes("sig"), .openpgp, [a], program: "no-such-gpgv")
            #expect(checks.map(\.fault) == ["unverified: no-such-gpgv is missing: install the package gpgv"])
        }
    }

    @Test(arguments: [
        "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 1 x\n",
        "[GNUPG:] NEWSIG\n[GNUPG:] VALIDSIG A 2026-01-01 1 0 4 0 1 8 00 BB\n",
        "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 1 x\n[GNUPG:] VALIDSIG A 2026-01-01 1 0 4 0 1 2 00 BB\n",
        "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 1 x\n[GNUPG:] VALIDSIG A 2026-01-01 1 0 4 0 1 8 10 BB\n",
        "[GNUPG:] NEWSIG\n[GNUPG:] EXPKEYSIG 1 x\n[GNUPG:] VALIDSIG A 2026-01-01 1 0 4 0 1 8 00 BB\n",
        "[GNUPG:] NEWSIG\n[GNUPG:] FUTURE 1\n", "GOODSIG 1 x\nVALIDSIG A 2026-01-01 1 0 4 0 1 8 00 BB\n",
    ])
    func aStatusThatDoesNotSaySoInFullIsNotGood(_ text: String) {
        #expect(OpenPGPStatus(text).signatures.allSatisfy { $0.fault != nil })
    }

    @Test func aStatusThatSaysSoIsGood() {
        let status = OpenPGPStatus(
            "[GNUPG:] NEWSIG x\n[GNUPG:] KEY_CONSIDERED A 0\n[GNUPG:] GOODSIG 1 x\n[GNUPG:] VALIDSIG A 2026-01-01 7 0 4 0 1 10 01 bb\n"
        )
        #expect(status.signatures.map(\.fingerprint) == ["BB"] && status.signatures.map(\.signedAt) == [7])
        #expect(status.signatures.map(\.fault) == [nil])
    }
}
