internal import Artifacts
internal import Site

/// What assigned profiles name and nobody has pushed.
enum MissingArtifacts {
    /// One line for each missing file, in the order of the assignments.
    static func find(in site: Site, releases: ReleaseIndex, archives: any ArchiveLookup) -> [String] {
        site.assignments.filter { $0.boot != .local }.flatMap { assignment -> [String] in
            guard let profile = assignment.profile.flatMap({ site.profile($0) }) else { return [] }
            let files = profile.files
            var lines: [String] = []
            for file in files where releases.content(file, in: archives) == nil {
                if let withholding = releases.withholding(of: file.artifact) {
                    let line =
                        "profile \(profile.name) of host \(assignment.host): \(file.artifact) is withheld: \(withholding.reason)"
                    if !lines.contains(line) { lines.append(line) }
                    continue
                }
                let isPublished = releases.release(file.artifact) != nil
                let what =
                    isPublished ? "\(file.artifact) has no file '\(file.path)'" : "\(file.artifact) is not published"
                let line = "profile \(profile.name) of host \(assignment.host): \(what): push it, or correct the name"
                if !lines.contains(line) { lines.append(line) }
            }
            return lines
        }
    }
}
