package import Foundation

/// A clean Debian 12 in a folder: the base system, and nothing that this machine has beside it. Services cannot run in
/// it; installing and removing packages can.
package struct DebianRoot: Sendable {
    package static let requirements: [Requirement] = [.root, .tool("mmdebstrap", package: "mmdebstrap")]

    package let directory: URL

    /// Makes one, which takes about twenty seconds, and removes it after `body`.
    package static func with(_ body: (DebianRoot) async throws -> Void) async throws {
        try Requirement.demand(requirements)
        // Not in /tmp: packages are installed into it, and /tmp may be memory.
        let directory = URL(filePath: "/var/tmp/provisioner-debian-\(UUID().uuidString)")
        let root = DebianRoot(directory: directory)
        do {
            try await CommandRunner.local.run(
                ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "bookworm", directory.path],
                timeLimit: .seconds(300))
            for file in ["/etc/resolv.conf", "/etc/hosts"] {
                try await CommandRunner.local.run(["cp", "-L", file, directory.path + file])
            }
            try await body(root)
        } catch {
            try? await root.remove()
            throw error
        }
        try await root.remove()
    }

    /// Runs a shell script in it, with mounts of its own that end with the script.
    package func result(of script: String, timeLimit: Duration = .seconds(300)) async throws -> CommandResult {
        let outer = """
            mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; mount -t tmpfs tmpfs "$1/run"
            exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive sh -c "$2"
            """
        return try await CommandRunner.local.result(
            of: [
                "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-euc",
                outer,
                "sh", directory.path, script,
            ], timeLimit: timeLimit)
    }

    /// The same, and throws unless it exits with 0.
    @discardableResult
    package func run(_ script: String, timeLimit: Duration = .seconds(300)) async throws -> CommandResult {
        let result = try await result(of: script, timeLimit: timeLimit)
        guard result.succeeded else { throw TestSupportError(.commandFailed, "\(result)") }
        return result
    }

    /// Puts a file into its `/root`.
    package func add(_ file: URL) throws {
        let target = directory.appending(path: "root/\(file.lastPathComponent)")
        try? FileManager.default.removeItem(at: target)
        try FileManager.default.copyItem(at: file, to: target)
    }

    /// Whether a path exists in it.
    package func has(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.path + path)
    }

    private func remove() async throws {
        try await CommandRunner.local.run(
            ["rm", "-rf", "--one-file-system", directory.path], timeLimit: .seconds(120))
    }
}
