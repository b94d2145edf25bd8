internal import Artifacts
internal import ControlAPI
internal import Hummingbird
internal import Store

/// The route below `/api/v1/archives`.
struct ArchiveController {
    let services: ControlServices
    let caller: Caller

    func list(_ text: String) throws -> Response {
        let reference = try Reference(text)
        try caller.require(.pull, reference.name)
        // Whether there is such a version at all.
        _ = try services.store.verdict(reference.version, name: reference.name)
        return try .json(
            services.store.archives(of: reference).map { archive in
                ArchiveReport(
                    path: archive.path.description, digest: archive.digest,
                    refusal: services.archives.refusal(of: archive.digest))
            })
    }
}
