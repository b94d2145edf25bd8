internal import Artifacts
internal import ControlAPI
internal import Foundation
internal import HTTPTypes

/// Who may call a listener of the control plane.
package enum Authorization: Sendable {
    /// The listener's own place is the guard: the local socket, whose peer the kernel names, or loopback without a
    /// token file.
    case local
    /// Every call needs this token (RFC 6750), or has it as the password of a name (RFC 7617).
    case token(Token)
    /// Every call needs a token that a login or `artifactctl token create` gave out, or the one of a token file; but for
    /// the login itself.
    case operators(OperatorAccess, Token?)

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

    /// Who calls; `peer` is the user at the other end of a local socket, nil for any other listener.
    /// - Throws: `ControlError` 401; 403 for a browser, or for a user who may not use the local socket.
    func caller(_ headers: HTTPFields, path: String, peer: LocalPeer?) throws -> Caller {
        // A page in a browser on this machine can reach loopback, but not without telling where it comes from
        // (Fetch standard, "Origin header").
        guard headers[.origin] == nil else {
            throw ControlError(.forbidden, "DENIED", "browsers are not served here: use artifactctl")
        }
        let sent = Self.token(headers[.authorization] ?? "")
        switch self {
        case .local:
            guard let peer else { return Caller(name: "local", scopes: [.all], isLocal: true) }
            guard peer.isTrusted else {
                throw ControlError(
                    .forbidden, "DENIED",
                    "user \(peer.name) may not use the server's socket: do it as root, or with a token over the network"
                )
            }
            return Caller(name: peer.name, scopes: [.all], isLocal: true)
        case .token(let expected):
            guard sent.map(expected.matches) != true else { return Self.tokenFileHolder }
            throw refusal(
                sent == nil
                    ? "this call needs the server's token: use --token-file"
                    : "the token that was sent is not the server's: look at --token-file")
        case .operators(let access, let fixed):
            if ControlPath.isLogin(path) { return .anonymous }
            guard let sent else { throw refusal("this call needs a login: 'artifactctl login URL'") }
            if let caller = access.caller(token: sent) { return caller }
            guard fixed?.matches(sent) != true else { return Self.tokenFileHolder }
            throw refusal(
                "the token that was sent is not known here, was revoked or has expired: log in again with 'artifactctl login URL'"
            )
        }
    }

    private static let tokenFileHolder = Caller(name: "token file", scopes: [.all])

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

    private func refusal(_ message: String) -> ControlError {
        ControlError(.unauthorized, "UNAUTHORIZED", message)
    }
}
