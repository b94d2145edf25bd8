internal import Authority
internal import ControlAPI
internal import Site
internal import Synchronization

/// What was last reported of each substrate's DNS and DHCP.
final class AuthorityStates: Sendable {
    /// Why there are no reports; nil while they come.
    private struct Content {
        var states: [AuthorityReport.State] = []
        var absence: String?
    }

    private let content = Mutex(Content())

    func replace(_ states: [AuthorityReport.State]) {
        content.withLock { $0 = Content(states: states, absence: nil) }
    }

    func lose(_ reason: String) { content.withLock { $0 = Content(states: [], absence: reason) } }

    /// One entry for each substrate of the site file.
    func list(for site: Site) -> [ServerStatus.Authority] {
        let content = content.withLock { $0 }
        return site.authorities.map { authority in
            let declared = authority.declared.rawValue
            if let state = content.states.first(where: { $0.substrate == authority.substrate }) {
                return ServerStatus.Authority(
                    substrate: authority.substrate, declared: declared, state: state.text,
                    isAnswering: state.isAnswering)
            }
            let text =
                switch authority.declared {
                case .router: "left to the router"
                case .provisioner: content.absence ?? "not answering DNS and DHCP"
                }
            return ServerStatus.Authority(
                substrate: authority.substrate, declared: declared, state: text, isAnswering: false)
        }
    }
}
