import Artifacts
import ControlAPI
import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct OperatorAccessTests {
    static let fingerprint = SHA256.digest(of: Array("the certificate".utf8))
    static let nonce = "0123456789abcdef"

    private func withAccess(_ body: (OperatorAccess, String) throws -> Void) async throws {
        try await TemporaryDirectory.with(prefix: "access") { directory in
            let path = directory.appending(path: "operators.json").path
            try body(try Self.open(path), path)
        }
    }

    static func open(_ path: String) throws -> OperatorAccess {
        try OperatorAccess(path: path, fingerprint: fingerprint, clock: { 1000 })
    }

    static func request(_ code: LoginCode, fingerprint: Digest = Self.fingerprint, nonce: String = Self.nonce)
        -> LoginRequest
    {
        LoginRequest(nonce: nonce, proof: code.clientProof(nonce: nonce, fingerprint: fingerprint), name: "me@here")
    }

    @Test func aCodeGivesOneTokenThatSurvivesARestart() async throws {
        try await withAccess { access, path in
            let code = try #require(access.code)
            let token = try access.login(Self.request(code)).token
            let caller = try #require(access.caller(token: token))
            #expect(caller.name.hasPrefix("me@here (") && caller.scopes == [.all])
            #expect(access.code == nil)
            let another = Self.request(code, nonce: String(Self.nonce.reversed()))
            #expect(throws: ControlError.self) { try access.login(another) }
            let again = try Self.open(path)
            #expect(again.caller(token: token) == caller)
            #expect(throws: ControlError.self) { try again.login(Self.request(code)) }
            #expect(again.code == nil)
            for wrong in ["", token.uppercased(), String(token.dropLast()), token + "0"] {
                #expect(again.caller(token: wrong) == nil)
            }
        }
    }

    /// The answer was lost on its way: the code must not be lost with it.
    @Test func theSameRequestAgainHasTheSameAnswerUntilTheNextCode() async throws {
        try await withAccess { access, _ in
            let request = Self.request(try #require(access.code))
            let answer = try access.login(request)
            #expect(try access.login(request) == answer)
            var other = request
            other.name = "somebody else"
            #expect(throws: ControlError.self) { try access.login(other) }
            _ = try access.renewCode()
            #expect(throws: ControlError.self) { try access.login(request) }
        }
    }

    @Test func theFirstCodeIsTheSameAfterARestart() async throws {
        try await withAccess { access, path in
            let again = try Self.open(path)
            #expect(again.code == access.code)
        }
    }

    @Test func aNewCodeVoidsTheOneBefore() async throws {
        try await withAccess { access, _ in
            let old = try #require(access.code)
            let new = try access.renewCode()
            #expect(throws: ControlError.self) { try access.login(Self.request(old)) }
            #expect(try !access.login(Self.request(new)).token.isEmpty)
        }
    }

    /// Somebody in between has another certificate: proofs made over it are worth nothing here, and the other way.
    @Test func proofsAreBoundToTheCertificateTheNonceAndTheSide() async throws {
        try await withAccess { access, _ in
            let code = try #require(access.code)
            let other = SHA256.digest(of: Array("another certificate".utf8))
            #expect(throws: ControlError.self) { try access.login(Self.request(code, fingerprint: other)) }
            var request = Self.request(code)
            request.nonce = String(Self.nonce.reversed())
            #expect(throws: ControlError.self) { try access.login(request) }
            let answer = try access.prove(LoginChallenge(nonce: Self.nonce))
            #expect(answer.proof == code.serverProof(nonce: Self.nonce, fingerprint: Self.fingerprint))
            #expect(answer.proof != code.serverProof(nonce: Self.nonce, fingerprint: other))
            // The server's own proof, sent back, is not the client's.
            #expect(throws: ControlError.self) {
                try access.login(LoginRequest(nonce: Self.nonce, proof: answer.proof, name: ""))
            }
            #expect(access.code == code)
        }
    }

    @Test(arguments: ["", "short", String(repeating: "n", count: 129)])
    func noncesThatProveNothingAreRefused(_ nonce: String) async throws {
        try await withAccess { access, _ in
            let code = try #require(access.code)
            #expect(throws: ControlError.self) { try access.prove(LoginChallenge(nonce: nonce)) }
            #expect(throws: ControlError.self) { try access.login(Self.request(code, nonce: nonce)) }
        }
    }

    @Test func theFileHoldsNoTokenAndIsForItsOwner() async throws {
        try await withAccess { access, path in
            let token = try access.login(Self.request(try #require(access.code))).token
            #expect(try !String(contentsOfFile: path, encoding: .utf8).contains(token))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func aTokenHasItsScopesUntilItExpires() async throws {
        try await TemporaryDirectory.with(prefix: "access") { directory in
            let now = Mutex<Int64>(1000)
            let path = directory.appending(path: "operators.json").path
            let access = try OperatorAccess(path: path, fingerprint: Self.fingerprint, clock: { now.withLock { $0 } })
            let scope = try AccessScope("debian/*:pull")
            let answer = try access.createToken(TokenRequest(name: "ci", scopes: [scope], lifetime: 60))
            #expect(access.caller(token: answer.token) == Caller(name: "ci (\(answer.summary.id))", scopes: [scope]))
            #expect(answer.summary.expiresAt == 1060)
            #expect(access.tokens == [answer.summary])
            now.withLock { $0 = 1059 }
            #expect(access.caller(token: answer.token) != nil)
            now.withLock { $0 = 1060 }
            #expect(access.caller(token: answer.token) == nil)
        }
    }

    @Test func aRevokedTokenIsVoidAtOnceAndAfterARestart() async throws {
        try await withAccess { access, path in
            let kept = try access.createToken(TokenRequest(name: "kept", scopes: [.all], lifetime: nil))
            let gone = try access.createToken(TokenRequest(name: "gone", scopes: [.all], lifetime: nil))
            #expect(try access.revokeToken(gone.summary.id) == gone.summary)
            for access in [access, try Self.open(path)] {
                #expect(access.caller(token: gone.token) == nil)
                #expect(access.caller(token: kept.token)?.name == "kept (\(kept.summary.id))")
            }
            let error = #expect(throws: ControlError.self) { try access.revokeToken(gone.summary.id) }
            #expect(error?.status == .notFound)
        }
    }

    @Test func requestsThatMakeNoSenseAreRefused() async throws {
        try await withAccess { access, _ in
            for request in [
                TokenRequest(name: "", scopes: [.all], lifetime: nil),
                TokenRequest(name: String(repeating: "n", count: 201), scopes: [.all], lifetime: nil),
                TokenRequest(name: "n", scopes: [], lifetime: nil),
                TokenRequest(name: "n", scopes: Array(repeating: .all, count: 65), lifetime: nil),
                TokenRequest(name: "a\u{1b}[2Jb", scopes: [.all], lifetime: nil),
                TokenRequest(name: "n", scopes: [.all], lifetime: 0),
                TokenRequest(name: "n", scopes: [.all], lifetime: .max),
            ] {
                #expect(throws: ControlError.self) { try access.createToken(request) }
            }
            #expect(access.tokens.isEmpty)
        }
    }

    /// A change that cannot be noted is not made.
    @Test func whatIsNotInTheAuditLogDoesNotHappen() async throws {
        struct Full: Error {}
        try await TemporaryDirectory.with(prefix: "access") { directory in
            let path = directory.appending(path: "operators.json").path
            let notes = Notes()
            let access = try OperatorAccess(
                path: path, fingerprint: Self.fingerprint, clock: { 1000 },
                note: { action, subject, _, actor in
                    if notes.isFull { throw Full() }
                    notes.add("\(action) \(subject) by \(actor)")
                })
            let code = try #require(access.code)
            let token = try access.createToken(TokenRequest(name: "ci", scopes: [.all], lifetime: nil), by: "ann")
            notes.fill()
            #expect(throws: Full.self) {
                try access.createToken(TokenRequest(name: "no", scopes: [.all], lifetime: nil))
            }
            #expect(throws: Full.self) { try access.revokeToken(token.summary.id) }
            #expect(throws: Full.self) { try access.login(Self.request(code)) }
            #expect(throws: Full.self) { try access.renewCode() }
            #expect(access.tokens == [token.summary])
            #expect(access.code == code)
            #expect(notes.list == ["create token ci (\(token.summary.id)) by ann"])
        }
    }

    private final class Notes: Sendable {
        private let state = Mutex((list: [String](), isFull: false))
        var list: [String] { state.withLock { $0.list } }
        var isFull: Bool { state.withLock { $0.isFull } }
        func add(_ note: String) { state.withLock { $0.list.append(note) } }
        func fill() { state.withLock { $0.isFull = true } }
    }

    /// The file of version 0.2: its tokens have no scopes and open everything.
    @Test func tokensOfAnEarlierVersionStayGood() async throws {
        try await withAccess { _, path in
            let digest = SHA256.digest(of: Array("old-token".utf8))
            try Data(#"{"tokens":[{"createdAt":5,"digest":"\#(digest)","name":"me"}]}"#.utf8)
                .write(to: URL(filePath: path))
            let caller = try Self.open(path).caller(token: "old-token")
            #expect(caller?.name.hasPrefix("me (") == true && caller?.scopes == [.all])
        }
    }

    @Test func aDamagedFileIsNamed() async throws {
        try await withAccess { _, path in
            try Data("{".utf8).write(to: URL(filePath: path))
            #expect(throws: (any Error).self) { try Self.open(path) }
        }
    }

    @Test func onlyTheLoginItselfNeedsNoToken() async throws {
        try await withAccess { access, _ in
            let token = try access.login(Self.request(try #require(access.code))).token
            let authorization = Authorization.operators(access, nil, certificates: [])
            for open in [ControlPath.login, ControlPath.loginChallenge] {
                #expect(try authorization.caller([:], path: open, peer: nil) == .anonymous)
            }
            for closed in ["/v2/", "/api/v1/status", ControlPath.loginCode, "/api/v1/login/", "/api/v1/loginx", "/"] {
                #expect(throws: ControlError.self, "\(closed)") {
                    try authorization.caller([:], path: closed, peer: nil)
                }
                _ = try authorization.caller([.authorization: "Bearer \(token)"], path: closed, peer: nil)
            }
        }
    }
}

@Suite struct LoginCodeTests {
    @Test func readsWhatPeopleType() throws {
        let code = try #require(LoginCode("ABCD-EFGH-JKMN-PQR0"))
        for spelling in ["abcdefghjkmnpqr0", " ABCD EFGH JKMN PQRO ", "abcd-efgh-jkmn-pqro"] {
            #expect(LoginCode(spelling) == code)
        }
        #expect(LoginCode("1111-1111-1111-1111") == LoginCode("IL1i-l1IL-1111-1111"))
        for wrong in [
            "", "ABCD", "ABCD-EFGH-JKMN-PQRSX", "ABCD-EFGH-JKMN-PQR!", "UUUU-UUUU-UUUU-UUUU", "ÄBCD-EFGH-JKMN-PQRS",
        ] {
            #expect(LoginCode(wrong) == nil, "\(wrong)")
        }
    }

    @Test func isRandomAndKeepsToItself() throws {
        let codes = try (0..<200).map { _ in try #require(LoginCode.random()) }
        #expect(Set(codes).count == 200)
        #expect(codes.allSatisfy { LoginCode($0.text) == $0 })
        #expect(!"\(codes[0])".contains(codes[0].text))
    }
}
