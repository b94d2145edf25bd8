internal import Artifacts
internal import Boot

/// Folders of versions, for people and programs that look around. Machines ask for files.
extension BootNamespace {
    enum ListingForm {
        case html
        case json
    }

    /// Entries of one answer: it is made on the event loop, which others wait for.
    static let maximumEntries = 5000

    /// A folder; nil when the path is none, or its version is withheld.
    func listing(_ components: [String], _ form: ListingForm) -> BootResource? {
        let path = components.joined(separator: "/")
        let place: (artifact: Reference, path: ArtifactPath?)
        if let reference = try? FileReference(path) {
            place = (reference.artifact, reference.path)
        } else if let reference = try? Reference(path) {
            place = (reference, nil)
        } else {
            return nil
        }
        let decider = backend.snapshot.decider
        let found = decider.releases.folder(
            place.path, of: place.artifact, in: decider.archives, limit: Self.maximumEntries + 1)
        guard let found else { return nil }
        let listing = FolderListing(
            path: "/" + path, entries: Array(found.prefix(Self.maximumEntries)),
            isComplete: found.count <= Self.maximumEntries)
        switch form {
        case .json:
            return (try? listing.json()).map { BootResource(.bytes($0), mediaType: "application/json") }
        case .html:
            let page = ListingPage(listing, components: components)
            return BootResource(.bytes(Array(page.text.utf8)), mediaType: "text/html; charset=utf-8")
        }
    }
}

/// A folder as a page. Links are absolute: a path means the same with a slash at its end and without.
private struct ListingPage {
    let text: String

    init(_ listing: FolderListing, components: [String]) {
        let title = Self.escaped(listing.path)
        let base = components.map(URLPath.encode).joined(separator: "/")
        var lines = [
            "<!DOCTYPE html>", "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>\(title)</title></head>",
            "<body><h1>\(title)</h1>", "<table>", "<tr><th>Name</th><th>Bytes</th><th>Digest</th></tr>",
        ]
        let parent = components.dropLast()
        if parent.contains(where: { $0.contains(":") || $0.contains("@") }) {
            let link = parent.map(URLPath.encode).joined(separator: "/")
            lines.append("<tr><td><a href=\"/\(link)/\">..</a></td><td></td><td></td></tr>")
        }
        for entry in listing.entries {
            let end = entry.kind == .folder ? "/" : ""
            let link = "<a href=\"/\(base)/\(URLPath.encode(entry.name))\(end)\">\(Self.escaped(entry.name))\(end)</a>"
            let size = entry.size.map(String.init) ?? ""
            lines.append("<tr><td>\(link)</td><td>\(size)</td><td>\(entry.digest ?? "")</td></tr>")
        }
        lines.append("</table>")
        if !listing.isComplete { lines.append("<p>There are more: these are the first.</p>") }
        lines.append("</body></html>")
        text = lines.joined(separator: "\n") + "\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
