import Foundation
import TestSupport
import Testing

/// The site's boot key on a PKCS #11 token.
@Suite struct BootKeyTokenTests {
    private static let site = SiteFixture(
        machines: [ServedLab.machine],
        profiles: [
            "installer:", "  kernel: \"os:1/linux\"", "  initrd: [\"os:1/tree.tar/initrd\", \"os:1/second\"]",
            "  verify: ipxe",
        ])

    private static func start(
        _ lab: NetworkLab, _ token: SoftToken, key: String, name: String
    ) async throws -> ProvisionerServer {
        try await ProvisionerServer.start(
            in: lab, site: site.yaml, arguments: ["--boot-key", token.uri(key)], environment: token.environment,
            name: name)
    }

    private static func with(_ body: (NetworkLab, SoftToken) async throws -> Void) async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in try await body(lab, try await SoftToken(in: lab, key: "boot")) }
    }

    private static func push(_ lab: NetworkLab, _ server: ProvisionerServer) async throws {
        let tar = try await ServedLab.tree(lab)
        let linux = try ServedLab.file("linux", Data("the kernel".utf8), lab)
        let second = try ServedLab.file("second", Data("the second".utf8), lab)
        try await server.artifactctl("push", "os:1", linux, tar, second)
    }

    private static func isSigned(_ file: String, _ lab: NetworkLab) async throws -> Bool {
        let place = "http://10.20.99.1/signatures/os:1/\(file)"
        return try await ServedLab.curl(lab, "-f", "-o", lab.directory.path + "/signature", place).succeeded
    }

    private static func checks(_ file: String, _ certificate: String, _ lab: NetworkLab) async throws -> Bool {
        let content = lab.directory.path + "/content"
        #expect(try await ServedLab.curl(lab, "-f", "-o", content, "http://10.20.99.1/os:1/\(file)").succeeded)
        let check = ServedLab.cmsCheck(lab.directory.path + "/signature", over: content, by: certificate)
        return try await lab.commands.result(of: check).succeeded
    }

    @Test func itSignsWhatMachinesVerifyAndIsInNoFile() async throws {
        try await Self.with { lab, token in
            let server = try await Self.start(lab, token, key: "boot", name: "first")
            try await Self.push(lab, server)
            #expect(try await Self.isSigned("linux", lab))
            let shown = try await ServedLab.bootKey(lab, server, "show").standardOutput
            let certificate = lab.directory.path + "/boot.crt"
            try Data(shown.utf8).write(to: URL(filePath: certificate))
            for file in ["linux", "tree.tar/initrd"] {
                #expect(try await Self.isSigned(file, lab))
                #expect(try await Self.checks(file, certificate, lab), "\(file)")
                #expect(try await !Self.checks("second", certificate, lab), "the signature of another file")
            }
            let form = try await lab.commands.run(
                [
                    "openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in",
                    lab.directory.path + "/signature",
                ])
            #expect(form.output.contains("signedAttrs:\n          <ABSENT>"), "iPXE reads no signed attributes")
            let loader = lab.directory.path + "/grub.efi"
            #expect(
                try await ServedLab.curl(lab, "-f", "-o", loader, "http://10.20.99.1/loaders/grub-x64.efi").succeeded)
            #expect(try await lab.commands.result(of: ["sbverify", "--cert", certificate, loader]).succeeded)

            #expect(!FileManager.default.fileExists(atPath: server.dataDirectory.path + "/boot.key"))
            let pins = try await lab.commands.result(of: ["grep", "-rl", "271828", server.dataDirectory.path])
            #expect(pins.standardOutput.isEmpty, "copies of the PIN end with what needed them")

            await server.program.stop()
            let openPGP = URL(filePath: server.dataDirectory.path + "/boot-openpgp.key")
            let before = try Data(contentsOf: openPGP)
            let told = try await ServedLab.bootKey(lab, server, "rotate")
            #expect(told.succeeded && told.standardError.contains("GRUB gets a new key"), "\(told)")
            #expect(told.standardError.contains("make another one there"), "the token's key is its owner's to change")

            let again = try await Self.start(lab, token, key: "boot", name: "again")
            #expect(try await ServedLab.bootKey(lab, again, "show").standardOutput == shown)
            await again.program.stop()

            try await token.makeKey("second")
            let other = try await Self.start(lab, token, key: "second", name: "other")
            #expect(try await Self.isSigned("linux", lab))
            let rotated = try await ServedLab.bootKey(lab, other, "show").standardOutput
            #expect(rotated != shown && rotated.contains("BEGIN CERTIFICATE"))
            #expect(try await !Self.checks("linux", certificate, lab), "the certificate of before")
            try Data(rotated.utf8).write(to: URL(filePath: certificate))
            #expect(try await Self.checks("linux", certificate, lab))
            #expect(
                try await ServedLab.curl(lab, "-f", "-o", loader, "http://10.20.99.1/loaders/grub-x64.efi").succeeded)
            #expect(try Data(contentsOf: openPGP) != before, "GRUB has another key inside")
        }
    }

    @Test func aPINThatTheTokenRefusesIsNotTriedAgain() async throws {
        try await Self.with { lab, token in
            try token.setPIN(right: false)
            let wrong = try await Self.start(lab, token, key: "boot", name: "wrong")
            try await wrong.program.waitForLine(
                containing: "error provisioner: [Daemon] --boot-key", timeout: .seconds(20))
            try await Self.push(lab, wrong)
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/linux") == "200", "all else goes on")
            try await token.setRightPINUnseen()
            #expect(try await !Self.isSigned("linux", lab))
            await wrong.program.stop()
            let same = try await Self.start(lab, token, key: "boot", name: "same")
            try await same.program.waitForLine(containing: "which is not tried again", timeout: .seconds(10))
            #expect(try await !Self.isSigned("linux", lab), "not tried again, over a restart")
            await same.program.stop()

            try token.setPIN(right: true)
            let right = try await Self.start(lab, token, key: "boot", name: "right")
            #expect(try await Self.isSigned("linux", lab))
            try token.setPIN(right: false)
            #expect(try await !Self.isSigned("second", lab))
            try await token.setRightPINUnseen()
            #expect(try await !Self.isSigned("tree.tar/initrd", lab), "not tried again")
            try token.setPIN(right: true)
            for _ in 0..<100 where try await !Self.isSigned("tree.tar/initrd", lab) {
                try await Task.sleep(for: .milliseconds(200))
            }
            #expect(try await Self.isSigned("tree.tar/initrd", lab), "without a restart")
            _ = right
        }
    }

    @Test func aTokenThatIsNotThereHoldsUpNothingElse() async throws {
        try await Self.with { lab, token in
            let module = token.uri("boot").replacing("libsofthsm2.so", with: "none.so")
            for (name, uri) in [("key", token.uri("another")), ("module", module)] {
                let server = try await ProvisionerServer.start(
                    in: lab, site: Self.site.yaml, arguments: ["--boot-key", uri], environment: token.environment,
                    name: name)
                try await server.program.waitForLine(
                    containing: "error provisioner: [Daemon] --boot-key", timeout: .seconds(20))
                if name == "key" { try await Self.push(lab, server) }
                #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/linux") == "200")
                #expect(try await !Self.isSigned("linux", lab))
                if name == "key" {
                    try await token.makeKey("another")
                    for _ in 0..<100 where try await !Self.isSigned("linux", lab) {
                        try await Task.sleep(for: .milliseconds(200))
                    }
                    #expect(try await Self.isSigned("linux", lab), "found without a restart")
                    try FileManager.default.removeItem(at: server.dataDirectory.appending(path: "boot-signatures"))
                }
                await server.program.stop()
            }
        }
    }
}
