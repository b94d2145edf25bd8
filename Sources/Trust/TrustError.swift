/// Why a key, a signature, a list of checksums or a policy cannot be used. The message names the value, the rule and the
/// fix.
package struct TrustError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        case invalidKey, invalidSignature, invalidChecksums, invalidPolicy, invalidEvidence
        /// A file could not be read, or libcrypto failed.
        case failure
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// Two errors are equal when their codes are.
    package static func == (lhs: TrustError, rhs: TrustError) -> Bool { lhs.code == rhs.code }
}
