/// A script, cut where the token of one boot belongs.
struct ScriptPieces: Sendable {
    /// A token's place, which no script has in it by chance and nobody can foresee.
    static let place = "t" + (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()

    /// Never empty.
    private let pieces: [[UInt8]]

    /// Cuts a script at the places of its token.
    init(_ text: String, at place: String = place) {
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
        self.pieces = start == 0 ? [bytes] : pieces + [Array(bytes[start...])]
    }

    var count: Int { pieces.count }

    /// The script, where no two boots differ.
    var whole: [UInt8]? { pieces.count == 1 ? pieces[0] : nil }

    /// `token` is asked for where the script has a place for it; nil where there is none to give.
    func bytes(token: () -> String?) -> [UInt8]? {
        if let whole { return whole }
        guard let token = token().map({ Array($0.utf8) }) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pieces.reduce(0) { $0 + $1.count } + token.count * (pieces.count - 1))
        for (index, piece) in pieces.enumerated() {
            if index > 0 { bytes += token }
            bytes += piece
        }
        return bytes
    }
}
