internal import Boot
package import Site

/// One step of a machine's way, as the timeline shows it.
package struct HostEvent: Hashable, Sendable {
    /// What happened. Names are stored: never change one.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// It got, or asked for, an address.
        case dhcp
        /// It fetched a boot loader.
        case loader
        /// It was given a script; the detail says which.
        case script
        /// It was told to wait; the detail says for what.
        case held
        /// It contradicts the site file; the detail says how.
        case refused
        case kernel, initrd
        /// It fetched another file.
        case file
        /// It fetched its answer file.
        case answer
        /// It reported that it runs.
        case up
        /// It reported that it is installed.
        case installed
        /// An operator armed it.
        case armed
        /// A line it sent by syslog.
        case log
        /// A request of it failed.
        case failure
    }

    package let kind: Kind
    package let detail: String
    /// Milliseconds since 1970.
    package let time: Int64
    /// Bytes that were sent, where a transfer is meant.
    package let bytes: Int64?

    package init(kind: Kind, detail: String, time: Int64, bytes: Int64? = nil) {
        self.kind = kind
        self.detail = PrintableText.line(detail)
        self.time = time
        self.bytes = bytes
    }
}

/// A machine with what is known of it.
package struct MachineRecord: Hashable, Sendable {
    package let mac: MACAddress
    /// The host it is in the site file; nil for a discovered machine.
    package var host: String?
    package var address: IPv4Address?
    package var uuid: String?
    package var serial: String?
    package var architecture: String?
    package var platform: String?
    package var vendorClass: String?
    /// Milliseconds since 1970.
    package var firstSeen: Int64
    package var lastSeen: Int64
    /// The newest, oldest first.
    package var events: [HostEvent]
}

/// Where a host stands.
package enum HostState: String, Hashable, Sendable {
    /// Not in the site file.
    case discovered
    /// In the site file, never seen.
    case expected
    /// Will be given its profile at the next boot.
    case armed
    /// Has been given its profile and did not report yet.
    case booting
    /// Has reported that it runs, and will be given its profile again.
    case up
    /// Has reported that it is installed: boots its disk.
    case installed
    /// Boots its disk, by assignment or for want of one.
    case local
}
