/// What gpgv says on its status channel (GnuPG's doc/DETAILS, "Format of the --status-fd output"), which is what a decision
/// rests on: gpgv's exit code says nothing of use where only some of the signers are known.
package struct OpenPGPStatus: Sendable, Hashable {
    /// One signature that was there.
    package struct Signature: Sendable, Hashable {
        /// The primary key's fingerprint; nil when the key is not in the keyring.
        package var fingerprint: String?
        /// Seconds since 1970, as the signer says.
        package var signedAt: Int64?
        /// Why it counts for nothing; nil for a good one.
        package var fault: String?
    }

    package let signatures: [Signature]

    /// Reads the whole of the channel. Unknown words are skipped, as its specification asks for.
    package init(_ text: String) {
        var signatures: [Signature] = []
        var current: Signature?
        var isGood = false
        func end(_ current: Signature?, isGood: Bool) {
            guard var current else { return }
            if current.fault == nil, !isGood || current.fingerprint == nil {
                current.fault = "gpgv did not say that it is good"
            }
            signatures.append(current)
        }
        for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("[GNUPG:] ") {
            let words = line.dropFirst("[GNUPG:] ".count).split(separator: " ").map(String.init)
            guard let word = words.first else { continue }
            if word == "NEWSIG" {
                end(current, isGood: isGood)
                (current, isGood) = (Signature(), false)
            }
            switch word {
            case "GOODSIG": isGood = true
            case "BADSIG": current?.fault = "the signature is not of these bytes"
            case "EXPSIG": current?.fault = "the signature has expired"
            case "EXPKEYSIG": current?.fault = "its key has expired"
            case "REVKEYSIG": current?.fault = "its key is revoked by its owner"
            case "ERRSIG":
                // ERRSIG keyid pkalgo hashalgo class time rc [fingerprint]; rc 9 is a missing key.
                current?.fault =
                    words.count > 6 && words[6] == "9"
                    ? "its key \(words[1]) is not in the keyring"
                    : "gpgv cannot check it: unknown algorithm or weak digest"
            case "VALIDSIG":
                guard words.count > 10 else { continue }
                current?.signedAt = Int64(words[3])
                current?.fingerprint = words[10].uppercased()
                // RFC 4880 section 9.4: 8, 9, 10 and 11 are the SHA-2 family.
                if !["8", "9", "10", "11"].contains(words[8]) {
                    current?.fault = "it rests on a digest that is too weak"
                }
                // Section 5.2.1: a binary document, or a text.
                if !["00", "01"].contains(words[9]) { current?.fault = "it is not a signature of a document" }
            default: break
            }
        }
        end(current, isGood: isGood)
        // A file in which one signature is wrong was put together by somebody else than its signers.
        if let bad = signatures.first(where: { $0.fault == "the signature is not of these bytes" }) {
            for index in signatures.indices where signatures[index].fault == nil {
                signatures[index].fault = "a signature beside it is bad: \(bad.fault ?? "")"
            }
        }
        self.signatures = signatures
    }
}

/// Who runs gpgv.
package protocol OpenPGPVerifying: Sendable {
    /// Verifies what is signed.
    /// - Parameters:
    ///   - signature: A detached signature, or nil for a clear-signed text, which `content` is then.
    ///   - content: What was signed.
    ///   - keyring: Certificates in binary form, one after another.
    /// - Returns: the status; of a clear-signed text also the text that the signature covers, and nothing around it.
    /// - Throws: `OpenPGPUnavailable` when gpgv is missing or cannot run.
    func verify(_ signature: [UInt8]?, over content: SignedContent, keyring: [UInt8]) async throws(OpenPGPUnavailable)
        -> OpenPGPResult
}

package struct OpenPGPResult: Sendable {
    package let status: OpenPGPStatus
    package let text: [UInt8]?
    /// `gpgv (GnuPG) 2.2.40`.
    package let tool: String

    package init(status: OpenPGPStatus, text: [UInt8]?, tool: String) {
        self.status = status
        self.text = text
        self.tool = tool
    }
}

/// gpgv did not run: nothing was verified, and nothing counts as such.
package struct OpenPGPUnavailable: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
