import Appliance
import Testing

@Suite struct ApplianceSetupTests {
    static func setup(_ files: [String: String], isDataMounted: Bool = true) -> ApplianceSetup {
        ApplianceSetup(partition: Box.partition(files), links: Box.links, isDataMounted: isDataMounted)
    }

    static let whole = ["network.yaml": Box.network, "site.yaml": Box.site]

    @Test func goodFilesAreUsed() {
        let setup = Self.setup(Self.whole)
        #expect(setup.problems.isEmpty && setup.advice.isEmpty)
        #expect(setup.hostName == "provisioner-01")
        #expect(setup.site == Array(Box.site.utf8))
        #expect(setup.networkFiles.count == 2)
        #expect(setup.keys.isEmpty && setup.passwordHash == nil)
    }

    @Test func withoutFilesItIsLinkLocalAndSaysWhatToDo() {
        let setup = Self.setup([:])
        #expect(setup.problems.isEmpty)
        #expect(setup.site == nil)
        #expect(setup.networkFiles.map(\.name) == ["90-link-local.network"])
        #expect(setup.networkFiles.first?.text.contains("LinkLocalAddressing=yes") == true)
        #expect(setup.advice.joined(separator: " ").contains("network.yaml.example to network.yaml"))
    }

    @Test func aWrongNetworkFileStopsTheSiteToo() {
        let setup = Self.setup(
            Self.whole.merging(["network.yaml": Box.network.replacing("12:34:57", with: "99:99:99")]) { $1 })
        #expect(setup.problems.count == 1)
        #expect(setup.problems.first?.hasPrefix("network.yaml:5:") == true)
        #expect(setup.site == nil)
        #expect(setup.networkFiles.map(\.name) == ["90-link-local.network"])
    }

    @Test func aWrongSiteFileIsToldWithItsLine() {
        let setup = Self.setup(Self.whole.merging(["site.yaml": Box.site + "hostss: {}\n"]) { $1 })
        #expect(setup.problems.first?.hasPrefix("site.yaml:3:1: error: unknown key 'hostss'") == true)
        // The address is as it was set: the control plane is where the operator looks for it.
        #expect(setup.networkFiles.count == 2)
    }

    @Test func whatCannotBeReadIsSaid() {
        let setup = ApplianceSetup(
            partition: BootPartition(files: ["site.yaml": .unreadable("it is not a file")]), links: Box.links,
            isDataMounted: true)
        #expect(setup.problems.first?.contains("site.yaml: it cannot be read (it is not a file)") == true)
        let gone = ApplianceSetup(
            partition: BootPartition(failure: "/boot/efi is not mounted"), links: Box.links, isDataMounted: true)
        #expect(gone.problems.first?.contains("the partition PROVISION cannot be read") == true)
        #expect(gone.site == nil)
    }

    @Test func withoutItsDataPartitionNothingIsServed() {
        let setup = Self.setup(Self.whole, isDataMounted: false)
        #expect(setup.problems.first?.contains("data partition") == true)
        #expect(setup.site == nil)
    }

    @Test func filesOfWindowsAreRead() {
        let setup = Self.setup([
            "network.yaml": "\u{feff}" + Box.network.replacing("\n", with: "\r\n"),
            "site.yaml": "\u{feff}" + Box.site.replacing("\n", with: "\r\n"),
            "authorized_keys": "\u{feff}ssh-ed25519 AAAAC3Nz me\r\n",
            "password_hash": "$6$salt$hash\r\n",
        ])
        #expect(setup.problems.isEmpty)
        #expect(setup.keys == ["ssh-ed25519 AAAAC3Nz me"])
        #expect(setup.passwordHash == "$6$salt$hash")
    }

    @Test(arguments: ["ssh-ed25519", "ssh-ed25519 notbase64", "-----BEGIN OPENSSH PRIVATE KEY-----", ""])
    func keysThatSSHWouldPassOverAreToldApart(_ line: String) {
        let setup = Self.setup(Self.whole.merging(["authorized_keys": "# mine\n\(line)\n"]) { $1 })
        #expect(setup.keys.isEmpty)
        #expect(setup.problems.count == 1)
        #expect(setup.problems.first?.hasPrefix("authorized_keys:") == true)
    }

    @Test(arguments: ["secret", "$6$a:b$c", "$1$old$hash", "$6$with blank$x", ""])
    func onlyAHashBecomesAPassword(_ text: String) {
        let setup = Self.setup(Self.whole.merging(["password_hash": text + "\n"]) { $1 })
        #expect(setup.passwordHash == nil)
        #expect(setup.problems.first?.contains("openssl passwd -6") == true)
        #expect(text.isEmpty || !setup.problems.joined().contains(text))
    }
}
