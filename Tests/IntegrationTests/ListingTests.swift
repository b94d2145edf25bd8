import Foundation
import TestSupport
import Testing

/// Folders of versions and of archives, for people and for programs.
@Suite struct ListingTests {
    private struct Listing: Decodable {
        struct Entry: Decodable {
            let name: String
            let kind: String
            let size: Int64?
            let digest: String?
        }

        let path: String
        let entries: [Entry]
        let isComplete: Bool
    }

    private func json(_ lab: NetworkLab, _ path: String) async throws -> Listing {
        let result = try await ServedLab.curl(
            lab, "-f", "-H", "accept: application/json", "http://10.20.99.1/\(path)")
        return try JSONDecoder().decode(Listing.self, from: Data(result.standardOutput.utf8))
    }

    @Test func foldersAreShownToPeopleAndPrograms() async throws {
        try Requirement.demand([.tool("wget", package: "wget")])
        try await ServedLab.with { lab, server in
            let tree = lab.directory.appending(path: "tree")
            let odd = "a <b> & \"c\" 100%?#.txt"
            for (path, text) in [
                ("boot/vmlinuz", "kernel"), ("boot/grub/x.cfg", "x"), ("README", "read me"), ("sub/\(odd)", "odd"),
            ] {
                let place = tree.appending(path: path)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: place)
            }
            let tar = lab.directory.appending(path: "os.tar").path
            try await lab.commands.run(["tar", "-cf", tar, "-C", tree.path, "."])
            try FileManager.default.copyItem(atPath: tar, toPath: tree.appending(path: "os.tar").path)
            try await server.artifactctl("push", "os:1", tree.path)

            let root = try await json(lab, "os:1")
            #expect(root.path == "/os:1" && root.isComplete)
            #expect(root.entries.map(\.name) == ["boot", "sub", "README", "os.tar"], "folders first")
            #expect(root.entries.map(\.kind) == ["folder", "folder", "file", "file"])
            #expect(root.entries[2].size == 7 && root.entries[2].digest?.hasPrefix("sha256:") == true)
            #expect(try await json(lab, "os:1/").entries.count == 4)
            #expect(try await json(lab, "os:1//boot/").entries.map(\.name) == ["grub", "vmlinuz"])
            // The archive is a folder with a slash, and a file without.
            #expect(try await json(lab, "os:1/os.tar/").entries.map(\.name) == ["boot", "sub", "README"])
            #expect(try await json(lab, "os:1/os.tar/boot").entries.map(\.name) == ["grub", "vmlinuz"])
            let whole = try await ServedLab.curl(
                lab, "-f", "-o", "/dev/null", "-w", "%{size_download}", "http://10.20.99.1/os:1/os.tar")
            #expect(try Int(whole.output) == Data(contentsOf: URL(filePath: tar)).count)

            let page = try await ServedLab.curl(
                lab, "-f", "-i", "-H", "accept: text/html,application/json", "http://10.20.99.1/os:1/sub/"
            ).output
            #expect(page.contains("text/html") && page.lowercased().contains("vary: accept"))
            #expect(page.contains("a &lt;b&gt; &amp; &quot;c&quot; 100%?#.txt"))
            #expect(!page.contains("<b>"), "a name is no markup")
            let link = try #require(page.firstMatch(of: /href="([^"]*txt)"/)?.1)
            #expect(try await ServedLab.curl(lab, "-f", "http://10.20.99.1\(link)").output == "odd")
            #expect(page.contains("href=\"/os:1/\">..") && !page.contains("href=\"//"))
            for path in ["none:1", "none:1/", "os:1/none/", "os:1/READ", "os:2", "os"] {
                #expect(try await ServedLab.status(lab, "http://10.20.99.1/\(path)") == "404", "\(path)")
            }
            #expect(try await ServedLab.status(lab, "-X", "PUT", "http://10.20.99.1/os:1/") == "405")

            // A mirror of it by its links alone.
            let copy = lab.directory.appending(path: "copy").path
            try await lab.commands.run(
                [
                    "wget", "-q", "-r", "-np", "-nH", "-l", "9", "-P", copy, "-R", "index.html",
                    "http://10.20.99.1/os:1/",
                ])
            for path in ["boot/vmlinuz", "boot/grub/x.cfg", "README"] {
                let found = FileManager.default.contents(atPath: "\(copy)/os:1/\(path)")
                #expect(found == FileManager.default.contents(atPath: tree.appending(path: path).path), "\(path)")
            }
        }
    }

    @Test func aWithheldVersionIsNotShown() async throws {
        var site = ServedLab.site
        site.trust = ["policies:", "  - {artifacts: [\"os\"], signers: [nobody], on_missing: quarantine}"]
        try await ServedLab.with(site: site) { lab, server in
            let file = try ServedLab.file("secret-name", Data("x".utf8), lab)
            _ = try await server.artifactctlResult(["push", "os:1", file])
            for path in ["os:1", "os:1/"] {
                let answer = try await ServedLab.curl(lab, "-i", "http://10.20.99.1/\(path)").output
                #expect(!answer.contains("secret-name") && !answer.contains("200 OK"), "\(answer)")
            }
        }
    }
}
