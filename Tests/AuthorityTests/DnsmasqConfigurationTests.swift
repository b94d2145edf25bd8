import Authority
import Fixtures
import Glibc
import Logging
import Site
import Testing

@Suite struct DnsmasqConfigurationTests {
    private static let hasDnsmasq = access("/usr/sbin/dnsmasq", X_OK) == 0

    private static func view(
        _ bytes: [UInt8] = ExampleSite.bytes, _ substrate: String = "dvntm", _ mode: AuthorityMode = .provisioner
    ) throws -> SubstrateView {
        let site = try #require(Site.parse(bytes).site)
        return try #require(SubstrateView(site: site, substrate: substrate, mode: mode))
    }

    private static func configuration(
        _ view: SubstrateView, interface: String = "br-dvntm", upstream: [String] = ["192.0.2.53", "192.0.2.54"]
    ) throws -> DnsmasqConfiguration {
        try DnsmasqConfiguration(
            view: view, interface: interface, leaseFile: "/var/lib/provisioner/dnsmasq-dvntm.leases",
            bootFiles: BootFiles(
                stage1URL: "http://pxe.dvntm.deevnet.net/boot.ipxe",
                base: "http://pxe.dvntm.deevnet.net", grubBIOS: "loaders/grub-pc.0", grubUEFI: "loaders/grub-x64.efi",
                kernelImage: { "uki/\($0).efi" }),
            upstream: try upstream.map { try #require(IPv4Address($0)) })
    }

    private static func lines(_ view: SubstrateView, upstream: [String] = []) throws -> Set<String> {
        Set(try configuration(view, upstream: upstream).rendered().split(separator: "\n").map(String.init))
    }

    @Test func rendersTheExampleAsTheGoldenFile() throws {
        let rendered = try Self.configuration(try Self.view()).rendered()
        let golden = String(decoding: PackageResources.dvntm_conf, as: UTF8.self)
        for (index, pair) in zip(rendered.split(separator: "\n"), golden.split(separator: "\n")).enumerated() {
            #expect(pair.0 == pair.1, "line \(index + 1)")
        }
        #expect(rendered == golden)
    }

    @Test func rendersTheSameBytesEveryTime() throws {
        let first = try Self.configuration(try Self.view()).rendered()
        for _ in 0..<5 { #expect(try Self.configuration(try Self.view()).rendered() == first) }
    }

    /// Router and resolver are the segment's gateway, so that clients keep working through a change of authority.
    @Test func leavesClientsWithTheGateway() throws {
        let lines = try Self.lines(try Self.view())
        #expect(lines.contains("dhcp-option=option:router,10.20.99.1"))
        #expect(lines.contains("dhcp-option=option:dns-server,10.20.99.1"))
        #expect(lines.contains("dhcp-host=00:e0:4c:29:1e:50,10.20.99.2,core-rt02"))
    }

    /// Each line says whom it is for: two that match one machine would leave the choice to their order.
    @Test func aMachineThatVerifiesGetsItsOwnLoaderAndNoOther() throws {
        let mac = "00:e0:4c:29:1e:50"
        for (verify, tag, files) in [
            ("grub", "grub", ["bios,loaders/grub-pc.0", "efi64,loaders/grub-x64.efi"]),
            (
                "firmware", "uki-00e04c291e50",
                ["bios,loaders/undionly.kpxe", "efi64,uki/\(mac).efi"]
            ),
        ] {
            let text = ExampleSite.text.replacing("vyos-core:  {", with: "vyos-core:  {verify: \(verify), ")
            let lines = try Self.lines(try Self.view(Array(text.utf8)))
            #expect(lines.contains("dhcp-mac=set:\(tag),\(mac)"), "\(lines)")
            for file in files {
                #expect(lines.contains { $0.hasPrefix("dhcp-boot=tag:!ipxe,tag:\(tag),tag:\(file),") }, "\(file)")
            }
            let others = lines.filter { $0.hasPrefix("dhcp-boot=tag:!ipxe") && !$0.contains(",tag:\(tag),") }
            #expect(others.count == 3 && others.allSatisfy { $0.contains("tag:!\(tag),") }, "\(others)")
        }
    }

    @Test func servesThePoolOfItsModeOnly() throws {
        #expect(try Self.lines(try Self.view()).contains("dhcp-range=10.20.99.100,10.20.99.200,255.255.255.0,600s"))
        let text = ExampleSite.text.replacing("only_in: provisioner", with: "only_in: router")
        let lines = try Self.lines(try Self.view(Array(text.utf8)))
        #expect(lines.contains("dhcp-range=10.20.99.0,static,255.255.255.0,600s"))
    }

    @Test func asksOnlyTheResolversItIsGiven() throws {
        #expect(try Self.lines(try Self.view()).allSatisfy { !$0.hasPrefix("server=") })
        let lines = try Self.lines(try Self.view(), upstream: ["192.0.2.53"])
        #expect(lines.filter { $0.hasPrefix("server=") } == ["server=192.0.2.53"])
        #expect(lines.contains("no-resolv"))
    }

    @Test func namesNoLeaseShorterThanDnsmasqTakes() throws {
        let text = ExampleSite.text.replacing("rebuild_lease: 10m", with: "rebuild_lease: 2m")
        #expect(
            try Self.lines(try Self.view(Array(text.utf8)))
                .contains("dhcp-range=10.20.99.100,10.20.99.200,255.255.255.0,120s"))
    }

    @Test func needsSomebodyWhoTakesTheGateway() throws {
        let text = ExampleSite.text.replacing(
            "ip: 10.10.99.95, claims_gateway: true", with: "ip: 10.10.99.95, claims_gateway: false")
        let view = try Self.view(Array(text.utf8), "dvnt")
        #expect(throws: AuthorityError(.notReady, "")) { try Self.configuration(view) }
    }

    @Test(.enabled(if: hasDnsmasq, "the program dnsmasq is absent: apt-get install dnsmasq-base"))
    func isAcceptedByDnsmasq() async throws {
        try await Self.withSupervisor { supervisor, files in
            let configuration = try Self.configuration(try Self.view())
            try await supervisor.install(configuration)
            #expect(try Self.contents(of: files.configuration) == configuration.rendered())
        }
    }

    @Test(.enabled(if: hasDnsmasq, "the program dnsmasq is absent: apt-get install dnsmasq-base"))
    func aRefusedConfigurationLeavesTheInstalledOne() async throws {
        try await Self.withSupervisor { supervisor, files in
            let good = try Self.configuration(try Self.view())
            try await supervisor.install(good)
            let bad = try Self.configuration(try Self.view(), interface: "br0\nno-such-option=1")
            await #expect(throws: AuthorityError(.program, "")) { try await supervisor.install(bad) }
            #expect(try Self.contents(of: files.configuration) == good.rendered())
        }
    }

    private static func withSupervisor(
        _ body: (DnsmasqSupervisor, DnsmasqSupervisor.Files) async throws -> Void
    ) async throws {
        var template = Array("/tmp/provisioner-dnsmasq-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let files = DnsmasqSupervisor.Files(directory: directory, substrate: "dvntm")
        defer {
            for path in [files.configuration, files.configuration + ".new"] { unlink(path) }
            rmdir(directory)
        }
        try await body(
            DnsmasqSupervisor(files: files, logger: Logger(label: "test"), answering: {}, ended: {}, observe: { _ in }),
            files)
    }

    private static func contents(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
