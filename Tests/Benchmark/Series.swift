/// What was measured of each server in each round.
struct Series {
    private var values: [String: [String: [Double]]] = [:]
    private var order: [String] = []

    mutating func add(_ server: String, _ quantity: String, _ value: Double) {
        if values[server] == nil { order.append(server) }
        values[server, default: [:]][quantity, default: []].append(value)
    }

    func all(_ server: String, _ quantity: String) -> [Double] { values[server]?[quantity] ?? [] }

    func median(_ server: String, _ quantity: String) -> Double { Results.median(all(server, quantity)) }

    /// Ours over the peer's: the median of the rounds' ratios.
    func ratio(_ peer: String, _ quantity: String) -> Double {
        Results.median(zip(all("provisioner", quantity), all(peer, quantity)).map { $0 / $1 })
    }

    /// The last round in words.
    func last(_ quantity: String) -> String {
        order.map { "\($0) \(Results.text(all($0, quantity).last ?? .nan))" }.joined(separator: ", ")
    }
}
