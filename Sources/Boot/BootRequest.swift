package import Site

/// What a firmware or loader told us of the machine it runs on. Every field may be a lie or missing.
package struct BootRequest: Hashable, Sendable {
    package var mac: MACAddress?
    /// SMBIOS UUID in canonical form; nil when the board has none worth the name.
    package var uuid: String?
    /// SMBIOS serial number; nil when it is a vendor's filler.
    package var serial: String?
    /// The name the machine was given by DHCP.
    package var hostName: String?
    /// The loader's own: a 32-bit loader on a 64-bit processor says i386.
    package var architecture: Architecture?
    /// `pcbios` or `efi`, as iPXE's `platform`.
    package var platform: String?
    /// Where the request came from.
    package var address: IPv4Address?

    package init(
        mac: MACAddress? = nil, uuid: String? = nil, serial: String? = nil, hostName: String? = nil,
        architecture: Architecture? = nil, platform: String? = nil, address: IPv4Address? = nil
    ) {
        self.mac = mac
        self.uuid = uuid
        self.serial = serial
        self.hostName = hostName
        self.architecture = architecture
        self.platform = platform
        self.address = address
    }

    /// Reads the fields as loaders send them (`mac`, `uuid`, `serial`, `hostname`, `arch`, `platform`): unusable values
    /// are dropped, not believed.
    package init(fields: [String: String], address: IPv4Address?) {
        self.init(
            mac: fields["mac"].flatMap { MACAddress($0) },
            uuid: fields["uuid"].flatMap { SystemIdentity.canonicalUUID($0) },
            serial: fields["serial"].flatMap { SystemIdentity.isUsableSerial($0) ? $0 : nil },
            hostName: fields["hostname"].flatMap { $0.isEmpty ? nil : $0.lowercased() },
            architecture: fields["arch"].flatMap { Architecture(any: $0) },
            platform: fields["platform"].flatMap { ["pcbios", "efi"].contains($0) ? $0 : nil },
            address: address)
    }
}
