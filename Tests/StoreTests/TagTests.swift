import Artifacts
import Store
import Testing

/// Listings of tags.
@Suite struct TagTests {
    private func store(_ tags: [String]) async throws -> ArtifactStore {
        let store = try TemporaryStore().open()
        for tag in tags { try await store.publish([("a", [1])], name: Sample.name(), version: Sample.tag(tag)) }
        return store
    }

    @Test func pagesInLexicalOrder() async throws {
        let store = try await store(["12.9", "12.11", "B", "a", "12.10"])
        let name = try Sample.name()
        #expect(try store.tags(name: name, after: nil, limit: 10) == ["12.10", "12.11", "12.9", "B", "a"])
        #expect(try store.tags(name: name, after: nil, limit: 2) == ["12.10", "12.11"])
        #expect(try store.tags(name: name, after: "12.11", limit: 2) == ["12.9", "B"])
        #expect(try store.tags(name: name, after: "12.12", limit: 2) == ["12.9", "B"])
        #expect(try store.tags(name: name, after: "a", limit: 2) == [])
        #expect(try store.tags(name: name, after: nil, limit: 0) == [])
    }

    @Test func aNameWithoutTagsHasAnEmptyList() async throws {
        let store = try TemporaryStore().open()
        try await store.push([1], name: Sample.name())
        #expect(try store.tags(name: Sample.name(), after: nil, limit: 10) == [])
    }

    @Test func anUnknownNameIsToldSo() throws {
        let store = try TemporaryStore().open()
        #expect(throws: StoreError(.nameUnknown, "")) { try store.tags(name: Sample.name(), after: nil, limit: 10) }
    }

    @Test func allTagsOfAllNamesInOrder() async throws {
        let store = try TemporaryStore().open()
        for (name, tag) in [("b", "1"), ("a", "2"), ("a", "1")] {
            try await store.publish([("f", [1])], name: Sample.name(name), version: Sample.tag(tag))
        }
        #expect(try store.taggedArtifacts().map { "\($0.name):\($0.tag)" } == ["a:1", "a:2", "b:1"])
    }
}
