package import Site

extension HostState {
    /// Where a host stands, from its assignment and its timeline.
    package static func derive(
        assignment: Assignment?, isInstalled: Bool, events: [HostEvent]
    ) -> HostState {
        guard let assignment, assignment.boot != .local else { return .local }
        if assignment.boot == .once, isInstalled { return .installed }
        let last = events.last { [.script, .held, .refused, .up, .installed, .armed, .kernel].contains($0.kind) }
        return switch last?.kind {
        case .script, .kernel: .booting
        case .up: .up
        case .installed, .armed: .armed
        default: .armed
        }
    }
}
