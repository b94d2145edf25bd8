package import Artifacts

/// Reads what `ArchiveStreamWriter` tells, piece by piece. The writer may have been taken over by what it read: nothing that
/// it says is believed beyond its form.
package struct ArchiveStreamParser {
    package enum Kind: Sendable, Hashable {
        case file, folder, other
        case link([UInt8])
        case hardLink([UInt8])
    }

    package enum Event: Sendable, Hashable {
        case entry(path: [UInt8], Kind)
        case data([UInt8])
        /// After a file's bytes. `place` is where libarchive says that they begin; nil when it does not.
        case end(size: Int64, place: Int64?, digest: Digest)
        /// Nothing follows.
        case finished
    }

    private static let maximumName = 1 << 16
    private static let maximumData = 64 << 20

    private var buffer: [UInt8] = []
    private var position = 0
    /// Nothing may follow the end.
    package private(set) var isFinished = false

    package init() {}

    package mutating func feed(_ bytes: some Sequence<UInt8>) {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next event; nil when more bytes are needed.
    /// - Throws: `ArchiveError`: what the reader complained of, or `failure` for what it never says.
    package mutating func next() throws(ArchiveError) -> Event? {
        guard position < buffer.count else { return nil }
        guard !isFinished else { throw Self.nonsense }
        let start = position
        let event = try read()
        if event == nil { position = start }
        return event
    }

    private mutating func read() throws(ArchiveError) -> Event? {
        guard let tag = take(1)?.first else { return nil }
        switch tag {
        case UInt8(ascii: "E"):
            guard let kind = take(1)?.first, let path = try field(), let link = try field() else { return nil }
            switch kind {
            case UInt8(ascii: "f"): return .entry(path: path, .file)
            case UInt8(ascii: "d"): return .entry(path: path, .folder)
            case UInt8(ascii: "l"): return .entry(path: path, .link(link))
            case UInt8(ascii: "h"): return .entry(path: path, .hardLink(link))
            case UInt8(ascii: "o"): return .entry(path: path, .other)
            default: throw Self.nonsense
            }
        case UInt8(ascii: "D"):
            guard let count = number(4) else { return nil }
            guard count <= UInt64(Self.maximumData) else { throw Self.nonsense }
            return take(Int(count)).map { .data(Array($0)) }
        case UInt8(ascii: "H"):
            guard let size = number(8), let place = number(8), let digest = take(32) else { return nil }
            guard let size = Int64(exactly: size), let digest = Digest(bytes: digest) else { throw Self.nonsense }
            let start = Int64(bitPattern: place)
            return .end(size: size, place: start < 0 ? nil : start, digest: digest)
        case UInt8(ascii: "X"):
            guard let text = try field() else { return nil }
            throw ArchiveError(.damaged, String(decoding: text.prefix(500), as: UTF8.self))
        case UInt8(ascii: "Z"):
            isFinished = true
            return .finished
        default: throw Self.nonsense
        }
    }

    private mutating func field() throws(ArchiveError) -> [UInt8]? {
        guard let count = number(4) else { return nil }
        guard count <= UInt64(Self.maximumName) else { throw Self.nonsense }
        return take(Int(count)).map { Array($0) }
    }

    private mutating func number(_ bytes: Int) -> UInt64? {
        take(bytes)?.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard buffer.count - position >= count else { return nil }
        defer { position += count }
        return buffer[position..<position + count]
    }

    private static let nonsense = ArchiveError(.failure, "the reader of archives says what it never says")
}

/// Who runs the reader.
package protocol ArchiveStreaming: Sendable {
    /// Reads the archive at a path in a confined process, and gives what `ArchiveStreamWriter` tells.
    /// - Throws: what `receive` throws; `ArchiveError` (`failure`) when the process cannot run, `hostile` when its bounds
    ///   ended it.
    func stream(
        _ path: String, contents: Bool, _ receive: (ArchiveStreamParser.Event) async throws -> Void
    ) async throws
}
