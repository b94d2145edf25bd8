import Site
import Testing

@Suite struct SystemIdentityTests {
    @Test func canonicalUUIDIsLowerCase() {
        #expect(
            SystemIdentity.canonicalUUID("4C4C4544-0000-0000-0000-00000000000A")
                == "4c4c4544-0000-0000-0000-00000000000a")
    }

    @Test(arguments: [
        "", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "4c4c4544", "4c4c454400000000000000000000000a", "4c4c4544-0000-0000-0000-00000000000",
        "4c4c4544-0000-0000-0000-00000000000g",
        "{4c4c4544-0000-0000-0000-00000000000a}", "4c4c4544-0000-0000-0000-00000000000a ",
        "4c4c4544-0000-0000-0000-0000000000é1",
        "４c4c4544-0000-0000-0000-00000000000a",
    ])
    func refusesUUIDsThatTellNothing(_ text: String) {
        #expect(SystemIdentity.canonicalUUID(text) == nil)
    }

    @Test(arguments: ["VMware-42 1a", "ABC123", "7CX1Z42", "PF-0X"]) func acceptsSerialNumbers(_ text: String) {
        #expect(SystemIdentity.isUsableSerial(text))
    }

    @Test(arguments: [
        "", " ", "To be filled by O.E.M.", "To Be Filled By O.E.M.", "Default string", "System Serial Number",
        "Not Specified",
        "None", "N/A", "unknown", "0", "00000000", "xxxxxxx", "123456789", "0123456789", "....", "-",
    ])
    func refusesFillerSerialNumbers(_ text: String) {
        #expect(!SystemIdentity.isUsableSerial(text))
    }

    @Test(arguments: [
        ("x86_64", Architecture.x86_64), ("amd64", .x86_64), ("X64", .x86_64), ("i386", .i386), ("i686", .i386),
        ("arm64", .arm64), ("aarch64", .arm64), ("arm32", .arm32), ("armhf", .arm32), ("riscv64", .riscv64),
    ])
    func readsArchitectureSpellings(_ text: String, _ architecture: Architecture) {
        #expect(Architecture(any: text) == architecture)
    }

    @Test(arguments: ["", "sparc", "x86_64 ", "x86-64"]) func refusesUnknownArchitectures(_ text: String) {
        #expect(Architecture(any: text) == nil)
    }
}
