internal import CLinux
internal import Glibc

/// An epoll(7) set: of listening sockets and events, which are told of as long as there is something, and of transfers, which are told
/// of once for each packet that comes. A transfer that waits for its turn would be looked at by the kernel again each time.
final class TransferPoll {
    private let descriptor: Int32
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws(TFTPError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .system("epoll_create1") }
    }

    deinit { close(descriptor) }

    /// False where the kernel has no room.
    func watch(_ other: Int32) -> Bool { control(EPOLL_CTL_ADD, other, EPOLLIN.rawValue) }

    func watch(_ transfer: TFTPTransfer) -> Bool {
        control(EPOLL_CTL_ADD, transfer.descriptor, EPOLLIN.rawValue | EPOLLET.rawValue)
    }

    /// Has it told of room while the transfer waits for it.
    func watchForRoom(_ transfer: TFTPTransfer) {
        let room = transfer.wantsRoom ? EPOLLOUT.rawValue : 0
        if control(EPOLL_CTL_MOD, transfer.descriptor, EPOLLIN.rawValue | EPOLLET.rawValue | room) {
            transfer.isWatchedForRoom = transfer.wantsRoom
        }
    }

    func forget(_ other: Int32) { _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, other, nil) }

    private func control(_ operation: Int32, _ other: Int32, _ interest: UInt32) -> Bool {
        var event = epoll_event()
        event.events = interest
        event.data.fd = other
        return epoll_ctl(descriptor, operation, other, &event) == 0
    }

    /// Waits so many milliseconds for the next; -1: for ever.
    /// - Returns: how many there are, by their number below; nil where the set is broken.
    func wait(_ milliseconds: Int32) -> Int? {
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        return count >= 0 || errno == EINTR ? Int(max(0, count)) : nil
    }

    subscript(number: Int) -> epoll_event { events[number] }
}
