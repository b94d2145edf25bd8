package import Artifacts

/// Where a blob's bytes are below a data directory: `blobs/sha256/ab/cd/HEX`.
package enum BlobPath {
    package static func path(of digest: Digest, below directory: String) -> String {
        let hex = digest.hex
        return "\(directory)/blobs/sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)"
    }
}
