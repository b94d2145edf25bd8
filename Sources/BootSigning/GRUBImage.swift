internal import Archives
internal import Artifacts

/// A GRUB that was put together for this site: it loads nothing that this server's key has not signed (GRUB manual, "Using
/// digital signatures in GRUB"), its own first configuration excepted, which is inside.
package struct GRUBImage: Sendable {
    /// Firmware that GRUB is made for.
    package enum Platform: String, CaseIterable, Sendable {
        /// Started by the network card's PXE program of a BIOS.
        case bios = "i386-pc-pxe"
        case uefi = "x86_64-efi"

        /// Where Debian has its modules, and the package that does.
        var modules: (folder: String, package: String) {
            switch self {
            case .bios: ("/usr/lib/grub/i386-pc", "grub-pc-bin")
            case .uefi: ("/usr/lib/grub/x86_64-efi", "grub-efi-amd64-bin")
            }
        }
    }

    /// The network, Linux, signatures, and a local disk to hand over to. Nothing can be added later: modules are files, too.
    private static let common = [
        "normal", "linux", "boot", "configfile", "echo", "sleep", "true", "test", "regexp", "net", "http", "tftp",
        "pgp",
        "gcry_sha256", "gcry_sha512", "gcry_sha1", "gcry_rsa", "gcry_dsa", "memdisk", "newc", "minicmd", "gzio",
        "search",
        "search_fs_file", "eval", "part_gpt", "part_msdos", "fat", "chain",
    ]

    /// In the image's memory disk. Not its root: GRUB would add the folder that firmware loaded the image from, and find no
    /// configuration (its `kern/main.c`, `grub_set_prefix_and_root`).
    private static let folder = "boot"

    private static func modules(_ platform: Platform) -> [String] {
        switch platform {
        case .bios: common + ["pxe", "biosdisk"]
        case .uefi: common + ["efinet", "efi_gop", "all_video"]
        }
    }

    /// Makes the image. The same inputs give the same bytes, with the same version of Debian's GRUB.
    /// - Parameters:
    ///   - platform: what it runs on.
    ///   - publicKey: OpenPGP, binary.
    ///   - configuration: what it runs first, and what must never end.
    ///   - directory: for the work.
    /// - Returns: the image's bytes.
    /// - Throws: `BootSigningError` when grub-mkimage or the modules are missing.
    package static func make(
        for platform: Platform, publicKey: [UInt8], configuration: [UInt8], in directory: String
    ) async throws(BootSigningError) -> [UInt8] {
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        let key = try folder.write("key.gpg", publicKey)
        // The folder inside the image is not checked for signatures: it is part of the image (GRUB's `kern/verifiers.c`).
        let disk = try folder.write("memdisk", try memoryDisk(configuration))
        let output = folder.path + "/image"
        do {
            try await SigningTool.grubMakeImage.run(
                [
                    "--format", platform.rawValue, "--directory", platform.modules.folder, "--pubkey", key, "--memdisk",
                    disk, "--prefix", "(memdisk)/\(Self.folder)", "--output", output,
                    // Under Secure Boot it runs without shim: the firmware has the key that signed it, and what it loads has
                    // its own signatures.
                    "--disable-shim-lock",
                ] + modules(platform))
        } catch {
            throw BootSigningError("\(error) (the modules are in the package \(platform.modules.package))")
        }
        return try WorkFolder.read(output, limit: 64 << 20)
    }

    private static func memoryDisk(_ configuration: [UInt8]) throws(BootSigningError) -> [UInt8] {
        do {
            let path = try ArtifactPath("\(folder)/grub.cfg")
            return try InitrdOverlay.build([.init(path: path, mode: 0o644, bytes: configuration)], isCompressed: false)
        } catch {
            throw BootSigningError("GRUB's first configuration cannot be packed: \(error)")
        }
    }
}
