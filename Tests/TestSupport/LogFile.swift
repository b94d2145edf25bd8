package import Foundation

/// A text file that another process is still writing: a server's log or a machine's serial console.
package struct LogFile: Sendable {
    /// Where the file is; it may not exist yet.
    package let url: URL

    /// Names a log file; does not touch it.
    package init(_ url: URL) {
        self.url = url
    }

    /// What was written so far, without terminal control sequences and NUL bytes; empty when there is no file.
    package var text: String {
        guard let bytes = try? Data(contentsOf: url) else { return "" }
        return String(decoding: Self.withoutControlSequences(bytes), as: UTF8.self)
    }

    /// The last `count` lines that are not blank, for an error message.
    package func tail(_ count: Int = 25) -> String {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        return lines.suffix(count).joined(separator: "\n")
    }

    /// Waits until the file has a line that contains `expected`, and returns the first one.
    ///
    /// Polls every 100 ms. A line whose end has not been written yet counts as well; it is given another 200 ms to
    /// become complete.
    ///
    /// - Parameters:
    ///   - expected: text within one line.
    ///   - timeout: how long to wait.
    ///   - writer: who writes the file, for the error message.
    ///   - isWriting: false once the writer has ended, which ends the wait early.
    /// - Returns: the line, without its end.
    /// - Throws: `timedOut` or `programExited`, both with the end of the file; `CancellationError`.
    @discardableResult
    package func waitForLine(
        containing expected: String, timeout: Duration, writer: String, isWriting: @Sendable () -> Bool
    ) async throws -> String {
        let deadline = ContinuousClock.now + timeout
        var searched = -1
        while true {
            // Asked before reading: what a writer wrote just before its end is then in the file.
            let mayGrow = isWriting()
            let size = size
            if size != searched, let line = firstLine(containing: expected) {
                if line.isComplete { return line.text }
                try await Task.sleep(for: .milliseconds(200))
                return firstLine(containing: expected)?.text ?? line.text
            }
            searched = size
            guard mayGrow else {
                throw TestSupportError(.programExited, evidence("\(writer) ended without \"\(expected)\""))
            }
            guard ContinuousClock.now < deadline else {
                throw TestSupportError(.timedOut, evidence("\(writer): no \"\(expected)\" within \(timeout)"))
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The file's size in bytes; 0 when there is none.
    private var size: Int {
        (try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int) ?? 0
    }

    private func firstLine(containing expected: String) -> (text: String, isComplete: Bool)? {
        let text = text
        guard let found = text.range(of: expected) else { return nil }
        let start = text[..<found.lowerBound].lastIndex(where: \.isNewline).map(text.index(after:)) ?? text.startIndex
        let end = text[found.upperBound...].firstIndex(where: \.isNewline)
        return (String(text[start..<(end ?? text.endIndex)]), end != nil)
    }

    private func evidence(_ message: String) -> String {
        "\(message); end of \(url.path):\n\(tail())"
    }

    /// Removes CSI sequences (`ESC [ ... letter`), other two-byte escapes and NUL: firmware colours its console, and a
    /// sequence within a word would hide it from a search.
    private static func withoutControlSequences(_ bytes: Data) -> [UInt8] {
        let escape: UInt8 = 0x1B
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            guard byte == escape else {
                if byte != 0 { kept.append(byte) }
                continue
            }
            guard rest.next() == UInt8(ascii: "[") else { continue }
            while let parameter = rest.next(), !(0x40...0x7E).contains(parameter) {}
        }
        return kept
    }
}
