internal import Artifacts
internal import Boot
internal import Site

/// Initrds that are made for one boot.
extension BootNamespace {
    /// Overlays are made in memory.
    private static let maximumOverlaySize: Int64 = 64 << 20

    /// The overlay of a per-boot URL.
    func overlay(
        _ snapshot: BootSnapshot, token: String, _ address: IPv4Address?
    ) throws(BootRefusal) -> BootResource {
        let (profile, expansion) = try boot(snapshot, token: token, address)
        guard !profile.overlay.isEmpty else { throw .notFound("this host's profile has no overlay") }
        return BootResource(
            .bytes(try overlay(snapshot, profile, expansion)), mediaType: "application/octet-stream",
            event: .overlay(host: expansion.host.name))
    }

    /// The same files and the same boot give the same bytes: a loader may fetch them in parts.
    func overlay(
        _ snapshot: BootSnapshot, _ profile: Profile, _ expansion: ProfileExpansion
    ) throws(BootRefusal) -> [UInt8] {
        var files: [OverlayFile] = []
        var size: Int64 = 0
        for entry in profile.overlay {
            guard let content = snapshot.decider.releases.content(entry.file, in: snapshot.decider.archives) else {
                throw .notFound("\(entry.file) of the overlay is not there")
            }
            size += content.file.size
            guard size <= Self.maximumOverlaySize else {
                throw .notFound(
                    "the overlay is larger than \(Self.maximumOverlaySize) bytes: put large files into an initrd")
            }
            guard var bytes = try file(content, isImmutable: false, event: nil).smallBytes else { throw .damaged }
            if entry.isTemplate, let text = String(validating: bytes, as: UTF8.self) {
                bytes = Array(expansion.expand(VariableTemplate(text)).utf8)
            }
            files.append(OverlayFile(path: entry.path, mode: entry.mode, bytes: bytes))
        }
        guard let bytes = backend.overlay(files) else {
            throw .notFound("the overlay has a path that is a file and a folder")
        }
        return bytes
    }
}
