internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import Trust

/// `artifactctl trust add NAME`.
struct TrustAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a public key, or those of an allowed_signers file.",
        discussion: """
            A key alone changes nothing: rules of the site file name it, or its identity, under signers. Keys may be given as \
            files, and those of minisign and SSH as the line itself.
            """)

    @OptionGroup var server: ServerOptions

    @Option(help: ArgumentHelp("An SSH public key.", valueName: "file or line"), completion: .file())
    var ssh: String?

    @Option(help: ArgumentHelp("A minisign public key.", valueName: "file or line"), completion: .file())
    var minisign: String?

    @Option(help: ArgumentHelp("A cosign public key, PEM.", valueName: "file"), completion: .file())
    var cosign: String?

    @Option(
        help: ArgumentHelp("A signer's certificate, or its authority's, PEM.", valueName: "file"), completion: .file())
    var x509: String?

    @Option(help: ArgumentHelp("The fingerprint of an OpenPGP primary key; with --keyring.", valueName: "fingerprint"))
    var openpgp: String?

    @Option(
        help: ArgumentHelp("The OpenPGP certificate, as 'gpg --export' writes it.", valueName: "file"),
        completion: .file())
    var keyring: String?

    @Option(
        help: ArgumentHelp(
            "Keys of an OpenSSH allowed_signers file; NAME is put before a number for each.", valueName: "file"),
        completion: .file())
    var allowedSigners: String?

    @Option(help: "Whom the key belongs to: several keys of one identity count as one signer (default: the name).")
    var identity: String?

    @Option(help: "Signatures that come in before do not count: a date such as 2026-01-01, in UTC.")
    var validAfter: String?

    @Option(help: "Signatures that come in from then on do not count.")
    var validBefore: String?

    @Option(help: "Of an SSH key: a namespace whose signatures count (default: that of 'artifactctl sign').")
    var namespace: [String] = []

    @Argument(help: "How rules and commands call the key.")
    var name: String

    func validate() throws {
        let given = [ssh, minisign, cosign, x509, openpgp, allowedSigners].compactMap { $0 }.count
        guard given == 1 else {
            throw ValidationError("give one key: --ssh, --minisign, --cosign, --x509, --openpgp or --allowed-signers")
        }
        guard (openpgp == nil) == (keyring == nil) else {
            throw ValidationError("--openpgp FINGERPRINT and --keyring FILE belong together")
        }
        for (option, text) in [("--valid-after", validAfter), ("--valid-before", validBefore)] {
            if let text, TrustDate.seconds(text) == nil {
                throw ValidationError("\(option) '\(text)': write a date such as 2026-12-31")
            }
        }
        guard TrustKey.isName(name) else {
            throw ValidationError("'\(name)' is no name of a key: 1 to 64 letters, digits and any of . _ - @ +")
        }
    }

    func run() async throws {
        let requests = try self.requests()
        try await ControlClient.with(try server.connection()) { client in
            for request in requests {
                let report = try await client.document(
                    TrustKeyReport.self, "\(ControlPath.trust)/keys", posting: request)
                print("\(report.name) \(report.fingerprint) (\(report.identity))")
                if report.ruleCount == 0 { print("no rule of the site counts it yet: name it under trust.policies") }
            }
        }
    }

    /// What is asked of the server, looked at here first: a mistake is told before a connection is made.
    private func requests() throws -> [TrustKeyRequest] {
        let (after, before) = (validAfter.flatMap(TrustDate.seconds), validBefore.flatMap(TrustDate.seconds))
        if let allowedSigners {
            let signers: [AllowedSigner]
            do {
                signers = try AllowedSigner.parse(try Self.text(of: allowedSigners))
            } catch let error as TrustError {
                throw OperatorError(.file, "\(allowedSigners): \(error.message)")
            }
            return try signers.enumerated().map { number, signer in
                let key = try Self.checked { () throws(TrustError) in
                    try TrustKey(name: signers.count == 1 ? name : "\(name)-\(number + 1)", signer: signer)
                }
                return TrustKeyRequest(
                    name: key.name, identity: key.identity, format: .ssh, key: key.text, validAfter: key.validAfter,
                    validBefore: key.validBefore, namespaces: key.namespaces)
            }
        }
        let (format, text): (SignatureFormat, String) =
            if let ssh {
                (.ssh, try Self.line(ssh))
            } else if let minisign {
                (.minisign, try Self.line(minisign))
            } else if let cosign {
                (.cosign, try Self.text(of: cosign))
            } else if let x509 {
                (.x509, try Self.text(of: x509))
            } else {
                (.openpgp, openpgp ?? "")
            }
        let ring = try keyring.map { try Self.armoured($0) }
        let namespaces = namespace.isEmpty ? nil : namespace
        let key = try Self.checked { () throws(TrustError) in
            try TrustKey(
                name: name, identity: identity, format: format, text: text, keyring: Array((ring ?? "").utf8),
                validAfter: after, validBefore: before, namespaces: namespaces)
        }
        return [
            TrustKeyRequest(
                name: name, identity: identity, format: format, key: key.text, keyring: ring, validAfter: after,
                validBefore: before, namespaces: namespaces)
        ]
    }

    private static func checked(_ make: () throws(TrustError) -> TrustKey) throws -> TrustKey {
        do throws(TrustError) {
            return try make()
        } catch {
            throw OperatorError(.file, error.message)
        }
    }

    /// A file's text, or the argument itself where there is no such file.
    private static func line(_ argument: String) throws -> String {
        FileManager.default.fileExists(atPath: argument) ? try text(of: argument) : argument
    }

    private static func text(of file: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw OperatorError(.file, "\(file) cannot be read, or is no text")
        }
        return text
    }

    /// A keyring goes over the wire as text: a binary one is put into armour (RFC 4880 section 6.2; the checksum may be left
    /// out).
    private static func armoured(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw OperatorError(.file, "\(file) cannot be read")
        }
        if data.starts(with: Data("-----BEGIN PGP ".utf8)) { return String(decoding: data, as: UTF8.self) }
        let body = data.base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\(body)\n-----END PGP PUBLIC KEY BLOCK-----\n"
    }
}
