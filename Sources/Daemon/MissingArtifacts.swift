internal import Artifacts
internal import Site

/// What assigned profiles name and nobody has pushed.
enum MissingArtifacts {
    /// One line for each missing file, in the order of the assignments.
    static func find(in site: Site, releases: ReleaseIndex) -> [String] {
        site.assignments.filter { $0.boot != .local }.flatMap { assignment -> [String] in
            guard let profile = assignment.profile.flatMap({ site.profile($0) }) else { return [] }
            let files = [profile.kernel, profile.answer].compactMap { $0 } + profile.initrds
            return files.filter { releases.file($0) == nil }.map { file in
                let what = releases.release(file.artifact) == nil ? "\(file.artifact) is not published" : "\(file.artifact) has no file '\(file.path)'"
                return "profile \(profile.name) of host \(assignment.host): \(what): push it, or correct the name"
            }
        }
    }
}
