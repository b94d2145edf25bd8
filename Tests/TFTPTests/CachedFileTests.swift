import Foundation
import TFTP
import Testing

/// What is known of a file's place in memory, on a file system that has a disk under it.
@Suite struct CachedFileTests {
    @Test func aFileThatWasDroppedIsColdUntilItIsRead() throws {
        let path = FileManager.default.currentDirectoryPath + "/.build/cold-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 7, count: 4 << 20).write(to: URL(filePath: path))
        let file = try #require(OpenFile(path: path))
        #expect(file.isCached(from: 0, count: file.size))
        let drop = Process()
        drop.executableURL = URL(filePath: "/usr/bin/dd")
        drop.arguments = ["of=\(path)", "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]
        try drop.run()
        drop.waitUntilExit()
        let isCold = !file.isCached(from: 1 << 20, count: 1 << 20)
        // A file system in memory has nothing to drop: there a file is never cold.
        print("dropped from the page cache: \(isCold)")
        file.warm(from: 1 << 20, count: 1 << 20)
        #expect(file.isCached(from: 1 << 20, count: 1 << 20))
        file.warm(from: 0, count: file.size + 1)
        #expect(file.isCached(from: 0, count: 0))
    }
}
