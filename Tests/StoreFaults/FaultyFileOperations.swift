import Foundation
import Glibc
package import Store
import Synchronization

/// The real system calls, counted, of which a test can make any fail. Also keeps the books of what is not durable yet:
/// bytes that were written and not synced, and directory entries whose directory was not.
package final class FaultyFileOperations: FileOperations {
    package enum Fault: Sendable, Hashable {
        case none
        /// Only the call of this number, from 0, fails.
        case once(Int, Int32)
        /// This call and all that follow fail.
        case from(Int, Int32)
        /// The process dies before this call: it and all that follow do nothing.
        case crash(Int)
    }

    private struct State {
        var fault: Fault
        var calls: [String] = []
        var openFiles: [Int32: String] = [:]
        var unsyncedFiles: Set<String> = []
        var unsyncedEntries: Set<String> = []
        var freeSpace: Int64?
        var directory: TemporaryDirectory?
    }

    private let system = SystemFileOperations()
    private let state: Mutex<State>
    /// The most that one call writes.
    private let longestWrite: Int
    /// Runs before and after every call that changes something.
    private let observer: (@Sendable (String) -> Void)?

    package init(_ fault: Fault = .none, longestWrite: Int = .max, observer: (@Sendable (String) -> Void)? = nil) {
        state = Mutex(State(fault: fault))
        self.longestWrite = longestWrite
        self.observer = observer
    }

    package var fault: Fault { state.withLock { $0.fault } }
    /// Every call since the fault was set, as `operation path`.
    package var calls: [String] { state.withLock { $0.calls } }
    /// Descriptors that were opened and not closed.
    package var openFiles: [String] { state.withLock { Array($0.openFiles.values) } }

    package func setFault(_ fault: Fault) {
        state.withLock {
            $0.fault = fault
            $0.calls = []
        }
    }

    /// Keeps the directory for as long as this is used.
    package func keep(_ directory: TemporaryDirectory) { state.withLock { $0.directory = directory } }

    /// What `space` tells from now on; nil: the truth.
    package func setFreeSpace(_ bytes: Int64?) { state.withLock { $0.freeSpace = bytes } }

    /// What a power cut could still take from a file below `root`: its bytes or an entry on its path.
    package func undurable(_ path: String, below root: String) -> [String] {
        state.withLock { state in
            var missing = state.unsyncedFiles.contains(path) ? ["the bytes of \(path)"] : []
            var current = path
            while current.count > root.count {
                if state.unsyncedEntries.contains(current) { missing.append("the entry \(current)") }
                current = Self.parent(current)
            }
            return missing
        }
    }

    private static func parent(_ path: String) -> String {
        String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    }

    private func perform<Value>(
        _ operation: String, _ path: String, _ call: () throws(FileFailure) -> Value
    ) throws(FileFailure) -> Value {
        let errorNumber = state.withLock { state -> Int32? in
            let number = state.calls.count
            state.calls.append("\(operation) \(path)")
            switch state.fault {
            case .once(number, let error): return error
            case .from(let first, let error) where number >= first: return error
            case .crash(let first) where number >= first: return ECONNABORTED
            default: return nil
            }
        }
        if let errorNumber { throw FileFailure(operation: operation, path: path, errorNumber: errorNumber) }
        observer?(operation)
        let value = try call()
        observer?(operation)
        return value
    }

    private func note(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }

    package func openForWriting(_ path: String) throws(FileFailure) -> Int32 {
        let isNew = access(path, F_OK) != 0
        let descriptor = try perform("open", path) { () throws(FileFailure) in try system.openForWriting(path) }
        note {
            $0.openFiles[descriptor] = path
            if isNew { $0.unsyncedEntries.insert(path) }
        }
        return descriptor
    }

    package func create(_ path: String) throws(FileFailure) -> Int32 {
        let descriptor = try perform("create", path) { () throws(FileFailure) in try system.create(path) }
        note {
            $0.openFiles[descriptor] = path
            $0.unsyncedEntries.insert(path)
        }
        return descriptor
    }

    package func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64, path: String
    ) throws(FileFailure) -> Int {
        let piece = UnsafeRawBufferPointer(rebasing: bytes.prefix(longestWrite))
        let count = try perform("write", path) { () throws(FileFailure) in
            try system.write(descriptor, piece, at: offset, path: path)
        }
        note { $0.unsyncedFiles.insert(path) }
        return count
    }

    package func reserve(_ descriptor: Int32, size: Int64, path: String) throws(FileFailure) {
        try perform("reserve", path) { () throws(FileFailure) in
            try system.reserve(descriptor, size: size, path: path)
        }
    }

    package func truncate(_ descriptor: Int32, to size: Int64, path: String) throws(FileFailure) {
        try perform("truncate", path) { () throws(FileFailure) in
            try system.truncate(descriptor, to: size, path: path)
        }
        note { $0.unsyncedFiles.insert(path) }
    }

    package func startWriteback(_ descriptor: Int32) { system.startWriteback(descriptor) }

    package func synchronize(_ descriptor: Int32, path: String) throws(FileFailure) {
        try perform("sync", path) { () throws(FileFailure) in try system.synchronize(descriptor, path: path) }
        note { $0.unsyncedFiles.remove(path) }
    }

    package func synchronizeDirectory(_ path: String) throws(FileFailure) {
        try perform("syncDirectory", path) { () throws(FileFailure) in try system.synchronizeDirectory(path) }
        note { state in state.unsyncedEntries = state.unsyncedEntries.filter { Self.parent($0) != path } }
    }

    package func openDirectory(_ path: String) throws(FileFailure) -> Int32 {
        let descriptor = try perform("openDirectory", path) { () throws(FileFailure) in
            try system.openDirectory(path)
        }
        note { $0.openFiles[descriptor] = path }
        return descriptor
    }

    package func synchronizeFileSystem(_ descriptor: Int32, path: String) throws(FileFailure) {
        try perform("syncFileSystem", path) { () throws(FileFailure) in
            try system.synchronizeFileSystem(descriptor, path: path)
        }
        note { state in
            state.unsyncedFiles = []
            state.unsyncedEntries = []
        }
    }

    /// Always closes: a dead process's descriptors are closed too.
    package func close(_ descriptor: Int32) {
        note { _ = $0.openFiles.removeValue(forKey: descriptor) }
        system.close(descriptor)
    }

    package func renameWithoutReplacing(_ from: String, to: String) throws(FileFailure) {
        try perform("renameNew", to) { () throws(FileFailure) in try system.renameWithoutReplacing(from, to: to) }
        note { Self.move(from, to, &$0) }
    }

    package func rename(_ from: String, to: String) throws(FileFailure) {
        try perform("rename", to) { () throws(FileFailure) in try system.rename(from, to: to) }
        note { Self.move(from, to, &$0) }
    }

    private static func move(_ from: String, _ to: String, _ state: inout State) {
        if state.unsyncedFiles.remove(from) != nil { state.unsyncedFiles.insert(to) }
        state.unsyncedEntries.remove(from)
        state.unsyncedEntries.insert(to)
    }

    package func makeReadOnly(_ path: String) throws(FileFailure) {
        try perform("chmod", path) { () throws(FileFailure) in try system.makeReadOnly(path) }
    }

    package func makeDirectory(_ path: String) throws(FileFailure) -> Bool {
        let isNew = try perform("mkdir", path) { () throws(FileFailure) in try system.makeDirectory(path) }
        if isNew { note { $0.unsyncedEntries.insert(path) } }
        return isNew
    }

    package func removeFile(_ path: String) throws(FileFailure) {
        try perform("unlink", path) { () throws(FileFailure) in try system.removeFile(path) }
        note { state in
            state.unsyncedFiles.remove(path)
            state.unsyncedEntries.remove(path)
        }
    }

    package func removeDirectory(_ path: String) throws(FileFailure) {
        try perform("rmdir", path) { () throws(FileFailure) in try system.removeDirectory(path) }
        note { $0.unsyncedEntries.remove(path) }
    }

    package func size(_ path: String) throws(FileFailure) -> Int64? {
        try perform("size", path) { () throws(FileFailure) in try system.size(path) }
    }

    package func space(_ path: String) throws(FileFailure) -> (free: Int64, total: Int64) {
        let real = try perform("space", path) { () throws(FileFailure) in try system.space(path) }
        return state.withLock { $0.freeSpace }.map { ($0, real.total) } ?? real
    }
}
