internal import Glibc
internal import HTTPTypes
internal import NIOCore

/// The user at the other end of a local socket, by the kernel's word (unix(7), SO_PEERCRED).
struct LocalPeer: Hashable, Sendable {
    let user: UInt32

    /// Root, and the user that the server itself runs as.
    var isTrusted: Bool { user == 0 || user == geteuid() }

    /// The user's name, or number where they have none.
    var name: String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 4096)
        guard getpwuid_r(user, &entry, &text, text.count, &found) == 0, found != nil, let name = entry.pw_name else {
            return "uid \(user)"
        }
        return String(cString: name)
    }

    /// The kernel's `struct ucred` (unix(7)), which Glibc's module lacks.
    private struct Credentials: Sendable {
        var process: Int32
        var user: UInt32
        var group: UInt32
    }

    /// nil for what is no local socket.
    /// - Throws: `ControlError` 403 when the kernel does not tell.
    static func of(_ channel: any Channel) async throws -> LocalPeer? {
        guard channel.localAddress?.protocol == .unix, let socket = channel as? any SocketOptionProvider else {
            return nil
        }
        do {
            let credentials: Credentials = try await socket.unsafeGetSocketOption(
                level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
            ).get()
            return LocalPeer(user: credentials.user)
        } catch {
            throw ControlError(.forbidden, "DENIED", "the system does not tell who calls", cause: "\(error)")
        }
    }
}
