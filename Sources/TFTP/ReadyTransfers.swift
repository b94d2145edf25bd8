internal import HeapModule

/// Transfers whose clients have said something. Of many the one that was asked for first is answered first: of machines that are
/// switched on together the first have their loaders in a fraction of the time, and they do not all ask in the same millisecond for
/// what comes next.
struct ReadyTransfers {
    /// How many are answered before a look at what came meanwhile.
    static let turn = 32
    /// Milliseconds after which one is answered whoever is before it: no client that waits so long asks again.
    static let patience: Int64 = 50

    private var queue = Heap<TransferReference>()

    var isEmpty: Bool { queue.isEmpty }

    /// Its client has said something.
    mutating func append(_ transfer: TFTPTransfer, now: Int64) {
        if transfer.readySince == nil { transfer.readySince = now }
        guard !transfer.isQueued else { return }
        transfer.isQueued = true
        queue.insert(TransferReference(transfer))
    }

    /// The next; nil when there is none. `find`: nil for one that has ended.
    mutating func popFirst(_ find: (TransferReference) -> TFTPTransfer?) -> TFTPTransfer? {
        while let entry = queue.popMin() {
            guard let transfer = find(entry) else { continue }
            transfer.isQueued = false
            // It had waited too long, and was answered before its turn.
            guard transfer.readySince != nil else { continue }
            transfer.readySince = nil
            return transfer
        }
        return nil
    }

    /// Whether it is to be answered before its turn; then it is not ready any more.
    static func takeOverdue(_ transfer: TFTPTransfer, now: Int64) -> Bool {
        guard let since = transfer.readySince, now - since >= patience else { return false }
        transfer.readySince = nil
        return true
    }
}
