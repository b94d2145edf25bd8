/// Finds hosts and assignments of a site in one step: a rack that boots asks for each host, on every request. Made from the
/// site's lists, and of no weight of its own when sites are compared.
struct HostIndex: Hashable, Sendable {
    private var byName: [String: Int] = [:]
    private var byFullName: [String: Int] = [:]
    private var byMAC: [MACAddress: Int] = [:]
    private var byUUID: [String: Int] = [:]
    private var bySerial: [String: Int] = [:]
    private var assignments: [String: Int] = [:]

    /// Where two of a list are alike, the first counts.
    init(hosts: [Host], substrates: [Substrate], assignments list: [Assignment]) {
        let zones = Dictionary(substrates.map { ($0.name, $0.zone) }) { first, _ in first }
        for (position, host) in hosts.enumerated() {
            Self.add(host.name, position, to: &byName)
            if let zone = host.substrate.flatMap({ zones[$0] }) {
                Self.add(zone.prefixed(host.name).description, position, to: &byFullName)
            }
            for interface in host.interfaces { Self.add(interface.mac, position, to: &byMAC) }
            if let uuid = host.uuid { Self.add(uuid, position, to: &byUUID) }
            if let serial = host.serial { Self.add(serial, position, to: &bySerial) }
        }
        for (position, assignment) in list.enumerated() { Self.add(assignment.host, position, to: &assignments) }
    }

    private static func add<Key>(_ key: Key, _ position: Int, to index: inout [Key: Int]) {
        if index[key] == nil { index[key] = position }
    }

    func host(named name: String) -> Int? { byName[name] }
    func host(fullName: String) -> Int? { byFullName[fullName] }
    func host(mac: MACAddress) -> Int? { byMAC[mac] }
    func host(uuid: String) -> Int? { byUUID[uuid] }
    func host(serial: String) -> Int? { bySerial[serial] }
    func assignment(ofHost name: String) -> Int? { assignments[name] }

    static func == (lhs: HostIndex, rhs: HostIndex) -> Bool { true }
    func hash(into hasher: inout Hasher) {}
}
