internal import Glibc

/// Detached OpenPGP signatures by a key of this server, made by gpg in a home of its own. RSA with 3072 bits and SHA-512, the
/// issuer in the unhashed area: the form that GRUB 2.06 reads (its `commands/pgp.c`).
package actor OpenPGPSigner {
    /// What GRUB images have inside: the public key, binary.
    package nonisolated let publicKey: [UInt8]
    private let home: String
    private let work: String

    /// Sockets are made in the home (sun_path of unix(7) has 108 bytes, and `S.gpg-agent.browser` is the longest).
    private static let maximumHomeLength = 86
    private static let options = ["--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]

    private init(home: String, work: String, publicKey: [UInt8]) {
        self.home = home
        self.work = work
        self.publicKey = publicKey
    }

    /// Takes a stored key into use, or makes one.
    /// - Parameters:
    ///   - secretKey: as `makeKey` returned it.
    ///   - directory: a folder of this program's own; what is in its `gpg` is lost.
    /// - Returns: the signer, to be stopped.
    /// - Throws: `BootSigningError` when gpg is missing, or the key is damaged.
    package static func start(
        secretKey: [UInt8], in directory: String
    ) async throws(BootSigningError) -> OpenPGPSigner {
        let home = try await makeHome(in: directory)
        let file = directory + "/secret-key"
        unlink(file)
        try WorkFolder.write(file, secretKey)
        defer { unlink(file) }
        try await SigningTool.gpg.run(options + ["--homedir", home, "--import", "--", file])
        return OpenPGPSigner(home: home, work: directory, publicKey: try await publicKey(home, directory))
    }

    /// A new key.
    /// - Returns: the secret key, for `start`.
    package static func makeKey(in directory: String) async throws(BootSigningError) -> [UInt8] {
        let home = try await makeHome(in: directory)
        let generate = ["--quick-generate-key", "provisioner boot", "rsa3072", "sign", "never"]
        try await SigningTool.gpg.run(options + ["--homedir", home] + generate)
        let file = directory + "/secret-key"
        unlink(file)
        defer { unlink(file) }
        try await SigningTool.gpg.run(options + ["--homedir", home, "--output", file, "--export-secret-keys"])
        let key = try WorkFolder.read(file, limit: 1 << 20)
        await end(home)
        return key
    }

    /// A signature over a file or a piece of one, binary.
    /// - Parameters:
    ///   - piece: what is signed; its bytes are held against its digest first.
    ///   - isWhole: it is all of the file, and need not be copied.
    /// - Returns: the signature.
    /// - Throws: `BootSigningError` when gpg fails, or the bytes are not as they should be.
    package func sign(_ piece: FilePiece, isWhole: Bool) async throws(BootSigningError) -> [UInt8] {
        let folder = try WorkFolder(in: work)
        defer { folder.remove() }
        guard isWhole else { return try await sign(try folder.join("content", [piece], alignment: 1), folder) }
        try piece.verify()
        return try await sign(piece.path, folder)
    }

    /// A signature over bytes, binary.
    package func sign(_ bytes: [UInt8]) async throws(BootSigningError) -> [UInt8] {
        let folder = try WorkFolder(in: work)
        defer { folder.remove() }
        return try await sign(try folder.write("content", bytes), folder)
    }

    private func sign(_ path: String, _ folder: WorkFolder) async throws(BootSigningError) -> [UInt8] {
        let output = folder.path + "/signature"
        try await SigningTool.gpg.run(
            Self.options + [
                "--homedir", home, "--digest-algo", "SHA512", "--output", output, "--detach-sign", "--", path,
            ])
        return try WorkFolder.read(output, limit: 1 << 16)
    }

    /// Ends gpg's agent, which has the key in memory.
    package func stop() async { await Self.end(home) }

    private static func end(_ home: String) async {
        _ = try? await SigningTool.gpgconf.run(["--homedir", home, "--kill", "all"])
    }

    private static func publicKey(_ home: String, _ directory: String) async throws(BootSigningError) -> [UInt8] {
        let file = directory + "/public-key"
        unlink(file)
        defer { unlink(file) }
        try await SigningTool.gpg.run(options + ["--homedir", home, "--output", file, "--export"])
        return try WorkFolder.read(file, limit: 1 << 20)
    }

    /// An empty home. An agent of a server that was killed ends when its socket goes.
    private static func makeHome(in directory: String) async throws(BootSigningError) -> String {
        let home = directory + "/gpg"
        guard home.utf8.count <= maximumHomeLength else {
            throw BootSigningError("\(home) is too long for gpg's sockets: use a shorter --data")
        }
        for name in ["private-keys-v1.d", "openpgp-revocs.d", ""] {
            WorkFolder(path: home + (name.isEmpty ? "" : "/" + name)).remove()
        }
        guard mkdir(home, 0o700) == 0 else { throw WorkFolder.failure(home) }
        return home
    }
}

extension WorkFolder {
    init(path: String) { self.path = path }
}
