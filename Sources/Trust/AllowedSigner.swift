/// One line of OpenSSH's allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS): who may sign what with which key, and when.
package struct AllowedSigner: Sendable, Hashable {
    /// The identities that the key speaks for, as they stand there: several are joined by commas.
    package let principals: String
    /// nil: signatures of every namespace.
    package let namespaces: [String]?
    /// Seconds since 1970.
    package let validAfter: Int64?
    package let validBefore: Int64?
    let key: SSHPublicKey

    /// Reads a file; empty lines and comments are skipped.
    /// - Throws: `TrustError` (`invalidKey`) that names the line.
    package static func parse(_ text: String) throws(TrustError) -> [AllowedSigner] {
        var signers: [AllowedSigner] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = line.drop(while: \.isWhitespace)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            do throws(TrustError) {
                signers.append(try AllowedSigner(line: line))
            } catch {
                throw TrustError(.invalidKey, "line \(index + 1): \(error.message)")
            }
        }
        return signers
    }

    /// - Throws: `TrustError` (`invalidKey`) for an option that is unknown, and for `cert-authority`: certificates of SSH
    ///   are not verified here.
    package init(line: some StringProtocol) throws(TrustError) {
        var words = Self.words(of: line)
        guard words.count >= 3 else {
            throw TrustError(
                .invalidKey,
                "an allowed signer is written as PRINCIPALS [OPTIONS] TYPE KEY, such as 'me@site ssh-ed25519 AAAA...'")
        }
        let principals = words.removeFirst().filter { $0 != "\"" }
        guard !principals.contains(where: { "*?!".contains($0) }) else {
            throw TrustError(
                .invalidKey, "'\(principals)' is a pattern: name whom the key belongs to, since signers are counted")
        }
        var options = Options()
        if !["ssh-", "ecdsa-", "sk-"].contains(where: words[0].hasPrefix) { try options.read(words.removeFirst()) }
        key = try SSHPublicKey(words.joined(separator: " "))
        self.principals = principals
        (namespaces, validAfter, validBefore) = (options.namespaces, options.validAfter, options.validBefore)
    }

    private struct Options {
        var namespaces: [String]?
        var validAfter: Int64?
        var validBefore: Int64?

        mutating func read(_ text: String) throws(TrustError) {
            for option in AllowedSigner.split(text, at: ",") {
                let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
                let value = parts.count == 2 ? parts[1].filter { $0 != "\"" } : ""
                switch (parts.first?.lowercased(), parts.count) {
                case ("namespaces", 2): namespaces = value.split(separator: ",").map(String.init)
                case ("valid-after", 2): validAfter = try Self.time(value)
                case ("valid-before", 2): validBefore = try Self.time(value)
                case ("cert-authority", _):
                    throw TrustError(.invalidKey, "certificates of SSH are not supported: list each signer's own key")
                default: throw TrustError(.invalidKey, "the option '\(option)' is unknown")
                }
            }
        }

        private static func time(_ text: String) throws(TrustError) -> Int64 {
            guard let seconds = TrustDate.seconds(text) else {
                throw TrustError(.invalidKey, "'\(text)' is no time: write it as 20271231 or 202712312359")
            }
            return seconds
        }
    }

    private static func words(of line: some StringProtocol) -> [String] { split(String(line), at: " \t") }

    /// Parts between separators that are not within quotes.
    private static func split(_ text: String, at separators: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if separators.contains(character), !isQuoted {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts.filter { !$0.isEmpty }
    }
}
