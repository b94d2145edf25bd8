package import Artifacts
internal import Glibc
internal import ServerIdentity
internal import Subprocess
internal import Synchronization

/// A boot key on a PKCS #11 token, used through Debian's OpenSSL engine. It never leaves the token.
///
/// Every use is a process of its own, so that a fault of a vendor's library ends no server. A PIN that the token refused
/// is tried again when its file was written anew, and not before.
package struct TokenKey: Sendable {
    /// PEM.
    package let certificate: String
    /// SHA-256 of the certificate's DER form.
    package let fingerprint: Digest
    private let uri: TokenURI
    private let directory: String
    private let turns = TokenTurns()

    /// A certificate for a century, as firmware and loaders have no use for its end.
    private static let days = "36500"

    private init(uri: TokenURI, directory: String, certificate: String) throws(BootSigningError) {
        guard let fingerprint = try? ServerIdentity.fingerprint(certificate: certificate) else {
            throw BootSigningError("the certificate of the boot key is damaged: remove it, and one is made")
        }
        self.uri = uri
        self.directory = directory
        self.certificate = certificate
        self.fingerprint = fingerprint
    }

    /// Finds the key.
    /// - Parameters:
    ///   - uri: where it is.
    ///   - certificate: PEM, of an earlier call; it is taken when it is that key's, and one is made otherwise.
    ///   - directory: for the work, of this program's own.
    /// - Returns: the key; whether its certificate is a new one is for the caller to compare.
    /// - Throws: `BootSigningError` when a tool, the token, the key or the PIN is not there.
    package static func open(
        _ uri: TokenURI, certificate: String?, in directory: String
    ) async throws(BootSigningError) -> TokenKey {
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        let run = try TokenRun(uri, folder, directory)
        let publicKey = try await run.openssl(["pkey", "-inform", "engine", "-in", run.key, "-pubout"])
        if let certificate {
            let file = try folder.write("certificate", Array(certificate.utf8))
            let known = try? await SigningTool.openssl.run(["x509", "-in", file, "-noout", "-pubkey"])
            if known == publicKey { return try TokenKey(uri: uri, directory: directory, certificate: certificate) }
        }
        let made = folder.path + "/made"
        try await run.openssl(
            [
                "req", "-new", "-x509", "-sha256", "-days", days, "-keyform", "engine", "-key", run.key,
                "-subj", "/CN=provisioner boot \(try serial())", "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext", "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=codeSigning", "-out",
                made,
            ])
        let bytes = try WorkFolder.read(made, limit: 1 << 16)
        return try TokenKey(
            uri: uri, directory: directory, certificate: String(decoding: bytes, as: UTF8.self))
    }

    private static func serial() throws(BootSigningError) -> String {
        guard let bytes = RandomBytes.make(4) else { throw BootSigningError("this machine has no random bytes") }
        return Hexadecimal.encode(bytes)
    }

    /// A detached CMS signature over bytes, in DER form, without signed attributes, which iPXE does not read.
    /// - Throws: `BootSigningError` when the token does not sign.
    package func sign(_ bytes: [UInt8]) async throws(BootSigningError) -> [UInt8] {
        try await use { folder throws(BootSigningError) in try folder.write("content", bytes) }
    }

    /// The same over a file or a piece of one.
    /// - Parameters:
    ///   - piece: what is signed; its bytes are held against its digest first.
    ///   - isWhole: it is all of the file, and need not be copied.
    /// - Returns: the signature.
    /// - Throws: as the other, and when the bytes are not as they should be.
    package func sign(_ piece: FilePiece, isWhole: Bool) async throws(BootSigningError) -> [UInt8] {
        try await use { folder throws(BootSigningError) in
            guard isWhole else { return try folder.join("content", [piece], alignment: 1) }
            try piece.verify()
            return piece.path
        }
    }

    private func use(_ content: (WorkFolder) throws(BootSigningError) -> String) async throws(BootSigningError)
        -> [UInt8]
    {
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        let input = try content(folder)
        let signer = try folder.write("certificate", Array(certificate.utf8))
        let output = folder.path + "/signature"
        await turns.take()
        defer { turns.pass() }
        let run = try TokenRun(uri, folder, directory)
        try await run.openssl(
            [
                "cms", "-sign", "-binary", "-noattr", "-nosmimecap", "-md", "sha256", "-outform", "DER", "-keyform",
                "engine", "-inkey", run.key, "-signer", signer, "-in", input, "-out", output,
            ])
        return try WorkFolder.read(output, limit: 1 << 16)
    }

    /// Signs an EFI program.
    /// - Throws: `BootSigningError` when the token does not sign, or the file is no program.
    package func signProgram(_ program: String, to output: String) async throws(BootSigningError) {
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        let signer = try folder.write("certificate", Array(certificate.utf8))
        await turns.take()
        defer { turns.pass() }
        let run = try TokenRun(uri, folder, directory)
        try await run.sbsign(["--key", run.key, "--cert", signer, "--output", output, program])
    }
}

/// One use of a token after another: a PIN that has become wrong is tried once, however many machines wait.
private final class TokenTurns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isMine = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isMine { continuation.resume() }
        }
    }

    func pass() {
        let next = state.withLock { state in
            guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst()) }
            state.isTaken = false
            return nil
        }
        next?.resume()
    }
}

/// The tools for one use of a token.
private struct TokenRun {
    /// The key's URI with the PIN's file.
    let key: String
    private let environment: [Environment.Key: String]
    private let refused: RefusedPIN

    /// Tools take a line's end for a part of the PIN, and the token counts that as a wrong one: they get a file without.
    init(_ uri: TokenURI, _ folder: WorkFolder, _ directory: String) throws(BootSigningError) {
        refused = RefusedPIN(uri, in: directory)
        try refused.demandAnother()
        let text = try WorkFolder.read(uri.pinPath, limit: 4096)
        let pin = text.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !pin.isEmpty else { throw BootSigningError("\(uri.pinPath): the first line must be the token's PIN") }
        guard access(uri.modulePath, R_OK) == 0 else { throw WorkFolder.failure(uri.modulePath) }
        key = "\(uri.object)?pin-source=file:\(try folder.write("pin", Array(pin)))"
        environment = ["PKCS11_MODULE_PATH": uri.modulePath]
    }

    /// Seconds after which a token that says nothing is given up: a card that was pulled may leave its module waiting.
    private static let patience = 300

    @discardableResult
    func openssl(_ arguments: [String]) async throws(BootSigningError) -> String {
        guard let command = arguments.first else { return "" }
        return try await run(.openssl, [command, "-engine", "pkcs11"] + arguments.dropFirst())
    }

    func sbsign(_ arguments: [String]) async throws(BootSigningError) {
        try await run(.sbsign, ["--engine", "pkcs11"] + arguments)
    }

    @discardableResult
    private func run(_ tool: SigningTool, _ arguments: [String]) async throws(BootSigningError) -> String {
        do {
            return try await tool.run(arguments, inheriting: environment, patience: Self.patience)
        } catch {
            if error.isRefusedPIN { refused.remember() }
            guard error.isMissingEngine else { throw error }
            throw BootSigningError(
                "\(tool.program) has no engine for PKCS #11: install the package libengine-pkcs11-openssl")
        }
    }
}

extension BootSigningError {
    /// What the engine (libp11) prints then. Rather too often than too rarely: the next try can be the one that locks.
    fileprivate var isRefusedPIN: Bool {
        ["PIN ", "Login failed", "Login to token failed"].contains { description.contains($0) }
    }

    /// What openssl and sbsign print then.
    fileprivate var isMissingEngine: Bool {
        ["invalid engine", "Invalid engine", "Failed to load engine"].contains { description.contains($0) }
    }
}
