/// `POST /api/v1/login/challenge`: the client asks the server to prove that it knows the code on its console.
package struct LoginChallenge: Codable, Hashable, Sendable {
    /// 16 to 128 characters that the client has never used before.
    package var nonce: String

    package init(nonce: String) { self.nonce = nonce }
}

/// The answer: `LoginCode.serverProof`.
package struct LoginChallengeAnswer: Codable, Hashable, Sendable {
    package var proof: String

    package init(proof: String) { self.proof = proof }
}

/// `POST /api/v1/login`: the client proves that it knows the code, and is given a token.
package struct LoginRequest: Codable, Hashable, Sendable {
    package var nonce: String
    /// `LoginCode.clientProof`.
    package var proof: String
    /// Who it is for, as the server's log and list show it: `user@machine`.
    package var name: String

    package init(nonce: String, proof: String, name: String) {
        self.nonce = nonce
        self.proof = proof
        self.name = name
    }
}

/// The answer: a bearer token, shown this once.
package struct LoginAnswer: Codable, Hashable, Sendable {
    package var token: String

    package init(token: String) { self.token = token }
}

/// `POST /api/v1/login/code`, on the local socket only: a new code for one more login.
package struct LoginCodeAnswer: Codable, Hashable, Sendable {
    package var code: String
    /// Of the certificate that belongs to it; nil when the server does not listen on the network.
    package var fingerprint: String?

    package init(code: String, fingerprint: String?) {
        self.code = code
        self.fingerprint = fingerprint
    }
}
