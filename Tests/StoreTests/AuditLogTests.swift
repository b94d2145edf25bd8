import Artifacts
import GRDB
import Testing

@testable import Store

@Suite struct AuditLogTests {
    private func store(_ place: TemporaryStore) async throws -> ArtifactStore {
        let store = try place.open(now: 77)
        for tag in ["1", "2", "3"] {
            try await store.publish([("f", Array(tag.utf8))], name: Sample.name(), version: Sample.tag(tag), by: "ann")
        }
        return store
    }

    private func check(_ entries: [AuditEntry]) throws {
        var chain = AuditChain()
        for entry in entries { try chain.check(entry) }
    }

    @Test func isChainedAndPaged() async throws {
        let store = try await store(TemporaryStore())
        try store.note("login", "me@here", by: "console code")
        let all = try store.auditEntries(after: 0, limit: 100)
        try check(all)
        #expect(all.map(\.sequence) == [1, 2, 3, 4])
        #expect(all.map(\.at) == [77, 77, 77, 77])
        #expect(all[0].subject == "debian:1")
        #expect(try store.auditEntries(after: 1, limit: 2) == Array(all[1...2]))
        #expect(try store.newestAuditEntries(2) == Array(all[2...3]))
    }

    /// Pushing the same again changes nothing, and so says nothing.
    @Test func whatChangesNothingIsNotNoted() async throws {
        let store = try await store(TemporaryStore())
        try await store.publish([("f", Array("1".utf8))], name: Sample.name(), version: Sample.tag("1"))
        #expect(try store.auditEntries(after: 0, limit: 100).count == 3)
    }

    @Test func theDatabaseItselfRefusesToChangeIt() async throws {
        let store = try await store(TemporaryStore())
        for sql in ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit WHERE sequence = 3"] {
            await #expect(throws: DatabaseError.self) {
                try await store.catalog.pool.write { try $0.execute(sql: sql) }
            }
        }
        try check(try store.auditEntries(after: 0, limit: 100))
    }

    /// Somebody with the file and a tool: each kind of forgery, found.
    @Test(arguments: [
        "UPDATE audit SET actor = 'eve' WHERE sequence = 2", "UPDATE audit SET at = at + 1 WHERE sequence = 1",
        "UPDATE audit SET detail = '' WHERE sequence = 3", "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 1",
        "UPDATE audit SET previous = digest WHERE sequence = 2",
    ])
    func aForgeryIsFound(sql: String) async throws {
        let store = try await store(TemporaryStore())
        try await store.catalog.pool.write { database in
            try database.execute(sql: "DROP TRIGGER audit_is_append_only_1")
            try database.execute(sql: "DROP TRIGGER audit_is_append_only_2")
            try database.execute(sql: sql)
        }
        let entries = try store.auditEntries(after: 0, limit: 100)
        #expect(throws: ArtifactError(.invalidAuditLog, "")) { try check(entries) }
    }

    /// Fields run together would let two entries have one digest.
    @Test func fieldsDoNotRunTogether() {
        let first = AuditEntry(after: nil, at: 1, actor: "ab", action: "c", subject: "", detail: "")
        let second = AuditEntry(after: nil, at: 1, actor: "a", action: "bc", subject: "", detail: "")
        #expect(first.digest != second.digest)
    }
}
