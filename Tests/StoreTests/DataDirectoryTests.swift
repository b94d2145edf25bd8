import Artifacts
import Foundation
import Store
import Testing

/// The place on disk: one process, one version.
@Suite struct DataDirectoryTests {
    @Test func makesWhatIsMissing() throws {
        let place = try TemporaryStore()
        let store = try place.open(at: place.root + "/var/lib/provisioner")
        #expect(store.directory.path == place.root + "/var/lib/provisioner")
        #expect(place.content(place.root + "/var/lib/provisioner/VERSION") == Array("1\n".utf8))
    }

    @Test func aSecondOneIsToldThatItIsLocked() async throws {
        let place = try TemporaryStore()
        var first: ArtifactStore? = try place.open()
        #expect(throws: StoreError(.locked, "")) { try place.open() }
        #expect(throws: StoreError(.locked, "")) { try place.open() }
        try await first?.push([1], name: Sample.name())
        first = nil
        _ = try place.open()
    }

    /// Whoever opens the directory next, the moment its lock is free, meets no connection that still writes.
    @Test func theCatalogIsClosedBeforeTheLockGoes() async throws {
        let place = try TemporaryStore()
        func use() async throws {
            let store = try place.open()
            for number in 0..<20 { try await store.push([UInt8(number)], name: Sample.name()) }
            _ = try store.names()
        }
        for _ in 0..<20 {
            try await use()
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            }
            #expect(!open.contains { $0.hasPrefix(place.path) }, "\(open.filter { $0.hasPrefix(place.path) })")
        }
    }

    @Test(arguments: ["2\n", "0", "-1", "one", "", "1 2", "99999999999999999999"])
    func aVersionThatIsNotKnownIsRefusedAndNothingChanges(_ version: String) throws {
        let place = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
        try Data(version.utf8).write(to: URL(filePath: place.path + "/VERSION"))
        #expect(throws: StoreError(.unsupportedVersion, "")) { try place.open() }
        #expect(place.entries(".") == ["LOCK", "VERSION"])
        #expect(place.content(place.path + "/VERSION") == Array(version.utf8))
        // The lock does not stay with the failed attempt.
        try Data("1\n".utf8).write(to: URL(filePath: place.path + "/VERSION"))
        _ = try place.open()
    }

    @Test func aFileInTheWayIsAFailure() throws {
        let place = try TemporaryStore()
        try Data().write(to: URL(filePath: place.path))
        #expect(throws: StoreError(.failure, "")) { try place.open() }
    }

    @Test func aCatalogThatIsNoDatabaseIsAFailure() throws {
        let place = try TemporaryStore()
        try FileManager.default.createDirectory(atPath: place.path, withIntermediateDirectories: false)
        try Data(repeating: 65, count: 8192).write(to: URL(filePath: place.path + "/catalog.sqlite"))
        #expect(throws: StoreError(.failure, "")) { try place.open() }
    }

    @Test func blobPathsSpreadOverTwoLevels() throws {
        let digest = try Digest(hex: "abcd" + String(repeating: "0", count: 60))
        #expect(BlobPath.path(of: digest, below: "/d") == "/d/blobs/sha256/ab/cd/\(digest.hex)")
    }
}
