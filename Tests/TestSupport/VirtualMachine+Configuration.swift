package import Foundation

extension VirtualMachine {
    /// The parts of a virtual machine.
    package struct Configuration: Sendable {
        /// The model of the network card.
        package enum NetworkCard: String, Sendable {
            /// The virtual card of KVM guests; fastest.
            case virtio = "virtio-net-pci"
            /// Intel 82540EM, a real card that is emulated.
            case e1000
        }

        /// Names the machine's files; unique in its lab.
        package var name: String
        /// The network card's address, for example `52:54:00:12:34:56`.
        package var mac: String
        /// How it boots from the network.
        package var firmware: Firmware
        /// Memory in MiB. 512 is enough for ``GuestImage``, Debian's installer needs 1024.
        package var memory: Int
        /// The network card.
        package var card: NetworkCard
        /// A disk image (qcow2 by its extension, else raw), booted when the network refuses; nil for no disk.
        package var disk: URL?
        /// The machine starts from its disk and never asks the network.
        package var startsFromDisk: Bool
        /// It has a screen, for ``VirtualMachine/screenshot(_:)``.
        package var hasScreen: Bool
        /// Where the serial console is written; nil for a file in the lab's directory, which goes with the lab.
        package var serialLog: URL?
        /// The machine's UUID as firmware reports it in DHCP option 97; nil for QEMU's default (zeros).
        package var uuid: UUID?
        /// The serial number in the system's SMBIOS table; nil for none.
        package var serialNumber: String?
        /// What the battery clock shows at the start, as `2001-01-01T00:00:00`; nil for the real time.
        package var clock: String?

        /// Describes a machine; only name, address and firmware have no default.
        /// What a UEFI firmware remembers at first, as keys that it trusts; nil for the usual.
        package var variables: URL?

        package init(
            name: String, mac: String, firmware: Firmware, memory: Int = 512, card: NetworkCard = .virtio,
            disk: URL? = nil, startsFromDisk: Bool = false, hasScreen: Bool = false, serialLog: URL? = nil,
            uuid: UUID? = nil, serialNumber: String? = nil, clock: String? = nil, variables: URL? = nil
        ) {
            self.variables = variables
            self.name = name
            self.mac = mac
            self.firmware = firmware
            self.memory = memory
            self.card = card
            self.disk = disk
            self.startsFromDisk = startsFromDisk
            self.hasScreen = hasScreen
            self.serialLog = serialLog
            self.uuid = uuid
            self.serialNumber = serialNumber
            self.clock = clock
        }

        func arguments(tap: String, serial: URL, directory: URL) throws -> [String] {
            var arguments = ["-name", name, "-accel", "tcg", "-cpu", "max", "-smp", "1", "-m", "\(memory)"]
            arguments += ["-nodefaults", "-display", "none", "-no-reboot"]
            arguments += try firmware.arguments(machine: name, directory: directory, variables: variables)
            let keyboard = VirtualMachine.socket("serial", machine: name, directory: directory).path
            arguments += ["-chardev", "socket,id=console,path=\(keyboard),server=on,wait=off,logfile=\(serial.path)"]
            arguments += ["-serial", "chardev:console"]
            let monitor = VirtualMachine.socket("monitor", machine: name, directory: directory).path
            arguments += ["-chardev", "socket,id=monitor,path=\(monitor),server=on,wait=off"]
            arguments += ["-mon", "chardev=monitor,mode=readline"]
            if hasScreen { arguments += ["-vga", "std"] }
            arguments += ["-netdev", "tap,id=link,ifname=\(tap),script=no,downscript=no"]
            let boots = startsFromDisk ? "" : ",bootindex=1"
            let optionROM = firmware.usesOptionROM && !startsFromDisk ? "" : ",romfile="
            arguments += ["-device", "\(card.rawValue),netdev=link,mac=\(mac)\(boots)\(optionROM)"]
            if let disk {
                let format = disk.pathExtension == "qcow2" ? "qcow2" : "raw"
                arguments += ["-drive", "if=none,id=disk,format=\(format),file=\(disk.path)"]
                arguments += ["-device", "virtio-blk-pci,drive=disk,bootindex=2"]
            }
            if let uuid { arguments += ["-uuid", uuid.uuidString.lowercased()] }
            if let serialNumber { arguments += ["-smbios", "type=1,serial=\(serialNumber)"] }
            if let clock { arguments += ["-rtc", "base=\(clock)"] }
            return arguments
        }
    }
}
