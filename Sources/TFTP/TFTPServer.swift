internal import CLinux
internal import Dispatch
internal import Glibc

/// What could not be set up.
package struct TFTPError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String
    package var description: String { message }

    static func system(_ what: String) -> TFTPError {
        TFTPError(message: "\(what): \(String(cString: strerror(errno)))")
    }
}

/// A read-only TFTP server: octet mode, no writes, no netascii (nothing that boots asks for it). One thread with
/// epoll, which does not wait for the disk; each transfer has a connected socket of its own, bound to the address that was
/// asked, so that answers come from there and the kernel drops packets of strangers. `TransferPorts` says which ports those
/// have.
package final class TFTPServer: Sendable {
    /// How many transfers may run, in all and for one client: what a flood of forged requests can cause is bounded.
    package static let maximumTransfers = 4096
    package static let maximumTransfersPerClient = 128

    /// Where the server listens: the ports that the kernel chose are filled in.
    package let endpoints: [DatagramEndpoint]
    private let loop: TFTPLoop
    private let stopEvent: Int32

    /// Binds the sockets, so that requests queue from now on. Transfers under way at `stop` get `drainLimit`
    /// milliseconds to end; `transferLimit` of them may run at once.
    /// - Throws: `TFTPError` that names the address.
    package convenience init(
        listen endpoints: [DatagramEndpoint], service: any TFTPService, ports: TransferPorts = .any,
        drainLimit: Int64 = 10_000, transferLimit: Int = TFTPServer.maximumTransfers
    ) throws(TFTPError) {
        try self.init(
            listen: endpoints, service: service, ports: ports, drainLimit: drainLimit, transferLimit: transferLimit,
            disk: ColdReads.Disk())
    }

    init(
        listen endpoints: [DatagramEndpoint], service: any TFTPService, ports: TransferPorts = .any,
        drainLimit: Int64 = 10_000, transferLimit: Int = TFTPServer.maximumTransfers, disk: ColdReads.Disk
    ) throws(TFTPError) {
        let sockets = try endpoints.map { endpoint throws(TFTPError) in
            try ListeningSocket(endpoint, isShared: ports == .single)
        }
        self.endpoints = sockets.map(\.endpoint)
        let stopEvent = clinux_event_create()
        guard stopEvent >= 0 else { throw .system("eventfd") }
        do throws(TFTPError) {
            loop = try TFTPLoop(
                listening: sockets, stopEvent: stopEvent, service: service, ports: ports, drainLimit: drainLimit,
                transferLimit: transferLimit, disk: disk)
        } catch {
            close(stopEvent)
            throw error
        }
        self.stopEvent = stopEvent
    }

    deinit { close(stopEvent) }

    /// Serves until `stop`; transfers under way then have the drain limit to end, and its sockets are closed. Call it or `start`,
    /// once.
    package func run() async {
        await withCheckedContinuation { continuation in start { continuation.resume() } }
    }

    /// The same, on its own thread from now on, whatever holds up the tasks of the caller's program; `end` is called on it.
    package func start(_ end: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "tftp", qos: .userInitiated).async { [loop] in
            loop.run()
            end()
        }
    }

    /// Makes `run` take no more requests, and return when its last transfer has ended. From any thread, any number of
    /// times.
    package func stop() {
        clinux_event_signal(stopEvent)
    }
}

/// One bound UDP socket on the request port.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    let endpoint: DatagramEndpoint

    /// `isShared`: transfers have its port, too.
    init(_ wanted: DatagramEndpoint, isShared: Bool) throws(TFTPError) {
        let place = "TFTP address \(wanted.host) port \(wanted.port)"
        let descriptor = socket(
            wanted.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(place) }
        self.descriptor = descriptor
        var on: Int32 = 1
        if wanted.family == AF_INET6 {
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        if isShared { TransferSockets.share(descriptor) }
        // A rack that is switched on at once sends its requests at once.
        var size: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        guard clinux_enable_packet_info(descriptor, wanted.family) == 0,
            wanted.withSocketAddress({ bind(descriptor, $0, wanted.length) }) == 0
        else {
            let error = TFTPError.system(place)
            close(descriptor)
            throw error
        }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        endpoint = DatagramEndpoint(storage: storage, length: length)
    }

    deinit { close(descriptor) }
}
