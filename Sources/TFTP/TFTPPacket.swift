/// The error codes of RFC 1350 section 5 and RFC 2347.
package enum TFTPErrorCode: UInt16, Sendable {
    case notDefined = 0
    case fileNotFound = 1
    case accessViolation = 2
    case diskFull = 3
    case illegalOperation = 4
    case unknownTransferID = 5
    case fileExists = 6
    case noSuchUser = 7
    case optionNegotiation = 8
}

/// A read request (RFC 1350 section 5, RFC 2347).
package struct ReadRequest: Hashable, Sendable {
    /// As it came; see `TFTPPath` for what is made of it.
    package var fileName: String
    /// Lower case.
    package var mode: String
    /// Names in lower case, in the order they came; values as they came.
    package var options: [(name: String, value: String)]

    package init(fileName: String, mode: String = "octet", options: [(name: String, value: String)] = []) {
        self.fileName = fileName
        self.mode = mode
        self.options = options
    }

    package static func == (lhs: ReadRequest, rhs: ReadRequest) -> Bool {
        lhs.fileName == rhs.fileName && lhs.mode == rhs.mode
            && lhs.options.map { [$0.name, $0.value] } == rhs.options.map { [$0.name, $0.value] }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(fileName) }
}

/// A packet as a server receives it. Parsing accepts any bytes and never traps.
package enum TFTPPacket: Hashable, Sendable {
    case read(ReadRequest)
    case write
    case acknowledgement(UInt16)
    case error(code: UInt16, message: String)

    /// Why bytes are no packet for a server.
    package enum Malformed: Error, Hashable, Sendable {
        case truncated
        case unknownOperation
        case tooLong
    }

    /// Requests longer than this are refused: RFC 2347 limits them to 512 bytes, some firmware sends more.
    package static let maximumRequestSize = 1024

    package init(_ bytes: some RandomAccessCollection<UInt8>) throws(Malformed) {
        guard bytes.count >= 4 else { throw .truncated }
        let start = bytes.startIndex
        func byte(_ index: Int) -> UInt16 { UInt16(bytes[bytes.index(start, offsetBy: index)]) }
        // Nearly every packet is one: nothing is copied for it.
        if byte(0) == 0, byte(1) == 4 {
            self = .acknowledgement(byte(2) << 8 | byte(3))
            return
        }
        let bytes = Array(bytes)
        switch UInt16(bytes[0]) << 8 | UInt16(bytes[1]) {
        case 1:
            guard bytes.count <= Self.maximumRequestSize else { throw .tooLong }
            self = .read(try Self.readRequest(bytes.dropFirst(2)))
        case 2: self = .write
        case 5:
            let text = bytes.dropFirst(4).prefix { $0 != 0 }.prefix(200)
            self = .error(
                code: UInt16(bytes[2]) << 8 | UInt16(bytes[3]), message: String(decoding: text, as: UTF8.self))
        default: throw .unknownOperation
        }
    }

    /// File name, mode, then pairs of option and value, each ended by a zero byte.
    private static func readRequest(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> ReadRequest {
        var fields: [String] = []
        var rest = bytes
        while let end = rest.firstIndex(of: 0) {
            fields.append(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[(end + 1)...]
        }
        // Some firmware pads with garbage after the last zero: it is ignored, a missing mode is not.
        guard fields.count >= 2 else { throw .truncated }
        var options: [(name: String, value: String)] = []
        var index = 2
        while index + 1 < fields.count {
            if !fields[index].isEmpty { options.append((fields[index].lowercased(), fields[index + 1])) }
            index += 2
        }
        return ReadRequest(fileName: fields[0], mode: fields[1].lowercased(), options: options)
    }

    // MARK: What a server sends

    /// An ERROR packet; the message is cut to 200 bytes.
    package static func error(_ code: TFTPErrorCode, _ message: String) -> [UInt8] {
        var packet: [UInt8] = [0, 5, 0, UInt8(code.rawValue)]
        packet += message.utf8.prefix(200).filter { $0 != 0 }
        packet.append(0)
        return packet
    }

    /// An OACK packet (RFC 2347).
    package static func optionAcknowledgement(_ options: [(name: String, value: String)]) -> [UInt8] {
        var packet: [UInt8] = [0, 6]
        for option in options {
            packet += Array(option.name.utf8) + [0]
            packet += Array(option.value.utf8) + [0]
        }
        return packet
    }

    /// The four bytes before a DATA packet's bytes. Block numbers go on after 65535 with 0.
    package static func dataHeader(block: Int64) -> (UInt8, UInt8, UInt8, UInt8) {
        let number = UInt16(truncatingIfNeeded: block)
        return (0, 3, UInt8(number >> 8), UInt8(number & 255))
    }
}
