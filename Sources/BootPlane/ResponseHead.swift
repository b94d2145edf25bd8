internal import NIOCore
internal import NIOHTTP1

/// Writes heads down (RFC 9112). Only what this server says itself goes in, and what would end a line is taken out all the same.
enum ResponseHead {
    /// GRUB compares it byte by byte (its `net/http.c` of 2.06), and waits for the end of the connection where it does not find it.
    static let contentLength = "Content-Length"

    static func encode(_ head: HTTPResponseHead, into buffer: inout ByteBuffer) {
        buffer.writeStaticString(head.version == .http1_0 ? "HTTP/1.0 " : "HTTP/1.1 ")
        buffer.writeString(String(head.status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(head.status.reasonPhrase)
        buffer.writeStaticString("\r\n")
        for (name, value) in head.headers {
            write(name, into: &buffer)
            buffer.writeStaticString(": ")
            write(value, into: &buffer)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
    }

    /// Writes a head down but for its last line, that of the length, and the end.
    static func encodeWithoutLength(_ head: HTTPResponseHead) -> [UInt8] {
        var head = head
        head.headers.remove(name: contentLength)
        var buffer = ByteBuffer()
        encode(head, into: &buffer)
        return Array(buffer.readableBytesView.dropLast(2))
    }

    /// Ends such a head.
    static func end(length: Int) -> [UInt8] { Array("\(contentLength): \(length)\r\n\r\n".utf8) }

    /// A line's end within a value would let whoever wrote it answer in our name: it becomes a space.
    private static func write(_ text: String, into buffer: inout ByteBuffer) {
        if text.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
            buffer.writeBytes(text.utf8.map { $0 == 13 || $0 == 10 || $0 == 0 ? 32 : $0 })
        } else {
            buffer.writeString(text)
        }
    }
}
