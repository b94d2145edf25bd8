import Foundation
import ServerIdentity
import TestSupport
import Testing

@Suite struct BootKeyTests {
    @Test func signaturesAreWhatOpenSSLReadsOverBytesAndPiecesOfFiles() async throws {
        try Requirement.demand([.tool("openssl", package: "openssl")])
        let key = try BootKey.make()
        try await TemporaryDirectory.with { directory in
            func path(_ name: String) -> String { directory.appending(path: name).path }
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            try Data(bytes).write(to: directory.appending(path: "whole"))
            try Data(bytes[1000..<2_500_000]).write(to: directory.appending(path: "piece"))
            try Data().write(to: directory.appending(path: "nothing"))
            try Data(key.certificate.utf8).write(to: directory.appending(path: "crt"))
            let signatures = [
                ("whole", try key.sign(bytes)),
                ("whole", try key.sign(path: path("whole"), offset: 0, size: 3_000_000)),
                ("piece", try key.sign(path: path("whole"), offset: 1000, size: 2_499_000)),
                ("nothing", try key.sign([])),
            ]
            for (name, signature) in signatures {
                try Data(signature).write(to: directory.appending(path: "cms"))
                let check = [
                    "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", path("cms"), "-content",
                    path(name),
                    "-CAfile", path("crt"), "-purpose", "any", "-out", "/dev/null",
                ]
                #expect(try await CommandRunner.local.result(of: check).succeeded, "\(name)")
                var other = check
                other[9] = path(name == "whole" ? "piece" : "whole")
                #expect(try await !CommandRunner.local.result(of: other).succeeded, "\(name)")
            }
            #expect(throws: ServerIdentityError.self) {
                try key.sign(path: path("whole"), offset: 2_999_000, size: 2000)
            }
            #expect(throws: ServerIdentityError.self) { try key.sign(path: path("none"), offset: 0, size: 1) }
        }
    }

    @Test func itIsReadAgainAndTellsNoSecret() throws {
        let key = try BootKey.make()
        let again = try BootKey(certificate: key.certificate, privateKey: key.privateKey)
        #expect(again.fingerprint == key.fingerprint)
        let other = try BootKey.make()
        #expect(other.fingerprint != key.fingerprint)
        #expect(throws: ServerIdentityError.self) {
            try BootKey(certificate: key.certificate, privateKey: other.privateKey)
        }
        var text = ""
        dump(key, to: &text)
        #expect(!"\(key)\(text)".contains("PRIVATE"))
    }

    @Test func aSignatureHoldsForItsContentAndItsKeyOnly() async throws {
        try await TemporaryDirectory.with { directory in
            let (key, other) = (try BootKey.make(), try BootKey.make())
            let content = [UInt8]("what boots\r\n".utf8)
            func write(_ name: String, _ bytes: [UInt8]) throws -> String {
                let file = directory.appending(path: name)
                try Data(bytes).write(to: file)
                return file.path
            }
            let file = try write("file", content)
            let signature = try key.sign(content)
            let signed = try write("signature", signature)
            #expect(BootSignature.isValid(at: signed, over: file, by: key.certificate))
            #expect(!BootSignature.isValid(at: signed, over: file, by: other.certificate))
            #expect(!BootSignature.isValid(at: signed, over: file, by: "no certificate"))
            #expect(!BootSignature.isValid(at: signed, over: directory.path + "/none", by: key.certificate))
            #expect(!BootSignature.isValid(at: file, over: file, by: key.certificate))
            for index in content.indices {
                var changed = content
                changed[index] ^= 1
                let place = try write("changed", changed)
                #expect(!BootSignature.isValid(at: signed, over: place, by: key.certificate))
            }
            let cut = try write("cut", Array(signature.dropLast()))
            #expect(!BootSignature.isValid(at: cut, over: file, by: key.certificate))
        }
    }
}
