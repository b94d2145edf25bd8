package import Foundation

/// A lab whose server is a whole appliance: a virtual machine that was started from a flashed disk, and an operator on
/// the same link who uses it by its name.
package struct ApplianceLab: Sendable {
    /// The MAC of the appliance's card, and what its network.yaml gives it.
    package static let mac = "52:54:00:00:99:01"
    package static let address = "10.20.99.1"
    package static let name = SiteFixture.artifactsName
    /// Software emulation on a busy machine: a start takes half a minute alone.
    package static let patience = Duration.seconds(240)

    package static let requirements = ApplianceImage.requirements + Firmware.uefi.requirements

    package let network: NetworkLab
    package let operatorHost: LabHost

    package static let networkFile = """
        schema: provisioner.network/1
        hostname: provisioner-ph01
        interfaces:
          rack: {mac: "\(mac)", address: \(address)/24}

        """

    /// The boot partition of an appliance that is set up.
    package static func files(_ site: SiteFixture) -> [String: String] {
        var site = site
        site.provisionerMAC = mac
        return ["network.yaml": networkFile, "site.yaml": site.yaml]
    }

    /// A lab without the appliance: start one with ``start(_:firmware:name:memory:clock:)``.
    package static func with(_ body: (ApplianceLab) async throws -> Void) async throws {
        try Requirement.demand(requirements)
        try await NetworkLab.with(address: "10.20.99.250/24") { network in
            let host = try await network.addHost("operator", address: "10.20.99.50/24", nameServer: address)
            try await body(ApplianceLab(network: network, operatorHost: host))
        }
    }

    /// Switches an appliance on. Its serial log and, at ``Appliance/keepScreen()``, its screen stay in
    /// `build/appliance-tests/`.
    package func start(
        _ disk: URL, firmware: Firmware = .uefi, name: String, memory: Int = 1024, clock: String? = nil
    ) async throws -> Appliance {
        let output = try TestOutput.folder("appliance-tests")
        let serial = output.appending(path: "\(name).serial.log")
        try? FileManager.default.removeItem(at: serial)
        let machine = try await network.boot(
            .init(
                name: name, mac: Self.mac, firmware: firmware, memory: memory, disk: disk, startsFromDisk: true,
                hasScreen: true, serialLog: serial, clock: clock))
        return Appliance(machine: machine, lab: self, output: output)
    }

    /// artifactctl on the operator's machine, with a home of its own.
    package func artifactctl(_ arguments: [String], timeLimit: Duration = .seconds(180)) async throws -> CommandResult {
        try await operatorHost.commands.result(of: try command(arguments), timeLimit: timeLimit)
    }

    /// The same, while something else happens.
    package func startArtifactctl(_ arguments: [String], log: String) async throws -> RunningProgram {
        try await operatorHost.start(try command(arguments), log: log)
    }

    private func command(_ arguments: [String]) throws -> [String] {
        ["env", "HOME=\(network.directory.path)", "XDG_CONFIG_HOME=", try BuiltProducts.artifactctl()] + arguments
    }
}

/// A running appliance.
package struct Appliance: Sendable {
    package let machine: VirtualMachine
    private let lab: ApplianceLab
    private let output: URL

    init(machine: VirtualMachine, lab: ApplianceLab, output: URL) {
        self.machine = machine
        self.lab = lab
        self.output = output
    }

    /// Waits until its page says that it answers DNS and DHCP, and until its services answer by their names.
    /// - Throws: `timedOut` with the end of its console.
    package func waitUntilServing() async throws {
        try await machine.waitForSerial(containing: "answering DNS and DHCP on", timeout: ApplianceLab.patience)
        let script = "http://\(SiteFixture.scriptsName)/boot.ipxe"
        let result = try await lab.operatorHost.commands.result(of: [
            "curl", "-sS", "--retry", "20", "--retry-delay", "1", "--retry-all-errors", "-o", "/dev/null", "-w",
            "%{http_code}", script,
        ])
        guard result.output == "200" else {
            throw TestSupportError(.timedOut, "\(script) answers \(result); console:\n\(machine.serial.tail())")
        }
        let loader = try await lab.operatorHost.commands.result(of: [
            "curl", "-sS", "--max-time", "30", "-o", "/dev/null",
            "tftp://\(SiteFixture.scriptsName)/loaders/undionly.kpxe",
        ])
        guard loader.succeeded else { throw TestSupportError(.timedOut, "no TFTP: \(loader)") }
    }

    /// Waits for a sentence on the console, however its lines are broken.
    /// - Throws: `timedOut` with the end of the console.
    package func waitUntilConsoleSays(_ text: String) async throws {
        func solid(_ text: String) -> String { text.filter { !$0.isWhitespace } }
        let wanted = solid(text)
        let deadline = ContinuousClock.now + ApplianceLab.patience
        while !solid(machine.serial.text).contains(wanted) {
            guard ContinuousClock.now < deadline, !machine.hasExited else {
                throw TestSupportError(.timedOut, "the console never said \"\(text)\":\n\(machine.serial.tail())")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// The code that the page shows last.
    package var loginCode: String? {
        machine.serial.text.matches(of: /--code ((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})/).last.map { String($0.output.1) }
    }

    /// Logs the operator in with the code on the console, by the appliance's name.
    package func logIn() async throws {
        try await machine.waitForSerial(containing: "--code ", timeout: ApplianceLab.patience)
        guard let code = loginCode else {
            throw TestSupportError(.timedOut, "no code on the console:\n\(machine.serial.tail())")
        }
        let result = try await lab.artifactctl(["login", "https://\(ApplianceLab.name)", "--code", code])
        guard result.succeeded else { throw TestSupportError(.commandFailed, "\(result)") }
    }

    /// Keeps a picture of the screen beside the serial log.
    package func keepScreen() async throws {
        try await machine.screenshot(output.appending(path: "\(machine.configuration.name).png"))
    }
}
