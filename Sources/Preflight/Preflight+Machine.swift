package import Boot
package import Site

/// Whose boot is gone through, and how.
extension Preflight {
    /// How a machine may start.
    package enum Firmware: String, CaseIterable, Sendable {
        case bios, uefi
        case uefiHTTP = "uefi-http"

        /// Option 93.
        var architecture: UInt16 { [.bios: 0, .uefi: 7, .uefiHTTP: 16][self] ?? 0 }
        /// As iPXE says it.
        var platform: String { self == .bios ? "pcbios" : "efi" }
    }

    package struct Machine: Sendable {
        package let host: Host
        package let interface: Interface
        /// What it is to get, by the site file and the catalog alone.
        package let decision: BootDecision

        package init(host: Host, interface: Interface, decision: BootDecision) {
            self.host = host
            self.interface = interface
            self.decision = decision
        }
    }

    package struct Options: Sendable {
        package var firmware: [Firmware]
        package var httpPort: Int
        package var tftpPort: UInt16
        /// Where the server is; then neither DHCP nor DNS is asked. nil: they are.
        package var server: IPv4Address?
        /// The interface of an address of this machine.
        package var interface: @Sendable (IPv4Network) -> String?
        /// The certificate of the boot key, where there is one; PEM.
        package var certificate: String?
        /// Whether the file at the first path is a signature, over the one at the second, that the site's GRUB takes; nil where its
        /// key is not known.
        package var isSignedForGRUB: @Sendable (String, String) async -> Bool? = { _, _ in nil }
        /// Whether an EFI program is signed by the boot key; nil where its certificate or sbverify is missing.
        package var isSignedForFirmware: @Sendable (String) async -> Bool? = { _ in nil }
        /// Milliseconds to wait for DHCP.
        package var patience: Int32 = 3000

        package init(
            firmware: [Firmware], httpPort: Int, tftpPort: UInt16, server: IPv4Address?, certificate: String?,
            interface: @escaping @Sendable (IPv4Network) -> String?
        ) {
            self.firmware = firmware
            self.httpPort = httpPort
            self.tftpPort = tftpPort
            self.server = server
            self.certificate = certificate
            self.interface = interface
        }
    }
}
