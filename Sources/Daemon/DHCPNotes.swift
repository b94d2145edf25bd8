internal import Authority
internal import Hosts
internal import Site

/// Puts DHCP exchanges on the machines' timelines.
struct DHCPNotes: Sendable {
    let site: @Sendable () -> Site
    let ledger: HostLedger

    /// An address that was given out, or a machine that got none; the packets between say nothing more.
    func note(_ observation: DHCPObservation) {
        let host = site().host(mac: observation.mac)?.name
        let client = [observation.vendorClass, observation.userClass.map { "user class \($0)" }].compactMap { $0 }
        switch observation.kind {
        case .acknowledge:
            let detail = (["\(observation.address?.description ?? "?")"] + client).joined(separator: ", ")
            ledger.noteDHCP(
                mac: observation.mac, address: observation.address, vendorClass: observation.vendorClass,
                detail: detail, host: host)
        case .discover where observation.note.contains("no address"):
            ledger.noteDHCP(
                mac: observation.mac, address: nil, vendorClass: observation.vendorClass,
                detail: (["asks, and there is no address for it"] + client).joined(separator: ", "), host: host)
        case .refuse:
            ledger.noteDHCP(
                mac: observation.mac, address: nil, vendorClass: observation.vendorClass,
                detail: "refused: \(observation.note)", host: host)
        default: break
        }
    }
}
