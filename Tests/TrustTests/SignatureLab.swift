import Foundation
import GPGV
import TestSupport

@testable import Trust

/// A folder with a file, and the reference tools that sign it.
struct SignatureLab {
    static let requirements: [Requirement] = [
        .tool("minisign", package: "minisign"), .tool("ssh-keygen", package: "openssh-client"),
        .tool("openssl", package: "openssl"), .tool("gpg", package: "gnupg"), .tool("gpgv", package: "gpgv"),
    ]
    static let content = Array("what is signed\n".utf8)

    let directory: URL

    static func with(_ body: (SignatureLab) async throws -> Void) async throws {
        try Requirement.demand(requirements)
        try await TemporaryDirectory.with(prefix: "trust") { directory in
            let lab = SignatureLab(directory: directory)
            try Data(content).write(to: directory.appending(path: "file"))
            try await body(lab)
        }
    }

    func path(_ name: String) -> String { directory.appending(path: name).path }

    /// Runs a line of shell in the folder.
    @discardableResult
    func run(_ line: String) async throws -> CommandResult {
        try await CommandRunner(prefix: ["env", "-C", directory.path]).run(["sh", "-ec", line])
    }

    /// Whether a tool is content.
    func accepts(_ line: String) async throws -> Bool {
        try await CommandRunner(prefix: ["env", "-C", directory.path]).result(of: ["sh", "-ec", line]).succeeded
    }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: directory.appending(path: name))) }
    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
    func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: directory.appending(path: name)) }

    /// What is found about a signature file over the file; one check where there is one signature.
    func check(
        _ signature: [UInt8], _ format: SignatureFormat, _ keys: [TrustKey], over content: SignedContent? = nil,
        at time: Int64? = nil, program: String = "gpgv"
    ) async -> [SignatureCheck] {
        let time = time ?? Int64(Date().timeIntervalSince1970)
        return await SignatureVerifier(openPGP: GPGV(program: program)).check(
            signature, format, over: content ?? .file(path: path("file")), keys: keys, at: time)
    }

    /// The fault of the only check; nil for a good signature.
    func fault(
        _ signature: [UInt8], _ format: SignatureFormat, _ keys: [TrustKey], over content: SignedContent? = nil,
        at time: Int64? = nil
    ) async -> String? {
        let checks = await check(signature, format, keys, over: content, at: time)
        return checks.count == 1 ? checks[0].fault : "\(checks.count) checks"
    }

    /// Flips a bit of every byte, one after another, and names those of which a signature is still called good. The reference
    /// tool is asked about these only: `reference` leaves the changed signature in `changed`.
    func falselyGood(
        _ signature: [UInt8], _ format: SignatureFormat, _ keys: [TrustKey], reference: String, step: Int = 1
    ) async throws -> [Int] {
        var wrong: [Int] = []
        for index in stride(from: 0, to: signature.count, by: step) {
            var changed = signature
            changed[index] ^= 1
            guard await check(changed, format, keys).contains(where: { $0.fault == nil }) else { continue }
            try write("changed", changed)
            if try await !accepts(reference) { wrong.append(index) }
        }
        return wrong
    }
}
