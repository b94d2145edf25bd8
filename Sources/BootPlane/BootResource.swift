package import Artifacts
package import TFTP

/// What a path of the namespace stands for, at the moment of a request.
package struct BootResource: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// A piece of a file, or all of it.
        case file(OpenFile, offset: Int64, size: Int64)
    }

    package let body: Body
    package let mediaType: String
    /// The digest of the bytes, where they are a blob: the ETag.
    package let digest: Digest?
    /// The path names these bytes for ever.
    package let isImmutable: Bool
    /// What to put on the timeline when it was sent.
    package let event: BootEvent?
    /// What it was made from, where it may be given again.
    let script: DecidedScript?

    init(
        _ body: Body, mediaType: String, digest: Digest? = nil, isImmutable: Bool = false, event: BootEvent? = nil,
        script: DecidedScript? = nil
    ) {
        self.script = script
        self.body = body
        self.mediaType = mediaType
        self.digest = digest
        self.isImmutable = isImmutable
        self.event = event
    }

    /// All bytes of a small resource; nil when they cannot be read.
    var smallBytes: [UInt8]? {
        switch body {
        case .bytes(let bytes): bytes
        case .file(let file, let offset, let size): file.bytes(from: offset, count: size)
        }
    }

    package var size: Int64 {
        switch body {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let size): size
        }
    }
}

/// Why a path gives nothing. The text is for the one who asked and names nothing internal.
package enum BootRefusal: Error, Hashable, Sendable {
    case badRequest(String)
    case forbidden(String)
    case notFound(String)
    /// The file is known, but its bytes are not as they should be, or it cannot be made.
    case damaged
    /// It is being made: the same request gets it soon.
    case preparing
}
