package import Artifacts
package import Trust

/// Debian's list of packages (Debian Repository Format, "Packages Indices"), to choose those of a mirror that is complete in
/// itself: whatever is chosen can be installed from it alone.
///
/// Relations are followed by name, without versions: a suite of Debian has one version of a package.
package struct PackageIndex: Sendable {
    /// What a mirror shall have.
    package struct Choice: Sendable, Hashable {
        /// Everything that is listed.
        package var everything = false
        /// Packages by name.
        package var names: [String] = []
        /// Packages by their `Priority`, such as `required`.
        package var priorities: [String] = []
        /// Also what they recommend, which apt installs unless it is told otherwise.
        package var recommends = false

        package init() {}
    }

    fileprivate struct Package {
        var name = ""
        var path: ArtifactPath?
        var priority = ""
        /// One of each group is needed.
        var needs: [[String]] = []
        var recommends: [[String]] = []
        var provides: [String] = []
    }

    private var packages: [Package] = []
    /// By name; several where the index has several versions.
    private var byName: [String: [Int]] = [:]
    private var providers: [String: [Int]] = [:]

    /// - Throws: `TrustError` (`invalidChecksums`) when it is no such list.
    package init(_ bytes: [UInt8]) throws(TrustError) {
        try Self.paragraphs.read(bytes) { paragraph throws(TrustError) in try add(Package(paragraph)) }
        guard !packages.isEmpty else { throw TrustError(.invalidChecksums, "the list has no package") }
    }

    fileprivate static let paragraphs = DebianParagraphs(
        fields: ["Package", "Filename", "Priority", "Pre-Depends", "Depends", "Recommends", "Provides"])

    private mutating func add(_ package: Package) throws(TrustError) {
        guard !package.name.isEmpty else { return }
        guard package.path != nil else {
            throw TrustError(.invalidChecksums, "the package '\(package.name)' has no 'Filename' within the archive")
        }
        let index = packages.count
        packages.append(package)
        byName[package.name, default: []].append(index)
        for name in package.provides { providers[name, default: []].append(index) }
    }

    /// The files of what is chosen and of all that it needs, in the order of their paths.
    ///
    /// Of alternatives the first that the index has is taken, as apt does; of providers those of the highest priority, the
    /// first by name.
    /// - Throws: `TrustError` (`invalidChecksums`) when a name is not in the index, or a need cannot be met from it.
    package func files(_ choice: Choice) throws(TrustError) -> [ArtifactPath] {
        guard !choice.everything else { return Set(packages.compactMap(\.path)).sorted() }
        var waiting: [Int] = []
        for name in choice.names {
            guard let found = byName[name] ?? provider(of: name).map({ [$0] }) else {
                throw TrustError(.invalidChecksums, "there is no package '\(name)' in the list")
            }
            waiting += found
        }
        waiting += packages.indices.filter { choice.priorities.contains(packages[$0].priority) }
        var chosen = Set(waiting)
        while let index = waiting.popLast() {
            let package = packages[index]
            for group in package.needs {
                guard let found = answer(to: group) else {
                    throw TrustError(
                        .invalidChecksums,
                        "'\(package.name)' needs \(group.joined(separator: " or ")), which the list does not have")
                }
                waiting += found.filter { chosen.insert($0).inserted }
            }
            guard choice.recommends else { continue }
            for group in package.recommends {
                waiting += (answer(to: group) ?? []).filter { chosen.insert($0).inserted }
            }
        }
        return Set(chosen.compactMap { packages[$0].path }).sorted()
    }

    private func answer(to group: [String]) -> [Int]? {
        for name in group {
            if let found = byName[name] ?? provider(of: name).map({ [$0] }) { return found }
        }
        return nil
    }

    private static let priorities = ["required", "important", "standard", "optional"]

    private func provider(of name: String) -> Int? {
        (providers[name] ?? []).min { first, second in
            let ranks = [first, second].map { Self.priorities.firstIndex(of: packages[$0].priority) ?? .max }
            return ranks[0] != ranks[1] ? ranks[0] < ranks[1] : packages[first].name < packages[second].name
        }
    }
}

extension PackageIndex.Package {
    /// The fields are those of `PackageIndex.paragraphs`.
    fileprivate init(_ paragraph: DebianParagraphs.Paragraph) {
        name = paragraph.text(0) ?? ""
        path = paragraph.text(1).flatMap { try? ArtifactPath($0) }
        priority = paragraph.text(2) ?? ""
        needs = Self.groups(paragraph.text(3)) + Self.groups(paragraph.text(4))
        recommends = Self.groups(paragraph.text(5))
        provides = Self.groups(paragraph.text(6)).flatMap { $0 }
    }

    /// `a (>= 1), b | c:any` (Debian Policy section 7.1) as names.
    private static func groups(_ text: String?) -> [[String]] {
        (text ?? "").split(separator: ",").map { group in
            group.split(separator: "|").compactMap { part in
                part.split { " (:[<".contains($0) }.first.map(String.init)
            }
        }.filter { !$0.isEmpty }
    }
}
