/// The forms of signatures that are verified.
package enum SignatureFormat: String, Sendable, Hashable, CaseIterable, Codable {
    /// minisign and signify: Ed25519 over a file, or over its BLAKE2b-512.
    case minisign
    /// `ssh-keygen -Y sign` (PROTOCOL.sshsig).
    case ssh
    /// `cosign sign-blob --key`: base64 of a signature over the file's SHA-256.
    case cosign
    /// Detached CMS (RFC 5652), by a certificate.
    case x509
    /// A detached OpenPGP signature, or a clear-signed text (RFC 4880).
    case openpgp

    /// What a blob that holds such a signature is called.
    package var mediaType: String { "application/vnd.provisioner.signature.\(rawValue)" }

    package init?(mediaType: String) {
        guard let format = Self.allCases.first(where: { $0.mediaType == mediaType }) else { return nil }
        self = format
    }

    /// What a file most likely is, by its first bytes; nil for anything else.
    package init?(sniffing bytes: some Collection<UInt8>) {
        let start = String(decoding: bytes.prefix(64), as: UTF8.self)
        if start.hasPrefix("untrusted comment:") {
            self = .minisign
        } else if start.hasPrefix("-----BEGIN SSH SIGNATURE-----") {
            self = .ssh
        } else if start.hasPrefix("-----BEGIN CMS-----") || start.hasPrefix("-----BEGIN PKCS7-----") {
            self = .x509
        } else if start.hasPrefix("-----BEGIN PGP ") {
            self = .openpgp
        } else if let first = bytes.first, first & 0xc0 == 0xc0 || first & 0xfc == 0x88 {
            // A signature packet (RFC 4880 section 4.2): tag 2, in the new form or the old one.
            self = .openpgp
        } else if bytes.first == 0x30, bytes.count > 2 {
            self = .x509
        } else if let der = Base64.decode(String(decoding: bytes.prefix(1024), as: UTF8.self)), der.first == 0x30 {
            self = .cosign
        } else {
            return nil
        }
    }
}
