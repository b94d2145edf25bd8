package import Site

/// The packets that a machine's firmware and its loader send before they have an address, and what is answered: RFC 2131 for
/// the form, RFC 2132 for the options, RFC 4578 for those of network boot.
package struct DHCPMessage: Equatable, Sendable {
    /// UDP ports (RFC 2131 section 4.1).
    package static let serverPort: UInt16 = 67
    package static let clientPort: UInt16 = 68

    private static let cookie: [UInt8] = [99, 130, 83, 99]
    private static let headerSize = 236

    private enum Option {
        static let router: UInt8 = 3
        static let nameServers: UInt8 = 6
        static let overload: UInt8 = 52
        static let kind: UInt8 = 53
        static let server: UInt8 = 54
        static let parameters: UInt8 = 55
        static let largestMessage: UInt8 = 57
        static let vendorClass: UInt8 = 60
        static let serverName: UInt8 = 66
        static let bootFile: UInt8 = 67
        static let userClass: UInt8 = 77
        static let architecture: UInt8 = 93
        static let interface: UInt8 = 94
    }

    /// What a DISCOVER says of the machine.
    package struct Question: Equatable, Sendable {
        package var transaction: UInt32
        package var mac: MACAddress
        /// Option 93: 0 BIOS, 7 UEFI x64, 16 UEFI x64 over HTTP (IANA, "Processor Architecture Types").
        package var architecture: UInt16
        /// Option 77; nil for none.
        package var userClass: String?

        package init(transaction: UInt32, mac: MACAddress, architecture: UInt16, userClass: String?) {
            self.transaction = transaction
            self.mac = mac
            self.architecture = architecture
            self.userClass = userClass
        }
    }

    package var transaction: UInt32
    package var mac: MACAddress
    /// What the client may have.
    package var address: IPv4Address
    /// Option 54, or where there is none, what the header says.
    package var server: IPv4Address
    /// Where the boot file is; nil when the answer names none.
    package var nextServer: IPv4Address?
    /// A path for TFTP, or a URL; nil when the answer names none.
    package var bootFile: String?
    package var nameServers: [IPv4Address]
    /// Option 60, which UEFI's HTTP boot wants back (UEFI 2.10 section 24.7.2).
    package var vendorClass: String?

    /// A DISCOVER, as firmware of that architecture sends it.
    package static func discover(_ question: Question) -> [UInt8] {
        var bytes: [UInt8] = [1, 1, 6, 0]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: question.transaction >> (24 - 8 * $0)) }
        // Seconds; and the flag that asks for a broadcast, for there is no address to answer to.
        bytes += [0, 4, 0x80, 0]
        bytes += [UInt8](repeating: 0, count: 16)
        bytes += Self.bytes(of: question.mac) + [UInt8](repeating: 0, count: headerSize - 34)
        bytes += cookie
        func add(_ option: UInt8, _ value: [UInt8]) {
            bytes += [option, UInt8(truncatingIfNeeded: value.count)] + value
        }
        add(Option.kind, [1])
        add(Option.largestMessage, [5, 192])
        add(
            Option.parameters,
            [
                1, Option.router, Option.nameServers, 12, 15, 43, Option.server, Option.vendorClass, Option.serverName,
                Option.bootFile, 97,
            ])
        let isHTTP = question.architecture == 16
        let number = String(question.architecture)
        let digits = String(repeating: "0", count: max(0, 5 - number.count)) + number
        add(Option.vendorClass, Array("\(isHTTP ? "HTTPClient" : "PXEClient"):Arch:\(digits):UNDI:003016".utf8))
        add(Option.architecture, [UInt8(question.architecture >> 8), UInt8(question.architecture & 255)])
        add(Option.interface, [1, 3, 16])
        if let userClass = question.userClass { add(Option.userClass, Array(userClass.utf8)) }
        return bytes + [255]
    }

    /// Reads an OFFER; nil for anything else, and for what is not one by the RFC.
    package init?(offer bytes: [UInt8]) {
        guard bytes.count >= Self.headerSize + 4, bytes[0] == 2, bytes[1] == 1, bytes[2] == 6,
            bytes[Self.headerSize..<Self.headerSize + 4].elementsEqual(Self.cookie),
            bytes[28..<34].contains(where: { $0 != 0 })
        else { return nil }
        var options: [UInt8: [UInt8]] = [:]
        guard Self.read(bytes[(Self.headerSize + 4)...], into: &options), options[Option.kind] == [2] else {
            return nil
        }
        // The header's two names may hold options, too (RFC 2132 section 9.3).
        let overload = options[Option.overload]?.first ?? 0
        if overload & 1 != 0 { guard Self.read(bytes[108..<236], into: &options) else { return nil } }
        if overload & 2 != 0 { guard Self.read(bytes[44..<108], into: &options) else { return nil } }
        mac = MACAddress(value: bytes[28..<34].reduce(0) { $0 << 8 | UInt64($1) })
        transaction = bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        address = Self.address(bytes[16..<20])
        let header = Self.address(bytes[20..<24])
        server = options[Option.server].flatMap { $0.count == 4 ? Self.address($0[...]) : nil } ?? header
        let named = options[Option.serverName].flatMap { IPv4Address(Self.text($0[...])) }
        nextServer = header.value != 0 ? header : named
        let file = overload & 1 == 0 ? Self.text(bytes[108..<236]) : ""
        let other = options[Option.bootFile].map { Self.text($0[...]) } ?? ""
        bootFile = !file.isEmpty ? file : other.isEmpty ? nil : other
        nameServers = Self.addresses(options[Option.nameServers])
        vendorClass = options[Option.vendorClass].map { Self.text($0[...]) }
    }

    private static func bytes(of mac: MACAddress) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: mac.value >> (40 - 8 * $0)) }
    }

    /// False when one reaches beyond the end.
    private static func read(_ bytes: ArraySlice<UInt8>, into options: inout [UInt8: [UInt8]]) -> Bool {
        var rest = bytes
        while let option = rest.popFirst() {
            if option == 255 { return true }
            if option == 0 { continue }
            guard let length = rest.popFirst(), rest.count >= Int(length) else { return false }
            // One that comes again goes on (RFC 3396).
            options[option, default: []] += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return true
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> IPv4Address {
        IPv4Address(value: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func addresses(_ bytes: [UInt8]?) -> [IPv4Address] {
        guard let bytes else { return [] }
        return stride(from: 0, to: bytes.count - 3, by: 4).map { address(bytes[$0..<$0 + 4]) }
    }

    /// Up to the first zero: some servers count it.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
