package import Artifacts
internal import Glibc

/// A piece of a file, or all of it, with the digest that its bytes must have: what has rotted on a disk is not signed.
package struct FilePiece: Hashable, Sendable {
    package let path: String
    package let offset: Int64
    package let size: Int64
    package let digest: Digest

    private static let bufferSize = 1 << 20

    package init(path: String, offset: Int64, size: Int64, digest: Digest) {
        self.path = path
        self.offset = offset
        self.size = size
        self.digest = digest
    }

    /// Reads it whole.
    /// - Throws: `BootSigningError` when it cannot be read, or its bytes are not as they should be.
    package func verify() throws(BootSigningError) { try read { _ throws(BootSigningError) in } }

    /// Appends it where the descriptor stands. What has been written is of no use when this throws.
    func copy(to output: Int32) throws(BootSigningError) {
        try read { bytes throws(BootSigningError) in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
                guard count > 0 else {
                    throw BootSigningError("no copy of \(path): \(String(cString: strerror(errno)))")
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    private func read(_ body: (ArraySlice<UInt8>) throws(BootSigningError) -> Void) throws(BootSigningError) {
        let input = open(path, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw WorkFolder.failure(path) }
        defer { close(input) }
        guard let hash = try? SHA256() else { throw BootSigningError("libcrypto computes no SHA-256 on this machine") }
        var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        var done: Int64 = 0
        while done < size {
            let count = pread(input, &buffer, Int(min(Int64(buffer.count), size - done)), off_t(offset + done))
            guard count > 0 else {
                throw count == 0 ? BootSigningError("\(path) is shorter than it was") : WorkFolder.failure(path)
            }
            hash.update(buffer[..<count])
            try body(buffer[..<count])
            done += Int64(count)
        }
        guard hash.finish() == digest else {
            throw BootSigningError("\(path) is damaged, and not signed: its bytes are not those of \(digest)")
        }
    }
}
