import Foundation
import TestSupport
import Testing

/// `artifactctl push NAME:TAG DIRECTORY`, with the programs themselves.
@Suite struct TreePushTests {
    private struct Pushed: Decodable {
        let digest: String
        let fileCount: Int
        let sentCount: Int
        let sentSize: Int64
        let pageCount: Int
        let sentPageCount: Int
    }

    /// Writes files of a folder in the lab's directory, and gives its path.
    private static func folder(_ name: String, _ files: [String: String], _ lab: NetworkLab) throws -> String {
        let root = lab.directory.appending(path: name)
        for (path, text) in files {
            let place = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: place)
        }
        return root.path
    }

    private static func push(_ server: ProvisionerServer, _ arguments: String...) async throws -> Pushed {
        let result = try await server.artifactctlResult(["push", "--json"] + arguments)
        try #require(result.succeeded, "\(result)")
        return try JSONDecoder().decode(Pushed.self, from: Data(result.standardOutput.utf8))
    }

    @Test func aFolderIsServedPulledAndPushedAgainByWhatChanged() async throws {
        try await ServedLab.with { lab, server in
            let files = Dictionary(uniqueKeysWithValues: (0..<4500).map { ("pool/\($0 % 31)/f\($0)", "content \($0)") })
            let tree = try Self.folder("tree", files, lab)
            try await lab.run(["dd", "if=/dev/urandom", "of=\(tree)/large.iso", "bs=1M", "count=5", "status=none"])
            let dry = try await Self.push(server, "--dry-run", "mirror:1", tree)
            #expect(dry.sentCount == 4501)
            let first = try await Self.push(server, "mirror:1", tree)
            #expect(first.digest == dry.digest)
            #expect(first.fileCount == 4501 && first.sentCount == 4501 && first.sentPageCount == first.pageCount)
            let again = try await Self.push(server, "mirror:1", tree)
            #expect(again.digest == first.digest && again.sentCount == 0 && again.sentPageCount == 0)

            try Data("changed".utf8).write(to: URL(filePath: "\(tree)/pool/7/f7"))
            try FileManager.default.removeItem(atPath: "\(tree)/pool/8/f8")
            let refused = try await server.artifactctlResult(["push", "mirror:1", tree])
            #expect(!refused.succeeded && refused.standardError.contains("immutable"))
            let second = try await Self.push(server, "mirror:2", tree)
            #expect(second.sentCount == 1 && second.sentSize == 7)
            #expect(second.pageCount > 1 && second.sentPageCount < second.pageCount)

            for (version, text) in [("1", "content 7"), ("2", "changed")] {
                let url = "http://10.20.99.1/mirror:\(version)/pool/7/f7"
                #expect(try await ServedLab.curl(lab, url).output == text)
            }
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/mirror:2/pool/8/f8") == "404")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/mirror:2/pool/none") == "404")
            let output = lab.directory.appending(path: "pulled").path
            try await server.artifactctl("pull", "mirror:2", "-o", output)
            try await lab.run(["diff", "-r", tree, output])
            let show = try await server.artifactctl("show", "mirror:2").output
            #expect(show.contains("in 4500 files") && show.contains("pool/7/f7"))
            #expect(try await server.artifactctl("ls", "mirror").output.contains("4500"))
        }
    }

    @Test func linksInsideAreFollowedAndEverythingElseIsRefusedByName() async throws {
        try await ServedLab.with { lab, server in
            let tree = try Self.folder("tree", ["dists/bookworm/Release": "r", "pool/a": "a"], lab)
            try await lab.run(["ln", "-s", "bookworm", "\(tree)/dists/stable"])
            try await lab.run(["ln", "-s", "../pool/a", "\(tree)/dists/a"])
            #expect(try await Self.push(server, "mirror:1", tree).fileCount == 4)
            let release = try await ServedLab.curl(lab, "http://10.20.99.1/mirror:1/dists/stable/Release")
            #expect(release.output == "r")

            let bad: [(String, [String])] = [
                ("leads out of the folder", ["ln", "-s", "/etc/hostname", "\(tree)/x"]),
                ("leads out of the folder", ["ln", "-s", "../../..", "\(tree)/x"]),
                ("leads nowhere", ["ln", "-s", "missing", "\(tree)/x"]),
                ("in a circle", ["ln", "-s", ".", "\(tree)/x"]),
                ("neither a file nor a folder", ["mkfifo", "\(tree)/x"]),
                ("upper and lower case", ["cp", "-r", "\(tree)/pool", "\(tree)/POOL"]),
                ("not UTF-8", ["bash", "-c", "touch \(tree)/$'x\\xff'"]),
                ("backslashes", ["touch", "\(tree)/x\\y"]),
            ]
            for (message, command) in bad {
                try await lab.run(command)
                let result = try await server.artifactctlResult(["push", "mirror:2", tree])
                #expect(result.exitCode == 1, "\(command): \(result)")
                #expect(result.standardError.contains(message), "\(command): \(result)")
                try await lab.run(["bash", "-c", "rm -rf \(tree)/x* \(tree)/POOL"])
            }
            try await lab.run(["mkdir", "\(tree)-empty"])
            let empty = try await server.artifactctlResult(["push", "mirror:2", "\(tree)-empty"])
            #expect(empty.standardError.contains("holds no file"))
            let two = try await server.artifactctlResult(["push", "mirror:2", tree, "\(tree)-empty"])
            #expect(two.standardError.contains("push it alone"), "\(two)")
            #expect(try await server.artifactctl("ls").output.contains("mirror:2") == false)
        }
    }

    /// What a killed push has sent is not sent again.
    @Test func aKilledPushGoesOnWhereItStood() async throws {
        try await ServedLab.with { lab, server in
            let tree = lab.directory.appending(path: "tree").path
            let script =
                "import os,sys\nfor i in range(20000):\n d=sys.argv[1]+'/%03d'%(i%300)\n os.makedirs(d,exist_ok=True)\n open(d+'/%d'%i,'w').write('content %d'%i*50)\n"
            let file = try ServedLab.file("make.py", Data(script.utf8), lab)
            try await lab.run(["python3", file, tree])
            let push = try await lab.start(
                [
                    "env", "PROVISIONER_SOCKET=\(server.socket)", try BuiltProducts.artifactctl(), "push", "mirror:1",
                    tree,
                ],
                log: "push.log")
            let blobs = "\(server.dataDirectory.path)/blobs/sha256"
            func blobCount() throws -> Int {
                try FileManager.default.subpathsOfDirectory(atPath: blobs).count { $0.utf8.count == 70 }
            }
            while push.isRunning, try blobCount() < 9000 { try await Task.sleep(for: .milliseconds(20)) }
            #expect(push.isRunning, "a push that ends before it is killed proves nothing")
            kill(push.processID, SIGKILL)
            _ = try? await push.waitForExit(timeout: .seconds(10))
            let kept = try blobCount()
            let again = try await Self.push(server, "mirror:1", tree)
            // What was under way may have come half, and is sent again.
            #expect(again.sentCount <= 20000 - kept + 4096 && again.sentCount < 16000, "\(kept) files were there")
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/mirror:1/299/299").output.hasPrefix("content 299"))
        }
    }

    @Test func filesOfEverySizeAndTwiceTheSameArePushedFromAnyPlace() async throws {
        try await ServedLab.with { lab, server in
            let tree = lab.directory.appending(path: "a=b/tree").path
            let script = """
                cd "$(mkdir -p "$1" && cd "$1" && pwd)"
                head -c 70000000 /dev/urandom >large; mkdir -p c/d; cp large c/d/large; ln large third
                : >empty; head -c 262144 /dev/urandom >c/edge; head -c 262145 /dev/urandom >c/over; head -c 1048576 /dev/urandom >mib
                """
            try await lab.run(["bash", "-euc", script, "make", tree])
            // Both large ones are in groups of their own, which are sent at once.
            let pushed = try await Self.push(server, "--parallel", "4", "mirror:1", tree + "/")
            #expect(pushed.fileCount == 7 && pushed.sentCount == 5)
            try await lab.run(["ln", "-s", tree, tree + "-link"])
            #expect(try await Self.push(server, "mirror:1", tree + "-link").digest == pushed.digest)
            let here = try await lab.commands.result(
                of: [
                    "bash", "-c",
                    "cd \(tree) && PROVISIONER_SOCKET=\(server.socket) \(try BuiltProducts.artifactctl()) push mirror:2 .",
                ])
            #expect(here.succeeded && here.output.contains(pushed.digest), "\(here)")
            let output = lab.directory.appending(path: "pulled").path
            try await server.artifactctl("pull", "mirror:1", "-o", output)
            try await lab.run(["diff", "-r", tree, output])
            // The same file under two names, and larger than what is hashed first.
            try await server.artifactctl(
                "push", "twice:1", "a.img=\(tree)/large", "b.img=\(tree)/large", "c.img=\(tree)/third")
            let shown = try await server.artifactctl("show", "twice:1").output
            #expect(shown.contains("in 3 files") && shown.components(separatedBy: "70.0 MB").count == 4, "\(shown)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(server.dataDirectory.path)/staging").isEmpty)
        }
    }

    /// A tree is an OCI index: what copies images copies it, and the copy is served as a folder too.
    @Test func skopeoCopiesAFolder() async throws {
        try Requirement.demand([.tool("skopeo", package: "skopeo")])
        try await ServedLab.with(arguments: ["--control", "127.0.0.1:5000"]) { lab, server in
            let files = Dictionary(uniqueKeysWithValues: (0..<120).map { ("pool/f\($0)", "content \($0)") })
            let pushed = try await Self.push(server, "mirror:1", try Self.folder("tree", files, lab))
            let layout = "oci:\(lab.directory.appending(path: "layout").path):1"
            let registry = "docker://127.0.0.1:5000"
            for (source, target) in [("\(registry)/mirror:1", layout), (layout, "\(registry)/copy:1")] {
                try await lab.commands.run(
                    [
                        "skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests", "--src-tls-verify=false",
                        "--dest-tls-verify=false", source, target,
                    ], timeLimit: .seconds(240))
            }
            #expect(try await ServedLab.curl(lab, "http://10.20.99.1/copy:1/pool/f7").output == "content 7")
            #expect(try await server.artifactctl("ls", "copy").output.contains(String(pushed.digest.prefix(19))))
        }
    }

    @Test func manySmallArtifactsArePublishedTogether() async throws {
        try await ServedLab.with { lab, server in
            var list = ""
            for number in 0..<250 {
                let file = try ServedLab.file("answer-\(number)", Data("answer \(number)".utf8), lab)
                list +=
                    "{\"reference\": \"answers/host\(number % 3):\(number)\", \"files\": {\"a/preseed.cfg\": \"\(file)\"}}\n"
            }
            let place = try ServedLab.file("list", Data(list.utf8), lab)
            for _ in 0..<2 {
                let result = try await server.artifactctl("push-many", place)
                #expect(result.output.contains("250 versions are published"))
            }
            let answer = try await ServedLab.curl(lab, "http://10.20.99.1/answers/host1:202/a/preseed.cfg")
            #expect(answer.output == "answer 202")
            #expect(try await server.artifactctl("ls", "answers/host0").output.split(separator: "\n").count == 85)

            let line = "{\"reference\": \"answers/host0:0\", \"files\": {\"a/preseed.cfg\": \"\(place)\"}}\n"
            let other = try ServedLab.file("other", Data((line + "nonsense\n").utf8), lab)
            let nonsense = try await server.artifactctlResult(["push-many", other])
            #expect(nonsense.exitCode == 1 && nonsense.standardError.contains("line 2"))
            _ = try ServedLab.file("other", Data(line.utf8), lab)
            let taken = try await server.artifactctlResult(["push-many", other])
            #expect(taken.exitCode == 1 && taken.standardError.contains("immutable"), "\(taken)")
        }
    }

    @Test func aQuotaRefusesWithNumbersAndIsShown() async throws {
        try await ServedLab.with { lab, server in
            let file = try ServedLab.file("f", ServedLab.bytes(300_000), lab)
            #expect(try await server.artifactctl("quota", "set", "lab/*", "1.0MB").output.contains("may hold 1.00 MB"))
            try await server.artifactctl("push", "lab/a:1", file)
            let large = try ServedLab.file("large", ServedLab.bytes(900_000, seed: 2), lab)
            let refused = try await server.artifactctlResult(["push", "lab/b:1", large])
            #expect(refused.exitCode == 1)
            #expect(
                refused.standardError.contains("507") && refused.standardError.contains("1000000 bytes"), "\(refused)")
            let tree = try Self.folder(
                "tree",
                [
                    "a": String(repeating: "x", count: 200_000), "b": String(repeating: "y", count: 250_000),
                    "c": String(repeating: "z", count: 255_000),
                ], lab)
            let folder = try await server.artifactctlResult(["push", "lab/c:1", tree])
            #expect(folder.exitCode == 1 && folder.standardError.contains("507"), "\(folder)")
            let listed = try await server.artifactctl("quota").output
            #expect(listed.contains("lab/*") && listed.contains("30 %"), "\(listed)")
            try await server.artifactctl("quota", "rm", "lab/*")
            try await server.artifactctl("push", "lab/b:1", large)
        }
    }
}
