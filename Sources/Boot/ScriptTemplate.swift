/// An iPXE script with `@NAME@` places, compiled once. Values go in as they are: callers pass them through `IPXEText`.
struct ScriptTemplate: Sendable {
    private enum Segment: Sendable {
        case literal(String)
        case place(String)
    }

    private let segments: [Segment]

    init(_ bytes: [UInt8]) {
        var segments: [Segment] = []
        let pieces = String(decoding: bytes, as: UTF8.self).split(separator: "@", omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            let isPlace = index % 2 == 1 && piece.allSatisfy { $0.isUppercase || $0 == "_" }
            segments.append(isPlace ? .place(String(piece)) : .literal(String(piece)))
        }
        self.segments = segments
    }

    /// The script; a place without a value stays empty.
    func filled(_ values: [String: String]) -> String {
        segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .place(let name): values[name] ?? ""
            }
        }.joined()
    }
}
