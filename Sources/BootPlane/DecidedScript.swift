internal import Boot

/// A script as it was decided, with a place for what belongs to one boot.
struct DecidedScript: Sendable {
    let request: BootRequest
    let decision: BootDecision
    /// What the decision was made on, as it was before.
    let basis: DecisionBasis
    /// The script, cut where the token of one boot belongs.
    let pieces: [[UInt8]]

    /// `token` is asked for where the script has a place for it; nil where there is none to give.
    func bytes(token: () -> String?) -> [UInt8]? {
        guard pieces.count > 1 else { return pieces.first }
        guard let token = token().map({ Array($0.utf8) }) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count } + token.count * (pieces.count - 1))
        for (index, piece) in pieces.enumerated() {
            if index > 0 { bytes += token }
            bytes += piece
        }
        return bytes
    }

    /// A token's place, which no script has in it by chance and nobody can foresee.
    static func makePlace() -> String {
        "t" + (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
    }

    /// Cuts a script at the places of its token.
    static func pieces(_ text: String, at place: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        let mark = Array(place.utf8)
        var pieces: [[UInt8]] = []
        var start = 0
        var index = 0
        while index + mark.count <= bytes.count {
            if bytes[index] == mark[0], bytes[index..<index + mark.count].elementsEqual(mark) {
                pieces.append(Array(bytes[start..<index]))
                index += mark.count
                start = index
            } else {
                index += 1
            }
        }
        return pieces + [Array(bytes[start...])]
    }
}
