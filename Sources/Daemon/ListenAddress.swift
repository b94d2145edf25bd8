internal import ArgumentParser
internal import TFTP

/// `ADDR:PORT`: a numeric IPv4 address, or an IPv6 address in brackets.
package struct ListenAddress: Hashable, Sendable, ExpressibleByArgument, CustomStringConvertible {
    package let host: String
    package let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else {
            return nil
        }
        var host = argument[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard DatagramEndpoint(host: String(host), port: port) != nil else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    package var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// `SUBSTRATE=auto|off`: whether this program may answer DNS and DHCP there.
package struct AuthorityOption: Hashable, Sendable, ExpressibleByArgument {
    package enum Mode: String, Hashable, Sendable {
        /// When the site file declares `provisioner`.
        case auto
        /// Never.
        case off
    }

    static let help = ArgumentHelp(
        "Whether to answer DNS and DHCP on a substrate: SUBSTRATE=auto (when the site file declares it, the default) or SUBSTRATE=off. May be repeated.",
        valueName: "SUBSTRATE=auto|off")

    package let substrate: String
    package let mode: Mode

    package init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, let mode = Mode(rawValue: String(parts[1])) else { return nil }
        substrate = String(parts[0])
        self.mode = mode
    }
}
