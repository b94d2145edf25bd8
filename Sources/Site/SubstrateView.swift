/// What one substrate sees of the site in one mode: names, addresses, reservations. Pure: the same site and mode give
/// the same view always. `artifacts.<management zone>` differs between substrates, so records are always a view's.
package struct SubstrateView: Sendable {
    package let site: Site
    package let substrate: Substrate
    package let mode: AuthorityMode

    /// The management host's leg on this substrate, and the segment it is on: where this program serves from.
    package struct Provisioner: Sendable, Hashable {
        package let host: Host
        package let interface: Interface
        package let segment: Segment
    }

    /// nil when there is no such substrate.
    package init?(site: Site, substrate name: String, mode: AuthorityMode) {
        guard let substrate = site.substrate(name) else { return nil }
        self.site = site
        self.substrate = substrate
        self.mode = mode
    }

    /// nil when no host of the management plane has a leg here: one that claims the gateway is preferred.
    package var provisioner: Provisioner? {
        let legs = site.hosts.filter { $0.substrate == nil }.flatMap { host in
            host.interfaces.compactMap { interface -> Provisioner? in
                guard let name = interface.segment, name.substrate == substrate.name,
                    let segment = substrate.segment(name.segment)
                else { return nil }
                return Provisioner(host: host, interface: interface, segment: segment)
            }
        }
        return legs.first { $0.interface.claimsGateway } ?? (mode == .router ? legs.first : nil)
    }

    /// An interface's address in this view's mode; nil when it has none that the file fixes.
    package func address(of interface: Interface, mode: AuthorityMode) -> IPv4Address? {
        let segment = interface.segment.flatMap { site.substrate($0.substrate)?.segment($0.segment) }
        if mode == .provisioner {
            if interface.claimsGateway { return segment?.gateway }
            if let rebuild = interface.addressInRebuild { return rebuild }
        }
        return switch interface.address {
        case .fixed(let address): address
        case .gateway: segment?.gateway
        case .dhcp: nil
        }
    }

    package func address(of interface: Interface) -> IPv4Address? {
        // Another substrate's leg has the address of that substrate's declared mode.
        let other = interface.segment.flatMap {
            $0.substrate == substrate.name ? nil : site.authority(of: $0.substrate)
        }
        return address(of: interface, mode: other?.declared ?? mode)
    }

    /// The name of the provisioner's leg on this substrate: `provisioner-01-dvntm.mgmt.example.net`, or without a
    /// management zone `provisioner-01.dvntm.example.net`.
    package var provisionerName: DomainName? {
        provisioner.map { provisioner in
            site.management.zone?.prefixed("\(provisioner.host.name)-\(substrate.name)")
                ?? substrate.zone.prefixed(provisioner.host.name)
        }
    }

    /// The name by which machines of this substrate reach a service: always `<service>.<substrate zone>`; nil when it
    /// is not exposed here.
    package func serviceName(_ name: String) -> DomainName? {
        guard let service = site.service(name) else { return nil }
        guard service.zone == .substrate(substrate.name) || service.exposedIn.contains(substrate.name) else {
            return nil
        }
        return substrate.zone.prefixed(name)
    }

    /// A host's full name: in its substrate's zone, or the management zone.
    package func fullName(of host: Host) -> DomainName {
        if let zone = host.substrate.flatMap({ site.substrate($0)?.zone }) { return zone.prefixed(host.name) }
        return (site.management.zone ?? substrate.zone).prefixed(host.name)
    }

    /// The DHCP reservations of one segment in the order of the file: hosts that the file gives an address there.
    /// Our own leg is no client.
    package func reservations(of segment: Segment) -> [Reservation] {
        let place = SegmentName(substrate: substrate.name, segment: segment.name)
        return site.hosts.flatMap { host in
            host.interfaces.compactMap { interface in
                guard interface.segment == place, !interface.claimsGateway, let address = address(of: interface),
                    !(mode == .provisioner && address == segment.gateway)
                else { return nil }
                let isMain = host.primaryInterface == interface
                return Reservation(
                    mac: interface.mac, address: address,
                    hostName: isMain ? host.name : "\(host.name)-\(interface.name)")
            }
        }
    }
}

/// A DHCP reservation.
package struct Reservation: Hashable, Sendable {
    package let mac: MACAddress
    package let address: IPv4Address
    /// One label, no domain.
    package let hostName: String
}
