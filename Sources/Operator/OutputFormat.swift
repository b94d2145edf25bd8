internal import Foundation

/// Results on standard output: tables for people, JSON with sorted keys for machines.
enum OutputFormat {
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Columns as wide as their widest cell, two spaces between them; no trailing space.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        var widths = Widths()
        return table(header, &widths, rows)
    }

    /// How wide the columns of a table are so far, for one that is printed in pieces.
    struct Widths {
        fileprivate var columns: [Int] = []
    }

    /// A piece of a table; the first has the header.
    static func table(_ header: [String]?, _ widths: inout Widths, _ rows: [[String]]) -> String {
        let all = (header.map { [$0] } ?? []) + rows
        let count = all.first?.count ?? 0
        let columns = (0..<count).map { column in
            let known = column < widths.columns.count ? widths.columns[column] : 0
            return all.reduce(known) { max($0, $1[column].count) }
        }
        widths.columns = columns
        return all.map { row in
            row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell.padding(toLength: columns[column], withPad: " ", startingAt: 0)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Milliseconds since 1970 as UTC, to the second.
    static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }
}
