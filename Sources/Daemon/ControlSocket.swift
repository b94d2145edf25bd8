internal import Glibc
internal import Store

/// The place of the control plane's local socket.
enum ControlSocket {
    /// Removes a socket that a program which ended has left.
    /// - Throws: `StoreError` `locked` when a program answers there; `failure` when something else lies there, or the path is
    ///   longer than the kernel takes.
    static func clear(_ path: String) throws(StoreError) {
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard path.utf8.count <= limit else {
            throw StoreError(
                .failure,
                "--control-socket \(path): it has \(path.utf8.count) bytes, and \(limit) are possible: choose a shorter path"
            )
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw StoreError(
                .failure, "--control-socket \(path): something else lies there: remove it, or choose another path")
        }
        guard !isAnswered(path) else {
            throw StoreError(
                .locked, "--control-socket \(path): another program answers there: stop it, or choose another path")
        }
        unlink(path)
    }

    private static func isAnswered(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return true }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
