import TestSupport
import Testing

@testable import Trust

@Suite struct SSHSignatureTests {
    private func key(_ lab: SignatureLab, _ type: String, _ name: String = "k", namespaces: [String]? = nil)
        async throws
        -> TrustKey
    {
        try await lab.run("ssh-keygen -q -t \(type) -N '' -C '' -f \(name)")
        return try TrustKey(name: name, format: .ssh, text: lab.text("\(name).pub"), namespaces: namespaces)
    }

    private func sign(_ lab: SignatureLab, _ namespace: String = TrustKey.manifestNamespace, _ options: String = "")
        async throws -> [UInt8]
    {
        try await lab.run("ssh-keygen -Y sign -q \(options) -n '\(namespace)' -f k <file >sig")
        return try lab.bytes("sig")
    }

    @Test(arguments: ["ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048", "rsa -b 3072"])
    func whatSSHKeygenSignsIsGoodAndNothingElse(_ type: String) async throws {
        try await SignatureLab.with { lab in
            let key = try await key(lab, type)
            let shown = try await lab.run("ssh-keygen -l -f k.pub").output
            #expect(shown.contains(key.fingerprint))
            for options in ["", "-O hashalg=sha256"] {
                let signature = try await sign(lab, TrustKey.manifestNamespace, options)
                #expect(await lab.fault(signature, .ssh, [key]) == nil)
                let other = await lab.fault(signature, .ssh, [key], over: .bytes(Array("other".utf8)))
                #expect(other == "the signature is not of these bytes")
            }
            let signature = try await sign(lab)
            try await lab.run("echo \"me $(cat k.pub)\" >allowed")
            let reference =
                "ssh-keygen -Y verify -q -f allowed -I me -n \(TrustKey.manifestNamespace) -s changed <file"
            let wrong = try await lab.falselyGood(signature, .ssh, [key], reference: reference)
            #expect(wrong.isEmpty, "\(wrong)")
        }
    }

    @Test func aNamespaceIsPartOfWhatIsSigned() async throws {
        try await SignatureLab.with { lab in
            let key = try await key(lab, "ed25519")
            let signature = try await sign(lab, "file")
            let fault = try #require(await lab.fault(signature, .ssh, [key]))
            #expect(fault.contains("it is for the namespace 'file'"), "\(fault)")
            let other = try TrustKey(name: "k", format: .ssh, text: key.text, namespaces: ["git", "file"])
            #expect(await lab.fault(signature, .ssh, [other]) == nil)
        }
    }

    @Test func anUnknownKeyIsNamed() async throws {
        try await SignatureLab.with { lab in
            let (key, other) = (try await key(lab, "ed25519"), try await key(lab, "ed25519", "other"))
            let fault = try #require(await lab.fault(try await sign(lab), .ssh, [other]))
            #expect(fault == "its SSH key \(key.fingerprint) is not known here")
        }
    }

    @Test func weakAndUnknownKeysAreRefusedByName() async throws {
        try await SignatureLab.with { lab in
            try await lab.run("ssh-keygen -q -t rsa -b 1024 -N '' -f weak")
            let weak = try lab.text("weak.pub")
            let error = #expect(throws: TrustError(.invalidKey, "")) {
                try TrustKey(name: "k", format: .ssh, text: weak)
            }
            #expect(error?.message.contains("1024 bits: 2048 are the least") == true)
            var blob: [UInt8] = []
            blob.appendSSHString("sk-ssh-ed25519@openssh.com".utf8)
            blob.appendSSHString([UInt8](repeating: 1, count: 32))
            let hardware = "sk-ssh-ed25519@openssh.com \(Base64.encode(blob))"
            let second = #expect(throws: TrustError(.invalidKey, "")) {
                try TrustKey(name: "k", format: .ssh, text: hardware)
            }
            #expect(second?.message.contains("'sk-ssh-ed25519@openssh.com' are not supported") == true)
        }
    }

    @Test func allowedSignersAreReadAsSSHKeygenReadsThem() async throws {
        try await SignatureLab.with { lab in
            let key = try await key(lab, "ed25519")
            let line = key.text
            let signers = try AllowedSigner.parse(
                """
                # operators
                me@example.net \(line) laptop

                you@example.net namespaces="git,file",valid-after="20260101",valid-before="202712312359Z" \(line)
                """)
            #expect(signers.map(\.principals) == ["me@example.net", "you@example.net"])
            #expect(signers[1].namespaces == ["git", "file"])
            #expect(signers[1].validAfter == 1_767_225_600 && signers[1].validBefore == 1_830_297_540)
            #expect(try TrustKey(name: "k", signer: signers[0]).identity == "me@example.net")
            for bad in [
                "me@x cert-authority \(line)", "*@x \(line)", "me@x speed=\"fast\" \(line)", "me@x \(line.prefix(40))",
                "me@x valid-after=\"soon\" \(line)", "me@x",
            ] {
                let error = #expect(throws: TrustError(.invalidKey, "")) { try AllowedSigner.parse("# x\n\(bad)") }
                #expect(error?.message.hasPrefix("line 2: ") == true, "\(bad)")
            }
        }
    }
}
