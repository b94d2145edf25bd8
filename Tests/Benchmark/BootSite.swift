import TestSupport

/// The site of the boot plane's figures: machines with MAC addresses by number, all assigned to one profile.
enum BootSite {
    static func mac(_ number: Int) -> String { mac(number, ":") }

    private static func mac(_ number: Int, _ separator: String) -> String {
        let parts = [0x52, 0x54, 0, number >> 16 & 255, number >> 8 & 255, number & 255]
        return parts.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: separator)
    }

    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "node" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// What a machine's iPXE asks.
    static func scriptPath(_ number: Int) -> String {
        "/ipxe/script?mac=\(mac(number, "-"))&uuid=\(uuid(number))&serial=&hostname=&arch=x86_64&platform=efi"
    }

    private static func uuid(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "4c4c4544-0042-4810-8051-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// `budget`: machines that may load at once.
    static func yaml(hosts: Int, budget: Int = 10_000) -> String {
        let machines = (0..<hosts).map { number in
            SiteFixture.Machine(
                name: name(number), mac: mac(number), address: "10.20.\(128 + number / 250).\(1 + number % 250)",
                assignment: "{profile: installer, boot: always}")
        }
        let fixture = SiteFixture(
            machines: machines,
            profiles: [
                "installer:", "  kernel: \"bench:1/linux\"", "  initrd: [\"bench:1/initrd\"]",
                "  args: [\"console=ttyS0\", \"ip=dhcp\", \"hostname=${host.name}\"]",
            ])
        return fixture.yaml.replacing("subnet: 10.20.99.0/24", with: "subnet: 10.20.0.0/16")
            .replacing(
                "cidr: 10.20.0.0/16",
                with: "cidr: 10.20.0.0/16\n    boot_budget: {machines: \(budget), megabytes: 1000000}")
    }
}
