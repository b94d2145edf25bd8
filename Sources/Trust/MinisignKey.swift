internal import Artifacts
internal import COpenSSL

/// A minisign public key: `Ed`, eight bytes that tell keys apart, an Ed25519 key.
/// Source: https://jedisct1.github.io/minisign, "Public key format".
struct MinisignKey: Sendable, Hashable {
    let identifier: [UInt8]
    let key: [UInt8]

    /// Reads a key as `minisign -p` keeps it: with its comment line, or the base64 alone.
    /// - Throws: `TrustError` (`invalidKey`).
    init(_ text: String) throws(TrustError) {
        let lines = Lines.split(text).filter { !$0.isEmpty && !$0.hasPrefix("untrusted comment:") }
        guard lines.count == 1, let bytes = Base64.decode(lines[0]), bytes.count == 42,
            bytes.starts(with: Array("Ed".utf8))
        else {
            throw TrustError(
                .invalidKey,
                "it is no minisign public key: write the line of 56 characters that begins with RW, from the .pub file")
        }
        identifier = Array(bytes[2..<10])
        key = Array(bytes[10...])
        guard PublicKey.ed25519(key) != nil else { throw TrustError(.invalidKey, "its 32 bytes are no Ed25519 key") }
    }

    /// The line of the .pub file: it is the key, whole.
    var text: String { Base64.encode(Array("Ed".utf8) + identifier + key) }

    /// As minisign prints it.
    var name: String { Hexadecimal.encode(identifier.reversed()).uppercased() }
}

/// A minisign signature file: an untrusted comment, the signature, a trusted comment, and a signature over both.
/// Source: https://jedisct1.github.io/minisign, "Signature format".
struct MinisignSignature: Sendable {
    /// Largest file that a legacy signature, which is over the whole of it, is verified for.
    static let legacyLimit = 64 << 20

    let isPrehashed: Bool
    let identifier: [UInt8]
    let signature: [UInt8]
    /// Covered by the global signature; `timestamp:SECONDS` stands in it unless the signer wrote another one.
    let trustedComment: String
    private let globalSignature: [UInt8]

    /// - Throws: `TrustError` (`invalidSignature`).
    init(_ bytes: [UInt8]) throws(TrustError) {
        let text = String(decoding: bytes.prefix(8192), as: UTF8.self)
        let lines = Lines.split(text).filter { !$0.isEmpty }
        let prefix = "trusted comment: "
        guard bytes.count <= 8192, lines.count == 4, lines[0].hasPrefix("untrusted comment: "),
            lines[2].hasPrefix(prefix), let first = Base64.decode(lines[1]), first.count == 74,
            let global = Base64.decode(lines[3]), global.count == 64
        else {
            throw TrustError(
                .invalidSignature, "it is no minisign signature: four lines are expected, as 'minisign -S' writes them")
        }
        switch Array(first[..<2]) {
        case Array("ED".utf8): isPrehashed = true
        case Array("Ed".utf8): isPrehashed = false
        default: throw TrustError(.invalidSignature, "its algorithm is unknown: minisign's are 'ED' and 'Ed'")
        }
        identifier = Array(first[2..<10])
        signature = Array(first[10...])
        trustedComment = String(lines[2].dropFirst(prefix.count))
        globalSignature = global
    }

    /// When it was made, as the signer says: seconds since 1970.
    var signedAt: Int64? {
        trustedComment.split(separator: "\t").flatMap { $0.split(separator: " ") }
            .first { $0.hasPrefix("timestamp:") }.flatMap { Int64($0.dropFirst("timestamp:".count)) }
    }

    /// Why it is not the key's signature of the content; nil when it is.
    /// - Throws: `TrustError` (`failure`) when the content cannot be read.
    func fault(by key: MinisignKey, over content: SignedContent) throws(TrustError) -> String? {
        guard let publicKey = PublicKey.ed25519(key.key) else { return "its key is damaged" }
        let message: [UInt8]
        if isPrehashed {
            message = try content.hash(.blake2b512)
        } else {
            do {
                message = try content.all(limit: Self.legacyLimit)
            } catch {
                return
                    "legacy minisign signatures are over the whole file, and \(error): sign it with minisign 0.10 or newer"
            }
        }
        guard publicKey.verifies(signature, over: message, hash: nil) else {
            return "the signature is not of these bytes"
        }
        guard publicKey.verifies(globalSignature, over: signature + Array(trustedComment.utf8), hash: nil) else {
            return "the trusted comment was changed after signing"
        }
        return nil
    }
}
