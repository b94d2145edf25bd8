import Foundation

/// What a virtual machine's firmware does to boot from the network.
package enum Firmware: String, CaseIterable, Sendable {
    /// Legacy BIOS (SeaBIOS) with QEMU's iPXE option ROM on the network card: iPXE at once, over the card's own driver.
    case bios
    /// Legacy BIOS whose network ROM is a plain PXE one: asks for a boot file by DHCP and loads it by TFTP.
    ///
    /// QEMU has no such ROM that is not iPXE, so iPXE poses as one, with another user class than `iPXE`.
    case biosPXEROM
    /// UEFI (OVMF) with its own PXE client: DHCP, then TFTP.
    case uefi
    /// UEFI (OVMF) with PXE switched off: DHCP with vendor class `HTTPClient`, then HTTP.
    case uefiHTTPBoot
    /// UEFI (OVMF) that starts nothing but what Microsoft's keys have signed.
    case uefiSecureBoot
    /// UEFI (OVMF) with QEMU's iPXE option ROM on the network card: iPXE at once.
    case uefiIPXEROM
    /// UEFI (OVMF) that starts nothing but what a key of its owner has signed: its own PXE client.
    ///
    /// The variables with that key come from ``FirmwareKeys``.
    case uefiOwnKeys
    /// The same with PXE switched off: HTTP Boot.
    case uefiOwnKeysHTTPBoot

    private static let ownKeysCodeFile = URL(filePath: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
    private static let codeFile = URL(filePath: "/usr/share/OVMF/OVMF_CODE_4M.fd")
    static let variablesFile = URL(filePath: "/usr/share/OVMF/OVMF_VARS_4M.fd")
    private static let secureCodeFile = URL(filePath: "/usr/share/OVMF/OVMF_CODE_4M.ms.fd")
    private static let secureVariablesFile = URL(filePath: "/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
    private static let ipxeKernel = URL(filePath: "/boot/ipxe.lkrn")

    /// What this firmware needs on this machine, QEMU included.
    package var requirements: [Requirement] {
        let qemu = Requirement.tool("qemu-system-x86_64", package: "qemu-system-x86 ipxe-qemu")
        switch self {
        case .bios: return [qemu]
        case .biosPXEROM: return [qemu, .file(Self.ipxeKernel, package: "ipxe")]
        case .uefi, .uefiHTTPBoot, .uefiIPXEROM:
            return [qemu, .file(Self.codeFile, package: "ovmf"), .file(Self.variablesFile, package: "ovmf")]
        case .uefiSecureBoot:
            return [
                qemu, .file(Self.secureCodeFile, package: "ovmf"), .file(Self.secureVariablesFile, package: "ovmf"),
            ]
        case .uefiOwnKeys, .uefiOwnKeysHTTPBoot:
            return [qemu, .file(Self.ownKeysCodeFile, package: "ovmf")] + FirmwareKeys.requirements
        }
    }

    /// Whether the network card shows QEMU's own iPXE ROM to the firmware.
    var usesOptionROM: Bool { self == .bios || self == .uefiIPXEROM }

    /// The arguments that give a QEMU machine this firmware, and the files they name, made in `directory`.
    ///
    /// - Parameters:
    ///   - name: distinguishes the files of several machines in one directory.
    ///   - directory: where those files are made; they live as long as the machine.
    ///   - variables: what a UEFI firmware remembers at first; nil for the usual.
    /// - Returns: arguments for `qemu-system-x86_64`.
    /// - Throws: an error of Foundation when a file cannot be made.
    func arguments(machine name: String, directory: URL, variables: URL? = nil) throws -> [String] {
        switch self {
        case .bios:
            // graphics=off: SeaBIOS and the iPXE ROM then talk on the serial line.
            return ["-machine", "pc,graphics=off"]
        case .biosPXEROM:
            let script = directory.appending(path: "\(name).stage0.ipxe")
            try Data("#!ipxe\nset user-class PXE-ROM\nautoboot\n".utf8).write(to: script)
            return ["-machine", "pc,graphics=off", "-kernel", Self.ipxeKernel.path, "-initrd", script.path]
        case .uefi, .uefiIPXEROM:
            return try flash(name, directory)
        case .uefiSecureBoot:
            // Only code in system management mode may change the variables: else a guest could switch the check off.
            return try secureFlash(name, directory, code: Self.secureCodeFile, variables: Self.secureVariablesFile)
        case .uefiHTTPBoot:
            return try flash(name, directory) + Self.noPXE
        case .uefiOwnKeys:
            return try secureFlash(
                name, directory, code: Self.ownKeysCodeFile, variables: variables ?? Self.variablesFile)
        case .uefiOwnKeysHTTPBoot:
            return try Self.uefiOwnKeys.arguments(machine: name, directory: directory, variables: variables)
                + Self.noPXE
        }
    }

    private static let noPXE = ["IPv4PXESupport", "IPv6PXESupport"].flatMap {
        ["-fw_cfg", "name=opt/org.tianocore/\($0),string=n"]
    }

    private func secureFlash(_ name: String, _ directory: URL, code: URL, variables: URL) throws -> [String] {
        try flash(name, directory, code: code, variables: variables, machine: "q35,smm=on")
            + ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    }

    /// OVMF's code, read-only, and a private copy of its variables.
    private func flash(
        _ name: String, _ directory: URL, code: URL = codeFile, variables: URL = variablesFile, machine: String = "q35"
    ) throws -> [String] {
        let copy = directory.appending(path: "\(name).vars.fd")
        try Data(contentsOf: variables).write(to: copy)
        let flash = "if=pflash,format=raw"
        return [
            "-machine", machine,
            "-drive", "\(flash),unit=0,readonly=on,file=\(code.path)",
            "-drive", "\(flash),unit=1,file=\(copy.path)",
        ]
    }
}
