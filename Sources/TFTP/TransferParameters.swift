/// What client and server agreed on for one transfer.
package struct TransferParameters: Hashable, Sendable {
    /// Limits of the server for one client.
    package struct Limits: Hashable, Sendable {
        /// The largest block that fits the path: MTU less IP, UDP and TFTP headers.
        package var blockSize: Int
        package var windowSize: Int

        package init(blockSize: Int, windowSize: Int = 64) {
            self.blockSize = blockSize
            self.windowSize = windowSize
        }
    }

    /// Blocks that a limit may ask for: below it a loader of today would be slow, or run out of block numbers.
    package static let blockSizes = 512...65464

    package private(set) var blockSize = 512
    package private(set) var windowSize = 1
    /// Seconds between retransmissions, where the client asked for one; nil: the server's own with back-off.
    package private(set) var timeout: Int?
    /// What goes into the OACK: only what was asked, in the order it was asked. Empty: no OACK.
    package private(set) var accepted: [(name: String, value: String)] = []

    /// Negotiates (RFC 2347, 2348, 2349, 7440). Options that are unknown, malformed or out of range are left out, as
    /// if they had not been sent; larger block and window sizes are answered with the server's limit.
    package init(options: [(name: String, value: String)], fileSize: Int64, limits: Limits) {
        var seen: Set<String> = []
        for option in options where seen.insert(option.name).inserted {
            switch option.name {
            case "blksize":
                guard let asked = Int(option.value), (8...65464).contains(asked) else { continue }
                blockSize = min(asked, max(8, limits.blockSize))
                accepted.append((option.name, String(blockSize)))
            case "windowsize":
                guard let asked = Int(option.value), (1...65535).contains(asked) else { continue }
                windowSize = min(asked, limits.windowSize)
                accepted.append((option.name, String(windowSize)))
            case "timeout":
                guard let asked = Int(option.value), (1...255).contains(asked) else { continue }
                timeout = asked
                accepted.append((option.name, String(asked)))
            case "tsize":
                guard let asked = Int64(option.value), asked >= 0 else { continue }
                accepted.append((option.name, String(fileSize)))
            default: continue
            }
        }
    }

    package static func == (lhs: TransferParameters, rhs: TransferParameters) -> Bool {
        lhs.blockSize == rhs.blockSize && lhs.windowSize == rhs.windowSize && lhs.timeout == rhs.timeout
            && lhs.accepted.map { [$0.name, $0.value] } == rhs.accepted.map { [$0.name, $0.value] }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(blockSize)
        hasher.combine(windowSize)
    }
}
