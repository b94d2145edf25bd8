internal import Artifacts
internal import NIOCore
internal import Synchronization

/// Asks which files of a group are missing, and sends them: small ones together, large ones so that they can be resumed.
struct SendingGroup {
    let upload: BlobUpload
    let batch: BlobBatchUpload
    let isDryRun: Bool
    let sent: DoneWork

    func send(
        _ files: [TreePush.HashedFile], of tree: LocalTree, _ group: Range<Int>,
        _ count: @escaping @Sendable (Int64) -> Void
    ) async throws {
        // Two files with the same bytes are one blob, wherever in the folder they are.
        let missing = sent.claim(try await batch.missing(files.lazy.map(\.file.digest)))
        var left = missing
        var small: [(digest: Digest, bytes: ByteBuffer)] = []
        for (number, file) in zip(group, files) {
            let isToSend = left.remove(file.file.digest) != nil
            if isToSend { sent.add(file.file.size) }
            guard file.bytes == nil else {
                if isToSend, !isDryRun, let bytes = file.bytes { small.append((file.file.digest, bytes)) }
                continue
            }
            let rest = file.file.size - TreePush.share(file.file.size)
            guard isToSend, !isDryRun else {
                count(rest)
                continue
            }
            let path = tree.files[number].path
            let counter = SentShare(rest, count)
            try await upload.send(
                try LocalFile(tree.place(of: path), path: path), digest: file.file.digest,
                progress: { counter.told($0, of: file.file.size) })
            counter.told(file.file.size, of: file.file.size)
        }
        try await batch.send(small)
    }
}

/// Turns what was sent of a file into its share of the bar; to go back, where a connection broke, it cannot.
private final class SentShare: Sendable {
    private let share: Int64
    private let count: @Sendable (Int64) -> Void
    private let counted = Mutex<Int64>(0)

    init(_ share: Int64, _ count: @escaping @Sendable (Int64) -> Void) {
        self.share = share
        self.count = count
    }

    func told(_ done: Int64, of size: Int64) {
        let now = Int64(Double(share) * Double(done) / Double(max(1, size)))
        let more = counted.withLock { counted in
            defer { counted = max(counted, now) }
            return now - counted
        }
        if more > 0 { count(more) }
    }
}

/// What was done, told by many tasks.
final class DoneWork: Sendable {
    private let value = Mutex((count: 0, bytes: Int64(0)))
    private let claimed = Mutex<Set<Digest>>([])

    /// Those of some blobs that nobody else in this push sends.
    func claim(_ digests: Set<Digest>) -> Set<Digest> {
        claimed.withLock { claimed in
            let new = digests.subtracting(claimed)
            claimed.formUnion(new)
            return new
        }
    }

    var total: (count: Int, bytes: Int64) { value.withLock { $0 } }

    func add(_ size: Int64) {
        value.withLock {
            $0.count += 1
            $0.bytes += size
        }
    }
}
