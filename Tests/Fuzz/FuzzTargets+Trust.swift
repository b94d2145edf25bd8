import Artifacts

@testable import Trust

/// What signers and upstreams send.
extension FuzzTargets {
    /// A list never has a name that leads out, nor a hash of the wrong length; every name finds its own entry.
    static func checksums(_ bytes: [UInt8]) {
        guard let list = try? ChecksumList(bytes) else { return }
        for (path, entry) in list.entries {
            precondition(!entry.hashes.isEmpty)
            for (hash, digits) in entry.hashes { precondition(digits.utf8.count == hash.byteCount * 2) }
            precondition((try? list.entry(for: path)) == entry, "a name finds another entry")
        }
    }

    /// No made-up signature is good, whatever form it has; and a key that was read is written as it is read.
    static func signature(_ bytes: [UInt8]) {
        _ = SignatureFormat(sniffing: bytes)
        let content = SignedContent.bytes([1])
        if let key = try? MinisignKey("RWSkb2hM8ZfWVTBbPfA/zxpAgV7kkpae6gUuYQEGWwai1awvfkMW/KRr") {
            if let signature = try? MinisignSignature(bytes), let fault = try? signature.fault(by: key, over: content) {
                precondition(!fault.isEmpty)
            }
        }
        if let signature = try? SSHSignature(bytes) { _ = try? signature.fault(over: content) }
        if let signature = try? CMSSignature(bytes) { _ = signature }
        let text = String(decoding: bytes, as: UTF8.self)
        for format in SignatureFormat.allCases where format != .openpgp {
            guard let key = try? TrustKey(name: "k", format: format, text: text) else { continue }
            precondition((try? TrustKey(name: "k", format: format, text: key.text))?.fingerprint == key.fingerprint)
        }
        _ = try? AllowedSigner.parse(text)
        _ = try? OpenPGPKey(fingerprint: String(repeating: "A", count: 40), keyring: bytes)
        for signature in OpenPGPStatus(text).signatures where signature.fault == nil {
            precondition(signature.fingerprint != nil && text.contains("GOODSIG") && text.contains("VALIDSIG"))
        }
    }
}
