internal import Artifacts
internal import BootSigning
internal import ServerIdentity

/// The site's boot key, wherever it is. One on a token is looked for when it is needed first, and again after that failed:
/// nobody but who needs it waits for a token.
actor SiteBootKey {
    private enum Place {
        case stored(BootKey)
        case token(TokenURI)
    }

    private let place: Place
    private let data: String
    private var opening: Task<TokenKey, any Error>?

    /// - Parameters:
    ///   - token: where it is; nil: in the data directory, where it is made when there is none.
    ///   - data: the data directory.
    /// - Throws: `ValidationFailure` when a stored key is damaged.
    init(token: TokenURI?, data: String) throws {
        self.data = data
        if let token {
            place = .token(token)
        } else {
            TokenCertificateFile.remove(in: data)
            place = .stored(try BootKeyFiles.loadOrMake(in: data))
        }
    }

    /// Of the certificate.
    /// - Throws: `BootSigningError` when a token cannot be used now.
    func fingerprint() async throws(BootSigningError) -> Digest {
        switch place {
        case .stored(let key): key.fingerprint
        case .token(let uri): try await token(uri).fingerprint
        }
    }

    /// A detached CMS signature, over bytes.
    func sign(_ bytes: [UInt8]) async throws -> [UInt8] {
        switch place {
        case .stored(let key): try key.sign(bytes)
        case .token(let uri): try await token(uri).sign(bytes)
        }
    }

    /// The same over a file or a piece of one, whose bytes are held against its digest first.
    func sign(_ piece: FilePiece, isWhole: Bool) async throws -> [UInt8] {
        switch place {
        case .stored(let key): return try await Self.sign(piece, by: key)
        case .token(let uri): return try await token(uri).sign(piece, isWhole: isWhole)
        }
    }

    /// Not on the actor: it takes as long as the file is large.
    @concurrent private static func sign(_ piece: FilePiece, by key: BootKey) async throws -> [UInt8] {
        try piece.verify()
        return try key.sign(path: piece.path, offset: piece.offset, size: piece.size)
    }

    /// Signatures on EFI programs.
    nonisolated var efiSignature: EFISignature {
        EFISignature(by: { [self] program, output async throws(BootSigningError) in
            switch place {
            case .stored:
                let certificate = DefaultPath.bootCertificate(in: data)
                try await EFISignature(certificate: certificate, key: DefaultPath.bootKey(in: data))
                    .sign(program, to: output)
            case .token(let uri): try await token(uri).signProgram(program, to: output)
            }
        })
    }

    private func token(_ uri: TokenURI) async throws(BootSigningError) -> TokenKey {
        let task = opening ?? Task { [data] in try await TokenCertificateFile.open(uri, in: data) }
        opening = task
        do {
            return try await task.value
        } catch {
            if opening == task { opening = nil }
            throw BootSigningError("--boot-key \(uri): \(error)")
        }
    }
}
