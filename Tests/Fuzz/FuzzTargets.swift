import Artifacts
import HTTPSemantics

/// Parsers of what strangers send, with what each promises for any bytes at all.
enum FuzzTargets {
    static let all: [String: @Sendable ([UInt8]) -> Void] = [
        "manifest": manifest, "reference": reference, "range": range, "content-range": contentRange, "batch": batch,
        "checksums": checksums, "signature": signature, "iso": iso, "tar": tar, "archive-stream": archiveStream,
        "view": view, "tftp-packet": tftpPacket, "tftp-transfer": tftpTransfer, "request-target": requestTarget,
        "syslog": syslog, "syslog-stream": syslogStream, "http-connection": httpConnection, "dhcp-offer": dhcpOffer,
    ]

    /// A manifest that was read can be written and read again, and lists files that cannot lead out of a folder.
    static func manifest(_ bytes: [UInt8]) {
        guard let manifest = try? Manifest(json: bytes) else { return }
        guard let written = try? manifest.canonicalJSON(), let again = try? Manifest(json: written),
            let rewritten = try? again.canonicalJSON()
        else { preconditionFailure("a manifest that was read cannot be written") }
        precondition(written == rewritten, "the canonical form is not one")
        guard let release = try? Release(digest: .empty, manifest: manifest) else { return }
        var last: ArtifactPath?
        for (path, file) in release.files {
            precondition(release.files[path] == file, "a file that is listed is not found")
            let parts = path.description.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            precondition(!parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
            if let last { precondition(last < path, "files are out of order") }
            last = path
        }
        _ = release.files.totalSize
        try? ArtifactPath.requireDistinctInAnyCase(release.files.lazy.map(\.path))
    }

    /// What was read is written as it is read.
    static func reference(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let reference = try? Reference(text) {
            precondition((try? Reference(reference.description)) == reference)
            precondition(reference.description.utf8.elementsEqual(text.utf8))
        }
        if let file = try? FileReference(text) { precondition((try? FileReference(file.description)) == file) }
        if let version = try? Version(text) { precondition((try? Version(version.description)) == version) }
        if let digest = try? Digest(text) { precondition(digest.description == text) }
        if let name = try? ArtifactName(text), let pattern = NamePattern(text) {
            precondition(pattern.weight(of: name.description) != nil)
        }
    }

    /// A range lies within the size.
    static func range(_ bytes: [UInt8]) {
        let size = bytes.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & .max
        let header = String(decoding: bytes.dropFirst(8), as: UTF8.self)
        for size in [0, 1, size] {
            if case .part(let part) = HTTPByteRange(header: header, size: size) {
                precondition(part.lowerBound >= 0 && part.upperBound < size, "a range leaves the file")
            }
            if case .parts(let parts) = HTTPByteRange(header: header, size: size, maximumParts: 8) {
                precondition((2...8).contains(parts.count), "parts that were not asked for")
                let sorted = parts.sorted { $0.lowerBound < $1.lowerBound }
                precondition(
                    sorted.allSatisfy { $0.lowerBound >= 0 && $0.upperBound < size }, "a range leaves the file")
                precondition(
                    zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound }, "bytes twice")
            }
        }
    }

    static func contentRange(_ bytes: [UInt8]) {
        guard let range = HTTPContentRange(header: String(decoding: bytes, as: UTF8.self)) else { return }
        precondition(range.first >= 0 && range.last >= range.first)
        if let length = range.length { precondition(length > 0 && range.first + (length - 1) == range.last) }
    }

    /// However a batch comes in pieces, it is the same batch, or refused.
    static func batch(_ bytes: [UInt8]) {
        func read(_ pieces: Int) -> [[UInt8]]? {
            var reader = BlobBatchReader()
            do {
                for start in stride(from: 0, to: bytes.count, by: pieces) {
                    try reader.add(bytes[start..<min(bytes.count, start + pieces)])
                }
                return try reader.finish().map { $0.digest.bytes + $0.bytes }
            } catch {
                return nil
            }
        }
        let whole = read(max(1, bytes.count))
        precondition(whole == read(1) && whole == read(37), "a batch is another one in pieces")
        if let whole {
            let written = whole.flatMap { blob -> [UInt8] in
                guard let digest = Digest(bytes: blob.prefix(32)) else { return [] }
                return BlobBatch.header(digest, size: blob.count - 32) + blob.dropFirst(32)
            }
            precondition(written == bytes, "a batch is not written as it was read")
        }
    }
}
