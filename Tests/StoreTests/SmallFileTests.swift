import Foundation
import Glibc
import Store
import StoreFaults
import Testing

@Suite struct SmallFileTests {
    @Test(arguments: [0, 1, 65_536, 200_000])
    func readsWhatWasWritten(_ size: Int) throws {
        let place = try TemporaryStore()
        let path = place.root + "/file"
        try SmallFile.write(path, Sample.bytes(size), place.files)
        let content = SmallFile.read(path)
        #expect(content?.count == size)
        let isRight = content == Sample.bytes(size)
        #expect(isRight)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(place.files.undurable(path, below: place.root).isEmpty)
        #expect(place.files.openFiles.isEmpty)
    }

    @Test(arguments: [
        (10, 0, 10), (10, 9, 10), (10, 10, 10), (11, 10, 11), (12, 10, 11), (200_000, 10, 11),
        (200_000, 70_000, 70_001),
    ])
    func readsTheLimitAndOneAtMost(_ size: Int, _ limit: Int, _ expected: Int) throws {
        let place = try TemporaryStore()
        try SmallFile.write(place.root + "/file", Sample.bytes(size), place.files)
        #expect(SmallFile.read(place.root + "/file", limit: limit)?.count == min(expected, limit + 1))
    }

    @Test func whatCannotBeReadIsNil() throws {
        let place = try TemporaryStore()
        #expect(SmallFile.read(place.root + "/absent") == nil)
        #expect(SmallFile.read(place.root) == nil)
    }

    /// The old content or the new one, whichever step fails.
    @Test func aFailedWriteLeavesTheOldContent() throws {
        let place = try TemporaryStore(files: FaultyFileOperations(longestWrite: 50))
        let path = place.root + "/file"
        let (old, new) = (Sample.bytes(100, seed: 1), Sample.bytes(120, seed: 2))
        try SmallFile.write(path, old, place.files)
        let steps = place.files.calls.count
        var failures = 0
        for step in 0..<steps + 2 {
            for fault in [FaultyFileOperations.Fault.once(step, ENOSPC), .from(step, EIO), .crash(step)] {
                try SmallFile.write(path, old, SystemFileOperations())
                place.files.setFault(fault)
                do {
                    try SmallFile.write(path, new, place.files)
                    #expect(SmallFile.read(path) == new)
                } catch {
                    failures += 1
                    #expect([old, new].contains(SmallFile.read(path)))
                }
                #expect(place.files.openFiles.isEmpty)
            }
        }
        #expect(failures >= 3 * steps - 3)
    }

    @Test func replacesALeftoverOfACrash() throws {
        let place = try TemporaryStore()
        try Data(repeating: 1, count: 1000).write(to: URL(filePath: place.root + "/file.new"))
        try SmallFile.write(place.root + "/file", [7], place.files)
        #expect(SmallFile.read(place.root + "/file") == [7])
    }
}
