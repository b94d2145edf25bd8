import Foundation
import TestSupport
import Testing

/// A box with a site file that cannot be used, or none, still takes pushes and says why it serves nothing else.
@Suite struct ControlOnlyTests {
    @Test func withoutAUsableSiteFileOnlyTheControlPlaneIsServed() async throws {
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let status = lab.directory.appending(path: "status.json").path
            let server = try await ProvisionerServer.start(
                in: lab, site: "schema: provisioner.site/1\nroot_domian: x\n",
                arguments: ["--control-only-without-site", "--status-file", status])
            let file = try ServedLab.file("linux", Data("kernel".utf8), lab)
            try await server.artifactctl("push", "os:1", file)
            let text = try await server.artifactctl("status").output
            #expect(text.contains("site.yaml:2:1: error: unknown key 'root_domian'"))
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/boot.ipxe").exitCode != 0)
            let sockets = try await lab.run(["ss", "-Hlnup"]).output + (try await lab.run(["ss", "-Hlntp"]).output)
            for port in [":69 ", ":80 ", ":514 ", ":53 ", ":67 "] { #expect(!sockets.contains(port), "\(sockets)") }

            let page = try await lab.run([
                try BuiltProducts.provisioner(), "appliance", "console", "--once", "--status-file", status, "--state",
                lab.directory.path,
            ]).output
            #expect(page.contains("PROBLEM"))
            // Long lines are broken, wherever that is.
            #expect(page.filter { !$0.isWhitespace }.contains("site.yaml:2:1:error:unknownkey'root_domian'"), "\(page)")

            // Mended: it ends well, for whoever started it to start it again.
            try Data(ServedLab.site.yaml.utf8).write(to: server.siteFile)
            let ended = try await server.program.waitForExit(timeout: .seconds(30))
            #expect("\(ended)" == "exited(0)")
            #expect(!FileManager.default.fileExists(atPath: status))
            let whole = try await ProvisionerServer.start(
                in: lab, siteFile: server.siteFile, arguments: ["--control-only-without-site"], name: "whole")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/boot.ipxe") == "200")
            #expect(try await whole.artifactctl("ls").output.contains("os:1"))
        }
    }

    @Test func withoutTheOptionItDoesNotStart() async throws {
        let result = try await CommandRunner.local.result(of: [
            try BuiltProducts.provisioner(), "serve", "--site", "/does/not/exist",
        ])
        #expect(result.exitCode == 1)
        #expect(result.standardError.contains("does it exist?"))
    }
}
