/// A transfer, without keeping it: its socket is closed with it, and another may have its descriptor then. In the order in which
/// they were asked for.
struct TransferReference: Comparable, Sendable {
    let number: UInt64
    let descriptor: Int32

    init(_ transfer: TFTPTransfer) { (number, descriptor) = (transfer.number, transfer.descriptor) }

    static func < (one: TransferReference, other: TransferReference) -> Bool { one.number < other.number }
}
