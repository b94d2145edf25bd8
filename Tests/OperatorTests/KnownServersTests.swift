import Foundation
import TestSupport
import Testing

@testable import Operator

@Suite struct KnownServersTests {
    private func withFile(_ body: (String) throws -> Void) async throws {
        try await TemporaryDirectory.with(prefix: "known") { directory in
            try body(KnownServers.path(environment: ["XDG_CONFIG_HOME": directory.path + "/made/here"]))
        }
    }

    @Test func survivesItsFileAndIsForItsOwner() async throws {
        try await withFile { path in
            #expect(try KnownServers.load(path) == KnownServers())
            var known = KnownServers()
            known.servers["https://box"] = .init(certificate: "PEM", token: "secret")
            known.last = "https://box"
            try known.save(path)
            try known.save(path)
            #expect(try KnownServers.load(path) == known)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            try Data("{".utf8).write(to: URL(filePath: path))
            #expect(throws: OperatorError(.file, "")) { try KnownServers.load(path) }
        }
    }

    @Test(arguments: [
        ("https://Box.Example:443/", "https://box.example"), ("HTTPS://box", "https://box"),
        ("https://10.0.0.1:8443", "https://10.0.0.1:8443"), ("http://box:80", "http://box"),
        ("https://[FD00::1]:443", "https://[fd00::1]"), ("https://[::1]:8443", "https://[::1]:8443"),
        ("ftp://box", nil),
        ("box", nil), ("https://", nil),
    ])
    func oneServerHasOneSpelling(url: String, canonical: String?) {
        #expect(KnownServers.canonical(url) == canonical)
    }

    @Test func theLastLoginIsTheDefaultAndATokenThatIsGivenWins() throws {
        var known = KnownServers()
        known.servers["https://box"] = .init(certificate: "PEM", token: "stored")
        #expect(ServerConnection(url: "https://BOX:443", token: nil, known: known).token == "stored")
        #expect(ServerConnection(url: "https://box", token: "given", known: known).token == "given")
        let other = ServerConnection(url: "https://other", token: nil, known: known)
        #expect(other.token == nil && other.certificate == nil)
    }
}
