internal import COpenSSL

/// SHA-256 over a stream of bytes, by libcrypto's EVP (SHA-NI where the processor has it). Not thread-safe:
/// one owner feeds it. After `finish` it starts anew.
package final class SHA256 {
    private let context: OpaquePointer

    /// - Throws: `SHA256.Unavailable` when libcrypto gives no context (out of memory, or a provider that forbids it).
    package init() throws(Unavailable) {
        guard let context = EVP_MD_CTX_new() else { throw Unavailable() }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw Unavailable()
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes to the hash.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Adds bytes to the hash.
    package func update(_ bytes: some Sequence<UInt8>) {
        let done: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
        if done == nil { Array(bytes).withUnsafeBytes { update($0) } }
    }

    /// The digest of everything since the start or the last `finish`.
    package func finish() -> Digest {
        var output = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &output, nil)
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
        return Digest(bytes: output) ?? .empty
    }

    /// The digest of bytes that are in memory.
    package static func digest(of bytes: some Sequence<UInt8>) -> Digest {
        var output = [UInt8](repeating: 0, count: 32)
        let input = Array(bytes)
        EVP_Digest(input, input.count, &output, nil, EVP_sha256(), nil)
        return Digest(bytes: output) ?? .empty
    }

    /// libcrypto refused to hash.
    package struct Unavailable: Error, CustomStringConvertible {
        package var description: String { "libcrypto cannot hash SHA-256 on this machine" }
    }
}
