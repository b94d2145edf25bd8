internal import BootSigning
internal import Foundation
internal import GPGV
internal import Store
internal import Trust

/// Signatures verified by the key that this server's GRUB images have inside. The key is taken from the data directory when it is
/// needed first: the server makes it when it is asked for what it signs.
actor GRUBSignatureCheck {
    private let data: String
    private let gpgv = GPGV()
    private var publicKey: [UInt8]?

    init(data: String) { self.data = data }

    /// Whether a file is a signature by that key over another one; nil where there is no key, or gpg does not give its public
    /// half.
    func isValid(_ signature: String, over file: String) async -> Bool? {
        if publicKey == nil { publicKey = await Self.publicKey(data: data) }
        guard let publicKey else { return nil }
        guard let bytes = SmallFile.read(signature, limit: 1 << 16),
            let result = try? await gpgv.verify(bytes, over: .file(path: file), keyring: publicKey)
        else { return false }
        return !result.status.signatures.isEmpty && result.status.signatures.allSatisfy { $0.fault == nil }
    }

    private static func publicKey(data: String) async -> [UInt8]? {
        guard let secretKey = SmallFile.read(DefaultPath.openPGPKey(in: data), limit: 1 << 20) else { return nil }
        // Not the server's own folder, in which its gpg works; and short, for the paths of gpg's sockets.
        let folder = URL(filePath: "/tmp/provisioner-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            return nil
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        guard let signer = try? await OpenPGPSigner.start(secretKey: secretKey, in: folder.path) else { return nil }
        await signer.stop()
        return signer.publicKey
    }
}
