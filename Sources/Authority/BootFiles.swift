package import Site

/// What machines are told to boot, by what they say they are. Paths are those of our TFTP server; HTTP has the same ones.
package struct BootFiles: Sendable {
    /// Stage 1, for loaders that are iPXE.
    package var stage1URL: String
    /// What a path is below for HTTP, without a slash at the end.
    package var base: String
    /// This site's GRUB, for a machine that verifies by it and starts by BIOS.
    package var grubBIOS: String
    /// The same for UEFI.
    package var grubUEFI: String
    /// The unified kernel image of a machine whose firmware verifies.
    package var kernelImage: @Sendable (MACAddress) -> String

    package init(
        stage1URL: String, base: String, grubBIOS: String, grubUEFI: String,
        kernelImage: @escaping @Sendable (MACAddress) -> String
    ) {
        self.stage1URL = stage1URL
        self.base = base
        self.grubBIOS = grubBIOS
        self.grubUEFI = grubUEFI
        self.kernelImage = kernelImage
    }
}
