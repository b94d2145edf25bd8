internal import Site

/// Which loader a machine gets.
extension DnsmasqConfiguration {
    /// A machine whose profile is verified before an iPXE of ours could run.
    struct VerifyingMachine {
        let mac: MACAddress
        let verifier: BootVerifier

        /// dnsmasq's tag for the machine: one for all that load the same.
        var tag: String {
            verifier == .grub ? "grub" : "uki-" + mac.description.replacing(":", with: "")
        }
    }

    /// In the order of the file, every interface on this segment.
    var verifying: [VerifyingMachine] {
        view.site.hosts.flatMap { host -> [VerifyingMachine] in
            guard let assignment = view.site.assignment(ofHost: host.name), assignment.boot != .local,
                let verifier = assignment.profile.flatMap({ view.site.profile($0) })?.verifier, verifier != .ipxe
            else { return [] }
            let here = host.interfaces.filter {
                $0.segment?.substrate == view.substrate.name && $0.segment?.segment == segment.name
            }
            return here.map { VerifyingMachine(mac: $0.mac, verifier: verifier) }
        }
    }

    /// Option 93 (RFC 4578; IANA "Processor Architecture Types") chooses the loader; iPXE's user class breaks the loop.
    var booting: [String] {
        let tags = verifying.map(\.tag).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        // Of several lines that match, dnsmasq takes the last one of the file only by accident: each says whom it is for.
        let others = tags.map { "tag:!\($0)," }.joined()
        let next = ",\(serverName),\(server)"
        var lines = [
            // Firmware reads the header's file field; shim reads nothing else.
            "dhcp-no-override",
            "dhcp-userclass=set:ipxe,iPXE",
            "dhcp-match=set:bios,option:client-arch,0",
            "dhcp-match=set:efi64,option:client-arch,7",
            "dhcp-match=set:efi64,option:client-arch,9",
            "dhcp-match=set:efi64http,option:client-arch,16",
            "dhcp-boot=tag:ipxe,\(bootFiles.stage1URL)",
            "dhcp-boot=tag:!ipxe,\(others)tag:bios,loaders/undionly.kpxe\(next)",
            "dhcp-boot=tag:!ipxe,\(others)tag:efi64,loaders/snponly.efi\(next)",
            "dhcp-boot=tag:!ipxe,\(others)tag:efi64http,\(bootFiles.base)/loaders/ipxe.efi",
        ]
        if tags.contains("grub") {
            lines += [
                "dhcp-boot=tag:!ipxe,tag:grub,tag:bios,\(bootFiles.grubBIOS)\(next)",
                "dhcp-boot=tag:!ipxe,tag:grub,tag:efi64,\(bootFiles.grubUEFI)\(next)",
                "dhcp-boot=tag:!ipxe,tag:grub,tag:efi64http,\(bootFiles.base)/\(bootFiles.grubUEFI)",
            ]
        }
        for machine in verifying where machine.verifier == .firmware {
            let image = bootFiles.kernelImage(machine.mac)
            lines += [
                // A BIOS cannot verify: iPXE tells so.
                "dhcp-boot=tag:!ipxe,tag:\(machine.tag),tag:bios,loaders/undionly.kpxe\(next)",
                "dhcp-boot=tag:!ipxe,tag:\(machine.tag),tag:efi64,\(image)\(next)",
                "dhcp-boot=tag:!ipxe,tag:\(machine.tag),tag:efi64http,\(bootFiles.base)/\(image)",
            ]
        }
        return lines + ["dhcp-option-force=tag:!ipxe,tag:efi64http,60,HTTPClient", "log-dhcp"]
    }
}
