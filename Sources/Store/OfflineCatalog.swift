package import Artifacts
internal import GRDB
package import Trust

/// Everything published in a data directory, read beside a running daemon and without changing anything.
package enum OfflineCatalog {
    /// `path` is the data directory, `policy` what the site file says of trust: what it has no verdict for is withheld;
    /// `now` is seconds since 1970.
    /// - Throws: `StoreError` `failure` when there is no catalog that can be read.
    package static func releases(in path: String, policy: TrustPolicy, packagedKeys: [TrustKey] = [], now: Int64)
        throws(StoreError) -> ReleaseIndex
    {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path + "/catalog.sqlite", configuration: configuration)
            let state = try queue.read { try TrustState(policy: policy, packaged: packagedKeys, $0) }
            return try ReleaseLoader(
                reader: queue, blobPath: { BlobPath.path(of: $0, below: path) }, basis: state.basis, now: now
            ).load()
        } catch {
            throw StoreError(.failure, "the catalog in \(path) cannot be read", cause: error)
        }
    }
}
