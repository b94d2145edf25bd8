package import Site

/// The values of a profile's variables for one boot of one host.
package struct ProfileExpansion: Sendable {
    package let names: BootNames
    package let host: Host
    package let mac: MACAddress?
    package let token: String

    package init(names: BootNames, host: Host, mac: MACAddress?, token: String) {
        self.names = names
        self.host = host
        self.mac = mac
        self.token = token
    }

    /// nil for what is no variable of ours, so that a shell's own `${...}` in an answer file stays.
    package func value(_ name: String) -> String? {
        switch ProfileVariable(name: name) {
        case .service(let service): names.service(service)?.description
        case .hostName: host.name
        case .hostFQDN: names.fullName(ofHost: host.name)?.description
        case .hostMAC: (mac ?? host.primaryInterface?.mac)?.description
        case .bootURL: names.perBoot(token)
        case .answerURL: names.perBoot(token) + "/answer"
        case nil: nil
        }
    }

    /// Fills in a template's variables.
    package func expand(_ template: VariableTemplate) -> String { template.expanded(value) }
}
