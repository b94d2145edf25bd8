package import Foundation
import Glibc

/// Something the test bench needs on this machine, with the way to get it.
///
/// For a test's condition: `.enabled(if: Requirement.missing(NetworkLab.requirements).isEmpty)`.
package struct Requirement: Sendable {
    /// What to tell the reader when it is absent.
    package let remedy: String
    private let isMet: @Sendable () -> Bool

    /// A program that must be in `PATH`, and the Debian package that has it.
    package static func tool(_ name: String, package: String) -> Requirement {
        Requirement(remedy: "the program \(name) is absent: apt-get install \(package)") {
            let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
            return folders.contains { access("\($0)/\(name)", X_OK) == 0 }
        }
    }

    /// A file that must be readable, and the Debian package that has it.
    package static func file(_ url: URL, package: String) -> Requirement {
        Requirement(remedy: "the file \(url.path) is absent: apt-get install \(package)") {
            access(url.path, R_OK) == 0
        }
    }

    /// The rights of root, which network namespaces need.
    package static let root = Requirement(remedy: "not root: run as root") { geteuid() == 0 }

    /// The remedies for those requirements that are not met; empty when all are.
    package static func missing(_ requirements: [Requirement]) -> [String] {
        requirements.filter { !$0.isMet() }.map(\.remedy)
    }

    /// Throws `missingRequirement`, with all remedies, unless all requirements are met.
    package static func demand(_ requirements: [Requirement]) throws {
        let remedies = missing(requirements)
        guard remedies.isEmpty else {
            throw TestSupportError(.missingRequirement, remedies.joined(separator: "\n"))
        }
    }
}
