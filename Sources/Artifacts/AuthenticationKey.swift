internal import COpenSSL

/// A 32-byte secret that authenticates short texts with HMAC-SHA-256 (RFC 2104).
/// It never prints its bytes.
package struct AuthenticationKey: Sendable, CustomStringConvertible, CustomReflectable {
    package static let byteCount = 32

    /// The secret itself, for the one place that stores it.
    package let bytes: [UInt8]

    /// nil unless there are exactly 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// A new key from libcrypto's random generator; nil when it has no entropy.
    package static func random() -> AuthenticationKey? {
        RandomBytes.make(byteCount).flatMap(AuthenticationKey.init(bytes:))
    }

    /// The 32-byte authentication code of a text's UTF-8.
    package func code(for text: String) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let message = Array(text.utf8)
        HMAC(EVP_sha256(), bytes, Int32(bytes.count), message, message.count, &output, &count)
        return output
    }

    /// Compares in a time that does not depend on where the two differ.
    package func verifies(_ code: [UInt8], for text: String) -> Bool {
        Self.equal(code, self.code(for: text))
    }

    /// Compares two secrets in a time that does not depend on where they differ; lengths are not secret.
    package static func equal(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        first.count == second.count && CRYPTO_memcmp(first, second, first.count) == 0
    }

    package var description: String { "AuthenticationKey(secret)" }

    /// Has no children: `dump` and logs of values that hold a key see its description only.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Random bytes for keys and tokens.
package enum RandomBytes {
    /// nil when libcrypto's generator has no entropy; never falls back to a weaker source.
    package static func make(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
    }
}
