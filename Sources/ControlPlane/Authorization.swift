internal import Artifacts
package import ControlAPI
internal import Foundation
internal import HTTPTypes
internal import Site

/// Who may call a listener of the control plane.
package enum Authorization: Sendable {
    /// The local socket: the kernel names the user at its other end.
    case socket
    /// A loopback address without a token file: its place is the guard.
    case loopback
    /// Every call needs this token (RFC 6750), or has it as the password of a name (RFC 7617).
    case token(Token)
    /// Every call needs a token that a login or `artifactctl token create` gave out, or the one of a token file, or a
    /// certificate of the authority for clients, which may do what these scopes say; but for the login itself.
    case operators(OperatorAccess, Token?, certificates: [AccessScope])

    /// The token of a token file. It never prints itself.
    package struct Token: Sendable, CustomStringConvertible {
        private let bytes: [UInt8]

        /// The first line of a token file. nil when it has fewer than 16 characters: such a token can be guessed.
        package init?(fileContent: [UInt8]) {
            let line = fileContent.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            guard line.count >= 16, line.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
            bytes = Array(line)
        }

        /// Compares without telling by its time where the two differ.
        package func matches(_ text: String) -> Bool { AuthenticationKey.equal(Array(text.utf8), bytes) }

        package var description: String { "Token(secret)" }
    }

    /// Whether the user at the other end counts: to ask for it takes a turn of the connection's loop.
    var goesByPeer: Bool { if case .socket = self { true } else { false } }

    /// Whether a certificate counts, likewise.
    var goesByCertificate: Bool {
        if case .operators(_, _, let scopes) = self { !scopes.isEmpty } else { false }
    }

    /// Who calls; `peer` is the user at the other end of a local socket, nil for any other listener.
    /// - Throws: `ControlError` 401; 403 for a browser, or for a user who may not use the local socket.
    func caller(
        _ headers: HTTPFields, path: String, peer: LocalPeer?, authority: String? = nil,
        certificate: ClientCertificate? = nil
    ) throws -> Caller {
        // A page in a browser on this machine can reach loopback, but not without telling where it comes from
        // (Fetch standard, "Origin header").
        guard headers[.origin] == nil else {
            throw ControlError(.forbidden, "DENIED", "browsers are not served here: use artifactctl")
        }
        let sent = Self.token(headers[.authorization] ?? "")
        switch self {
        case .socket:
            guard let peer else {
                throw ControlError(.forbidden, "DENIED", "the system does not tell who calls: try again")
            }
            guard peer.isTrusted else {
                throw ControlError(
                    .forbidden, "DENIED",
                    "user \(peer.name) may not use the server's socket: do it as root, or with a token over the network"
                )
            }
            return Caller(name: peer.name, scopes: [.all], isLocal: true)
        case .loopback:
            // A page whose name was turned to loopback meanwhile (DNS rebinding) still says the name it was loaded by.
            guard Self.isLoopback(authority) else {
                throw ControlError(
                    .forbidden, "DENIED",
                    "this listener is for this machine: call it localhost or by its loopback address")
            }
            return Caller(name: "loopback", scopes: [.all], isLocal: true)
        case .token(let expected):
            guard sent.map(expected.matches) != true else { return Self.tokenFileHolder }
            throw refusal(
                isGuess: sent != nil,
                sent == nil
                    ? "this call needs the server's token: use --token-file"
                    : "the token that was sent is not the server's: look at --token-file")
        case .operators(let access, let fixed, let certificates):
            if ControlPath.isLogin(path) { return .anonymous }
            if sent == nil, let certificate {
                return Caller(name: "certificate \(certificate.name)", scopes: certificates)
            }
            guard let sent else { throw refusal(isGuess: false, "this call needs a login: 'artifactctl login URL'") }
            if let caller = access.caller(token: sent) { return caller }
            guard fixed?.matches(sent) != true else { return Self.tokenFileHolder }
            throw refusal(
                isGuess: true,
                "the token that was sent is not known here, was revoked or has expired: log in again with 'artifactctl login URL'"
            )
        }
    }

    static let tokenFileHolder = Caller(name: "token file", scopes: [.all])

    /// The token of `Bearer TOKEN`, or of `Basic` with any user name.
    private static func token(_ header: String) -> String? {
        let words = header.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return words[1]
        case "basic":
            guard let bytes = Data(base64Encoded: words[1]) else { return nil }
            let pair = String(decoding: bytes, as: UTF8.self)
            return pair.firstIndex(of: ":").map { String(pair[pair.index(after: $0)...]) }
        default: return nil
        }
    }

    private func refusal(isGuess: Bool, _ message: String) -> ControlError {
        ControlError(.unauthorized, "UNAUTHORIZED", message, isGuess: isGuess)
    }

    /// Whether the `Host` that a client named is this machine's own; one that names none is no browser.
    private static func isLoopback(_ authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return true }
        let host =
            (authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" })
            .lowercased()
        // Numbers only: 127.example.net is a name like any other.
        return host == "localhost" || host == "[::1]" || IPv4Address(host).map { $0.value >> 24 == 127 } == true
    }
}
