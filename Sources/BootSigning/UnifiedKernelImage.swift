internal import Artifacts
internal import Glibc

/// Kernel, initrds and arguments in one EFI program that is signed as a whole (UAPI Group specification "Unified Kernel
/// Image"), put together with systemd's stub: firmware that checks it has checked all that boots.
package struct UnifiedKernelImage: Sendable {
    /// Beyond this it is no boot but a disk: it has to fit into a machine's memory more than once.
    package static let maximumSize: Int64 = 2 << 30
    /// Debian's package `systemd-boot-efi` has it.
    package static let stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"

    private let kernel: FilePiece
    private let initrds: [FilePiece]
    private let overlay: [UInt8]?
    private let arguments: String

    /// - Parameters:
    ///   - kernel: with its EFI stub, which every kernel of today's distributions has.
    ///   - initrds: in their order; the machine has them as one.
    ///   - overlay: cpio, which is laid over the initrds.
    ///   - arguments: the kernel's command line.
    package init(kernel: FilePiece, initrds: [FilePiece], overlay: [UInt8]?, arguments: String) {
        self.kernel = kernel
        self.initrds = initrds
        self.overlay = overlay
        self.arguments = arguments
    }

    /// Makes the image, signed. A crash leaves nothing at `output`.
    /// - Parameters:
    ///   - output: the file, which is replaced.
    ///   - signature: of the boot key.
    ///   - directory: for the work, on the same file system.
    /// - Throws: `BootSigningError` when a tool or the stub is missing, or what goes in is too large.
    package func make(
        _ output: String, signature: EFISignature, in directory: String
    ) async throws(BootSigningError) {
        let size = ([kernel] + initrds).reduce(Int64(overlay?.count ?? 0)) { $0 + $1.size }
        guard size <= Self.maximumSize else {
            throw BootSigningError(
                "\(size) bytes of kernel and initrds do not fit into one image: at most \(Self.maximumSize)")
        }
        guard access(Self.stub, R_OK) == 0 else {
            throw BootSigningError("\(Self.stub) is missing: install the package systemd-boot-efi")
        }
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        var sections: [(name: String, file: String, size: Int64)] = []
        let release = Array("ID=provisioner\nNAME=provisioner\n".utf8)
        sections.append((".osrel", try folder.write("osrel", release), Int64(release.count)))
        // The stub ends the line at the end of the section or at a zero byte.
        let line = Array(arguments.utf8) + [0]
        sections.append((".cmdline", try folder.write("cmdline", line), Int64(line.count)))
        sections.append((".linux", try folder.join("linux", [kernel], alignment: 1), kernel.size))
        let pieces = try initrds + overlayPiece(folder)
        if !pieces.isEmpty {
            // Archives of an initrd begin at multiples of four bytes (Linux, "initramfs buffer format").
            let file = try folder.join("initrd", pieces, alignment: 4)
            sections.append((".initrd", file, pieces.reduce(0) { ($0 + 3) / 4 * 4 + $1.size }))
        }
        let unsigned = folder.path + "/unsigned"
        try await SigningTool.objcopy.run(try await placement(of: sections) + [Self.stub, unsigned])
        let signed = folder.path + "/signed"
        try await signature.sign(unsigned, to: signed)
        guard rename(signed, output) == 0 else { throw WorkFolder.failure(output) }
    }

    private func overlayPiece(_ folder: WorkFolder) throws(BootSigningError) -> [FilePiece] {
        guard let overlay else { return [] }
        let path = try folder.write("overlay", overlay)
        return [
            FilePiece(path: path, offset: 0, size: Int64(overlay.count), digest: SHA256.digest(of: overlay))
        ]
    }

    /// Sections come one after another behind the stub's own, each on a page of its own (PE format, `SectionAlignment`).
    private func placement(
        of sections: [(name: String, file: String, size: Int64)]
    ) async throws(BootSigningError) -> [String] {
        var address = Self.page(try await endOfStub())
        var arguments: [String] = []
        for section in sections {
            arguments += [
                "--add-section", "\(section.name)=\(section.file)", "--change-section-vma",
                "\(section.name)=0x\(String(address, radix: 16))",
            ]
            address = Self.page(address + section.size)
        }
        return arguments
    }

    private static func page(_ address: Int64) -> Int64 { (address + 4095) / 4096 * 4096 }

    /// Of objdump's table: index, name, size, address, ...
    private func endOfStub() async throws(BootSigningError) -> Int64 {
        let table = try await SigningTool.objdump.run(["--section-headers", Self.stub])
        let ends = table.split(whereSeparator: \.isNewline).compactMap { line -> Int64? in
            let words = line.split(separator: " ")
            guard words.count >= 6, Int(words[0]) != nil, let size = Int64(words[2], radix: 16),
                let address = Int64(words[3], radix: 16)
            else { return nil }
            return address + size
        }
        guard let end = ends.max() else { throw BootSigningError("objdump shows no sections of \(Self.stub)") }
        return end
    }
}
