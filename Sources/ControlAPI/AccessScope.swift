package import Artifacts

/// What an account may do.
package enum AccessVerb: String, Codable, Sendable, CaseIterable, Comparable {
    case pull, push, delete, promote
    /// Hosts, accounts, the audit log and everything else of the server; for all names only.
    case admin

    package static func < (lhs: AccessVerb, rhs: AccessVerb) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Verbs on names, written `NAMES:VERB,VERB`: `debian/*:pull,push`, `site-images:pull`, `*:admin`. NAMES is one name, a
/// prefix that ends in `/*`, or `*` for all.
package struct AccessScope: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Why a text is no scope.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    package let names: NamePattern
    package let verbs: Set<AccessVerb>

    /// Everything.
    package static let all = AccessScope(names: .all, verbs: Set(AccessVerb.allCases))

    private init(names: NamePattern, verbs: Set<AccessVerb>) {
        self.names = names
        self.verbs = verbs
    }

    /// - Throws: `Fault` that names the part at fault and the form.
    package init(_ text: String) throws(Fault) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Fault(description: "scope '\(text)': write NAMES:VERB,VERB, as debian/*:pull,push")
        }
        let names = String(parts[0])
        guard let pattern = NamePattern(names) else {
            throw Fault(description: "scope '\(text)': '\(names)' must be \(NamePattern.forms)")
        }
        var verbs: Set<AccessVerb> = []
        for word in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let verb = AccessVerb(rawValue: String(word)) else {
                let known = AccessVerb.allCases.map(\.rawValue).joined(separator: ", ")
                throw Fault(description: "scope '\(text)': '\(word)' is none of \(known)")
            }
            verbs.insert(verb)
        }
        guard !verbs.contains(.admin) || names == "*" else {
            throw Fault(description: "scope '\(text)': admin is for all names: write *:admin")
        }
        self.init(names: pattern, verbs: verbs)
    }

    /// Whether the scope gives a verb on a name; nil stands for what belongs to no name.
    package func allows(_ verb: AccessVerb, _ name: String?) -> Bool {
        guard verbs.contains(verb) else { return false }
        return names == .all || name.map { names.weight(of: $0) != nil } == true
    }

    package var description: String { "\(names):\(verbs.sorted().map(\.rawValue).joined(separator: ","))" }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            self = try AccessScope(try container.decode(String.self))
        } catch let fault as Fault {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: fault.description)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
