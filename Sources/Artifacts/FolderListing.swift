internal import Foundation

/// A folder as JSON tells it.
package struct FolderListing: Codable, Hashable, Sendable {
    package struct Entry: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, Sendable {
            case file
            case folder
        }

        package var name: String
        package var kind: Kind
        /// Bytes of a file.
        package var size: Int64?
        /// `sha256:HEX` of a file.
        package var digest: String?
    }

    /// `/NAME:TAG/FOLDER`, as it was asked for.
    package var path: String
    /// Folders first, each kind by name.
    package var entries: [Entry]
    /// False when there are more.
    package var isComplete: Bool

    package init(path: String, entries: [FolderEntry], isComplete: Bool) {
        self.path = path
        self.isComplete = isComplete
        self.entries = entries.sorted { first, second in
            if (first.file == nil) != (second.file == nil) { return first.file == nil }
            return first.name < second.name
        }.map {
            Entry(
                name: $0.name, kind: $0.file == nil ? .folder : .file, size: $0.file?.size,
                digest: $0.file.map { "\($0.digest)" })
        }
    }

    /// - Throws: what `JSONEncoder` throws.
    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
