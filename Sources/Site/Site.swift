package import Artifacts
package import Trust

/// The site file as values: the single source of truth about substrates, segments, hosts, services, profiles and
/// authority. Only `Site.parse` makes one, so a `Site` in hand has passed every rule.
package struct Site: Hashable, Sendable {
    /// The schema this version reads.
    package static let schema = "provisioner.site/1"

    /// SHA-256 of the file's bytes: the revision that every rendering of it carries.
    package let revision: Digest
    package var rootDomain: DomainName
    package var management: Management
    package var substrates: [Substrate] { didSet { reindex() } }
    package var hosts: [Host] { didSet { reindex() } }
    package var services: [Service]
    package var profiles: [Profile]
    package var assignments: [Assignment] { didSet { reindex() } }
    package var authorities: [Authority]
    package var policy: AuthorityPolicy
    /// Whose signatures artifacts need.
    package var trust: TrustPolicy
    private var index: HostIndex

    init(
        revision: Digest, rootDomain: DomainName, management: Management, substrates: [Substrate], hosts: [Host],
        services: [Service], profiles: [Profile], assignments: [Assignment], authorities: [Authority],
        policy: AuthorityPolicy, trust: TrustPolicy
    ) {
        self.revision = revision
        self.rootDomain = rootDomain
        self.management = management
        self.substrates = substrates
        self.hosts = hosts
        self.services = services
        self.profiles = profiles
        self.assignments = assignments
        self.authorities = authorities
        self.policy = policy
        self.trust = trust
        index = HostIndex(hosts: hosts, substrates: substrates, assignments: assignments)
    }

    private mutating func reindex() {
        index = HostIndex(hosts: hosts, substrates: substrates, assignments: assignments)
    }

    package func substrate(_ name: String) -> Substrate? { substrates.first { $0.name == name } }
    /// The substrate that has an address on one of its segments.
    package func substrate(containing address: IPv4Address) -> Substrate? {
        substrates.first { $0.segments.contains { $0.subnet?.contains(address) == true } }
    }
    package func host(_ name: String) -> Host? { index.host(named: name).map { hosts[$0] } }
    /// The host that has an interface with this MAC.
    package func host(mac: MACAddress) -> Host? { index.host(mac: mac).map { hosts[$0] } }
    /// The host that pins this UUID, in canonical form.
    package func host(uuid: String) -> Host? { index.host(uuid: uuid).map { hosts[$0] } }
    package func host(serial: String) -> Host? { index.host(serial: serial).map { hosts[$0] } }
    /// The host whose full name on its substrate this is.
    package func host(fullName: String) -> Host? { index.host(fullName: fullName).map { hosts[$0] } }
    package func profile(_ name: String) -> Profile? { profiles.first { $0.name == name } }
    package func assignment(ofHost name: String) -> Assignment? {
        index.assignment(ofHost: name).map { assignments[$0] }
    }
    package func authority(of substrate: String) -> Authority? { authorities.first { $0.substrate == substrate } }
    package func service(_ name: String) -> Service? { services.first { $0.name == name } }
}

/// The management plane's own zone.
package struct Management: Hashable, Sendable {
    /// nil: there is no management zone, and its services live in the substrates' zones.
    package var zone: DomainName?
    /// Seconds that records of every zone may be cached: 60 unless said.
    package var ttl: Int
}

/// Where workloads run: own zone, own address space, own boundary.
package struct Substrate: Hashable, Sendable {
    package var name: String
    package var zone: DomainName
    package var cidr: IPv4Network?
    package var segments: [Segment]
    /// What may be loaded from here at once.
    package var bootBudget = BootBudget()

    package func segment(_ name: String) -> Segment? { segments.first { $0.name == name } }
}

/// How many machines of a substrate may load what they boot at once, and how many bytes in all: beyond it they wait, in the
/// order in which they came.
package struct BootBudget: Hashable, Sendable {
    /// As many as keep a link of 10 Gbit/s busy while the next ones come (BootStormTests), and few enough that each has its files
    /// in little more than a minute at 1 Gbit/s.
    package var machines = 128
    package var bytes: Int64 = 16 << 30

    package init() {}
}

/// One layer-2 network of a substrate.
package struct Segment: Hashable, Sendable {
    package var name: String
    package var vlan: Int?
    /// nil for a segment that carries no addresses (a black hole).
    package var subnet: IPv4Network?
    package var gateway: IPv4Address?
    package var pool: AddressPool?
}

/// Addresses for machines that have no reservation.
package struct AddressPool: Hashable, Sendable {
    package var first: IPv4Address
    package var last: IPv4Address
    /// nil: in both modes.
    package var onlyIn: AuthorityMode?

    package func contains(_ address: IPv4Address) -> Bool { first <= address && address <= last }
}

/// Who answers DNS and DHCP on a substrate.
package enum AuthorityMode: String, Hashable, Sendable, CaseIterable {
    /// Business as usual.
    case router
    /// Rebuild: this program.
    case provisioner
}

/// What the site file declares about a substrate's authority.
package struct Authority: Hashable, Sendable {
    package var substrate: String
    package var declared: AuthorityMode
    /// nil where a substrate has no router of its own.
    package var router: Router?

    package struct Router: Hashable, Sendable {
        package var kind: String
        /// The host that is the router; nil when it is not described in this file.
        package var host: String?
        /// A `secret:` reference.
        package var credentials: String?
    }
}

/// Rules for changes of authority; durations in seconds.
package struct AuthorityPolicy: Hashable, Sendable {
    package var confirmWithin = 600
    package var rebuildLease = 600
    package var requireUniqueDHCP = true
    /// nil: the resolvers of the uplink.
    package var upstreamDNS: [IPv4Address]?
}
