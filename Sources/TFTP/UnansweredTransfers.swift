/// Transfers in the order in which they were asked for. Some of them were answered since, or have ended: who takes one out
/// has to look.
struct UnansweredTransfers {
    /// A transfer, without keeping it: its socket is closed with it, and another may have its descriptor then.
    struct Entry {
        let descriptor: Int32
        let number: UInt64
    }

    private let limit: Int
    private var queue: [Entry] = []
    private var first = 0

    /// `limit`: transfers that there may be at once.
    init(limit: Int) { self.limit = limit }

    /// `isWaiting`: whether an entry's client has still said nothing. Where there are many, the others are taken out.
    mutating func append(_ transfer: TFTPTransfer, isWaiting: (Entry) -> Bool) {
        if queue.count >= 2 * limit {
            queue = queue[first...].filter(isWaiting)
            first = 0
        }
        queue.append(Entry(descriptor: transfer.descriptor, number: transfer.number))
    }

    mutating func popFirst() -> Entry? {
        guard first < queue.count else { return nil }
        first += 1
        return queue[first - 1]
    }
}
