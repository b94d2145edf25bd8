import Foundation

/// The programs under test, as the build put them beside the test program.
package enum BuiltProducts {
    /// - Throws: `missingRequirement` when the program was not built.
    package static func path(_ name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError(.missingRequirement, "\(path) is absent: swift build")
        }
        return path
    }

    /// The daemon.
    package static func provisioner() throws -> String { try path("provisioner") }

    /// The operator's client.
    package static func artifactctl() throws -> String { try path("artifactctl") }
}
