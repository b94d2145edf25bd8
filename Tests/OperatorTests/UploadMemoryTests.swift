import Artifacts
import Foundation
import TestSupport
import Testing

@testable import Operator

@Suite struct UploadMemoryTests {
    private let name: ArtifactName
    private let digest = SHA256.digest(of: Array("blob".utf8))

    init() throws { name = try ArtifactName("debian") }

    private func withPath(_ body: (String) throws -> Void) async throws {
        try await TemporaryDirectory.with(prefix: "memory") { directory in
            try body(UploadMemory.path(environment: ["XDG_STATE_HOME": directory.path + "/made/here"]))
        }
    }

    @Test func remembersByServerNameAndDigestUntilItIsToldToForget() async throws {
        try await withPath { path in
            let memory = UploadMemory(path: path, server: "https://box")
            #expect(memory.location(name, digest) == nil)
            memory.remember("/v2/one", name, digest)
            memory.remember("/v2/two", name, digest)
            let later = UploadMemory(path: path, server: "https://box")
            #expect(later.location(name, digest) == "/v2/two")
            let other = try ArtifactName("other")
            #expect(later.location(other, digest) == nil)
            #expect(later.location(name, .empty) == nil)
            #expect(UploadMemory(path: path, server: "https://other").location(name, digest) == nil)
            later.remember(nil, name, digest)
            #expect(UploadMemory(path: path, server: "https://box").location(name, digest) == nil)
        }
    }

    @Test func twoPushesDoNotForgetEachOthers() async throws {
        try await withPath { path in
            let first = UploadMemory(path: path, server: "s")
            let second = UploadMemory(path: path, server: "s")
            first.remember("/v2/one", name, digest)
            second.remember("/v2/two", name, .empty)
            let later = UploadMemory(path: path, server: "s")
            #expect(later.location(name, digest) == "/v2/one")
            #expect(later.location(name, .empty) == "/v2/two")
        }
    }

    /// Two pushes at once of one blob must not take its session from each other.
    @Test func whatALivingProcessSendsIsItsOwn() async throws {
        try await withPath { path in
            UploadMemory(path: path, server: "s").remember("/v2/one", name, digest)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            // Process 1 lives as long as the machine.
            let other = text.replacing("\"process\":\(getpid())", with: "\"process\":1")
            #expect(other != text)
            try Data(other.utf8).write(to: URL(filePath: path))
            #expect(UploadMemory(path: path, server: "s").location(name, digest) == nil)
        }
    }

    /// It is a help and no more: what is damaged, or cannot be written, is done without.
    @Test func damageCostsNothingButBytes() async throws {
        try await withPath { path in
            UploadMemory(path: path, server: "s").remember("/v2/one", name, digest)
            try Data("{".utf8).write(to: URL(filePath: path))
            let memory = UploadMemory(path: path, server: "s")
            #expect(memory.location(name, digest) == nil)
            memory.remember("/v2/two", name, digest)
            #expect(UploadMemory(path: path, server: "s").location(name, digest) == "/v2/two")
            UploadMemory(path: "/proc/nowhere/uploads.json", server: "s").remember("/v2/one", name, digest)
        }
    }
}
