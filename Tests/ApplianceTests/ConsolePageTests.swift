import ControlAPI
import Testing

@testable import Appliance

@Suite struct ConsolePageTests {
    static func status() -> ConsoleStatus {
        var server = ServerStatus(version: "1.2.3")
        server.authorities = [
            .init(
                substrate: "rack", declared: "provisioner", state: "answering DNS and DHCP on enp1s0", isAnswering: true
            )
        ]
        server.fingerprint = "sha256:" + String(repeating: "ab", count: 32)
        server.artifactCount = 3
        server.freeBytes = 1_900_000_000
        server.totalBytes = 4_000_000_000
        server.boots = [.init(machine: "hv01", kind: "up", detail: "it runs", time: 1_764_042_611_000)]
        return ConsoleStatus(server: server, loginCode: "ABCD-EFGH-JKMN-PQRS", controlPort: 443)
    }

    static func content(
        status: ConsoleStatus? = status(), problems: [String] = [], advice: [String] = [],
        login: ConsolePage.Login = .password
    ) -> ConsolePage.Content {
        ConsolePage.Content(
            version: "1.2.3", hostName: "provisioner-01", time: 1_764_042_611_000, links: Box.links, status: status,
            problems: problems, advice: advice, emergency: nil, login: login)
    }

    @Test func showsAllOnAnOrdinaryTerminal() {
        let lines = ConsolePage(Self.content()).lines(width: 80, height: 24)
        #expect(
            lines == [
                "Provisioner 1.2.3 on provisioner-01                      2025-11-25 03:50:11 UTC", "",
                "interfaces  enp1s0    52:54:00:12:34:56  up      10.20.99.1/24",
                "            enp2s0    52:54:00:12:34:57  off     no address",
                "substrates  rack      provisioner  answering DNS and DHCP on enp1s0",
                "control     https://10.20.99.1",
                "sha256      " + String(repeating: "ab", count: 32),
                "login       artifactctl login https://10.20.99.1 --code ABCD-EFGH-JKMN-PQRS",
                "artifacts   3 published; 1.9 GB of 4.0 GB free",
                "last boots  2025-11-25 03:50:11 hv01: up it runs", "",
                "Press Enter to log in.",
            ])
    }

    @Test(arguments: [(40, 10), (80, 24), (80, 25), (200, 60), (1, 1)])
    func neverLeavesItsScreen(width: Int, height: Int) {
        let problems = ["site.yaml:3:1: error: " + String(repeating: "long words of trouble ", count: 3) + "[V01]"]
        let lines = ConsolePage(Self.content(problems: problems)).lines(width: width, height: height)
        #expect(lines.allSatisfy { $0.count <= max(width, 40) })
        if width >= 80 { #expect(lines.count <= height) }
        // What is wrong is told whole, however small the screen is.
        let text = lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
        #expect(text.contains("long words of trouble [V01]"))
    }

    @Test func manyProblemsLeaveRoomForTheLogin() {
        let problems = (1...40).map { "site.yaml:\($0):1: error: trouble number \($0) [V01]" }
        let lines = ConsolePage(Self.content(problems: problems)).lines(width: 80, height: 24)
        #expect(lines.count <= 24)
        let text = lines.joined(separator: "\n")
        #expect(text.contains("trouble number 1 "))
        #expect(text.contains(" more"))
        #expect(text.contains("--code ABCD-EFGH-JKMN-PQRS") && text.contains("52:54:00:12:34:56"))
        #expect(text.contains(String(repeating: "ab", count: 32)))
    }

    @Test func aSilentServerIsSaid() {
        let text = ConsolePage(Self.content(status: nil)).lines(width: 80, height: 24).joined(separator: "\n")
        #expect(text.contains("the server does not answer"))
        #expect(text.contains("52:54:00:12:34:56"))
    }

    @Test func theCodeGoesOnceItWasUsed() {
        var status = Self.status()
        status.loginCode = nil
        let text = ConsolePage(Self.content(status: status)).lines(width: 80, height: 24).joined(separator: "\n")
        #expect(text.contains("login-code"))
        #expect(!text.contains("--code"))
    }

    @Test func loginIsOfferedOnlyWhereThereIsOne() {
        func footer(_ login: ConsolePage.Login) -> String {
            ConsolePage(Self.content(login: login)).lines(width: 80, height: 24).last ?? ""
        }
        #expect(footer(.password) == "Press Enter to log in.")
        #expect(!footer(.keysOnly).contains("Enter"))
        #expect(footer(.none).hasPrefix("No login"))
    }

    @Test func nothingThatAMachineSaidReachesTheTerminalAsAControl() {
        var status = Self.status()
        status.server.boots = [
            .init(machine: "hv01", kind: "log", detail: "a\u{1b}[2Jb\u{7f}c\r\nd\u{85}e\u{9b}31m", time: 0)
        ]
        let text = ConsolePage(Self.content(status: status)).lines(width: 80, height: 24).joined()
        #expect(
            text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && !(0x80...0x9f).contains($0.value) })
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01 00:00:00 UTC"), (951_782_400_000, "2000-02-29 00:00:00 UTC"),
        (1_735_689_599_999, "2024-12-31 23:59:59 UTC"), (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
    ])
    func timesAreCivil(milliseconds: Int64, text: String) {
        #expect(ConsolePage.timestamp(milliseconds) == text)
    }
}
