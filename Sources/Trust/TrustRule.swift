package import Artifacts

/// What happens to a version that a rule is not content with.
package enum MissingSignature: String, Sendable, Hashable, CaseIterable, Codable {
    /// It is not published.
    case reject
    /// It is published and does not boot until a signature comes.
    case quarantine
    /// It is published and boots, and the verdict says so.
    case warn
}

/// Which signatures some artifacts need. Every rule that fits a name applies to it, and every file of a version must be
/// spoken for by a rule: what no rule covers does not pass.
package struct TrustRule: Sendable, Hashable {
    /// The names that the rule is about.
    package var names: [NamePattern]
    /// The files that it is about; empty for all.
    package var paths: [PathPattern]
    /// Names of keys, and patterns of identities.
    package var signers: [String]
    /// How many of them must have signed, counted by identity.
    package var threshold: Int
    /// Seconds after which a signature counts no more.
    package var maximumAge: Int64?
    package var onMissing: MissingSignature

    package init(
        names: [NamePattern], paths: [PathPattern] = [], signers: [String], threshold: Int = 1,
        maximumAge: Int64? = nil, onMissing: MissingSignature = .reject
    ) {
        self.names = names
        self.paths = paths
        self.signers = signers
        self.threshold = threshold
        self.maximumAge = maximumAge
        self.onMissing = onMissing
    }

    package func applies(to name: ArtifactName) -> Bool {
        names.contains { $0.weight(of: name.description) != nil }
    }

    func covers(_ path: ArtifactPath) -> Bool { paths.isEmpty || paths.contains { $0.matches(path) } }

    /// Whether signatures of a key count.
    package func accepts(_ key: TrustKey) -> Bool {
        signers.contains { $0 == key.name || PathPattern.matches(Array($0.utf8)[...], Array(key.identity.utf8)[...]) }
    }
}

/// Which files are meant: `*` is any part of one component, `?` one byte of it, `**` any number of components.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// nil for an empty text, and one longer than a path may be.
    package init?(_ text: String) {
        guard (1...1024).contains(text.utf8.count) else { return nil }
        description = text
    }

    package func matches(_ path: ArtifactPath) -> Bool {
        let pattern = description.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let components = path.description.utf8.split(separator: UInt8(ascii: "/"))
        // Which numbers of leading components the pattern so far may stand for: no pattern takes long.
        var reached: Set<Int> = [0]
        for part in pattern {
            if part.elementsEqual("**".utf8) {
                if let first = reached.min() { reached = Set(first...components.count) }
            } else {
                reached = Set(
                    reached.compactMap { count in
                        guard count < components.count, Self.matches(Array(part)[...], Array(components[count])[...])
                        else { return nil }
                        return count + 1
                    })
            }
        }
        return reached.contains(components.count)
    }

    /// Whether a text fits a pattern of `*` and `?`, which here know no components.
    static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var (place, position) = (pattern.startIndex, text.startIndex)
        // Where the last star stands, and where the text went on after it: only that one needs to be tried again.
        var retry: (place: Int, position: Int)?
        while position < text.endIndex {
            if place < pattern.endIndex, pattern[place] == UInt8(ascii: "*") {
                retry = (place + 1, position)
                place += 1
            } else if place < pattern.endIndex,
                pattern[place] == UInt8(ascii: "?") || pattern[place] == text[position]
            {
                place += 1
                position += 1
            } else if let last = retry {
                retry = (last.place, last.position + 1)
                (place, position) = (last.place, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// Everything that a site says about trust.
package struct TrustPolicy: Sendable, Hashable {
    package var keys: [TrustKey]
    package var rules: [TrustRule]

    package init(keys: [TrustKey] = [], rules: [TrustRule] = []) {
        self.keys = keys
        self.rules = rules
    }

    /// The rules about a name; a name without one is not restricted.
    package func rules(for name: ArtifactName) -> [TrustRule] { rules.filter { $0.applies(to: name) } }
}
