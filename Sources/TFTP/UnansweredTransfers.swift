/// Transfers in the order in which they were asked for. Some of them were answered since, or have ended: who takes one out
/// has to look.
struct UnansweredTransfers {
    private let limit: Int
    private var queue: [TransferReference] = []
    private var first = 0

    /// `limit`: transfers that there may be at once.
    init(limit: Int) { self.limit = limit }

    /// `isWaiting`: whether an entry's client has still said nothing. Where there are many, the others are taken out.
    mutating func append(_ transfer: TFTPTransfer, isWaiting: (TransferReference) -> Bool) {
        if queue.count >= 2 * limit {
            queue = queue[first...].filter(isWaiting)
            first = 0
        }
        queue.append(TransferReference(transfer))
    }

    mutating func popFirst() -> TransferReference? {
        guard first < queue.count else { return nil }
        first += 1
        return queue[first - 1]
    }
}
