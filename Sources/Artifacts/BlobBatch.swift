/// Many small blobs in one body: for each its digest (32 bytes), its size (4 bytes, most significant first), its bytes.
package enum BlobBatch {
    /// Larger blobs are uploaded one by one, and can be resumed.
    package static let maximumBlobSize = 1 << 20
    package static let maximumCount = 4096
    /// Bytes of a whole body.
    package static let maximumSize = 16 << 20
    package static let headerSize = 36

    /// What comes before a blob's bytes.
    package static func header(_ digest: Digest, size: Int) -> [UInt8] {
        digest.bytes + (0..<4).map { UInt8(truncatingIfNeeded: size >> (24 - 8 * $0)) }
    }
}

/// Takes a batch apart as it comes.
package struct BlobBatchReader {
    package typealias Blob = (digest: Digest, bytes: [UInt8])

    /// Blobs that are complete.
    package private(set) var blobs: [Blob] = []
    private var header: [UInt8] = []
    private var current: (digest: Digest, size: Int)?
    private var bytes: [UInt8] = []
    private var total = 0

    package init() {}

    /// - Throws: `ArtifactError` (`invalidBatch`) with the rule that was broken.
    package mutating func add(_ piece: some Collection<UInt8>) throws(ArtifactError) {
        total += piece.count
        guard total <= BlobBatch.maximumSize else {
            throw ArtifactError(.invalidBatch, "a batch may have \(BlobBatch.maximumSize) bytes: send more batches")
        }
        var rest = piece[...]
        while !rest.isEmpty {
            guard let current else {
                let part = rest.prefix(BlobBatch.headerSize - header.count)
                header += part
                rest = rest.dropFirst(part.count)
                if header.count == BlobBatch.headerSize { try begin() }
                continue
            }
            let part = rest.prefix(current.size - bytes.count)
            bytes += part
            rest = rest.dropFirst(part.count)
            endIfComplete()
        }
    }

    private mutating func begin() throws(ArtifactError) {
        guard let digest = Digest(bytes: header.prefix(32)) else { return }
        let size = header.suffix(4).reduce(0) { $0 << 8 | Int($1) }
        guard size <= BlobBatch.maximumBlobSize else {
            throw ArtifactError(
                .invalidBatch,
                "\(digest) has \(size) bytes; in a batch \(BlobBatch.maximumBlobSize) are allowed: upload it by itself")
        }
        guard blobs.count < BlobBatch.maximumCount else {
            throw ArtifactError(.invalidBatch, "a batch may have \(BlobBatch.maximumCount) blobs: send more batches")
        }
        header.removeAll(keepingCapacity: true)
        bytes.reserveCapacity(size)
        current = (digest, size)
        endIfComplete()
    }

    private mutating func endIfComplete() {
        guard let current, bytes.count == current.size else { return }
        blobs.append((current.digest, bytes))
        bytes = []
        self.current = nil
    }

    /// - Throws: `ArtifactError` (`invalidBatch`) when the batch ends inside of a blob.
    package func finish() throws(ArtifactError) -> [Blob] {
        guard current == nil, header.isEmpty else {
            throw ArtifactError(.invalidBatch, "the batch ends inside of a blob")
        }
        return blobs
    }
}
