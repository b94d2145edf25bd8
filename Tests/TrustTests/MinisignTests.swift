import TestSupport
import Testing

@testable import Trust

@Suite struct MinisignTests {
    private func key(_ lab: SignatureLab, _ name: String = "k") async throws -> TrustKey {
        try await lab.run("minisign -G -W -p \(name).pub -s \(name).key >/dev/null")
        return try TrustKey(name: name, format: .minisign, text: lab.text("\(name).pub"))
    }

    @Test(arguments: ["", "-l"])
    func whatMinisignSignsIsGoodAndNothingElse(_ option: String) async throws {
        try await SignatureLab.with { lab in
            let key = try await key(lab)
            try await lab.run("minisign -S \(option) -s k.key -m file -x sig -t 'timestamp:1700000000 x' >/dev/null")
            let signature = try lab.bytes("sig")
            let checks = await lab.check(signature, .minisign, [key])
            #expect(checks.map(\.fault) == [nil] && checks.map(\.signedAt) == [1_700_000_000])
            #expect(await lab.fault(signature, .minisign, [key], over: .bytes(SignatureLab.content)) == nil)
            let other = await lab.fault(signature, .minisign, [key], over: .bytes(Array("other".utf8)))
            #expect(other == "the signature is not of these bytes")
            let reference = "minisign -V -q -p k.pub -m file -x changed"
            let wrong = try await lab.falselyGood(signature, .minisign, [key], reference: reference)
            #expect(wrong.isEmpty, "\(wrong)")
        }
    }

    @Test func anUnknownKeyIsNamed() async throws {
        try await SignatureLab.with { lab in
            let (key, other) = (try await key(lab), try await key(lab, "other"))
            try await lab.run("minisign -S -s k.key -m file -x sig >/dev/null")
            let fault = try #require(await lab.fault(try lab.bytes("sig"), .minisign, [other]))
            #expect(fault.contains("is not known here"), "\(fault)")
            let shown = try lab.text("k.pub").split(separator: "\n")[0].split(separator: " ").last
            #expect(fault.contains(String(shown ?? "?")), "\(fault)")
            #expect(await lab.fault(try lab.bytes("sig"), .minisign, []) != nil)
            _ = key
        }
    }

    @Test func aTrustedCommentThatWasChangedSpoilsTheSignature() async throws {
        try await SignatureLab.with { lab in
            let key = try await key(lab)
            try await lab.run(
                "minisign -S -s k.key -m file -x sig -t 'version 1' >/dev/null; sed -i 's/version 1/version 2/' sig")
            let fault = await lab.fault(try lab.bytes("sig"), .minisign, [key])
            #expect(fault == "the trusted comment was changed after signing")
        }
    }

    @Test(arguments: ["", "RWQ", "untrusted comment: x\nRWQ", "AAAA", String(repeating: "R", count: 56)])
    func whatIsNoKeyIsRefused(_ text: String) {
        #expect(throws: TrustError(.invalidKey, "")) { try TrustKey(name: "k", format: .minisign, text: text) }
    }
}
