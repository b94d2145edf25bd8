import Artifacts
import BootSigning
import Foundation
import ServerIdentity
import TestSupport
import Testing

/// What GRUB and firmware verify, made by the real tools.
@Suite struct BootSigningTests {
    private static let tools: [Requirement] = [
        .tool("gpg", package: "gnupg"), .tool("gpgv", package: "gpgv"), .tool("sbverify", package: "sbsigntool"),
        .tool("grub-mkimage", package: "grub-common"), .tool("objcopy", package: "binutils"),
        .file(URL(filePath: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"), package: "systemd-boot-efi"),
        .file(URL(filePath: "/usr/lib/grub/x86_64-efi/moddep.lst"), package: "grub-efi-amd64-bin"),
    ]

    private static func with(_ body: (URL) async throws -> Void) async throws {
        try Requirement.demand(tools)
        try await TemporaryDirectory.with(prefix: "signing", body)
    }

    private static func file(_ name: String, _ bytes: [UInt8], _ folder: URL, digest: Digest? = nil) throws -> FilePiece
    {
        let url = folder.appending(path: name)
        try Data(bytes).write(to: url)
        return FilePiece(
            path: url.path, offset: 0, size: Int64(bytes.count), digest: digest ?? SHA256.digest(of: bytes))
    }

    @Test func aStoredKeySignsForThePublicKeyOfBefore() async throws {
        try await Self.with { folder in
            let secret = try await OpenPGPSigner.makeKey(in: folder.path)
            let first = try await OpenPGPSigner.start(secretKey: secret, in: folder.path)
            let key = folder.appending(path: "key.gpg")
            try Data(first.publicKey).write(to: key)
            await first.stop()
            let second = try await OpenPGPSigner.start(secretKey: secret, in: folder.path)
            let whole = try Self.file("whole", Array("head, piece, tail".utf8), folder)
            let piece = FilePiece(
                path: whole.path, offset: 6, size: 5, digest: SHA256.digest(of: "piece".utf8))
            for (name, signature, content) in [
                ("bytes", try await second.sign(Array("bytes".utf8)), "bytes"),
                ("whole", try await second.sign(whole, isWhole: true), "head, piece, tail"),
                ("piece", try await second.sign(piece, isWhole: false), "piece"),
            ] {
                let signed = folder.appending(path: "\(name).signed")
                let file = folder.appending(path: "\(name).sig")
                try Data(content.utf8).write(to: signed)
                try Data(signature).write(to: file)
                let check = ["gpgv", "--keyring", key.path, file.path, signed.path]
                #expect(try await CommandRunner.local.result(of: check).succeeded, "\(name)")
                try Data((content + ".").utf8).write(to: signed)
                #expect(try await !CommandRunner.local.result(of: check).succeeded, "\(name), changed")
            }
            await second.stop()
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!left.contains { $0.hasPrefix("work.") || $0 == "secret-key" }, "\(left)")
        }
    }

    @Test func whatHasRottenIsNotSigned() async throws {
        try await Self.with { folder in
            let secret = try await OpenPGPSigner.makeKey(in: folder.path)
            let signer = try await OpenPGPSigner.start(secretKey: secret, in: folder.path)
            let digest = SHA256.digest(of: "as it was".utf8)
            let rotten = try Self.file("rotten", Array("as it is.".utf8), folder, digest: digest)
            for isWhole in [true, false] {
                await #expect(throws: BootSigningError.self) { _ = try await signer.sign(rotten, isWhole: isWhole) }
            }
            await signer.stop()
            let efi = try Self.key(in: folder)
            let image = UnifiedKernelImage(kernel: rotten, initrds: [], overlay: nil, arguments: "a")
            let output = folder.appending(path: "image.efi").path
            await #expect(throws: BootSigningError.self) {
                try await image.make(output, signature: efi, in: folder.path)
            }
            #expect(!FileManager.default.fileExists(atPath: output))
        }
    }

    private static func key(in folder: URL) throws -> EFISignature {
        let key = try BootKey.make()
        let certificate = folder.appending(path: "boot.crt")
        let file = folder.appending(path: "boot.key")
        try Data(key.certificate.utf8).write(to: certificate)
        try Data(key.privateKey.utf8).write(to: file)
        return EFISignature(certificate: certificate.path, key: file.path)
    }

    @Test func anImageHasItsPartsAndASignatureThatAFlippedBitSpoils() async throws {
        try await Self.with { folder in
            let efi = try Self.key(in: folder)
            let kernel = try Self.file("kernel", (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 7) }, folder)
            let first = try Self.file("first", Array("five!".utf8), folder)
            let second = try Self.file("second", Array("second".utf8), folder)
            let output = folder.appending(path: "image.efi")
            try await UnifiedKernelImage(
                kernel: kernel, initrds: [first, second], overlay: Array("overlay".utf8), arguments: "console=ttyS0 a=b"
            ).make(output.path, signature: efi, in: folder.path)
            func section(_ name: String) async throws -> [UInt8] {
                let part = folder.appending(path: "part")
                try await CommandRunner.local.run(
                    ["objcopy", "-O", "binary", "--only-section", name, output.path, part.path])
                return [UInt8](try Data(contentsOf: part))
            }
            #expect(try await section(".cmdline").prefix(18) == Array("console=ttyS0 a=b".utf8) + [0])
            #expect(try await section(".linux").starts(with: (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 7) }))
            #expect(try await section(".initrd").starts(with: Array("five!\0\0\0second\0\0overlay".utf8)))
            let check = ["sbverify", "--cert", folder.appending(path: "boot.crt").path, output.path]
            #expect(try await CommandRunner.local.result(of: check).succeeded)
            let certificate = folder.appending(path: "boot.crt").path
            #expect(try await EFISignature.isValid(output.path, by: certificate))
            #expect(try await !EFISignature.isValid(certificate, by: certificate))
            var bytes = try Data(contentsOf: output)
            let place = try #require(bytes.range(of: Data("overlay".utf8)))
            bytes[place.lowerBound] ^= 1
            try bytes.write(to: output)
            #expect(try await !CommandRunner.local.result(of: check).succeeded)
            #expect(try await !EFISignature.isValid(output.path, by: certificate))
        }
    }

    @Test func theSameInputsGiveTheSameGRUB() async throws {
        try await Self.with { folder in
            let key: [UInt8] = Array("key".utf8)
            let text: [UInt8] = Array("echo hello\n".utf8)
            func image(_ text: [UInt8]) async throws -> [UInt8] {
                try await GRUBImage.make(for: .uefi, publicKey: key, configuration: text, in: folder.path)
            }
            let image1 = try await image(text)
            let image2 = try await image(text)
            let other = try await image(text + text)
            #expect(image1 == image2 && image1 != other)
        }
    }
}
