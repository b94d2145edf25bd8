internal import ConfigurationFile

extension SiteReader {
    /// Keys that users of other tools put into hosts; they are intent and belong in profiles.
    private static let intentKeys = ["packages", "kernel", "initrd", "args", "image", "profile", "boot"]

    func readHost(_ name: String, _ section: YAMLSection) -> Host? {
        for key in Self.intentKeys {
            section.refuse(key, "V40", "hosts hold identity only: put this into a profile and assign it")
        }
        let form = section.choice("form", "V02", as: HostForm.self)
        let plane = section.requiredString("plane", example: "management")
        let uuid = section.string("uuid").flatMap { readUUID($0, section) }
        let serial = section.string("serial")
        if let serial, !SystemIdentity.isUsableSerial(serial) {
            section.fail(
                "serial", "V02", "'\(serial)' does not tell machines apart: use the one printed on the case, or none")
        }
        let architecture = section.choice("arch", "V02", as: Architecture.self)
        let blockSize = section.integer("tftp_blksize", in: 512...65464)
        let interfaces = named("interfaces", in: section) { readInterface($0, $1) }
        return plane.map { plane in
            Host(
                name: name, form: form, substrate: plane == "management" ? nil : plane, interfaces: interfaces,
                uuid: uuid, serial: serial, architecture: architecture, tftpBlockSize: blockSize)
        }
    }

    private func readUUID(_ text: String, _ section: YAMLSection) -> String? {
        guard let uuid = SystemIdentity.canonicalUUID(text) else {
            section.fail("uuid", "V02", "'\(text)' is not a usable UUID: 8-4-4-4-12 hexadecimal digits, not all equal")
            return nil
        }
        return uuid
    }

    private func readInterface(_ name: String, _ section: YAMLSection) -> Interface? {
        let mac = section.requiredString("mac", "V03", example: "52:54:00:12:34:56")
            .flatMap { readMAC($0, section) }
        let segment = section.string("at").flatMap { readSegmentName($0, section) }
        let address = readInterfaceAddress(section)
        let rebuild = section.string("ip_in_rebuild").flatMap { self.address($0, section, "ip_in_rebuild") }
        let interface = mac.map { mac in
            Interface(
                name: name, mac: mac, segment: segment, address: address, addressInRebuild: rebuild,
                claimsGateway: section.boolean("claims_gateway") ?? false,
                isUplink: section.boolean("uplink") ?? false, isPrimary: section.boolean("primary") ?? false)
        }
        if interface == nil { for key in ["claims_gateway", "uplink", "primary"] { _ = section.boolean(key) } }
        return interface
    }

    private func readMAC(_ text: String, _ section: YAMLSection) -> MACAddress? {
        guard let mac = MACAddress(canonical: text) else {
            let fix =
                MACAddress(text).map { "write it as \"\($0)\"" } ?? "write six lower-case pairs with colons, in quotes"
            section.fail("mac", "V03", "'\(text)' is not a MAC address in canonical form: \(fix)")
            return nil
        }
        guard !mac.isMulticast, mac.value != 0 else {
            section.fail(
                "mac", "V03", "'\(text)' is a \(mac.value == 0 ? "zero" : "multicast") address: no machine has it")
            return nil
        }
        return mac
    }

    private func readSegmentName(_ text: String, _ section: YAMLSection) -> SegmentName? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            section.fail("at", "V42", "'\(text)' must be SUBSTRATE/SEGMENT")
            return nil
        }
        return SegmentName(substrate: String(parts[0]), segment: String(parts[1]))
    }

    private func readInterfaceAddress(_ section: YAMLSection) -> InterfaceAddress {
        switch section.string("ip") {
        case nil, "dhcp": .dhcp
        case "gateway": .gateway
        case .some(let text): address(text, section, "ip").map(InterfaceAddress.fixed) ?? .dhcp
        }
    }
}
