import Foundation

/// The head of a server's answer to a load generator, as much as that needs of it.
struct AnswerHead {
    /// Bytes of the head, and of the body after it.
    let length: Int
    let bodyLength: Int

    /// nil while it is not whole.
    /// - Throws: `BenchmarkFailure` with what came, where it is no "200" with a length.
    init?(_ bytes: some Collection<UInt8>) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n").map { $0.lowercased() }
        guard lines.first?.hasPrefix("http/1.1 200") == true,
            let value = lines.first(where: { $0.hasPrefix("content-length:") })?.dropFirst(15),
            let size = Int(value.trimmingCharacters(in: .whitespaces))
        else { throw BenchmarkFailure("not what was expected: \(text.prefix(300))") }
        length = text.utf8.distance(from: text.utf8.startIndex, to: end.upperBound)
        bodyLength = size
    }
}
