/// Transfers by their descriptors, which are small numbers: found without hashing, once for every packet.
struct TransferTable {
    private var places: [TFTPTransfer?] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var all: [TFTPTransfer] { places.compactMap(\.self) }

    subscript(descriptor: Int32) -> TFTPTransfer? {
        get { Int(descriptor) < places.count && descriptor >= 0 ? places[Int(descriptor)] : nil }
        set {
            let place = Int(descriptor)
            while places.count <= place { places.append(nil) }
            count += (newValue == nil ? 0 : 1) - (places[place] == nil ? 0 : 1)
            places[place] = newValue
        }
    }
}
