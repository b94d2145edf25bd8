/// How an artifact's version is named: by tag or by the digest of its manifest.
package enum Version: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)

    /// Parses the part of a registry path that stands for either.
    /// - Throws: `ArtifactError`.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        self = text.contains(":") ? .digest(try Digest(text)) : .tag(try Tag(text))
    }

    package var description: String {
        switch self {
        case .tag(let tag): tag.description
        case .digest(let digest): digest.description
        }
    }
}

/// `NAME:TAG` or `NAME@sha256:HEX`: the one grammar for versions in command line, site file, URLs and logs.
package struct Reference: Hashable, Sendable, CustomStringConvertible {
    package let name: ArtifactName
    package let version: Version

    package init(name: ArtifactName, version: Version) {
        self.name = name
        self.version = version
    }

    /// - Throws: `ArtifactError` that names the faulty part.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        if let at = text.firstIndex(of: "@") {
            name = try ArtifactName(text[..<at])
            version = .digest(try Digest(text[text.index(after: at)...]))
        } else if let colon = text.firstIndex(of: ":") {
            name = try ArtifactName(text[..<colon])
            version = .tag(try Tag(text[text.index(after: colon)...]))
        } else {
            throw ArtifactError(
                .invalidReference, "'\(text)' names no version: write NAME:TAG or NAME@sha256:HEX")
        }
    }

    package var description: String {
        switch version {
        case .tag(let tag): "\(name):\(tag)"
        case .digest(let digest): "\(name)@\(digest)"
        }
    }
}

/// `NAME:TAG/PATH` or `NAME@sha256:HEX/PATH`: one file of one version.
package struct FileReference: Hashable, Sendable, CustomStringConvertible {
    package let artifact: Reference
    package let path: ArtifactPath

    package init(artifact: Reference, path: ArtifactPath) {
        self.artifact = artifact
        self.path = path
    }

    /// - Throws: `ArtifactError` that names the faulty part.
    package init(_ text: some StringProtocol) throws(ArtifactError) {
        // A name may hold slashes but no colon, and neither a tag nor a digest holds a slash: so the path starts at
        // the first slash after the first colon or at-sign. Bytes and not characters: see `ArtifactPath`.
        guard let mark = text.utf8.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }),
            let slash = text.utf8[mark...].firstIndex(of: UInt8(ascii: "/"))
        else {
            throw ArtifactError(
                .invalidReference, "'\(text)' names no file: write NAME:TAG/PATH or NAME@sha256:HEX/PATH")
        }
        artifact = try Reference(text[..<slash])
        path = try ArtifactPath(text[text.utf8.index(after: slash)...])
    }

    package var description: String { "\(artifact)/\(path)" }
}
