internal import Foundation

/// Shows how a long step goes: a bar with rate and remaining time on a terminal, a plain line at start and end of each
/// step elsewhere. Writes to standard error, so that standard output holds results only.
final class ProgressReport {
    enum Style { case terminal, lines, silent }

    private let style: Style
    private let clock: () -> Double
    private var label = ""
    private var total: Int64 = 0
    private var started = 0.0
    private var shown = 0.0
    private var first: Int64 = 0
    private var isCount = false

    /// `clock` gives seconds of a steady clock.
    init(style: Style, clock: @escaping () -> Double = { ProcessInfo.processInfo.systemUptime }) {
        self.style = style
        self.clock = clock
    }

    /// The style for a command: silent for machines, a bar when standard error is a terminal.
    static func style(json: Bool) -> Style { json ? .silent : isatty(STDERR_FILENO) == 1 ? .terminal : .lines }

    /// Starts a step of `total` bytes, or things where `counting` says so, of which some may be done already.
    func begin(_ label: String, total: Int64, done: Int64 = 0, counting isCount: Bool = false) {
        self.label = label
        self.isCount = isCount
        self.total = total
        first = done
        started = clock()
        shown = 0
        if style == .lines { write(isCount ? "\(label)\n" : "\(label) (\(ByteCount(total)))\n") }
        update(done)
    }

    /// At most ten times a second something is drawn.
    func update(_ done: Int64) {
        guard style == .terminal, clock() - shown >= 0.1 || done == total else { return }
        shown = clock()
        write(
            "\r\u{1B}[2K"
                + Self.line(
                    label, done: done, total: total, seconds: clock() - started, first: first, isCount: isCount))
    }

    /// A line about a part of the step; the bar goes on below it.
    func note(_ text: String) {
        switch style {
        case .terminal:
            shown = 0
            write("\r\u{1B}[2K\(text)\n")
        case .lines: write("\(text)\n")
        case .silent: break
        }
    }

    /// Ends the step with what became of it.
    func end(_ result: String) {
        switch style {
        case .terminal: write("\r\u{1B}[2K\(label): \(result)\n")
        case .lines: write("\(label): \(result)\n")
        case .silent: break
        }
    }

    /// One line of a bar.
    static func line(
        _ label: String, done: Int64, total: Int64, seconds: Double, first: Int64 = 0, isCount: Bool = false
    ) -> String {
        func amount(_ value: Int64) -> String { isCount ? String(value) : "\(ByteCount(value))" }
        let share = total > 0 ? Double(done) / Double(total) : 1
        let cells = Int(share * 24)
        let bar = String(repeating: "#", count: cells) + String(repeating: ".", count: 24 - cells)
        let rate = seconds > 0.2 ? Double(done - first) / seconds : 0
        let rest = rate > 0 ? ", \(Self.duration(Double(total - done) / rate)) left" : ""
        let speed = rate > 0 ? ", \(amount(Int64(rate)))/s" : ""
        return "\(label) [\(bar)] \(Int(share * 100)) % of \(amount(total))\(speed)\(rest)"
    }

    private static func duration(_ seconds: Double) -> String {
        let seconds = Int(seconds.rounded(.up))
        return seconds < 60
            ? "\(seconds) s"
            : seconds < 3600
                ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// Bytes for people: 1 KB is 1,000 bytes.
struct ByteCount: CustomStringConvertible {
    let bytes: Int64

    init(_ bytes: Int64) { self.bytes = bytes }

    /// `1500`, `1.5GB`, `200 MB`; nil for anything else, and for more than `Int64` holds.
    init?(parsing text: String) {
        let units: [(name: String, factor: Double)] = [
            ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1), ("", 1),
        ]
        for (name, factor) in units where text.uppercased().hasSuffix(name) {
            let number = text.dropLast(name.count).trimmingCharacters(in: .whitespaces)
            guard number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let value = Double(number),
                value * factor < 9e18
            else { return nil }
            bytes = Int64(value * factor)
            return
        }
        return nil
    }

    var description: String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : String(format: value < 10 ? "%.2f %@" : "%.1f %@", value, units[unit])
    }
}
