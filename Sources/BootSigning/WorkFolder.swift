internal import Glibc

/// A folder that only this user may enter, for files of one run.
struct WorkFolder {
    let path: String

    init(in parent: String) throws(BootSigningError) {
        var template = Array("\(parent)/work.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BootSigningError("no folder can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(BootSigningError) -> String {
        let file = "\(path)/\(name)"
        try Self.write(file, bytes)
        return file
    }

    /// Pieces of files, one after another in one file, each from an offset that is a multiple of `alignment`; zeros between.
    func join(_ name: String, _ pieces: [FilePiece], alignment: Int64) throws(BootSigningError) -> String {
        let file = "\(path)/\(name)"
        let output = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw Self.failure(file) }
        defer { close(output) }
        var end: Int64 = 0
        for piece in pieces {
            end = (end + alignment - 1) / alignment * alignment
            guard lseek(output, off_t(end), SEEK_SET) >= 0 else { throw Self.failure(file) }
            try piece.copy(to: output)
            end += piece.size
        }
        return file
    }

    /// Also what tools leave beside their results.
    func remove() {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink("\(path)/\(name)")
            }
            closedir(directory)
        }
        rmdir(path)
    }

    static func write(_ file: String, _ bytes: [UInt8]) throws(BootSigningError) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(file) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(file) }
            rest = rest.dropFirst(count)
        }
    }

    static func read(_ file: String, limit: Int) throws(BootSigningError) -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(file) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0, bytes.count + count <= limit else { throw failure(file) }
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }

    static func failure(_ file: String) -> BootSigningError {
        BootSigningError("\(file): \(String(cString: strerror(errno)))")
    }
}
