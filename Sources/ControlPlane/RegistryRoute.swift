internal import Artifacts

/// A path below `/v2/`, parsed (OCI Distribution specification 1.1, "Endpoints"). Names hold slashes, so the fixed part
/// is looked for from the end.
enum RegistryRoute: Hashable, Sendable {
    case base
    case names
    case blob(ArtifactName, Digest)
    case startUpload(ArtifactName)
    case upload(ArtifactName, String)
    case manifest(ArtifactName, Version)
    case tags(ArtifactName)
    case referrers(ArtifactName, Digest)

    /// nil when no route has this form.
    /// - Throws: `ArtifactError` when the form is right and a name, tag or digest in it is not.
    init?(path: String) throws(ArtifactError) {
        guard path == "/v2" || path.hasPrefix("/v2/") else { return nil }
        var parts = path.dropFirst(3).split(separator: "/").map(String.init)
        if parts.isEmpty {
            self = .base
            return
        }
        if parts == ["_catalog"] {
            self = .names
            return
        }
        guard parts.count >= 3 else { return nil }
        let last = parts.removeLast()
        let kind = parts.removeLast()
        func name() throws(ArtifactError) -> ArtifactName { try ArtifactName(parts.joined(separator: "/")) }
        switch (kind, last) {
        case ("blobs", "uploads"): self = .startUpload(try name())
        case ("uploads", _) where parts.count >= 2 && parts.last == "blobs":
            parts.removeLast()
            self = .upload(try name(), last)
        case ("blobs", _): self = .blob(try name(), try Digest(last))
        case ("manifests", _): self = .manifest(try name(), try Version(last))
        case ("tags", "list"): self = .tags(try name())
        case ("referrers", _): self = .referrers(try name(), try Digest(last))
        default: return nil
        }
    }
}
