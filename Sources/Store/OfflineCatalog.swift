package import Artifacts
internal import GRDB

/// Everything published in a data directory, read beside a running daemon and without changing anything.
package enum OfflineCatalog {
    /// - Throws: `StoreError` `failure` when there is no catalog that can be read.
    package static func releases(in path: String) throws(StoreError) -> ReleaseIndex {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path + "/catalog.sqlite", configuration: configuration)
            return try ReleaseLoader(reader: queue) { BlobPath.path(of: $0, below: path) }.load()
        } catch {
            throw StoreError(.failure, "the catalog in \(path) cannot be read", cause: error)
        }
    }
}
