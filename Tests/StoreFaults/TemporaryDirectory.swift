import Foundation

/// A directory that is removed with its last user.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
