/// What a TFTP server asks of the program around it. Called on the server's one thread: must answer at once.
package protocol TFTPService: Sendable {
    /// What a normalized path gives a client.
    func reply(path: String, client: String) -> TFTPReply
    /// What tells whether a client is one of those that the server is there for: where more ask than can be answered, they come
    /// before strangers. Taken once for requests that came together.
    func expectation() -> (_ client: DatagramEndpoint) -> Bool
    /// The transfer of a file that `reply` gave begins; `transferEnded` follows.
    func transferBegan(client: String)
    /// A transfer ended, in whatever way; with the context of its answer.
    func transferEnded(_ report: TransferReport, context: (any Sendable)?)
    /// All places for transfers are taken: so many transfers gave way since the last call, whose clients had said nothing. Called
    /// every ten seconds at most.
    func placesRanOut(gaveWay: Int)
    /// A request was answered with an error.
    func requestRefused(_ refusal: RequestRefusal)
}

/// What a request gets.
package enum TFTPReply: Sendable {
    case file(TFTPAnswer)
    case notFound
    /// No packet at all: the client repeats its request after a while (RFC 1350 section 2), and has it then.
    case notYet
}

/// A file to send, and what the service wants to know again when it was sent: the path may mean something else by then.
package struct TFTPAnswer: Sendable {
    package let content: TFTPContent
    package let context: (any Sendable)?
    /// Bytes of a block at most, for a client whose firmware cannot take what its path can; nil: what the path can.
    package let blockSizeLimit: Int?

    package init(_ content: TFTPContent, context: (any Sendable)? = nil, blockSizeLimit: Int? = nil) {
        self.content = content
        self.context = context
        self.blockSizeLimit = blockSizeLimit
    }
}

/// What a transfer was.
package struct TransferReport: Hashable, Sendable {
    /// The client's address without port.
    package let client: String
    package let path: String
    package let outcome: TransferOutcome
    /// Bytes of the file that the client acknowledged.
    package let bytes: Int64
    package let milliseconds: Int64
    package let blockSize: Int
    package let windowSize: Int
    /// Blocks sent more than once.
    package let repeatedBlocks: Int64
}

/// Why a request got an error.
package struct RequestRefusal: Hashable, Sendable {
    package let client: String
    /// As the client wrote it, unprintable characters replaced; empty when it was not readable.
    package let name: String
    package let code: TFTPErrorCode
    package let reason: String
}
