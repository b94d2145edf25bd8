import Artifacts
import TestSupport
import Testing

@testable import Trust

@Suite struct ChecksumListTests {
    private static let a = String(repeating: "a", count: 64)
    private static let b = String(repeating: "b", count: 64)

    private func list(_ text: String) throws -> ChecksumList { try ChecksumList(Array(text.utf8)) }

    private func hash(_ text: String, _ path: String, folder: String? = nil) throws -> String? {
        try list(text).entry(for: ArtifactPath(path), folder: folder.map { try ArtifactPath($0) })?.hashes[.sha256]
    }

    @Test func toolsWriteWhatIsRead() async throws {
        try await SignatureLab.with { lab in
            try lab.write("a (b) c", [1])
            for line in [
                "sha256sum *", "sha256sum -b *", "sha256sum --tag *", "sha256sum *; sha512sum *",
                "md5sum *; sha256sum *",
            ] {
                let output = try await lab.run(line).standardOutput
                let list = try list(output)
                #expect(list.entries.keys.map(\.description).sorted() == ["a (b) c", "file"], "\(line)")
                let digest = SHA256.digest(of: SignatureLab.content).hex
                #expect(try list.entry(for: ArtifactPath("file"))?.hashes[.sha256] == digest)
            }
            let long = try list(try await lab.run("sha512sum file").standardOutput)
            #expect(try long.entry(for: ArtifactPath("file"))?.hashes[.sha512]?.count == 128)
        }
    }

    @Test(arguments: [
        "\(a)  x\n", "\(a) *x", "\(a)  ./x\r\n", "SHA256 (x) = \(a)\n", "# x: 5 bytes\nSHA256 (x) = \(a)\n",
        "\(a.uppercased())  x\n", "Origin: Debian\nSHA256:\n \(a) 5 x\n",
        "MD5Sum:\n 0 5 x\nSHA256:\n \(a) 5 x\nSHA1:\n 1 5 x\n",
        "\(a)  x\n\(a)  x\n", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n\(a)  x\n",
        "Package: p\nFilename: x\nSize: 5\nSHA256: \(a)\n", "Package: p\r\nfilename: ./x\r\nsha256:\t\(a)\r\n\r\n",
        "\n\nPackage: p\nSHA256: \(a)\nMD5sum: 00\nDescription: d\n SHA256: \(b)\n Filename: y\nFilename: x",
        "Package: p\nFilename: x\nSHA256: \(a)\n\n\nPackage: q\nFilename: y\nSHA256: \(b)\n",
    ])
    func everyFormIsRead(_ text: String) throws { #expect(try hash(text, "x") == Self.a) }

    @Test(arguments: [
        ("\(a)  x\n\(b)  x\n", "'x' is listed twice"), ("\(a)  ../x\n", "no path within a folder"),
        ("\(a)  /etc/x\n", "no path within a folder"), ("\(a)  a/../x\n", "no path within a folder"),
        ("d41d8cd98f00b204e9800998ecf8427e  x\n", "MD5 or SHA-1 only"), ("SHA1 (x) = 00\n", "MD5 or SHA-1 only"),
        ("hello\n", "has no line"), ("", "has no line"), ("SHA256 (x) = 12\n", "is no sha256 of 'x'"),
        ("SHA256:\n \(a) 5 x\n \(a) 6 x\n", "two different sizes"),
        ("Package: p\nFilename: x\nSHA256: \(a)\nSHA256: \(b)\n", "line 4: 'SHA256' is there twice"),
        ("Package: p\nFilename: x\nfilename: y\nSHA256: \(a)\n", "'Filename' is there twice"),
        ("Package: p\nSHA256: \(a)\n\nPackage: q\nFilename: x\n", "has no 'Filename'"),
        ("Package: p\nFilename: x\nSHA256: \(a)\n\nPackage: q\nFilename: x\nSHA256: \(b)\n", "listed twice"),
        ("Package: p\nFilename: ../x\nSHA256: \(a)\n", "no path within a folder"),
        ("Package: p\nFilename: x\nSize: -1\nSHA256: \(a)\n", "'-1' is no size"),
        ("Package: p\nFilename: x\nMD5sum: 00\n", "MD5 or SHA-1 only"),
        ("Package: p\nFilename: x\nSHA256: 12\n", "is no sha256 of 'x'"),
    ])
    func whatIsNotSafeIsRefused(_ text: String, _ words: String) {
        let error = #expect(throws: TrustError(.invalidChecksums, "")) { try list(text) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aNameIsMatchedByWholeComponents() throws {
        #expect(try hash("\(Self.a)  netboot/amd64/linux\n", "linux") == Self.a)
        #expect(try hash("\(Self.a)  linux\n", "boot/linux") == Self.a)
        #expect(try hash("\(Self.a)  xlinux\n", "linux") == nil)
        #expect(try hash("\(Self.a)  linux\n", "xlinux") == nil)
        #expect(try hash("\(Self.a)  a/b/linux\n", "c/b/linux") == nil)
        let two = "\(Self.a)  cdrom/linux\n\(Self.b)  netboot/linux\n"
        #expect(throws: TrustError(.invalidChecksums, "")) { try hash(two, "linux") }
        #expect(try hash(two, "linux", folder: "netboot") == Self.b)
        #expect(try hash(two, "netboot/linux") == Self.b)
        #expect(try hash(two, "linux", folder: "hd") == nil)
        // The same bytes in two folders are no doubt.
        #expect(try hash("\(Self.a)  x/linux\n\(Self.a)  y/linux\n", "linux") == Self.a)
    }
}
