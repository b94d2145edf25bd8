import Hosts
import Testing

@testable import Site

/// Where a host stands, from its assignment and its timeline.
@Suite struct HostStateTests {
    private func state(_ boot: BootFrequency?, isInstalled: Bool = false, _ kinds: [HostEvent.Kind]) -> HostState {
        HostState.derive(
            assignment: boot.map { Assignment(host: "one", profile: $0 == .local ? nil : "debian", boot: $0) },
            isInstalled: isInstalled, events: kinds.map { HostEvent(kind: $0, detail: "", time: 0) })
    }

    @Test(
        arguments: [
            ([], .armed), ([.dhcp], .armed), ([.dhcp, .loader], .armed), ([.script], .booting),
            ([.dhcp, .script, .kernel, .initrd, .answer], .booting), ([.script, .up], .up),
            ([.script, .up, .log], .up),
            ([.script, .installed, .armed], .armed), ([.script, .installed, .armed, .script], .booting),
            ([.script, .failure], .booting), ([.up, .dhcp], .up), ([.script, .held], .armed),
            ([.script, .refused], .armed),
        ] as [([HostEvent.Kind], HostState)])
    func aHostThatBootsOnceAndIsNotInstalled(_ kinds: [HostEvent.Kind], _ expected: HostState) {
        #expect(state(.once, kinds) == expected)
    }

    @Test(arguments: [[], [.script], [.script, .installed], [.installed, .dhcp, .script]] as [[HostEvent.Kind]])
    func aHostThatBootsOnceAndIsInstalled(_ kinds: [HostEvent.Kind]) {
        #expect(state(.once, isInstalled: true, kinds) == .installed)
    }

    @Test(
        arguments: [
            ([], .armed), ([.script], .booting), ([.script, .up], .up), ([.script, .installed], .armed),
        ] as [([HostEvent.Kind], HostState)])
    func aHostThatBootsAlwaysIsNeverInstalled(_ kinds: [HostEvent.Kind], _ expected: HostState) {
        #expect(state(.always, isInstalled: true, kinds) == expected)
    }

    @Test(arguments: [[], [.script], [.script, .installed]] as [[HostEvent.Kind]])
    func aHostWithoutAProfileBootsItsDisk(_ kinds: [HostEvent.Kind]) {
        #expect(state(.local, kinds) == .local)
        #expect(state(nil, isInstalled: true, kinds) == .local)
    }
}
