internal import CLinux
internal import Glibc

/// An epoll(7) set: of listening sockets and events, which are told of as long as there is something, and of transfers, which are told
/// of once for each packet that comes. A transfer that waits for its turn would be looked at by the kernel again each time.
final class TransferPoll {
    private let descriptor: Int32
    private var conditions = [clinux_condition](repeating: clinux_condition(), count: 256)

    init() throws(TFTPError) {
        descriptor = clinux_poll_create()
        guard descriptor >= 0 else { throw .system("epoll_create1") }
    }

    deinit { close(descriptor) }

    /// False where the kernel has no room.
    func watch(_ other: Int32) -> Bool { clinux_poll_add(descriptor, other, clinux_readable) == 0 }

    func watch(_ transfer: TFTPTransfer) -> Bool {
        clinux_poll_add(descriptor, transfer.descriptor, clinux_readable | clinux_once) == 0
    }

    /// Has it told of room while the transfer waits for it.
    func watchForRoom(_ transfer: TFTPTransfer) {
        let room = transfer.wantsRoom ? clinux_writable : 0
        if clinux_poll_change(descriptor, transfer.descriptor, clinux_readable | clinux_once | room) == 0 {
            transfer.isWatchedForRoom = transfer.wantsRoom
        }
    }

    func forget(_ other: Int32) { _ = clinux_poll_remove(descriptor, other) }

    /// Waits so many milliseconds for the next; -1: for ever.
    /// - Returns: how many there are, by their number below; nil where the set is broken.
    func wait(_ milliseconds: Int32) -> Int? {
        let count = clinux_poll_wait(descriptor, &conditions, Int32(conditions.count), milliseconds)
        return count >= 0 || errno == EINTR ? Int(max(0, count)) : nil
    }

    subscript(number: Int) -> clinux_condition { conditions[number] }
}
