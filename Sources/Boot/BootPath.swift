package import Site

/// Paths of the boot plane that DHCP, loaders and the server have to agree on; without a slash in front.
package enum BootPath {
    /// Boot loaders, by file name.
    package static let loaders = "loaders"
    /// Where iPXE asks for its machine's script.
    package static let script = "ipxe/script"
    /// The field of that question by which a machine's script is looked at, and nothing happens to the machine.
    package static let preflight = "preflight"
    /// What GRUB asks for.
    package static let grub = "grub"
    /// Files of artifacts below `grub`, each with a signature beside it.
    package static let grubFiles = "files"
    package static let kernelImages = "uki"
    /// What follows the name of a file that GRUB loads for its signature (GRUB manual, "Using digital signatures").
    package static let grubSignatureEnding = ".sig"

    /// Where a machine's GRUB finds its configuration.
    package static func grubConfiguration(_ mac: String) -> String { "\(grub)/\(mac).cfg" }

    /// Where a machine's firmware finds its unified kernel image.
    package static func kernelImage(_ mac: MACAddress) -> String { "\(kernelImages)/\(mac).efi" }
}

/// Firmware that this server makes a GRUB for.
package enum GRUBPlatform: String, CaseIterable, Hashable, Sendable {
    /// Started by the network card's PXE program of a BIOS.
    case bios
    case uefi

    /// The file name among the loaders.
    package var loaderName: String {
        switch self {
        case .bios: "grub-pc.0"
        case .uefi: "grub-x64.efi"
        }
    }

    /// nil for another loader.
    package init?(loaderName: String) {
        guard let platform = Self.allCases.first(where: { $0.loaderName == loaderName }) else { return nil }
        self = platform
    }
}
