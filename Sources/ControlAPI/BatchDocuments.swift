package import Artifacts

/// `POST /api/v1/missing-blobs/NAME`: which of these blobs have to be sent. The others are kept for a day for whoever asked.
package struct MissingBlobsRequest: Codable, Hashable, Sendable {
    package static let maximumCount = 8192

    package var digests: [Digest]
    /// Bytes: which of these sizes a blob of the name has. A size that none has is that of a blob which is surely missing,
    /// and which a client may send while it still hashes it.
    package var sizes: [Int64]?
    /// Tell only: nothing is kept for whoever asked. False when absent.
    package var isDryRun: Bool?

    package init(digests: [Digest], sizes: [Int64]? = nil, isDryRun: Bool? = nil) {
        self.digests = digests
        self.sizes = sizes
        self.isDryRun = isDryRun
    }
}

package struct MissingBlobsAnswer: Codable, Hashable, Sendable {
    /// In the order asked.
    package var missing: [Digest]
    /// Of the sizes asked about, those that some blob has; absent when none were.
    package var heldSizes: [Int64]?

    package init(missing: [Digest], heldSizes: [Int64]? = nil) {
        self.missing = missing
        self.heldSizes = heldSizes
    }
}

/// The answer to `POST /api/v1/blobs/NAME`, whose body is a `BlobBatch`.
package struct StoredBatch: Codable, Hashable, Sendable {
    /// Blobs of the batch that were not there before.
    package var storedCount: Int

    package init(storedCount: Int) { self.storedCount = storedCount }
}

/// `POST /api/v1/manifests`: manifests to publish, all of them or none, in this order.
package struct ManifestBatch: Codable, Hashable, Sendable {
    package static let maximumCount = 1000
    /// Bytes of the whole document.
    package static let maximumSize = 16 << 20

    package struct Entry: Codable, Hashable, Sendable {
        package var name: String
        /// nil publishes the manifest under its digest only.
        package var tag: String?
        package var mediaType: String
        /// The manifest, exactly: its digest is that of the UTF-8 form of this text.
        package var content: String

        package init(name: String, tag: String?, mediaType: String, content: String) {
            self.name = name
            self.tag = tag
            self.mediaType = mediaType
            self.content = content
        }
    }

    package var manifests: [Entry]

    package init(manifests: [Entry]) { self.manifests = manifests }
}

package struct PublishedBatch: Codable, Hashable, Sendable {
    /// Of the manifests, in their order.
    package var digests: [Digest]

    package init(digests: [Digest]) { self.digests = digests }
}
