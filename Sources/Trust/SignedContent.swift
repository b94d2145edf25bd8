internal import COpenSSL
internal import Glibc

/// What a signature is over: bytes in memory, or a file of any size that nobody changes meanwhile.
package enum SignedContent: Sendable {
    case bytes([UInt8])
    case file(path: String)

    /// Hashes that signature formats and lists of checksums use.
    package enum Hash: String, Sendable, Hashable, CaseIterable {
        case sha256, sha384, sha512, blake2b512

        /// Bytes of a hash.
        package var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512, .blake2b512: 64
            }
        }

        var algorithm: OpaquePointer? {
            switch self {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            case .blake2b512: EVP_blake2b512()
            }
        }
    }

    /// The hash of the content, read in pieces: a file of any size takes 1 MiB of memory.
    /// - Throws: `TrustError` (`failure`) when it cannot be read.
    package func hash(_ hash: Hash) throws(TrustError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, hash.algorithm, nil) == 1 else {
            throw TrustError(.failure, "libcrypto cannot hash \(hash.rawValue) on this machine")
        }
        defer { EVP_MD_CTX_free(context) }
        switch self {
        case .bytes(let bytes): EVP_DigestUpdate(context, bytes, bytes.count)
        case .file(let path): try Self.read(path) { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        }
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &output, &count)
        return Array(output.prefix(Int(count)))
    }

    private static func read(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws(TrustError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TrustError(.failure, "\(path) cannot be opened: \(Self.reason)") }
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TrustError(.failure, "\(path) cannot be read: \(Self.reason)") }
            guard count > 0 else { return }
            body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        }
    }

    /// All of the content, for what needs it whole.
    /// - Throws: `TrustError` (`failure`) when it cannot be read, or has more than `limit` bytes.
    package func all(limit: Int) throws(TrustError) -> [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .file(let path):
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw TrustError(.failure, "\(path) cannot be read: \(Self.reason)")
            }
            guard status.st_size <= limit else {
                throw TrustError(.failure, "it has \(status.st_size) bytes; \(limit) are the most")
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Int(status.st_size))
            try Self.read(path) { bytes.append(contentsOf: $0) }
            return bytes
        }
    }

    private static var reason: String { String(cString: strerror(errno)) }
}
