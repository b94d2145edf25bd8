import Foundation
import TestSupport
import Testing

/// DNS and DHCP of a substrate, asked by other machines on its segment.
@Suite struct DNSAndDHCPTests {
    private func dig(_ host: LabHost, _ arguments: String...) async throws -> String {
        try await host.run(["dig", "@10.20.99.1", "+noedns", "+tries=2", "+time=3"] + arguments).output
    }

    @Test func namesResolveToTheProvisioner() async throws {
        try Requirement.demand([.tool("dig", package: "bind9-dnsutils")])
        try await ServedLab.with { lab, server in
            try await server.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            let client = try await lab.addHost("client", address: "10.20.99.50/24", nameServer: "10.20.99.1")
            for name in ["artifacts.dvntm.deevnet.net", "pxe.dvntm.deevnet.net"] {
                // A stub resolver, as installers have one: a bare CNAME would fail here.
                #expect(try await client.run(["getent", "ahostsv4", name]).output.hasPrefix("10.20.99.1 "))
            }
            let chain = try await dig(client, "+short", "artifacts.dvntm.deevnet.net")
            #expect(
                chain == "artifacts.mgmt.deevnet.net.\nprovisioner-ph01-dvntm.mgmt.deevnet.net.\n10.20.99.1", "\(chain)"
            )
            #expect(try await dig(client, "+short", "-x", "10.20.99.21") == "hv01.dvntm.deevnet.net.")
            #expect(try await dig(client, "+short", "dvntm.deevnet.net", "SOA").contains("hostmaster.deevnet.net."))
            #expect(try await dig(client, "nobody.dvntm.deevnet.net").contains("NXDOMAIN"))
            #expect(try await dig(client, "-x", "10.20.99.77").contains("NXDOMAIN"))
            #expect(try await dig(client, "hv01.dvntm.deevnet.net", "AAAA").contains("NOERROR"))
            #expect(try await dig(client, "+short", "_site.dvntm.deevnet.net", "TXT").contains("mode=provisioner"))
        }
    }

    @Test func knownMachinesGetTheirAddressAndStrangersOneOfThePool() async throws {
        try Requirement.demand([.file(URL(filePath: "/bin/busybox"), package: "busybox-static")])
        try await ServedLab.with { lab, server in
            try await server.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            let known = try await lab.addHost("known")
            try await known.run(["ip", "link", "set", "eth0", "address", "52:54:00:20:99:21"])
            let lease = try await known.run(
                ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", "/bin/true"], timeLimit: .seconds(60))
            #expect((lease.standardError + lease.standardOutput).contains("10.20.99.21"))
            let stranger = try await lab.addHost("stranger")
            try await stranger.run(["ip", "link", "set", "eth0", "address", "52:54:00:aa:aa:aa"])
            let pooled = try await stranger.run(
                ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-s", "/bin/true"], timeLimit: .seconds(60))
            #expect((pooled.standardError + pooled.standardOutput).contains("10.20.99.1"))
            let status = try await server.waitForEvent("dhcp", of: "52:54:00:aa:aa:aa", timeout: .seconds(10))
            #expect(status.state == "discovered")
            #expect(try await server.waitForEvent("dhcp", of: "hv01", timeout: .seconds(10)).address == "10.20.99.21")
        }
    }

    @Test func anEditThatChangesNothingLeavesDnsmasqRunning() async throws {
        try await ServedLab.with { lab, server in
            try await server.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            let pid = server.dataDirectory.appending(path: "authority/dnsmasq-dvntm.pid").path
            let first = try await lab.run(["cat", pid]).output
            let text = try String(contentsOf: server.siteFile, encoding: .utf8)
            try Data((text + "# a comment\n").utf8).write(to: server.siteFile)
            try await server.program.waitForLine(containing: "is in use", timeout: .seconds(20))
            try await Task.sleep(for: .seconds(5))
            #expect(try await lab.run(["cat", pid]).output == first)

            try Data(text.replacing("10.20.99.21", with: "10.20.99.31").utf8).write(to: server.siteFile)
            let client = try await lab.addHost("client", address: "10.20.99.50/24")
            var answer = ""
            for _ in 0..<100 where answer != "10.20.99.31" {
                try await Task.sleep(for: .milliseconds(200))
                let result = try await client.commands.result(of: [
                    "dig", "@10.20.99.1", "+short", "+tries=1", "+time=1", "hv01.dvntm.deevnet.net",
                ])
                answer = result.output
            }
            #expect(answer == "10.20.99.31")
            #expect(try await lab.run(["cat", pid]).output != first)
        }
    }

    @Test func aRouterSiteIsLeftAlone() async throws {
        var site = ServedLab.site
        site.declared = "router"
        try await ServedLab.with(site: site) { lab, server in
            try await Task.sleep(for: .seconds(1))
            let sockets = try await lab.run(["ss", "-lunp"]).output
            #expect(!sockets.contains(":53 "))
            #expect(!sockets.contains(":67 "))
            #expect(!server.program.log.text.contains("answering DNS"))
        }
    }

    @Test func offMeansOff() async throws {
        try await ServedLab.with(arguments: ["--authority", "dvntm=off"]) { lab, server in
            try await Task.sleep(for: .seconds(1))
            #expect(!(try await lab.run(["ss", "-lunp"]).output.contains(":67 ")))
            #expect(!server.program.log.text.contains("answering DNS"))
        }
    }

    @Test func aDnsmasqThatEndsIsStartedAgain() async throws {
        try await ServedLab.with { lab, server in
            let answering = "answering DNS and DHCP"
            try await server.program.waitForLine(containing: answering, timeout: .seconds(20))
            let pid = server.dataDirectory.appending(path: "authority/dnsmasq-dvntm.pid").path
            let first = try await lab.run(["cat", pid]).output
            try await lab.run(["kill", "-KILL", first])
            try await server.program.waitForLine(containing: "starting it again", timeout: .seconds(20))
            for _ in 0..<200 where server.program.log.text.components(separatedBy: answering).count < 3 {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(server.program.log.text.components(separatedBy: answering).count == 3)
            #expect(try await lab.run(["cat", pid]).output != first)
            #expect(
                try await dig(
                    try await lab.addHost("client", address: "10.20.99.50/24"), "+short", "hv01.dvntm.deevnet.net")
                    == "10.20.99.21")
        }
    }

    @Test func itGoesWithTheServer() async throws {
        try await ServedLab.with { lab, server in
            try await server.program.waitForLine(containing: "answering DNS and DHCP", timeout: .seconds(20))
            try await Task.sleep(for: .seconds(1))
            #expect(try await lab.run(["ss", "-lunp"]).output.contains(":67 "))
            await server.program.stop()
            #expect(server.program.exitCode == 0)
            #expect(!(try await lab.run(["ss", "-lunp"]).output.contains(":67 ")))
        }
    }
}
