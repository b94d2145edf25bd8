internal import Artifacts
internal import HTTPSemantics
internal import NIOHTTP1

/// Head and bytes of an answer, decided before anything is written.
struct ResponsePlan {
    enum Body {
        case bytes([UInt8])
        case resource(BootResource, range: Range<Int64>)
        /// Several pieces, each after its own head (RFC 9110 section 14.6).
        case parts(BootResource, [Part], end: [UInt8])
    }

    /// One of several pieces.
    struct Part {
        let head: [UInt8]
        let range: Range<Int64>
    }

    /// dnf asks for as many where it fetches what has changed of a list of packages.
    static let maximumParts = 256

    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: Body
    var event: BootEvent?

    /// The body, where all of it is in memory.
    var bytes: ArraySlice<UInt8>? {
        switch body {
        case .bytes(let bytes): return bytes[...]
        case .resource(let resource, let range):
            guard case .bytes(let bytes) = resource.body else { return nil }
            return bytes[Int(range.lowerBound)..<Int(range.upperBound)]
        case .parts: return nil
        }
    }

    /// A short text, for refusals.
    init(status: HTTPResponseStatus, text: String) {
        self.status = status
        let bytes = Array((text + "\n").utf8)
        headers = ["content-type": "text/plain; charset=utf-8", ResponseHead.contentLength: String(bytes.count)]
        body = .bytes(bytes)
    }

    /// A short text for what is not possible now (RFC 9110 section 10.2.3), but may be after so many seconds.
    init(text: String, retryAfter seconds: Int) {
        self.init(status: .serviceUnavailable, text: text)
        headers.add(name: "retry-after", value: String(seconds))
    }

    /// A resource for a GET or HEAD: conditional and partial requests are answered as RFC 9110 says.
    init(_ resource: BootResource, request: HTTPRequestHead) {
        let etag = resource.digest.map { "\"\($0)\"" }
        headers = ["content-type": resource.mediaType, "accept-ranges": "bytes"]
        if let etag { headers.add(name: "etag", value: etag) }
        headers.add(
            name: "cache-control",
            value: resource.isImmutable ? "public, max-age=31536000, immutable" : "no-cache")
        if let etag, Self.matches(request.headers["if-none-match"], etag) {
            status = .notModified
            body = .bytes([])
            return
        }
        // If-Range: a part only when it is a part of the same bytes (RFC 9110 section 13.1.5).
        let isSame = request.headers.first(name: "if-range").map { $0 == etag } ?? true
        // Only GET has parts (RFC 9110 section 14.2).
        let header = isSame && request.method == .GET ? request.headers.first(name: "range") : nil
        switch HTTPByteRange(header: header, size: resource.size, maximumParts: Self.maximumParts) {
        case .whole:
            status = .ok
            body = .resource(resource, range: 0..<resource.size)
            event = resource.event
        case .part(let part):
            status = .partialContent
            headers.add(name: "content-range", value: "bytes \(part.lowerBound)-\(part.upperBound)/\(resource.size)")
            body = .resource(resource, range: part.lowerBound..<part.upperBound + 1)
            if part.upperBound == resource.size - 1 { event = resource.event }
        case .parts(let ranges):
            status = .partialContent
            // No file has it in it by chance, nor can it be made to.
            let boundary = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
            headers.replaceOrAdd(name: "content-type", value: "multipart/byteranges; boundary=\(boundary)")
            body = .parts(
                resource, Self.parts(ranges, of: resource, boundary), end: Array("\r\n--\(boundary)--\r\n".utf8))
            if ranges.contains(where: { $0.upperBound == resource.size - 1 }) { event = resource.event }
        case .unsatisfiable:
            status = .rangeNotSatisfiable
            headers.add(name: "content-range", value: "bytes */\(resource.size)")
            body = .bytes([])
        }
        headers.add(name: ResponseHead.contentLength, value: String(length))
    }

    /// The head of the answer to a request.
    func head(for request: HTTPRequestHead) -> HTTPResponseHead {
        var head = HTTPResponseHead(version: request.version, status: status, headers: headers)
        let keepsAlive = request.isKeepAlive
        if !keepsAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
        if request.version == .http1_0, keepsAlive {
            head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        return head
    }

    private static func parts(_ ranges: [ClosedRange<Int64>], of resource: BootResource, _ boundary: String) -> [Part] {
        ranges.enumerated().map { index, range in
            let lines = [
                "--\(boundary)", "Content-Type: \(resource.mediaType)",
                "Content-Range: bytes \(range.lowerBound)-\(range.upperBound)/\(resource.size)", "", "",
            ]
            let head = (index == 0 ? "" : "\r\n") + lines.joined(separator: "\r\n")
            return Part(head: Array(head.utf8), range: range.lowerBound..<range.upperBound + 1)
        }
    }

    var length: Int64 {
        switch body {
        case .bytes(let bytes): Int64(bytes.count)
        case .resource(_, let range): range.upperBound - range.lowerBound
        case .parts(_, let parts, let end):
            parts.reduce(Int64(end.count)) {
                $0 + Int64($1.head.count) + $1.range.upperBound - $1.range.lowerBound
            }
        }
    }

    private static func matches(_ values: [String], _ etag: String) -> Bool {
        values.flatMap { $0.split(separator: ",") }.contains { value in
            let value = value.drop { $0 == " " }.replacing("W/", with: "", maxReplacements: 1)
            return value == "*" || value == etag
        }
    }
}
