import Foundation
import TestSupport
import Testing

/// The boot plane by curl and tftp.
@Suite struct BootPlaneTests {
    @Test func httpAndTFTPServeTheSameBytes() async throws {
        try Requirement.demand([.tool("tftp", package: "tftp-hpa")])
        try await ServedLab.with { lab, server in
            let bytes = ServedLab.bytes(3_000_001)
            let file = try ServedLab.file("big", bytes, lab)
            try await server.artifactctl("push", "os:1", file)
            for (index, url) in [
                "http://10.20.99.1/os:1/big", "tftp://10.20.99.1/os:1/big", "http://10.20.99.1//os:1//big",
            ].enumerated() {
                let out = lab.directory.appending(path: "out\(index)").path
                _ = try await ServedLab.curl(lab, "-o", out, url)
                try await lab.run(["cmp", file, out])
            }
            let client = try await lab.addHost("client", address: "10.20.99.50/24")
            let out = lab.directory.appending(path: "by-tftp").path
            try await client.run(["tftp", "-m", "binary", "10.20.99.1", "-c", "get", "loaders/undionly.kpxe", out])
            try await lab.run(["cmp", "/usr/lib/ipxe/undionly.kpxe", out])
        }
    }

    @Test func rangesAndConditionsAreHonoured() async throws {
        try await ServedLab.with { lab, server in
            let bytes = ServedLab.bytes(10_000)
            let file = try ServedLab.file("f", bytes, lab)
            try await server.artifactctl("push", "os:1", file)
            let url = "http://10.20.99.1/os:1/f"
            func fetch(_ range: String) async throws -> (String, Data) {
                let out = lab.directory.appending(path: "out")
                try? FileManager.default.removeItem(at: out)
                let status = try await lab.commands.result(of: [
                    "curl", "-sS", "-H", "Range: \(range)", "-o", out.path, "-w", "%{http_code}", url,
                ]).output
                return (status, (try? Data(contentsOf: out)) ?? Data())
            }
            #expect(try await fetch("bytes=0-0") == ("206", bytes.prefix(1)))
            #expect(try await fetch("bytes=9990-") == ("206", bytes.suffix(10)))
            #expect(try await fetch("bytes=-5") == ("206", bytes.suffix(5)))
            #expect(try await fetch("bytes=5-99999999") == ("206", bytes.dropFirst(5)))
            #expect(try await fetch("bytes=10000-").0 == "416")
            #expect(try await fetch("bytes=7-3") == ("200", bytes))
            #expect(try await fetch("lines=1-2") == ("200", bytes))
            let head = try await ServedLab.curl(lab, "-I", url)
            #expect(head.output.lowercased().contains("content-length: 10000"))
            let etag = try #require(head.lines.first { $0.lowercased().hasPrefix("etag:") }?.dropFirst(6))
            #expect(try await ServedLab.status(lab, "-H", "If-None-Match: \(etag)", url) == "304")
            #expect(try await ServedLab.status(lab, "-H", "If-None-Match: \"other\"", url) == "200")
        }
    }

    /// Read by Python's parser of multipart messages, over a connection that goes on being used.
    @Test func severalRangesComeInOneAnswer() async throws {
        try Requirement.demand([.tool("python3", package: "python3")])
        try await ServedLab.with { lab, server in
            let bytes = ServedLab.bytes(3_000_000)
            let file = try ServedLab.file("f", bytes, lab)
            try await lab.commands.run(["tar", "-cf", "\(lab.directory.path)/t.tar", "-C", lab.directory.path, "f"])
            try await server.artifactctl("push", "os:1", file, "\(lab.directory.path)/t.tar")
            let script = """
                import email, http.client, sys
                data = open(sys.argv[1], "rb").read()
                connection = http.client.HTTPConnection("10.20.99.1")
                def get(path, ranges, **more):
                    connection.request("GET", path, headers={"Range": ranges, **more})
                    answer = connection.getresponse()
                    return answer, answer.read()
                def parts(path, ranges):
                    answer, body = get(path, ranges)
                    kind = answer.headers["Content-Type"]
                    assert answer.status == 206 and kind.startswith("multipart/byteranges; boundary="), (answer.status, kind)
                    assert answer.headers["Content-Range"] is None and int(answer.headers["Content-Length"]) == len(body)
                    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\\r\\n\\r\\n" + body)
                    found = []
                    for part in message.get_payload():
                        assert part.get_content_type() == "application/octet-stream"
                        place = part["Content-Range"]
                        boundary = b"--" + message.get_boundary().encode()
                        start = body.index(place.encode()) + len(place) + 4
                        found.append((place, body[start:body.index(b"\\r\\n" + boundary, start)]))
                    return found
                size = len(data)
                for path in ["/os:1/f", "/os:1/t.tar/f"]:
                    wanted = [(0, 0), (10, 1999999), (2500000, 2500010), (size - 5, size - 1)]
                    text = "bytes=" + ", ".join("%d-%d" % pair for pair in wanted)
                    expected = [("bytes %d-%d/%d" % (a, b, size), data[a:b + 1]) for a, b in wanted]
                    assert parts(path, text) == expected, text
                    back = parts(path, "bytes=-5,0-0")
                    assert [part[1] for part in back] == [data[-5:], data[:1]], "in the order that was asked for"
                    many = "bytes=" + ",".join("%d-%d" % (n * 10, n * 10 + 4) for n in range(256))
                    assert len(parts(path, many)) == 256
                    for whole in [many + ",9000-9001", "bytes=0-10,5-20", "bytes=0-1,x", "bytes=0-1,0-1"]:
                        answer, body = get(path, whole)
                        assert answer.status == 200 and body == data, whole[:40]
                    answer, body = get(path, "bytes=0-1,99999999-")
                    assert answer.status == 206 and body == data[:2], "one of them is there"
                    assert answer.headers["Content-Range"] == "bytes 0-1/%d" % size
                    assert get(path, "bytes=99999998-,99999999-")[0].status == 416
                    assert get(path, "bytes=0-1,3-4", **{"If-Range": '"other"'})[0].status == 200
                    connection.request("HEAD", path, headers={"Range": "bytes=0-1,3-4"})
                    answer = connection.getresponse()
                    assert answer.status == 200 and int(answer.headers["Content-Length"]) == size and answer.read() == b""
                print("all as it should be")
                """
            let place = lab.directory.appending(path: "ranges.py")
            try Data(script.utf8).write(to: place)
            let result = try await lab.commands.result(of: ["python3", place.path, file])
            #expect(result.output.contains("all as it should be"), "\(result)")
        }
    }

    @Test func nothingOutsideTheNamespaceIsServed() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            for path in [
                "/../../etc/passwd", "/loaders/../../../etc/passwd", "/loaders/..%2f..%2fetc%2fpasswd", "/os:1/../../x",
                "/loaders/%2e%2e/x", "/os:1/%00", "/blobs/sha256/zz", "/nobody:1/x", "/",
                "/catalog.sqlite",
                "/os:1/linux/x",
            ] {
                let status = try await ServedLab.status(lab, "--path-as-is", "http://10.20.99.1\(path)")
                #expect(["400", "404"].contains(status), "\(path): \(status)")
            }
            for name in ["../etc/passwd", "/etc/passwd", "..\\..\\x", "loaders/../VERSION"] {
                let result = try await ServedLab.curl(
                    lab, "--path-as-is", "-o", "/dev/null", "tftp://10.20.99.1/\(name)")
                #expect(!result.succeeded, "\(name)")
            }
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                #expect(try await ServedLab.status(lab, "-X", method, "http://10.20.99.1/os:1/linux") == "405")
            }
            let upload = try await ServedLab.curl(lab, "-T", "/etc/hostname", "tftp://10.20.99.1/x")
            #expect(!upload.succeeded)
        }
    }

    @Test func aBlobThatIsNotWholeIsNeverServed() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let blobs = server.dataDirectory.appending(path: "blobs").path
            try await lab.run([
                "sh", "-c", "find \(blobs) -type f -size -11c -exec chmod u+w {} + -exec truncate -s 3 {} +",
            ])
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/os:1/linux") == "500")
            #expect(try await !ServedLab.curl(lab, "tftp://10.20.99.1/os:1/linux").succeeded)
        }
    }

    @Test func scriptsHoldNamesAndNoAddresses() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let stage1 = try await ServedLab.curl(lab, "http://10.20.99.1/boot.ipxe").output
            #expect(stage1.hasPrefix("#!ipxe"))
            #expect(try await ServedLab.curl(lab, "tftp://10.20.99.1/autoexec.ipxe").output == stage1)
            #expect(try await ServedLab.curl(lab, "tftp://10.20.99.1/loaders/autoexec.ipxe").output == stage1)
            for mac in ["52-54-00-20-99-21", "52:54:00:20:99:21", "525400209921", "01-52-54-00-20-99-21"] {
                let script = try await ServedLab.curl(lab, "http://10.20.99.1/ipxe/script?mac=\(mac)&platform=efi")
                    .output
                #expect(script.contains("kernel --name linux http://artifacts.dvntm.deevnet.net/os:1/linux"))
                #expect(script.contains("host=hv01.dvntm.deevnet.net"))
                #expect(!script.contains("10.20.99."))
            }
            let unknown = try await ServedLab.curl(lab, "http://10.20.99.1/ipxe/script?mac=52-54-00-00-00-01").output
            #expect(unknown.contains("not in the site file"))
            #expect(!unknown.contains("kernel"))
        }
    }

    @Test func answersAndReportsNeedTheirToken() async throws {
        try await ServedLab.with { lab, server in
            try await ServedLab.pushProfile(lab, server)
            let ask = "http://10.20.99.1/ipxe/script?mac=52-54-00-20-99-21"
            let script = try await ServedLab.curl(lab, ask).output
            let word = try #require(script.split(separator: " ").first { $0.hasPrefix("url=") })
            let path = try #require(word.dropFirst(4).firstRange(of: "/hosts/")).lowerBound
            let answerURL = "http://10.20.99.1" + word.dropFirst(4)[path...]
            let base = String(answerURL.dropLast("/answer".count))
            let answer = try await ServedLab.curl(lab, answerURL).output
            #expect(answer.hasPrefix("I am hv01, report to http://pxe.dvntm.deevnet.net/hosts/hv01."))
            #expect(answer.hasSuffix("/installed, ${HOME}"))

            let forged = base.dropLast() + (base.hasSuffix("0") ? "1" : "0")
            for path in ["answer", "up", "installed"] {
                #expect(try await ServedLab.status(lab, "\(forged)/\(path)") == "403")
                #expect(try await ServedLab.status(lab, "http://10.20.99.1/hosts/x/\(path)") == "403")
            }
            #expect(try await server.host("hv01").state == "booting")
            #expect(try await ServedLab.status(lab, "-I", "\(base)/installed") != "200")
            #expect(try await ServedLab.status(lab, "-X", "POST", "\(base)/installed") == "200")
            #expect(try await server.host("hv01").state == "installed")
            #expect(try await ServedLab.curl(lab, ask).output.contains("booting the local disk"))

            try await server.artifactctl("host", "arm", "hv01")
            #expect(try await ServedLab.status(lab, "\(base)/installed") == "403")
            #expect(try await ServedLab.curl(lab, ask).output.contains("kernel --name linux"))
            #expect(!server.program.log.text.contains(base.split(separator: "/").last ?? "none"))
        }
    }

    /// One client, one connection: a file, then requests that all wait behind it.
    @Test func manyPipelinedRequestsAreAllAnswered() async throws {
        try Requirement.demand([.tool("nc", package: "netcat-openbsd")])
        try await ServedLab.with { lab, server in
            let count = 10_000
            func request(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }
            let requests = request("/loaders/ipxe.efi") + String(repeating: request("/x"), count: count)
            let file = try ServedLab.file("requests", Data(requests.utf8), lab)
            let counting = "grep -a -o 'HTTP/1.1 404' | wc -l"
            let answers = try await lab.run(
                ["sh", "-c", "nc -w 3 10.20.99.1 80 <\(file) | \(counting)"], timeLimit: .seconds(120))
            #expect(answers.output == "\(count)")
            #expect(server.program.isRunning)
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/boot.ipxe") == "200")
        }
    }

    /// A client that asks for ever and reads nothing.
    @Test func aClientThatDoesNotReadCostsNoMemory() async throws {
        try await ServedLab.with { lab, server in
            func resident() async throws -> Int {
                let status = try await lab.run(["grep", "VmRSS", "/proc/\(server.program.processID)/status"]).output
                return try #require(Int(status.filter(\.isNumber)))
            }
            let before = try await resident()
            let client = try await lab.start(
                [
                    "sh", "-c",
                    "yes \"$(printf 'GET /boot.ipxe HTTP/1.1\\r\\nHost: x\\r\\n\\r')\" | head -c 60000000 | nc -w 5 10.20.99.1 80 | sleep 6",
                ], log: "client.log")
            _ = try await client.waitForExit(timeout: .seconds(60))
            #expect(try await resident() - before < 60_000)
        }
    }

    @Test func syslogLinesReachTheTimeline() async throws {
        try await ServedLab.with { lab, server in
            let client = try await lab.addHost("hv01", address: "10.20.99.21/24")
            try await client.run(["ping", "-c", "1", "-W", "5", "10.20.99.1"])
            try await client.run([
                "curl", "-sS", "-o", "/dev/null", "http://10.20.99.1/ipxe/script?mac=52-54-00-20-99-21",
            ])
            try await client.run(["logger", "-n", "10.20.99.1", "-P", "514", "-d", "--rfc3164", "disk sda is on fire"])
            let status = try await server.waitForEvent("log", of: "hv01", timeout: .seconds(10))
            #expect(status.events.contains { $0.kind == "log" && $0.detail.contains("disk sda is on fire") })
            // Over TCP, as rsyslog sends lines, and counted.
            try await client.run([
                "logger", "-n", "10.20.99.1", "-P", "514", "-T", "-p", "daemon.err", "-t", "anaconda", "no disk",
            ])
            try await client.run([
                "logger", "-n", "10.20.99.1", "-P", "514", "-T", "--octet-count", "-t", "anaconda", "counted",
            ])
            let log = server.dataDirectory.appending(path: "logs/hv01.log")
            let deadline = ContinuousClock.now + .seconds(10)
            var lines: [Substring] = []
            while lines.count < 3, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
                lines = ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n")
            }
            #expect(lines.contains { $0.hasSuffix(" notice root: disk sda is on fire") }, "\(lines)")
            #expect(lines.contains { $0.hasSuffix(" err anaconda: no disk") }, "\(lines)")
            #expect(lines.contains { $0.hasSuffix(" notice anaconda: counted") }, "\(lines)")
            let events = try await server.waitForEvent("log", of: "hv01", timeout: .seconds(1)).events
            #expect(events.contains { $0.kind == "log" && $0.detail == "err: anaconda: no disk" })
        }
    }

    /// One machine loads at a time: the other's script and files wait, and its turn comes when the first has loaded all.
    @Test func aMachineWaitsForItsTurn() async throws {
        var site = ServedLab.site
        site.machines.append(
            .init(
                name: "hv02", mac: "52:54:00:20:99:22", address: "10.20.99.22",
                assignment: "{profile: installer, boot: once}"))
        let yaml = site.yaml.replacing(
            "    cidr: 10.20.0.0/16", with: "    cidr: 10.20.0.0/16\n    boot_budget: {machines: 1}")
        try Requirement.demand(ProvisionerServer.requirements)
        try await NetworkLab.with { lab in
            let server = try await ProvisionerServer.start(in: lab, site: yaml)
            let linux = try ServedLab.file("linux", ServedLab.bytes(2_000_000), lab)
            let initrd = try ServedLab.file("initrd", ServedLab.bytes(3_000_000, seed: 2), lab)
            let answer = try ServedLab.file("answer.cfg", Data("answer".utf8), lab)
            try await server.artifactctl("push", "os:1", linux, initrd)
            try await server.artifactctl("push", "answers:1", answer)
            let first = try await lab.addHost("hv01", address: "10.20.99.21/24")
            let second = try await lab.addHost("hv02", address: "10.20.99.22/24")
            func script(_ host: LabHost, _ last: Int) async throws -> String {
                try await host.run([
                    "curl", "-sS", "http://10.20.99.1/ipxe/script?mac=52-54-00-20-99-\(last)",
                ]).output
            }
            func fetch(_ host: LabHost, _ file: String) async throws -> String {
                try await host.run([
                    "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %header{retry-after}",
                    "http://10.20.99.1/os:1/\(file)",
                ]).output
            }
            #expect(try await script(first, 21).contains("\nkernel "))
            let held = try await script(second, 22)
            #expect(held.contains("it waits for its turn") && held.contains("sleep 1"))
            #expect(try await fetch(second, "linux") == "503 1")
            #expect(try await ServedLab.status(lab, "http://10.20.99.1/loaders/ipxe.efi") == "200")
            #expect(try await fetch(first, "linux") == "200")
            #expect(try await fetch(first, "initrd") == "200")
            var text = held
            for _ in 0..<20 where !text.contains("\nkernel ") {
                try await Task.sleep(for: .seconds(1))
                text = try await script(second, 22)
            }
            #expect(text.contains("\nkernel "))
            #expect(try await fetch(second, "linux") == "200")
            // However often it asked, its timeline has one line of it.
            let events = try await server.waitForEvent("held", of: "hv02", timeout: .seconds(10)).events
            #expect(events.count { $0.kind == "held" } == 1)
        }
    }

    @Test(arguments: ["20000-20003", "single"])
    func tftpPassesAFirewallThatKnowsItsPorts(_ ports: String) async throws {
        try await ServedLab.with(arguments: ["--tftp-ports", ports]) { lab, server in
            let client = try await lab.addHost("hv01", address: "10.20.99.21/24")
            let allowed = ports == "single" ? "69" : ports
            try await client.run(
                ["nft", "-f", "-"],
                input: """
                    table ip wall {
                        chain in {
                            type filter hook input priority 0; policy drop;
                            ip protocol icmp accept
                            udp sport { \(allowed) } accept
                        }
                    }
                    """)
            let image = lab.directory.appending(path: "image")
            try await client.run([
                "tftp", "-m", "binary", "10.20.99.1", "-c", "get", "loaders/undionly.kpxe", image.path,
            ])
            #expect(try Data(contentsOf: image) == Data(contentsOf: URL(filePath: "/usr/lib/ipxe/undionly.kpxe")))
        }
    }
}
