/// What a TFTP server asks of the program around it. Called on the server's one thread: must answer at once.
package protocol TFTPService: Sendable {
    /// The content of a normalized path for a client; nil when there is none.
    func content(path: String, client: String) -> TFTPContent?
    /// A transfer ended, in whatever way.
    func transferEnded(_ report: TransferReport)
    /// A request was answered with an error.
    func requestRefused(_ refusal: RequestRefusal)
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
