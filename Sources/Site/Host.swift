/// A machine's identity: names, hardware addresses, addresses. What it boots is intent and stands elsewhere.
package struct Host: Hashable, Sendable {
    package var name: String
    package var form: HostForm?
    /// The substrate whose zone holds its name; nil for hosts of the management plane.
    package var substrate: String?
    package var interfaces: [Interface]
    /// SMBIOS UUID in canonical lower case, where the operator pinned it.
    package var uuid: String?
    /// SMBIOS serial number, where the operator pinned it.
    package var serial: String?
    /// The processor architecture the machine must report, where the operator pinned it.
    package var architecture: Architecture?
    /// Bytes of a TFTP block that its firmware can take, where that is less than the network can carry.
    package var tftpBlockSize: Int?

    /// The interface whose address the host's own name has: the one marked primary, else the first with an address.
    package var primaryInterface: Interface? {
        interfaces.first { $0.isPrimary } ?? interfaces.first { $0.segment != nil && $0.address != .dhcp }
    }
}

/// What kind of machine a host is, by the two letters at the end of its name's role.
package enum HostForm: String, Hashable, Sendable, CaseIterable {
    case hypervisor = "hv"
    case virtualMachine = "vm"
    case physical = "ph"
    case raspberryPi = "pi"
    case embedded = "em"
    case router = "rt"
    case networkSwitch = "sw"
    case accessPoint = "ap"
}

/// A processor architecture by its usual name.
package enum Architecture: String, Hashable, Sendable, CaseIterable {
    // swift-format-ignore: AlwaysUseLowerCamelCase
    case x86_64
    case i386, arm64, arm32, riscv64

    /// Accepts the spellings of iPXE's `buildarch`, of `uname -m` and of Debian.
    package init?(any text: some StringProtocol) {
        switch text.lowercased() {
        case "x86_64", "amd64", "x64": self = .x86_64
        case "i386", "i686", "x86": self = .i386
        case "arm64", "aarch64": self = .arm64
        case "arm32", "arm", "armhf": self = .arm32
        case "riscv64": self = .riscv64
        default: return nil
        }
    }
}

/// One network interface of a host.
package struct Interface: Hashable, Sendable {
    package var name: String
    package var mac: MACAddress
    /// Where it is plugged in; nil for an uplink outside the site.
    package var segment: SegmentName?
    package var address: InterfaceAddress
    /// The address a router keeps while the provisioner holds the gateway's.
    package var addressInRebuild: IPv4Address?
    /// In provisioner mode this interface takes the segment's gateway address.
    package var claimsGateway: Bool
    package var isUplink: Bool
    package var isPrimary: Bool
}

/// `substrate/segment`.
package struct SegmentName: Hashable, Sendable, CustomStringConvertible {
    package var substrate: String
    package var segment: String
    package var description: String { "\(substrate)/\(segment)" }
}

/// How an interface gets its address.
package enum InterfaceAddress: Hashable, Sendable {
    case fixed(IPv4Address)
    /// The segment's gateway address.
    case gateway
    case dhcp
}
