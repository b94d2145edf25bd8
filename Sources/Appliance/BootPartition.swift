/// What the partition PROVISION holds for an appliance, as far as it could be read.
package struct BootPartition: Sendable {
    /// One file.
    package enum Content: Sendable, Hashable {
        case absent
        /// In words: a folder, an I/O error.
        case unreadable(String)
        case bytes([UInt8])

        /// nil unless it could be read.
        package var bytes: [UInt8]? {
            if case .bytes(let bytes) = self { return bytes }
            return nil
        }
    }

    package static let siteName = "site.yaml"
    package static let networkName = "network.yaml"
    package static let keysName = "authorized_keys"
    package static let passwordName = "password_hash"
    /// In the order in which findings about them are shown.
    package static let names = [networkName, siteName, keysName, passwordName]

    /// Why nothing of it can be read, in words; nil when it could be mounted.
    package var failure: String?
    private var files: [String: Content]

    package init(failure: String? = nil, files: [String: Content] = [:]) {
        self.failure = failure
        self.files = files
    }

    package subscript(_ name: String) -> Content { files[name] ?? .absent }

    /// The file's bytes without a byte order mark, which editors of Windows put in front.
    func text(_ name: String) -> [UInt8]? {
        guard let bytes = self[name].bytes else { return nil }
        return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    }
}
