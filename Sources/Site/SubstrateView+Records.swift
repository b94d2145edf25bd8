/// A DNS record as the site file derives it.
package struct DNSRecord: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case address(IPv4Address)
        case alias(DomainName)
    }

    package let name: DomainName
    package let value: Value
}

extension SubstrateView {
    /// The zones that this substrate's authority answers for.
    package var zones: [DomainName] { [substrate.zone] + (site.management.zone.map { [$0] } ?? []) }

    /// Address records first (the first name of an address is the one its reverse record gives), then aliases; each in
    /// the order of the file.
    package var records: [DNSRecord] { addressRecords + aliasRecords }

    private var addressRecords: [DNSRecord] {
        var records: [DNSRecord] = []
        var seen: Set<DNSRecord> = []
        func add(_ name: DomainName, _ address: IPv4Address) {
            let record = DNSRecord(name: name, value: .address(address))
            if seen.insert(record).inserted { records.append(record) }
        }
        if let provisioner, let address = address(of: provisioner.interface), let name = provisionerName {
            add(name, address)
            add(fullName(of: provisioner.host), address)
        }
        if let zone = site.management.zone {
            for host in site.hosts where host.substrate == nil {
                for interface in host.interfaces {
                    guard let place = interface.segment, place.substrate != substrate.name,
                        let address = address(of: interface)
                    else { continue }
                    add(zone.prefixed("\(host.name)-\(place.substrate)"), address)
                }
            }
        }
        for host in site.hosts where host.substrate == substrate.name {
            if let address = host.primaryInterface.flatMap({ address(of: $0) }) { add(fullName(of: host), address) }
            // An interface needs a name of its own only beside others: alone, it is the host.
            let addressed = host.interfaces.compactMap { interface in
                address(of: interface).map { (interface.name, $0) }
            }
            guard addressed.count > 1 else { continue }
            for (name, address) in addressed { add(substrate.zone.prefixed("\(host.name)-\(name)"), address) }
        }
        return records
    }

    private var aliasRecords: [DNSRecord] {
        var records: [DNSRecord] = []
        func add(_ name: DomainName, _ target: DomainName) {
            if name != target { records.append(DNSRecord(name: name, value: .alias(target))) }
        }
        for service in site.services {
            switch service.zone {
            case .management:
                guard let target = target(of: service) else { continue }
                let exposed = service.exposedIn.contains(substrate.name) ? substrate.zone.prefixed(service.name) : nil
                if let stable = site.management.zone?.prefixed(service.name) {
                    add(stable, target)
                    if let exposed { add(exposed, stable) }
                } else if let exposed {
                    add(exposed, target)
                }
            case .substrate(let name):
                guard name == substrate.name, let target = target(of: service) else { continue }
                add(substrate.zone.prefixed(service.name), target)
            }
        }
        return records
    }

    /// Where a service lives now.
    private func target(of service: Service) -> DomainName? {
        switch service.provider {
        case .authority:
            if mode == .router, let host = site.authority(of: substrate.name)?.router?.host.flatMap({ site.host($0) }) {
                return fullName(of: host)
            }
            return mode == .provisioner ? provisionerName : nil
        case .host(let name):
            guard let host = site.host(name) else { return nil }
            if host.substrate == nil { return host.name == provisioner?.host.name ? provisionerName : nil }
            return fullName(of: host)
        }
    }

    /// Names that would be two different things, and aliases that lead nowhere: none in a valid site.
    func nameClashes() -> [String] {
        var clashes: [String] = []
        var addresses: [DomainName: IPv4Address] = [:]
        var aliases: Set<DomainName> = []
        for record in records {
            switch record.value {
            case .address(let address):
                if let other = addresses.updateValue(address, forKey: record.name), other != address {
                    clashes.append("\(record.name) would be both \(other) and \(address): rename a host or interface")
                }
            case .alias:
                if addresses[record.name] != nil || !aliases.insert(record.name).inserted {
                    clashes.append("\(record.name) would be two things: rename the service or the host")
                }
            }
        }
        for record in records {
            if case .alias(let target) = record.value, addresses[target] == nil, !aliases.contains(target) {
                clashes.append("\(record.name) would lead to \(target), which has no address")
            }
        }
        return clashes
    }
}
