import Artifacts
import Foundation
import GRDB
import Testing

@testable import Store

/// Looks at a data directory and compares it with what its catalog says.
struct Disk {
    let path: String

    init(_ path: String) { self.path = path }

    /// The invariants that hold whenever no call is under way.
    func check(_ store: ArtifactStore, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let present = try store.catalog.pool.read {
            try Row.fetchAll($0, sql: "SELECT digest, size FROM blob WHERE state = 'present'")
        }
        for row in present {
            let digest = try Digest(hex: row["digest"] as String)
            let content = FileManager.default.contents(atPath: store.blobPath(digest))
            #expect(content?.count == row["size"], "\(digest) is present", sourceLocation: sourceLocation)
            let isRight = content.map { SHA256.digest(of: $0) } == digest
            #expect(isRight, "\(digest) has other bytes", sourceLocation: sourceLocation)
        }
        let uploads = try store.catalog.pool.read { try Set(String.fetchAll($0, sql: "SELECT id FROM upload")) }
        let staging = try FileManager.default.contentsOfDirectory(atPath: path + "/staging")
        #expect(uploads.isSuperset(of: staging), "staging without a row", sourceLocation: sourceLocation)
        for tagged in try store.taggedArtifacts() {
            let reference = Reference(name: tagged.name, version: .tag(tagged.tag))
            let release = store.releases.release(reference)
            #expect(release?.digest == tagged.digest, "\(reference) is in no index", sourceLocation: sourceLocation)
            for file in release?.files.map(\.file.digest) ?? [] {
                let size = try store.blobSize(file, name: tagged.name)
                #expect(size != nil, "\(reference) lacks \(file)", sourceLocation: sourceLocation)
            }
        }
    }

    /// Rows that claim a blob is on its way: none may be left once a store has been opened.
    func arriving(_ store: ArtifactStore) throws -> [String] {
        try store.catalog.pool.read { try String.fetchAll($0, sql: "SELECT digest FROM blob WHERE state = 'arriving'") }
    }

    /// Every blob file with its digest by name and by content.
    func blobFiles() -> [(name: String, digest: Digest)] {
        let folder = path + "/blobs/sha256"
        guard let enumerator = FileManager.default.enumerator(atPath: folder) else { return [] }
        return enumerator.compactMap { $0 as? String }.filter { $0.count == 70 }.map { file in
            (
                String(file.suffix(64)),
                SHA256.digest(of: FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data())
            )
        }
    }
}
