internal import Artifacts
internal import BootSigning
internal import ServerIdentity

/// The site's boot key, wherever it is.
enum SiteBootKey: Sendable {
    /// In the data directory.
    case stored(BootKey)
    case token(TokenKey)
    /// On a token that could not be used when the server started: nothing is signed until it starts again.
    case missing(BootSigningError)

    var isMissing: Bool { if case .missing = self { true } else { false } }

    /// Of the certificate.
    var fingerprint: Digest {
        switch self {
        case .stored(let key): key.fingerprint
        case .token(let key): key.fingerprint
        case .missing: SHA256.digest(of: [])
        }
    }

    /// A detached CMS signature, over bytes.
    func sign(_ bytes: [UInt8]) async throws -> [UInt8] {
        switch self {
        case .stored(let key): try key.sign(bytes)
        case .token(let key): try await key.sign(bytes)
        case .missing(let reason): throw reason
        }
    }

    /// The same over a file or a piece of one, whose bytes are held against its digest first.
    func sign(_ piece: FilePiece, isWhole: Bool) async throws -> [UInt8] {
        switch self {
        case .stored(let key):
            try piece.verify()
            return try key.sign(path: piece.path, offset: piece.offset, size: piece.size)
        case .token(let key): return try await key.sign(piece, isWhole: isWhole)
        case .missing(let reason): throw reason
        }
    }

    /// Signatures on EFI programs. `data`: the data directory.
    func efiSignature(in data: String) -> EFISignature {
        switch self {
        case .stored:
            EFISignature(certificate: DefaultPath.bootCertificate(in: data), key: DefaultPath.bootKey(in: data))
        case .token(let key): EFISignature(token: key)
        case .missing(let reason): EFISignature(missing: reason)
        }
    }
}
