import Foundation
import TestSupport
import Testing

/// Archives as folders, over HTTP and TFTP, as machines and operators see them.
@Suite struct ArchiveTests {
    private static let requirements: [Requirement] = [
        .tool("xorriso", package: "xorriso"), .tool("zip", package: "zip"), .tool("tftp", package: "tftp-hpa"),
    ]

    private static let site = SiteFixture(
        machines: [ServedLab.machine],
        profiles: [
            "installer:", "  kernel: \"debian:12/dvd.iso/install/vmlinuz\"",
            "  initrd: [\"debian:12/dvd.iso/install.amd/initrd.gz\"]",
        ])

    private func with(_ body: (NetworkLab, ProvisionerServer, URL) async throws -> Void) async throws {
        try Requirement.demand(Self.requirements)
        try await ServedLab.with(site: Self.site) { lab, server in
            let tree = lab.directory.appending(path: "tree")
            try FileManager.default.createDirectory(
                at: tree.appending(path: "install.amd"), withIntermediateDirectories: true)
            try Data("the kernel".utf8).write(to: tree.appending(path: "install.amd/vmlinuz"))
            try ServedLab.bytes(3_000_000).write(to: tree.appending(path: "install.amd/initrd.gz"))
            try FileManager.default.createSymbolicLink(
                atPath: tree.appending(path: "install").path, withDestinationPath: "install.amd")
            try await body(lab, server, tree)
        }
    }

    private func wait(_ server: ProvisionerServer, for words: String) async throws {
        try await server.program.waitForLine(containing: words, timeout: .seconds(60))
    }

    @Test func anImageIsServedAsAFolderOutOfItself() async throws {
        try await with { lab, server, tree in
            let image = lab.directory.appending(path: "dvd.iso").path
            try await lab.commands.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-o", image, tree.path])
            try await server.artifactctl("push", "debian:12", image)
            try await wait(server, for: "dvd.iso is shown as a folder of 2 files")
            let place = "10.20.99.1/debian:12/dvd.iso"
            #expect(try await ServedLab.curl(lab, "http://\(place)/install/vmlinuz").output == "the kernel")
            let out = lab.directory.appending(path: "out").path
            for scheme in ["http", "tftp"] {
                let result = try await ServedLab.curl(lab, "-o", out, "\(scheme)://\(place)/install.amd/initrd.gz")
                #expect(result.succeeded, "\(result)")
                #expect(FileManager.default.contents(atPath: out) == ServedLab.bytes(3_000_000), "\(scheme)")
            }
            let part = try await ServedLab.curl(lab, "-r", "4-9", "http://\(place)/install.amd/vmlinuz")
            #expect(part.output == "kernel")
            let head = try await ServedLab.curl(lab, "-I", "http://\(place)/install.amd/vmlinuz")
            let fields = head.output.lowercased()
            #expect(fields.contains("content-length: 10") && fields.contains("etag: \"sha256:"), "\(head)")
            #expect(try await ServedLab.status(lab, "http://\(place)/none") == "404")
            #expect(try await ServedLab.status(lab, "http://\(place)/install") == "200", "a link to a folder")
            // The whole image is a file still, and no byte of it is there twice.
            #expect(try await ServedLab.status(lab, "-I", "http://\(place)") == "200")
            let blobs = server.dataDirectory.appending(path: "blobs")
            let count = try await lab.commands.run(["sh", "-c", "find '\(blobs.path)' -type f | wc -l"])
            #expect(count.output == "3", "image, configuration and manifest")
            #expect(try await server.artifactctl("show", "debian:12").output.contains("\nfolder  dvd.iso/...\n"))
            // A profile boots out of it.
            let script = try await ServedLab.curl(lab, "http://10.20.99.1/ipxe/script?mac=\(ServedLab.machine.mac)")
            #expect(script.output.contains("/debian:12/dvd.iso/install/vmlinuz"), "\(script)")
            let explained = try await lab.commands.run([
                try BuiltProducts.provisioner(), "explain", "--mac", ServedLab.machine.mac, "--site",
                server.siteFile.path, "--data", server.dataDirectory.path,
            ])
            #expect(explained.output.contains("boot profile installer"), "\(explained)")
        }
    }

    @Test func compressedMembersAreBlobsThatACollectionSpares() async throws {
        try await with { lab, server, tree in
            try await lab.commands.run([
                "sh", "-c", "cd '\(tree.path)' && zip -qry ../a.zip . && tar -czf ../b.tar.gz .",
            ])
            try await server.artifactctl(
                "push", "debian:12", lab.directory.appending(path: "a.zip").path,
                lab.directory.appending(path: "b.tar.gz").path)
            try await wait(server, for: "a.zip is shown as a folder of 2 files")
            try await wait(server, for: "b.tar.gz is shown as a folder of 2 files")
            try await server.artifactctl("gc", "--yes")
            for archive in ["a.zip", "b.tar.gz"] {
                let place = "http://10.20.99.1/debian:12/\(archive)/install"
                #expect(try await ServedLab.curl(lab, "\(place)/vmlinuz").output == "the kernel")
                #expect(try await ServedLab.status(lab, "\(place).amd/initrd.gz") == "200")
            }
        }
    }

    @Test func anArchiveThatIsRefusedSaysWhyAndTheRestIsServed() async throws {
        try await with { lab, server, tree in
            let archive = lab.directory.appending(path: "twice.tar").path
            try await lab.commands.run([
                "sh", "-c", "cd '\(tree.path)' && tar -cf '\(archive)' . && tar -rf '\(archive)' ./install.amd/vmlinuz",
            ])
            let text = try ServedLab.file("note.iso", Data("no image".utf8), lab)
            try await server.artifactctl("push", "debian:12", archive, text)
            try await wait(server, for: "twice.tar is not shown as a folder")
            let answer = try await ServedLab.curl(lab, "http://10.20.99.1/debian:12/twice.tar/install.amd/vmlinuz")
            #expect(answer.output.contains("'install.amd/vmlinuz' is there twice"), "\(answer)")
            #expect(try await ServedLab.status(lab, "-I", "http://10.20.99.1/debian:12/twice.tar") == "200")
            let shown = try await server.artifactctl("show", "debian:12").output
            #expect(
                shown.contains("folder  twice.tar/...: not shown: 'install.amd/vmlinuz' is there twice"), "\(shown)")
            let note = try await ServedLab.curl(lab, "http://10.20.99.1/debian:12/note.iso/x")
            #expect(note.output.contains("whatever its name says"), "\(note)")
        }
    }

    /// The view is made once: a restart finds it, and one that is lost is made again.
    @Test func viewsSurviveARestartAndAreMadeAgainWhenLost() async throws {
        try await with { lab, server, tree in
            let archive = lab.directory.appending(path: "a.tar").path
            try await lab.commands.run(["tar", "-cf", archive, "-C", tree.path, "."])
            try await server.artifactctl("push", "debian:12", archive)
            try await wait(server, for: "a.tar is shown as a folder")
            await server.program.stop()
            let views = server.dataDirectory.appending(path: "views")
            let files = try FileManager.default.contentsOfDirectory(atPath: views.path)
            #expect(files.count == 1)
            let again = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "again")
            #expect(
                try await ServedLab.curl(lab, "http://10.20.99.1/debian:12/a.tar/install/vmlinuz").output
                    == "the kernel")
            await again.program.stop()
            try FileManager.default.removeItem(at: views.appending(path: files[0]))
            let third = try await ProvisionerServer.start(in: lab, siteFile: server.siteFile, name: "third")
            try await wait(third, for: "a.tar is shown as a folder")
            #expect(
                try await ServedLab.curl(lab, "http://10.20.99.1/debian:12/a.tar/install/vmlinuz").output
                    == "the kernel")
        }
    }
}
