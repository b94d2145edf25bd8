/// Bytes that are appended to an upload, wherever they are: in a buffer of whoever received them, for example.
package protocol UploadPiece: Sendable {
    var byteCount: Int { get }
    /// Gives all of the bytes to `body`, in one place.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
}

extension [UInt8]: UploadPiece {
    package var byteCount: Int { count }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeBytes(body)
    }
}
