import Glibc
import Store
import Synchronization

/// The real system calls, one of which is this process's last.
final class KillingFileOperations: FileOperations {
    private let system = SystemFileOperations()
    private let count = Atomic<UInt64>(0)
    private let last: UInt64
    private let isBefore: Bool

    init(seed: UInt64, _ random: inout SeededRandom) {
        // Every third seed dies by the clock.
        last = seed % 3 == 2 ? .max : random.next() % 400
        isBefore = seed % 3 == 0
    }

    private func perform<Value>(_ call: () throws(FileFailure) -> Value) throws(FileFailure) -> Value {
        let number = count.wrappingAdd(1, ordering: .relaxed).oldValue
        if number == last, isBefore { Kill.now() }
        let value = try call()
        if number == last { Kill.now() }
        return value
    }

    func openForWriting(_ path: String) throws(FileFailure) -> Int32 {
        try perform { () throws(FileFailure) in try system.openForWriting(path) }
    }

    func create(_ path: String) throws(FileFailure) -> Int32 {
        try perform { () throws(FileFailure) in try system.create(path) }
    }

    func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64, path: String
    ) throws(FileFailure) -> Int {
        // Half of what was given: what a crash leaves is often half a file.
        let part = UnsafeRawBufferPointer(rebasing: bytes.prefix((bytes.count + 1) / 2))
        return try perform { () throws(FileFailure) in
            try system.write(descriptor, part, at: offset, path: path)
        }
    }

    func reserve(_ descriptor: Int32, size: Int64, path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.reserve(descriptor, size: size, path: path) }
    }

    func truncate(_ descriptor: Int32, to size: Int64, path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.truncate(descriptor, to: size, path: path) }
    }

    func startWriteback(_ descriptor: Int32) { system.startWriteback(descriptor) }

    func synchronize(_ descriptor: Int32, path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.synchronize(descriptor, path: path) }
    }

    func synchronizeDirectory(_ path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.synchronizeDirectory(path) }
    }

    func openDirectory(_ path: String) throws(FileFailure) -> Int32 {
        try perform { () throws(FileFailure) in try system.openDirectory(path) }
    }

    func synchronizeFileSystem(_ descriptor: Int32, path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.synchronizeFileSystem(descriptor, path: path) }
    }

    func close(_ descriptor: Int32) { system.close(descriptor) }

    func renameWithoutReplacing(_ from: String, to: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.renameWithoutReplacing(from, to: to) }
    }

    func rename(_ from: String, to: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.rename(from, to: to) }
    }

    func makeReadOnly(_ path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.makeReadOnly(path) }
    }

    func makeDirectory(_ path: String) throws(FileFailure) -> Bool {
        try perform { () throws(FileFailure) in try system.makeDirectory(path) }
    }

    func removeFile(_ path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.removeFile(path) }
    }

    func removeDirectory(_ path: String) throws(FileFailure) {
        try perform { () throws(FileFailure) in try system.removeDirectory(path) }
    }

    func size(_ path: String) throws(FileFailure) -> Int64? { try system.size(path) }

    func space(_ path: String) throws(FileFailure) -> (free: Int64, total: Int64) { try system.space(path) }
}
