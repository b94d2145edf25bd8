internal import CLinux
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Reads what is not in memory on threads of its own, so that the loop never waits for the disk: the transfers of other files go on.
final class ColdReads: Sendable {
    /// How files are looked at and read.
    struct Disk: Sendable {
        var isCached: @Sendable (OpenFile, _ offset: Int64, _ count: Int64) -> Bool = {
            $0.isCached(from: $1, count: $2)
        }
        var warm: @Sendable (OpenFile, _ offset: Int64, _ count: Int64) -> Void = { $0.warm(from: $1, count: $2) }
    }

    /// Bytes that are looked at, or read, at once.
    static let regionSize: Int64 = 1 << 20
    /// Reads that wait for the disk at the same time.
    private static let width = 4

    /// Readable while `takeFinished` has something; closed with this.
    let event: Int32
    private let disk: Disk
    private let queues = (0..<width).map { DispatchQueue(label: "tftp-disk-\($0)", qos: .userInitiated) }
    private let finished = Mutex<[TransferReference]>([])

    /// - Throws: `TFTPError` where there is no descriptor left.
    init(_ disk: Disk = Disk()) throws(TFTPError) {
        self.disk = disk
        event = clinux_event_create()
        guard event >= 0 else { throw .system("eventfd") }
    }

    deinit { close(event) }

    func isCached(_ file: OpenFile, from offset: Int64, count: Int64) -> Bool { disk.isCached(file, offset, count) }

    /// Reads bytes into memory; `reader` is among the finished ones then, whether they could be read or not.
    func warm(_ file: OpenFile, from offset: Int64, count: Int64, for reader: TransferReference) {
        queues[Int(reader.number % UInt64(Self.width))].async { [self] in
            disk.warm(file, offset, count)
            finished.withLock { $0.append(reader) }
            clinux_event_signal(event)
        }
    }

    /// Those that have finished since the last call.
    func takeFinished() -> [TransferReference] {
        clinux_event_clear(event)
        return finished.withLock { finished in
            defer { finished = [] }
            return finished
        }
    }
}
