import Artifacts
import Testing

@Suite struct BlobBatchTests {
    private static let blobs: [[UInt8]] = [[], [1], Array(repeating: 7, count: 5000), [2, 3]]

    private static func body(_ blobs: [[UInt8]]) -> [UInt8] {
        blobs.flatMap { BlobBatch.header(SHA256.digest(of: $0), size: $0.count) + $0 }
    }

    private static func read(_ body: [UInt8], pieces: Int = .max) throws -> [BlobBatchReader.Blob] {
        var reader = BlobBatchReader()
        for start in stride(from: 0, to: body.count, by: min(pieces, max(1, body.count))) {
            try reader.add(body[start..<min(body.count, start + min(pieces, body.count))])
        }
        return try reader.finish()
    }

    @Test(arguments: [1, 2, 35, 36, 37, 64, 1000, Int.max])
    func aBatchIsReadInPiecesOfAnySize(_ pieces: Int) throws {
        let read = try Self.read(Self.body(Self.blobs), pieces: pieces)
        #expect(read.map(\.bytes) == Self.blobs)
        #expect(read.map(\.digest) == Self.blobs.map { SHA256.digest(of: $0) })
    }

    @Test func anEmptyBatchHasNoBlobs() throws { #expect(try Self.read([]).isEmpty) }

    /// Cut anywhere but between two blobs, it is refused.
    @Test func aBatchThatWasCutOffIsRefused() throws {
        let blobs: [[UInt8]] = [[1], [2, 3]]
        let body = Self.body(blobs)
        for length in 1..<body.count {
            if length == 37 { continue }
            #expect(throws: ArtifactError(.invalidBatch, ""), "\(length)") { try Self.read(Array(body[..<length])) }
        }
        #expect(try Self.read(Array(body[..<37])).count == 1)
    }

    @Test func whatIsTooLargeIsRefusedBeforeItComes() throws {
        let header = BlobBatch.header(.empty, size: BlobBatch.maximumBlobSize + 1)
        #expect(throws: ArtifactError(.invalidBatch, "")) { try Self.read(header) }
        let huge = BlobBatch.header(.empty, size: 0xffff_ffff)
        #expect(throws: ArtifactError(.invalidBatch, "")) { try Self.read(huge) }
        let many = Self.body(Array(repeating: [], count: BlobBatch.maximumCount + 1))
        #expect(throws: ArtifactError(.invalidBatch, "")) { try Self.read(many) }
        let blob = [UInt8](repeating: 0, count: BlobBatch.maximumBlobSize)
        let large = Self.body(Array(repeating: blob, count: 16))
        #expect(throws: ArtifactError(.invalidBatch, "")) { try Self.read(large) }
        #expect(try Self.read(Self.body(Array(repeating: blob, count: 15))).count == 15)
    }
}
