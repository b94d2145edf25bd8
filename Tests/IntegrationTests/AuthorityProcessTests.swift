import Foundation
import TestSupport
import Testing

/// DNS and DHCP in a process of their own, as the package runs them.
@Suite struct AuthorityProcessTests {
    private func startAuthority(_ lab: NetworkLab, name: String = "authority") async throws -> RunningProgram {
        let siteFile = lab.directory.appending(path: "site.yaml")
        try Data(ServedLab.site.yaml.utf8).write(to: siteFile)
        let program = try await lab.start(
            [
                try BuiltProducts.provisioner(), "authority", "serve", "--site", siteFile.path, "--state",
                lab.directory.path + "/authority", "--observations", lab.directory.path + "/observations.sock",
            ], log: "\(name).log", grace: .seconds(10))
        try await program.waitForLine(containing: "ready:", timeout: .seconds(30))
        return program
    }

    private func with(_ body: (NetworkLab, ProvisionerServer, RunningProgram) async throws -> Void) async throws {
        try Requirement.demand(
            ProvisionerServer.requirements + [.file(URL(filePath: "/bin/busybox"), package: "busybox-static")])
        try await NetworkLab.with { lab in
            let authority = try await startAuthority(lab)
            let server = try await ProvisionerServer.start(
                in: lab, site: ServedLab.site.yaml,
                arguments: ["--authority-helper", lab.directory.path + "/observations.sock"])
            try await authority.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            try await body(lab, server, authority)
        }
    }

    private func askForAddress(_ lab: NetworkLab, _ name: String, _ mac: String) async throws {
        let machine = try await lab.addHost(name)
        try await machine.run(["ip", "link", "set", "eth0", "address", mac])
        try await machine.run(
            ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", "/bin/true"], timeLimit: .seconds(60))
    }

    @Test func leasesReachTheTimelineAndStatesTheStatus() async throws {
        try await with { lab, server, _ in
            try await askForAddress(lab, "known", ServedLab.machine.mac)
            let host = try await server.waitForEvent("dhcp", of: "hv01", timeout: .seconds(10))
            #expect(host.events.first { $0.kind == "dhcp" }?.detail.contains("10.20.99.21") == true)
            #expect(try await server.artifactctl("status").output.contains("answering DNS and DHCP on br0"))
        }
    }

    @Test func theServerGoesOnWithoutItAndFindsItAgain() async throws {
        try await with { lab, server, authority in
            await authority.stop()
            try await server.program.waitForLine(containing: "does not answer; trying again", timeout: .seconds(10))
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/boot.ipxe") == "200")
            #expect(try await server.artifactctl("status").output.contains("does not answer"))
            let again = try await startAuthority(lab, name: "again")
            try await again.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            // It looks once a second: what is given out before it has found it is not told.
            for _ in 0..<100 where try await !server.artifactctl("status").output.contains("DNS and DHCP on br0") {
                try await Task.sleep(for: .milliseconds(200))
            }
            try await askForAddress(lab, "known", ServedLab.machine.mac)
            _ = try await server.waitForEvent("dhcp", of: "hv01", timeout: .seconds(10))
        }
    }

    @Test func addressesAreGivenOutWhileTheServerIsDown() async throws {
        try await with { lab, server, _ in
            await server.program.stop()
            try await askForAddress(lab, "known", ServedLab.machine.mac)
        }
    }

    /// It only speaks: whatever is sent to it changes nothing, and a client that never reads is no burden.
    @Test func itTakesOrdersFromNobody() async throws {
        try Requirement.demand([.tool("socat", package: "socat")])
        try await with { lab, server, authority in
            let socket = lab.directory.path + "/observations.sock"
            let noise = try ServedLab.file("noise", ServedLab.bytes(3_000_000), lab)
            _ = try await lab.commands.result(of: ["sh", "-c", "socat -u FILE:\(noise) UNIX-CONNECT:\(socket)"])
            let silent = try await lab.start(
                ["socat", "-u", "EXEC:sleep 600", "UNIX-CONNECT:\(socket)"], log: "silent.log")
            try await askForAddress(lab, "known", ServedLab.machine.mac)
            _ = try await server.waitForEvent("dhcp", of: "hv01", timeout: .seconds(10))
            #expect(authority.isRunning && silent.isRunning)
        }
    }
}
