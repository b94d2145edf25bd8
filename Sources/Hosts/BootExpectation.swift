package import Site

/// What a machine should come to.
package struct BootExpectation: Hashable, Sendable {
    /// It is given something to boot.
    package let boots: Bool
    /// It tells when it is installed.
    package let reports: Bool

    /// - Parameters:
    ///   - assignment: of its host; nil for a machine that is none.
    ///   - isInstalled: whether the host reported so.
    ///   - events: the machine's timeline.
    package init(assignment: Assignment?, isInstalled: Bool, events: [HostEvent]) {
        let state = HostState.derive(assignment: assignment, isInstalled: isInstalled, events: events)
        boots = [.armed, .booting, .up].contains(state)
        reports = boots && assignment?.boot == .once
    }
}
