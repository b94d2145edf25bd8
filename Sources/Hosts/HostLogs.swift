internal import Glibc
internal import Synchronization

/// What machines say by syslog: a text file for each, `NAME.log`, with the time of receipt in front of each line. Bounded
/// whatever machines send: a full file becomes `NAME.log.1` in place of the last one, all files together have a limit, over which
/// the longest unwritten go, and of a flood only so much is kept between two writings, the rest counted. Lines wait in memory
/// for `flush`, and are not promised to outlive a crash.
package final class HostLogs: Sendable {
    /// Bytes, but for the number of names.
    package struct Limits: Sendable, Hashable {
        /// Of one file, after which the next is begun.
        package var file = 1 << 20
        /// Of all files.
        package var total = 256 << 20
        /// Of one machine, and of all, that may wait for `flush`.
        package var waiting = 256 << 10
        package var allWaiting = 8 << 20
        /// Machines, not bytes, that may wait: forged addresses must not make a file each.
        package var names = 1000

        package init() {}
    }

    private struct Waiting {
        var bytes: [String: [UInt8]] = [:]
        var dropped: [String: Int] = [:]
        var count = 0
    }

    private let directory: String
    private let limits: Limits
    private let clock: @Sendable () -> Int64
    private let waiting = Mutex(Waiting())
    /// Held while files are written.
    private let writing = Mutex(())

    /// - Parameters:
    ///   - directory: made when the first line is written.
    ///   - limits: of sizes.
    ///   - clock: milliseconds since 1970.
    package init(directory: String, limits: Limits = Limits(), clock: @escaping @Sendable () -> Int64) {
        self.directory = directory
        self.limits = limits
        self.clock = clock
    }

    /// Notes a line. Never waits for the disk.
    /// - Parameters:
    ///   - line: printable, without line end.
    ///   - name: a host's name, a MAC or an address: the name of the file, without a slash.
    package func append(_ line: String, to name: String) {
        let text = Array("\(Self.timestamp(clock())) \(line)\n".utf8)
        waiting.withLock { waiting in
            guard waiting.bytes[name] != nil || waiting.bytes.count < limits.names,
                waiting.bytes[name, default: []].count + text.count <= limits.waiting,
                waiting.count + text.count <= limits.allWaiting
            else {
                if waiting.bytes[name] != nil { waiting.dropped[name, default: 0] += 1 }
                return
            }
            waiting.bytes[name, default: []] += text
            waiting.count += text.count
        }
    }

    /// Writes what waits. Blocks.
    /// - Throws: `HostsError` `failure`; what could not be written is lost.
    package func flush() throws(HostsError) {
        try writing.withLock { _ throws(HostsError) in
            let taken = waiting.withLock { waiting in
                defer { waiting = Waiting() }
                return waiting
            }
            var failure: HostsError?
            var written: Set<String> = []
            var hasGrown = false
            for (name, lines) in taken.bytes.sorted(by: { $0.key < $1.key }) {
                var bytes = lines
                if let count = taken.dropped[name] {
                    bytes += Array("\(Self.timestamp(clock())) - \(count) lines came too fast and were not kept\n".utf8)
                }
                do throws(HostsError) {
                    let path = "\(directory)/\(name).log"
                    written.insert(path)
                    hasGrown = try write(bytes, path) || hasGrown
                } catch {
                    failure = error
                }
            }
            if hasGrown { shrink(keeping: written) }
            if let failure { throw failure }
        }
    }

    /// True when a file was begun or became full.
    private func write(_ bytes: [UInt8], _ path: String) throws(HostsError) -> Bool {
        mkdir(directory, 0o750)
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw Self.failure(path) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            done += count
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
        if status.st_size >= limits.file {
            guard rename(path, path + ".1") == 0 else { throw Self.failure(path) }
            return true
        }
        return Int(status.st_size) == bytes.count
    }

    /// Removes the files that were not written for the longest time, until all are within the limit; those of
    /// `written` last.
    private func shrink(keeping written: Set<String>) {
        guard let listing = opendir(directory) else { return }
        defer { closedir(listing) }
        var files: [(path: String, size: Int, order: (Int, Int, Int))] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            let path = "\(directory)/\(name)"
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            // A small file has a block of the disk, too.
            let order = (written.contains(path) ? 1 : 0, Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
            files.append((path, max(Int(status.st_size), 4096), order))
        }
        var total = files.reduce(0) { $0 + $1.size }
        for file in files.sorted(by: { $0.order < $1.order }) where total > limits.total {
            unlink(file.path)
            total -= file.size
        }
    }

    private static func failure(_ path: String) -> HostsError {
        HostsError(.failure, "the log \(path) cannot be written: \(String(cString: strerror(errno)))")
    }

    /// RFC 3339, UTC, with milliseconds.
    private static func timestamp(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let fraction = String(milliseconds % 1000 + 1000).dropFirst()
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(fraction)Z"
    }
}
