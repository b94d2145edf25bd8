package import Foundation

/// What a test run leaves for people to look at: serial logs and screens, below `build/` of the repository.
package enum TestOutput {
    package static var repository: URL {
        // .../Tests/TestSupport/TestOutput.swift
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }

    /// A folder of the run's output, made if it is absent.
    package static func folder(_ name: String) throws -> URL {
        let folder = repository.appending(path: "build").appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
