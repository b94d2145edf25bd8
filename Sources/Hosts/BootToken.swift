internal import Artifacts

/// The right of one host, for one boot, to fetch its answers and report back: `HOST.ISSUED.NONCE.CODE`, where CODE
/// authenticates the rest. It is checked without looking anything up, so a restart between script and report loses
/// nothing.
struct BootToken: Hashable, Sendable {
    /// Milliseconds for which a token is good: an installation that takes longer has failed.
    static let lifetime: Int64 = 24 * 3600 * 1000

    let host: String
    /// Milliseconds since 1970.
    let issued: Int64
    let text: String

    /// A new token. nil when the machine has no random numbers.
    static func issue(host: String, now: Int64, key: AuthenticationKey) -> BootToken? {
        guard let nonce = RandomBytes.make(8) else { return nil }
        let body = "\(host).\(String(now, radix: 16)).\(Hexadecimal.encode(nonce))"
        return BootToken(host: host, issued: now, text: "\(body).\(Hexadecimal.encode(code(body, key)))")
    }

    /// nil unless the text was issued with the key and has not expired.
    static func verify(_ text: String, now: Int64, key: AuthenticationKey) -> BootToken? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, let issued = Int64(parts[1], radix: 16), let code = Hexadecimal.decode(parts[3]),
            AuthenticationKey.equal(code, Self.code(parts.dropLast().joined(separator: "."), key)),
            now - issued < lifetime
        else { return nil }
        return BootToken(host: String(parts[0]), issued: issued, text: text)
    }

    private static func code(_ body: String, _ key: AuthenticationKey) -> [UInt8] {
        Array(key.code(for: "boot token " + body).prefix(16))
    }
}
