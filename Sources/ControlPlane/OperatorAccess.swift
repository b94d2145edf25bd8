package import Artifacts
package import ControlAPI
internal import Foundation
internal import HTTPTypes
package import Store
internal import Synchronization

/// Who may call the control plane over the network: tokens that were given out, of which only digests are kept, and the
/// code for the next login. All of it is one small file that is replaced whole and durably.
package final class OperatorAccess: Sendable {
    /// Tokens beyond this many are refused: a list that grows without end is a mistake somewhere.
    package static let tokenLimit = 1000
    private static let scopeLimit = 64
    /// Bytes of the file.
    private static let fileLimit = 16 << 20
    /// Seconds: ten years.
    static let maximumLifetime: Int64 = 10 * 366 * 86400
    static let absent = ControlError(
        .notFound, "NOT_FOUND", "this server has no accounts: it was started without --control on the network")

    private struct State: Codable {
        struct Token: Codable {
            /// Of the token, in hexadecimal form with its algorithm.
            var digest: String
            var name: String
            /// Seconds since 1970.
            var createdAt: Int64
            /// Seconds since 1970.
            var expiresAt: Int64?
            /// nil in files of version 0.2, whose tokens opened everything.
            var scopes: [AccessScope]?

            /// Enough of the digest to name the token by.
            var id: String { String(digest.dropFirst("sha256:".count).prefix(8)) }

            var summary: TokenSummary {
                TokenSummary(
                    id: id, name: name, scopes: scopes ?? [.all], createdAt: createdAt, expiresAt: expiresAt)
            }
        }

        var code: String?
        var tokens: [Token] = []

        mutating func add(_ token: Token) throws {
            // Those that have expired make room.
            if tokens.count >= OperatorAccess.tokenLimit {
                tokens.removeAll { $0.expiresAt.map { $0 <= token.createdAt } ?? false }
            }
            guard tokens.count < OperatorAccess.tokenLimit else {
                throw ControlError(
                    .conflict, "DENIED", "\(OperatorAccess.tokenLimit) tokens were given out: revoke some first")
            }
            tokens.append(token)
        }
    }

    /// Writes an entry of the audit log: action, subject, detail, actor. Called before each change: a change that is not in
    /// the log is not made.
    package typealias AuditNote = @Sendable (String, String, String, String) throws -> Void

    /// Of the certificate that clients see; part of every proof.
    package let fingerprint: Digest
    private let path: String
    private let clock: @Sendable () -> Int64
    private let note: AuditNote
    private let files: any FileOperations
    private let state: Mutex<State>
    /// The last login since this program started, for a client that lost the answer and asks again.
    private let answered = Mutex<(request: LoginRequest, answer: LoginAnswer)?>(nil)

    /// Reads the file; without one, makes the first code.
    /// - Throws: `StoreError` when the file is damaged or cannot be written.
    package init(
        path: String, fingerprint: Digest, files: any FileOperations = SystemFileOperations(),
        clock: @escaping @Sendable () -> Int64, note: @escaping AuditNote = { _, _, _, _ in }
    ) throws {
        self.path = path
        self.note = note
        self.fingerprint = fingerprint
        self.files = files
        self.clock = clock
        guard let bytes = try SmallFile.readIfPresent(path, limit: Self.fileLimit) else {
            state = Mutex(State())
            _ = try makeCode()
            return
        }
        guard let stored = try? JSONDecoder().decode(State.self, from: Data(bytes)) else {
            throw StoreError(.failure, "\(path) is damaged: remove it, and every operator logs in again")
        }
        state = Mutex(stored)
    }

    /// The code to show on the console; nil once it was used.
    package var code: LoginCode? { state.withLock { $0.code }.flatMap { LoginCode($0) } }

    /// Makes a code for one more login; the one before is void.
    /// - Throws: `StoreError` when it cannot be stored.
    func renewCode(by actor: String = "local") throws -> LoginCode {
        try note("login code", "", "", actor)
        return try makeCode()
    }

    private func makeCode() throws -> LoginCode {
        guard let code = LoginCode.random() else { throw StoreError(.failure, "no random numbers on this machine") }
        try change { $0.code = code.text }
        answered.withLock { $0 = nil }
        return code
    }

    /// Whose a token is, and what they may do; nil for one that was not given out, was revoked or has expired.
    func caller(token: String) -> Caller? {
        let digest = SHA256.digest(of: Array(token.utf8)).description
        let now = clock()
        return state.withLock { state in
            // Digests are compared: how long it takes tells nothing of a token.
            guard let found = state.tokens.first(where: { $0.digest == digest }),
                found.expiresAt.map({ $0 > now }) ?? true
            else { return nil }
            return Caller(name: "\(found.name) (\(found.id))", scopes: found.scopes ?? [.all])
        }
    }

    /// Every token, oldest first; also those that have expired.
    var tokens: [TokenSummary] { state.withLock { $0.tokens.map(\.summary) } }

    /// Gives out a token.
    /// - Throws: `ControlError` 400 for a request that makes no sense, 409 when too many were given out; `StoreError`
    ///   when it cannot be stored. No token is given out then.
    func createToken(_ request: TokenRequest, by actor: String = "local") throws -> TokenAnswer {
        guard Self.isName(request.name) else {
            throw ControlError(.badRequest, "DOCUMENT_INVALID", "name: 1 to 200 bytes that can be seen are expected")
        }
        guard (1...Self.scopeLimit).contains(request.scopes.count) else {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "scopes: 1 to \(Self.scopeLimit) are expected, as debian/*:pull")
        }
        if let lifetime = request.lifetime, !(1...Self.maximumLifetime).contains(lifetime) {
            throw ControlError(
                .badRequest, "DOCUMENT_INVALID", "lifetime: 1 to \(Self.maximumLifetime) seconds are expected")
        }
        let (token, entry) = try makeToken(request.name, request.scopes, lifetime: request.lifetime)
        try note(
            "create token", "\(entry.name) (\(entry.id))", request.scopes.map(\.description).joined(separator: " "),
            actor)
        try change { try $0.add(entry) }
        return TokenAnswer(token: token, summary: entry.summary)
    }

    /// Voids a token at once.
    /// - Throws: `ControlError` 404 when there is none with this id; `StoreError` when it cannot be stored.
    func revokeToken(_ id: String, by actor: String = "local") throws -> TokenSummary {
        guard let found = tokens.first(where: { $0.id == id }) else {
            throw ControlError(
                .notFound, "TOKEN_UNKNOWN", "there is no token '\(id)': 'artifactctl token ls' lists them")
        }
        try note("revoke token", "\(found.name) (\(found.id))", "", actor)
        try change { $0.tokens.removeAll { $0.id == id } }
        return found
    }

    /// A name that cannot change what a terminal or a log shows.
    private static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { ![.control, .format].contains($0.properties.generalCategory) }
    }

    private func makeToken(_ name: String, _ scopes: [AccessScope], lifetime: Int64?) throws -> (String, State.Token) {
        guard let bytes = RandomBytes.make(32) else {
            throw StoreError(.failure, "no random numbers on this machine")
        }
        let token = Hexadecimal.encode(bytes)
        let now = clock()
        let entry = State.Token(
            digest: SHA256.digest(of: Array(token.utf8)).description, name: name, createdAt: now,
            expiresAt: lifetime.map { now + $0 }, scopes: scopes)
        return (token, entry)
    }

    /// The proof that a client asks for.
    /// - Throws: `ControlError` 403 when no login is open, 400 for a nonce that proves nothing.
    func prove(_ challenge: LoginChallenge) throws -> LoginChallengeAnswer {
        try Self.check(nonce: challenge.nonce)
        return LoginChallengeAnswer(
            proof: try openCode().serverProof(nonce: challenge.nonce, fingerprint: fingerprint))
    }

    /// Gives out a token, once per code: the code is void before the token is known to anybody. The same request again,
    /// from a client whose connection broke, has the same answer until the next code is made or this program ends.
    /// - Throws: `ControlError` 403 when the proof is wrong or no login is open.
    func login(_ request: LoginRequest) throws -> LoginAnswer {
        try Self.check(nonce: request.nonce)
        if let answer = answered.withLock({ $0?.request == request ? $0?.answer : nil }) { return answer }
        let code = try openCode()
        guard LoginCode.matches(request.proof, code.clientProof(nonce: request.nonce, fingerprint: fingerprint)) else {
            throw ControlError(
                .forbidden, "DENIED", "the code is not the one on the server's console: read it there again",
                isGuess: true)
        }
        let name = Self.isName(request.name) ? request.name : "unnamed"
        let (token, entry) = try makeToken(name, [.all], lifetime: nil)
        try note("login", "\(entry.name) (\(entry.id))", "", "console code")
        try change { state in
            // Between the check and here another login may have used it.
            guard state.code == code.text else { throw Self.closed }
            try state.add(entry)
            state.code = nil
        }
        let answer = LoginAnswer(token: token)
        answered.withLock { $0 = (request, answer) }
        return answer
    }

    private static let closed = ControlError(
        .forbidden, "DENIED",
        "no login is open: on the server, 'artifactctl login-code' as root makes a code for one more")

    private static func check(nonce: String) throws {
        guard (16...128).contains(nonce.utf8.count) else {
            throw ControlError(.badRequest, "NONCE_INVALID", "nonce: 16 to 128 characters are expected")
        }
    }

    private func openCode() throws -> LoginCode {
        guard let code else { throw Self.closed }
        return code
    }

    /// The file first, then what everybody sees: a token that was given out survives a power cut.
    private func change(_ body: (inout State) throws -> Void) throws {
        try state.withLock { state in
            var next = state
            try body(&next)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let bytes = Array(try encoder.encode(next))
            guard bytes.count < Self.fileLimit else {
                throw ControlError(.conflict, "DENIED", "\(path) would be too large: revoke tokens first")
            }
            do {
                try SmallFile.write(path, bytes, files)
            } catch let failure as FileFailure {
                throw StoreError(.failure, "\(path) cannot be written", cause: failure)
            }
            state = next
        }
    }
}
