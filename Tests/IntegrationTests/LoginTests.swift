import Foundation
import TestSupport
import Testing

/// Logging in over the network, and who is not believed.
@Suite struct LoginTests {
    static let control = ["--control", "0.0.0.0:443"]

    /// A client with a home of its own.
    private func artifactctl(_ lab: NetworkLab, home: String = "home", _ arguments: String...) async throws
        -> CommandResult
    {
        try await lab.commands.result(
            of: ["env", "HOME=\(lab.directory.path)/\(home)", "XDG_CONFIG_HOME=", try BuiltProducts.artifactctl()]
                + arguments)
    }

    private func code(_ server: ProvisionerServer) async throws -> String {
        let text = try await server.artifactctl("login-code", "--json").standardOutput
        let answer = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        return try #require(answer["code"])
    }

    @Test func onceLoggedInEveryCommandWorksAndTheCodeIsVoid() async throws {
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let before = try await artifactctl(lab, "ls", "--server", "https://10.20.99.1")
            #expect(before.exitCode == 1)
            #expect(before.standardError.contains("artifactctl login https://10.20.99.1"))

            let code = try await code(server)
            let login = try await artifactctl(lab, "login", "https://10.20.99.1", "--code", code.lowercased())
            #expect(login.succeeded, "\(login)")
            let file = try ServedLab.file("kernel", Data("k".utf8), lab)
            #expect(try await artifactctl(lab, "push", "os:1", file).succeeded)
            #expect(try await artifactctl(lab, "ls").output.contains("os:1"))
            #expect(try await artifactctl(lab, "status").output.contains("dvntm: provisioner"))
            // With what the login has pinned, any other client believes the server, by name and by address.
            let certificate = try await artifactctl(lab, "certificate").standardOutput
            let authority = try ServedLab.file("ca.crt", Data(certificate.utf8), lab)
            #expect(try await ServedLab.status(lab, "--cacert", authority, "https://10.20.99.1/v2/") == "401")
            let name = ["--cacert", authority, "--resolve", "\(SiteFixture.artifactsName):443:10.20.99.1"]
            let byName = try await lab.commands.result(
                of: ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"] + name
                    + ["https://\(SiteFixture.artifactsName)/v2/"])
            #expect(byName.output == "401", "\(byName)")
            // Another name of the same server is another entry: it is not known.
            #expect(try await artifactctl(lab, "ls", "--server", "https://127.0.0.1").exitCode == 1)

            let second = try await artifactctl(lab, home: "second", "login", "https://10.20.99.1", "--code", code)
            #expect(second.exitCode == 1)
            #expect(second.standardError.contains("no login is open"))
            #expect(!server.program.log.text.contains(code))
        }
    }

    /// The server is found by an IPv6 address, in the form that URLs have for one.
    @Test func anIPv6AddressIsAServerToo() async throws {
        try Requirement.demand([.tool("socat", package: "socat")])
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let relay = try await lab.start(
                ["socat", "-d", "-d", "TCP6-LISTEN:8443,bind=[::1],reuseaddr,fork", "TCP:127.0.0.1:443"],
                log: "relay.log")
            try await relay.waitForLine(containing: "listening on", timeout: .seconds(10))
            let code = try await code(server)
            let login = try await artifactctl(lab, "login", "https://[::1]:8443", "--code", code)
            #expect(login.succeeded, "\(login)")
            #expect(try await artifactctl(lab, "ls").succeeded)
            #expect(try await artifactctl(lab, "ls", "--server", "https://[::1]:8443").succeeded)
        }
    }

    @Test func aWrongCodeIsNotBelievedByEitherSide() async throws {
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let wrong = try await artifactctl(lab, "login", "https://10.20.99.1", "--code", "AAAA-AAAA-AAAA-AAAA")
            #expect(wrong.exitCode == 1)
            #expect(wrong.standardError.contains("does not know this code"))
            let malformed = try await artifactctl(lab, "login", "https://10.20.99.1", "--code", "AAAA")
            #expect(malformed.exitCode == 2)
            // The code is still good after wrong ones.
            let code = try await code(server)
            #expect(try await artifactctl(lab, "login", "https://10.20.99.1", "--code", code).succeeded)
        }
    }

    /// Somebody between, with a certificate of their own, hands everything on: the proofs are bound to the certificate
    /// that each side sees, so the client hangs up before it says anything worth having.
    @Test func somebodyInBetweenIsFoundOut() async throws {
        try Requirement.demand([.tool("socat", package: "socat"), .tool("openssl", package: "openssl")])
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let pair = lab.directory.appending(path: "between.pem").path
            try await lab.run([
                "sh", "-c",
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout \(pair).key -out \(pair).crt && cat \(pair).key \(pair).crt >\(pair)",
            ])
            let between = try await lab.start(
                [
                    "socat", "-d", "-d", "OPENSSL-LISTEN:9443,reuseaddr,fork,cert=\(pair),verify=0",
                    "OPENSSL:127.0.0.1:443,verify=0",
                ], log: "between.log")
            try await between.waitForLine(containing: "listening on", timeout: .seconds(10))
            let code = try await code(server)
            let login = try await artifactctl(lab, "login", "https://10.20.99.1:9443", "--code", code)
            #expect(login.exitCode == 1)
            #expect(login.standardError.contains("somebody stands between"), "\(login)")
            // And it gained nothing: the code still opens the real door, for whoever has it.
            #expect(try await artifactctl(lab, "login", "https://10.20.99.1", "--code", code).succeeded)
        }
    }

    @Test func aServerThatWasSetUpAnewIsNotTakenForTheOldOne() async throws {
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let code = try await code(server)
            #expect(try await artifactctl(lab, "login", "https://10.20.99.1", "--code", code).succeeded)
            await server.program.stop()
            for file in ["control.crt", "control.key"] {
                try FileManager.default.removeItem(at: server.dataDirectory.appending(path: file))
            }
            let again = try await ProvisionerServer.start(
                in: lab, siteFile: server.siteFile, arguments: Self.control, name: "again")
            let list = try await artifactctl(lab, "ls")
            #expect(list.exitCode == 1)
            #expect(list.standardError.contains("shows another certificate"), "\(list)")
            _ = again
        }
    }

    @Test func onlyTheMachineItselfMakesCodes() async throws {
        try await ServedLab.with(arguments: Self.control) { lab, server in
            let code = try await code(server)
            #expect(try await artifactctl(lab, "login", "https://10.20.99.1", "--code", code).succeeded)
            let remote = try await artifactctl(lab, "login-code", "--server", "https://10.20.99.1")
            #expect(remote.exitCode == 1)
            #expect(remote.standardError.contains("on the server itself"))
            for request in [["-X", "POST"], ["-X", "GET"]] {
                let arguments = request + ["-k", "https://10.20.99.1/api/v1/login/code"]
                let status = try await lab.commands.result(
                    of: ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"] + arguments)
                #expect(status.output == "401")
            }
        }
    }
}
