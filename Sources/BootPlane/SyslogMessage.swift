/// What is worth keeping of a syslog message, whoever wrote it: RFC 5424, RFC 3164 with its many dialects (rsyslog's, which
/// Anaconda runs, and iPXE's, which has neither time nor always a host), and the kernel's netconsole, plain or extended.
/// Time and host that the message claims are dropped: a machine that boots knows neither for sure.
package struct SyslogMessage: Hashable, Sendable {
    /// Bytes of a message that are looked at: what RFC 5425 section 4.3.1 says a receiver should take.
    package static let maximumSize = 8192
    /// 0 (emergency) to 7 (debug); nil where the message does not say.
    package let severity: Int?
    /// Who wrote it and what, in one line of printable characters. Empty when there is nothing.
    package let text: String

    private static let names = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    private static let months: Set<Substring> = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    package init(severity: Int?, text: String) {
        self.severity = severity
        self.text = text
    }

    package init(_ bytes: some Collection<UInt8>) {
        let whole = Substring(String(decoding: bytes.prefix(Self.maximumSize), as: UTF8.self))
        var (severity, rest) = Self.priority(whole)
        if severity == nil, let record = Self.kernelRecord(whole) {
            (severity, rest) = record
        } else if let message = Self.structured(rest) {
            rest = message
        } else {
            rest = Self.withoutTimeAndHost(rest)
        }
        self.severity = severity
        text = Self.line(rest)
    }

    /// The severity's name (RFC 5424 section 6.2.1, as syslog.conf(5) writes it).
    package var severityName: String? { severity.map { Self.names[$0] } }

    /// For a timeline: what is a warning or worse says so.
    package func summary(limit: Int) -> String {
        let prefix = severity.map { $0 <= 4 ? "\(Self.names[$0]): " : "" } ?? ""
        return String((prefix + text).prefix(limit))
    }

    /// `<PRI>`: facility times eight and severity (RFC 5424 section 6.2.1).
    private static func priority(_ text: Substring) -> (severity: Int?, rest: Substring) {
        guard text.first == "<", let end = text.prefix(5).firstIndex(of: ">"),
            let value = UInt8(text[text.index(after: text.startIndex)..<end]), value <= 191
        else { return (nil, text) }
        return (Int(value & 7), text[text.index(after: end)...])
    }

    /// Extended netconsole: `level,sequence,microseconds,flags;text` (the kernel's Documentation/networking/netconsole.rst).
    private static func kernelRecord(_ text: Substring) -> (severity: Int?, rest: Substring)? {
        guard let end = text.prefix(200).firstIndex(of: ";") else { return nil }
        let fields = text[..<end].split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count >= 4, let level = UInt16(fields[0]), UInt64(fields[1]) != nil, UInt64(fields[2]) != nil
        else { return nil }
        // Further lines, after the first, are the record's dictionary.
        let first = text[text.index(after: end)...].prefix { $0 != "\n" }
        return (Int(level & 7), "kernel: " + first)
    }

    /// RFC 5424: `1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`.
    private static func structured(_ text: Substring) -> Substring? {
        guard text.hasPrefix("1 ") else { return nil }
        let fields = text.dropFirst(2).split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
        guard fields.count == 6, let message = afterStructuredData(fields[5]) else { return nil }
        let content = message.first == "\u{FEFF}" ? message.dropFirst() : message
        return fields[2] == "-" ? content : "\(fields[2]): \(content)"
    }

    private static func afterStructuredData(_ text: Substring) -> Substring? {
        var rest = text.unicodeScalars
        if rest.first == "-" {
            rest = rest.dropFirst()
        } else {
            guard rest.first == "[" else { return nil }
            while rest.first == "[" {
                var isQuoted = false
                var isEscaped = false
                var isClosed = false
                while let scalar = rest.popFirst() {
                    if isEscaped {
                        isEscaped = false
                    } else if scalar == "\\", isQuoted {
                        isEscaped = true
                    } else if scalar == "\"" {
                        isQuoted.toggle()
                    } else if scalar == "]", !isQuoted {
                        isClosed = true
                        break
                    }
                }
                guard isClosed else { return nil }
            }
        }
        guard let separator = rest.popFirst() else { return "" }
        return separator == " " ? Substring(rest) : nil
    }

    /// RFC 3164 section 4.1: `Mmm dd hh:mm:ss HOST ` in front; or a time as RFC 3339 writes it. Without a time there is no host
    /// either: what comes first is then part of the text.
    private static func withoutTimeAndHost(_ text: Substring) -> Substring {
        var rest: Substring
        let parts = text.prefix(16).split(separator: " ", omittingEmptySubsequences: true)
        if parts.count >= 3, months.contains(parts[0]), UInt8(parts[1]) != nil, parts[2].count == 8,
            parts[2].utf8.count(where: { $0 == UInt8(ascii: ":") }) == 2
        {
            rest = text[parts[2].endIndex...]
        } else if let time = text.prefix(40).firstIndex(of: " ").map({ text[..<$0] }), time.count >= 19,
            time.first?.isNumber == true, time.contains("T"), time.contains(":")
        {
            rest = text[time.endIndex...]
        } else {
            return text
        }
        rest = rest.drop { $0 == " " }
        // A tag ends with a colon: then there is no host in front of it.
        guard let space = rest.firstIndex(of: " "), rest[..<space].last != ":" else { return rest }
        return rest[rest.index(after: space)...]
    }

    private static func line(_ text: Substring) -> String {
        let plain = text.unicodeScalars.map { scalar -> Character in
            // Control characters, C1 ones among them: who reads a log on a terminal must not be spoken to by it.
            scalar.value < 32 || (0x7f..<0xa0).contains(scalar.value) ? " " : Character(scalar)
        }
        return String(plain).split(separator: " ").joined(separator: " ")
    }
}
