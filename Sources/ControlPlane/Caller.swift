internal import Artifacts
package import ControlAPI
internal import HTTPTypes

/// Who sent a request, and what they may do.
package struct Caller: Hashable, Sendable {
    /// As the audit log and the program's log name them.
    package let name: String
    package let scopes: [AccessScope]
    /// On the server itself, over its socket.
    package let isLocal: Bool

    package init(name: String, scopes: [AccessScope], isLocal: Bool = false) {
        self.name = name
        self.scopes = scopes
        self.isLocal = isLocal
    }

    /// Nobody yet: for the routes of a login.
    static let anonymous = Caller(name: "anonymous", scopes: [])

    /// Whether they may do something with a name; nil stands for what belongs to no name.
    func may(_ verb: AccessVerb, _ name: ArtifactName?) -> Bool {
        scopes.contains { $0.allows(verb, name?.description) }
    }

    /// - Throws: `ControlError` 403 that names the scope that is missing.
    func require(_ verb: AccessVerb, _ name: ArtifactName?) throws {
        guard !may(verb, name) else { return }
        throw ControlError(
            .forbidden, "DENIED",
            "\(self.name) lacks the scope '\(name?.description ?? "*"):\(verb.rawValue)': use a token that has it")
    }
}
