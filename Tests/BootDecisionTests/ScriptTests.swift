import Boot
import Site
import Testing

/// Whole scripts, literally: whoever changes one sees what machines will be told.
@Suite struct ScriptTests {
    private static let question =
        "/ipxe/script?mac=${netX/mac:hexhyp}&uuid=${uuid}&serial=${serial:uristring}&hostname=${hostname:uristring}"
        + "&arch=${buildarch}&platform=${platform}"

    private static func script(
        _ fields: [String: String], port: Int = 80, without missing: Set<String> = [], installed: Set<String> = []
    ) throws -> String {
        let site = try LabSite.site()
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: port))
        let request = BootRequest(fields: fields, address: nil)
        let decision = try BootDecider(site, without: missing, installed: installed).decide(request)
        let expansion = decision.host.flatMap { site.host($0) }.map {
            ProfileExpansion(names: names, host: $0, mac: request.mac, token: "TOKEN")
        }
        return try IPXERenderer(names: names).script(decision, expansion: expansion)
    }

    @Test func stage1() throws {
        let names = try #require(BootNames(site: try LabSite.site(), substrate: "lab", mode: .router, port: 80))
        #expect(
            IPXERenderer(names: names).stage1Script() == """
                #!ipxe
                # Stage 1: makes this loader ask for its machine's own script.

                :ask
                chain --autofree --replace http://pxe.lab.example.net\(Self.question) || goto again

                :again
                echo Provisioner: no script yet, asking again in 5 seconds
                sleep 5
                goto ask

                """)
    }

    @Test func planWithoutInitrdsOrArguments() throws {
        let site = try LabSite.site()
        let names = try #require(BootNames(site: site, substrate: "lab", mode: .router, port: 80))
        var changed = site
        changed.assignments[2].boot = .always
        let decision = try BootDecider(changed).decide(BootRequest(mac: LabSite.mac("52:54:00:00:03:01")))
        let host = try #require(site.host("hv03"))
        let expansion = ProfileExpansion(names: names, host: host, mac: nil, token: "TOKEN")
        #expect(
            try IPXERenderer(names: names).script(decision, expansion: expansion) == """
                #!ipxe
                # Host hv03, profile memtest, boot: always

                echo Provisioner: hv03 boots memtest
                imgfree
                kernel --name linux http://artifacts.lab.example.net/memtest:6/memtest.efi || goto failed
                boot || goto failed

                :failed
                echo Provisioner: memtest could not be loaded, asking again in 10 seconds
                sleep 10
                imgfree
                chain --autofree --replace http://pxe.lab.example.net\(Self.question) || goto failed

                """)
    }

    @Test func planWithOneInitrdAndArguments() throws {
        #expect(
            try Self.script(["mac": "52:54:00:00:01:01"]) == """
                #!ipxe
                # Host hv01, profile debian, boot: once

                echo Provisioner: hv01 boots debian
                imgfree
                kernel --name linux http://artifacts.lab.example.net/debian:12.11/install.amd/vmlinuz auto \
                url=http://pxe.lab.example.net/hosts/TOKEN/answer hostname=hv01 \
                mirror=http://artifacts.lab.example.net/m --- initrd=initrd0 || goto failed
                initrd --name initrd0 http://artifacts.lab.example.net/debian:12.11/install.amd/initrd.gz || goto failed
                boot || goto failed

                :failed
                echo Provisioner: debian could not be loaded, asking again in 10 seconds
                sleep 10
                imgfree
                chain --autofree --replace http://pxe.lab.example.net\(Self.question) || goto failed

                """)
    }

    @Test func planWithTwoInitrdsOnAnotherPort() throws {
        #expect(
            try Self.script(["mac": "52:54:00:00:02:01"], port: 8080) == """
                #!ipxe
                # Host hv02, profile rescue, boot: always

                echo Provisioner: hv02 boots rescue
                imgfree
                kernel --name linux http://artifacts.lab.example.net:8080/rescue:1/linux initrd=initrd0 initrd=initrd1 \
                || goto failed
                initrd --name initrd0 http://artifacts.lab.example.net:8080/ucode:7/intel.cpio || goto failed
                initrd --name initrd1 http://artifacts.lab.example.net:8080/rescue:1/initrd.img || goto failed
                boot || goto failed

                :failed
                echo Provisioner: rescue could not be loaded, asking again in 10 seconds
                sleep 10
                imgfree
                chain --autofree --replace http://pxe.lab.example.net:8080\(Self.question) || goto failed

                """)
    }

    @Test func localDisk() throws {
        #expect(
            try Self.script(["mac": "52:54:00:ff:ff:ff"]) == """
                #!ipxe
                # Local disk.

                echo Provisioner: it is not in the site file, so it boots its local disk: add it under hosts to \
                install it
                echo Provisioner: booting the local disk
                iseq ${platform} pcbios && goto bios ||
                # A firmware that gets an error goes on with its next boot entry.
                exit 1

                :bios
                sanboot --no-describe --drive 0x80 || exit 1

                """)
    }

    @Test func hold() throws {
        #expect(
            try Self.script(["mac": "52:54:00:00:01:01"], without: ["answers:1"]) == """
                #!ipxe
                # Hold: there is something to boot, but not yet.

                echo Provisioner: profile debian cannot be served: answers:1 is not published
                echo Provisioner: asking again in 10 seconds

                :wait
                sleep 10
                chain --autofree --replace http://pxe.lab.example.net\(Self.question) || goto wait

                """)
    }

    @Test func refuse() throws {
        #expect(
            try Self.script(["mac": "52:54:00:00:01:01", "arch": "arm64"]) == """
                #!ipxe
                # Refused: nothing is booted from the network.

                echo Provisioner: refused: this machine contradicts what the site file says of hv01
                sleep 10
                exit 1

                """)
    }

    @Test func sameDecisionSameBytes() throws {
        let fields = ["mac": "52:54:00:00:01:01"]
        #expect(try Array(Self.script(fields).utf8) == Array(Self.script(fields).utf8))
    }
}
