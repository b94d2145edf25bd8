internal import Artifacts
internal import ControlAPI
internal import HTTPTypes

/// Who may call a listener of the control plane.
package enum Authorization: Sendable {
    /// The listener's own place is the guard: a socket file only root can open, or loopback without a token file.
    case local
    /// Every call needs this bearer token (RFC 6750).
    case bearer(Token)
    /// Every call needs a token that a login gave out, or the one of a token file; but for the login itself.
    case operators(OperatorAccess, Token?)

    /// A bearer token. It never prints itself.
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

    /// - Throws: `ControlError` 401, or 403 for a browser.
    func check(_ headers: HTTPFields, path: String) throws {
        // A page in a browser on this machine can reach loopback, but not without telling where it comes from
        // (Fetch standard, "Origin header").
        guard headers[.origin] == nil else {
            throw ControlError(.forbidden, "DENIED", "browsers are not served here: use artifactctl")
        }
        let words = (headers[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        let token = words.count == 2 && words[0].lowercased() == "bearer" ? String(words[1]) : nil
        switch self {
        case .local: return
        case .bearer(let expected):
            guard token.map(expected.matches) != true else { return }
            throw refusal(
                words.isEmpty
                    ? "this call needs the server's bearer token: use --token-file"
                    : "the token that was sent is not the server's: look at --token-file")
        case .operators(let access, let fixed):
            guard !ControlPath.isLogin(path) else { return }
            guard let token else { throw refusal("this call needs a login: 'artifactctl login URL'") }
            guard access.accepts(token) || fixed?.matches(token) == true else {
                throw refusal("the token that was sent is not known here: log in again with 'artifactctl login URL'")
            }
        }
    }

    private func refusal(_ message: String) -> ControlError {
        ControlError(.unauthorized, "UNAUTHORIZED", message)
    }
}
