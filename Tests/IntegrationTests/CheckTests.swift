import Foundation
import TestSupport
import Testing

/// `provisioner check`.
@Suite struct CheckTests {
    private func check(_ text: String, _ arguments: String...) async throws -> CommandResult {
        try await TemporaryDirectory.with { directory in
            let file = directory.appending(path: "site.yaml")
            try Data(text.utf8).write(to: file)
            return try await CommandRunner.local.result(
                of: [
                    "sh", "-c", "cd \(directory.path) && exec \"$@\"", "sh", try BuiltProducts.provisioner(), "check",
                    "site.yaml",
                ]
                    + arguments)
        }
    }

    @Test func aSiteWithOnlySchemaAndDomainIsValid() async throws {
        let result = try await check("schema: provisioner.site/1\nroot_domain: deevnet.net\n")
        #expect(result.exitCode == 0)
        #expect(result.output.contains("valid"))
    }

    @Test func theExampleOfTheDocumentationIsValid() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let example = root.appending(path: "docs/example-site.yaml").path
        let result = try await CommandRunner.local.result(of: [
            try BuiltProducts.provisioner(), "check", "--quiet", example,
        ])
        #expect(result.exitCode == 0, "\(result)")
        #expect(result.lines.count == 1, "it has warnings: \(result.output)")
    }

    @Test func findingsNameFileLineAndColumn() async throws {
        let result = try await check(
            "schema: provisioner.site/1\nroot_domain: deevnet.net\nhosts:\n  hv01:\n    form: zz\n    plane: dvntm\n")
        #expect(result.exitCode == 1)
        #expect(result.output.contains("site.yaml:5:5: error: hosts.hv01.form: 'zz' must be one of 'hv'"))
        #expect(result.output.contains("site.yaml:6:5: error: hosts.hv01.plane: 'dvntm' does not exist"))
    }

    @Test func profilesThatNameMissingArtifactsAreFound() async throws {
        try await ServedLab.with { lab, server in
            let check = [
                try BuiltProducts.provisioner(), "check", server.siteFile.path, "--data", server.dataDirectory.path,
            ]
            let before = try await lab.commands.result(of: check)
            #expect(before.exitCode == 1)
            #expect(before.output.contains("os:1 is not published"))
            let linux = try ServedLab.file("linux", Data("x".utf8), lab)
            try await server.artifactctl("push", "os:1", linux)
            #expect(try await lab.commands.result(of: check).output.contains("os:1 has no file 'initrd'"))
        }
    }
}
