package import Foundation

/// A private directory that lives as long as a scope.
package enum TemporaryDirectory {
    /// Makes a new, empty directory (mode 0700), runs `body` with it, and removes it with all its contents.
    ///
    /// The directory is removed whether `body` returned, threw or was cancelled.
    ///
    /// - Parameters:
    ///   - prefix: how the directory's name begins, so that a leftover can be traced to its maker.
    ///   - isolation: where `body` runs; leave it at its default.
    ///   - body: gets the directory's absolute URL.
    /// - Returns: what `body` returned.
    /// - Throws: the error of `body`; `cleanupFailed` when only the removal failed.
    package static func with<Value>(
        prefix: String = "provisioner-test",
        isolation: isolated (any Actor)? = #isolation,
        _ body: (URL) async throws -> Value
    ) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "\(prefix)-\(UUID().uuidString)", directoryHint: .isDirectory)
        return try await CleanupStack.with { cleanup in
            await cleanup.add("remove \(directory.path)") { try remove(directory) }
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            return try await body(directory)
        }
    }

    private static func remove(_ directory: URL) throws {
        guard FileManager.default.fileExists(atPath: directory.path) else { return }
        try FileManager.default.removeItem(at: directory)
    }
}
