import Testing

@testable import BootPlane

@Suite struct URLPathTests {
    /// A combining mark after a slash makes one character of both, which is still a slash to the file system.
    @Test(arguments: ["/os:1/a%2f%cc%81b", "/loaders/x%2f%cc%81..%2f%cc%81etc"])
    func aSlashIsOneWhateverFollows(_ path: String) { #expect(URLPath.components(path) == nil) }

    @Test func aSlashWithAMarkSplits() {
        #expect(URLPath.components("/a/\u{301}b") == ["a", "\u{301}b"])
        #expect(URLPath.components("/a/\u{301}b/..") == nil)
    }

    @Test(
        arguments: [
            ("/", []), ("/a/b", ["a", "b"]), ("//a///b/", ["a", "b"]), ("/a/./b", ["a", "b"]),
            ("/debian:12/x%20y", ["debian:12", "x y"]),
            ("/a+b", ["a+b"]), ("/%7Ea", ["~a"]), ("/os@sha256:00/x", ["os@sha256:00", "x"]),
        ] as [(String, [String])])
    func decodesComponents(path: String, expected: [String]) {
        #expect(URLPath.components(path) == expected)
    }

    @Test(arguments: ["/..", "/a/../b", "/%2e%2e/x", "/a%2fb", "/%00", "/a%0ab", "/%zz", "/%4", "/%", "/%ff", "/%+1"])
    func refusesWhatCouldLeadAstray(path: String) {
        #expect(URLPath.components(path) == nil)
    }

    @Test func readsQueryFieldsAndDropsTheUnreadable() {
        let fields = URLPath.query("mac=52-54&serial=A%20B%26C&empty=&flag&mac=other&bad=%zz&x=a=b")
        #expect(fields["mac"] == "52-54")
        #expect(fields["serial"] == "A B&C")
        #expect(fields["empty"] == "")
        #expect(fields["flag"] == "")
        #expect(fields["bad"] == nil)
        #expect(fields["x"] == "a=b")
    }

    @Test func readsABoundedNumberOfFields() {
        let text = (0..<1000).map { "k\($0)=v" }.joined(separator: "&")
        #expect(URLPath.query(text).count == 64)
    }
}
