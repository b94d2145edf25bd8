import Site
import Testing

@testable import Preflight

@Suite struct DHCPMessageTests {
    private static let mac = MACAddress(value: 0x5254_0012_3456)
    private static let macBytes: [UInt8] = [0x52, 0x54, 0, 0x12, 0x34, 0x56]

    /// An OFFER as a server writes it.
    private static func offer(
        options: [(UInt8, [UInt8])] = [(53, [2]), (54, [10, 20, 99, 1])], next: [UInt8] = [10, 20, 99, 1],
        file: String = "loaders/undionly.kpxe", name: String = "", end: [UInt8] = [255]
    ) -> [UInt8] {
        func padded(_ text: String, _ count: Int) -> [UInt8] {
            let bytes = Array(text.utf8.prefix(count))
            return bytes + [UInt8](repeating: 0, count: count - bytes.count)
        }
        var bytes: [UInt8] = [2, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0, 0, 0, 0, 0, 10, 20, 99, 21]
        bytes += next + [0, 0, 0, 0]
        bytes += macBytes + [UInt8](repeating: 0, count: 10) + padded(name, 64) + padded(file, 128)
        bytes += [99, 130, 83, 99]
        for (option, value) in options { bytes += [option, UInt8(value.count)] + value }
        return bytes + end
    }

    @Test func aQuestionSaysWhatFirmwareSays() throws {
        for (architecture, vendorClass) in [
            (UInt16(0), "PXEClient:Arch:00000:"), (7, "PXEClient:Arch:00007:"), (16, "HTTPClient:Arch:00016:"),
        ] {
            let bytes = DHCPMessage.discover(
                .init(transaction: 0x0102_0304, mac: Self.mac, architecture: architecture, userClass: "iPXE"))
            #expect(Array(bytes[0..<8]) == [1, 1, 6, 0, 1, 2, 3, 4])
            #expect(bytes[10] == 0x80, "the answer is to be a broadcast")
            #expect(Array(bytes[28..<34]) == Self.macBytes)
            #expect(Array(bytes[236..<243]) == [99, 130, 83, 99, 53, 1, 1])
            let text = String(decoding: bytes[240...], as: UTF8.self)
            #expect(text.contains(vendorClass) && text.contains("iPXE"))
            #expect(bytes.last == 255)
        }
    }

    @Test func anOfferIsReadWhereverItSaysSomething() throws {
        let first = try #require(DHCPMessage(offer: Self.offer()))
        #expect(first.transaction == 0x0102_0304 && first.mac == Self.mac)
        #expect(first.address == IPv4Address("10.20.99.21") && first.nextServer == IPv4Address("10.20.99.1"))
        #expect(first.bootFile == "loaders/undionly.kpxe" && first.nameServers.isEmpty)

        let second = try #require(
            DHCPMessage(
                offer: Self.offer(
                    options: [
                        (53, [2]), (54, [10, 20, 99, 2]), (6, [10, 20, 99, 1, 9, 9, 9, 9]), (3, [10, 20, 99, 254]),
                        (66, Array("10.20.99.7".utf8)), (67, Array("other\0".utf8)), (60, Array("HTTPClient".utf8)),
                    ], next: [0, 0, 0, 0], file: "")))
        #expect(second.server == IPv4Address("10.20.99.2") && second.nextServer == IPv4Address("10.20.99.7"))
        #expect(second.bootFile == "other" && second.vendorClass == "HTTPClient")
        #expect(second.nameServers == [IPv4Address("10.20.99.1"), IPv4Address("9.9.9.9")].compactMap(\.self))
    }

    @Test func namesInTheHeaderMayBeOptions() throws {
        // Option 52, and in the place of the file name option 67.
        let overloaded = Self.offer(
            options: [(53, [2]), (54, [10, 20, 99, 1]), (52, [1])],
            file: "\u{43}\u{4}boot\u{FF}".replacing("\u{FF}", with: ""))
        #expect(DHCPMessage(offer: overloaded)?.bootFile == "boot")
        // An option that comes twice goes on (RFC 3396).
        let split = Self.offer(options: [(53, [2]), (67, Array("half".utf8)), (67, Array("half".utf8))], file: "")
        #expect(DHCPMessage(offer: split)?.bootFile == "halfhalf")
    }

    @Test func whatIsNoOfferIsNotTakenForOne() throws {
        let good = Self.offer()
        for count in 0..<240 { #expect(DHCPMessage(offer: Array(good[..<count])) == nil) }
        #expect(DHCPMessage(offer: Self.offer(options: [(53, [5])])) == nil, "an ACK")
        #expect(DHCPMessage(offer: Self.offer(options: [])) == nil)
        #expect(DHCPMessage(offer: Self.offer(options: [(53, [2])], end: [67, 200, 1])) == nil, "beyond the end")
        var request = good
        request[0] = 1
        #expect(DHCPMessage(offer: request) == nil)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var broken = good
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                broken[Int.random(in: broken.indices, using: &generator)] = UInt8.random(in: .min ... .max)
            }
            if Bool.random() { broken.removeLast(Int.random(in: 0...60)) }
            _ = DHCPMessage(offer: broken)
        }
    }
}

@Suite struct BootScriptTests {
    @Test func filesAndTheirSignaturesAreFound() throws {
        let script = try #require(
            BootScript(
                """
                #!ipxe
                # Host hv01
                echo Provisioner: hv01 boots installer
                imgfree
                kernel --name linux http://a/os:1/linux console=ttyS0 initrd=initrd0 || goto failed
                imgverify linux http://a/signatures/os:1/linux || goto unverified
                initrd --name initrd0 http://a/os:1/initrd || goto failed
                boot || goto failed
                :failed
                chain --autofree --replace http://pxe/ipxe/script?mac=${netX/mac} || goto failed
                """))
        #expect(
            script.loads == [
                .init(url: "http://a/os:1/linux", signature: "http://a/signatures/os:1/linux"),
                .init(url: "http://a/os:1/initrd", signature: nil),
            ])
        #expect(script.boots && script.chains == ["http://pxe/ipxe/script?mac=${netX/mac}"])
        #expect(script.messages.first == "Provisioner: hv01 boots installer")
        #expect(BootScript("<html>") == nil)
    }
}
