import TFTP
import Testing

@Suite struct PathTests {
    @Test(arguments: [
        ("grub.cfg", "/grub.cfg"), ("/grub/grub.cfg", "/grub/grub.cfg"),
        ("\\EFI\\BOOT\\bootx64.efi", "/EFI/BOOT/bootx64.efi"),
        ("/sb//grubx64.efi", "/sb/grubx64.efi"), ("///a////b", "/a/b"), ("./a/./b", "/a/b"), ("a/", "/a"),
        ("undionly.kpxe\u{FFFD}", "/undionly.kpxe"), ("a\u{FFFD}\u{FFFD}", "/a"),
        ("debian:12.11/dvd.iso/vmlinuz", "/debian:12.11/dvd.iso/vmlinuz"),
        ("a b", "/a b"), ("..a/b..", "/..a/b.."), ("...", "/..."),
        ("c8:ff:bf:06:5a:5a/snp.efi", "/c8:ff:bf:06:5a:5a/snp.efi"),
    ])
    func normalizes(_ name: String, _ path: String) { #expect(TFTPPath.normalized(name) == path) }

    @Test(arguments: [
        "", "/", "\\", "//", ".", "./.", "\u{FFFD}", "..", "../a", "a/../b", "/a/..", "..\\..\\etc\\passwd", "a\\../b",
        "a/..\u{FFFD}",
        "a\u{FFFD}b", "a\nb", "a\u{1}", "\u{7f}", "a\tb", "\r\n",
    ])
    func refuses(_ name: String) { #expect(TFTPPath.normalized(name) == nil) }

    @Test func takesAwayTheByte0xffThatABadlyEndedOptionLeaves() throws {
        let packet = try TFTPPacket([0, 1] + Array("undionly.kpxe".utf8) + [0xff, 0] + Array("octet".utf8) + [0])
        guard case .read(let request) = packet else {
            Issue.record("not a request")
            return
        }
        #expect(TFTPPath.normalized(request.fileName) == "/undionly.kpxe")
    }

    /// A slash with a combining mark is one character to Swift, and still a slash to a file system.
    @Test(arguments: ["../\u{301}a", "a/../\u{301}b", "..\\\u{301}a", "\u{301}/..\u{200D}/a", "a/..\u{FE0F}/\u{301}"])
    func noCombiningMarkHidesASeparator(_ name: String) {
        let components = TFTPPath.normalized(name)?.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        #expect(components?.contains(Array("..".utf8)) != true)
        #expect(components?.contains { $0.contains(UInt8(ascii: "\\")) } != true)
    }

    @Test func aNormalizedPathStaysAsItIs() {
        var generator = SeededGenerator(seed: 2)
        let pieces = ["a", "..", ".", "/", "\\", "//", "\u{FFFD}", "\u{301}", "b c", "\u{1}", "é", "%2e%2e", ":"]
        for _ in 0..<5000 {
            let name = (0..<Int.random(in: 0...8, using: &generator)).map { _ in generator.pick(pieces) }.joined()
            guard let path = TFTPPath.normalized(name) else { continue }
            #expect(TFTPPath.normalized(path) == path)
            let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
                Array($0)
            }
            #expect(components.first?.isEmpty == true && components.count > 1)
            #expect(!components.dropFirst().contains { $0.isEmpty || $0 == Array(".".utf8) || $0 == Array("..".utf8) })
        }
    }
}
