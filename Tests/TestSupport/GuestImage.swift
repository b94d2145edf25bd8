package import Foundation

/// A Linux of about 2 MB that boots from the network, reports on the serial line, phones home and switches off.
///
/// Made of the Debian installer's own kernel, libc, busybox and network drivers (virtio-net and e1000), with an `/init`
/// of ours. It writes these lines to the first serial port, whatever `console=` says:
///
/// | line | meaning |
/// |---|---|
/// | `GUEST-UP COMMAND-LINE` | the kernel runs; its arguments as it got them |
/// | `GUEST-ADDRESS IP dns=.. domain=..` | the DHCP lease of `eth0` |
/// | `GUEST-NO-ADDRESS` | no lease after 20 s |
/// | `GUEST-PHONED-HOME STATUS-LINE \| BODY` | the answer to `phonehome=URL`: status line, first line of the body |
/// | `GUEST-PHONE-FAILED REASON` | no answer below 400 to three attempts |
/// | `GUEST-DONE` | about to power off |
///
/// `phonehome=URL` may use a name: it is resolved through the name server of the lease. Plain HTTP only, GET only.
package struct GuestImage: Sendable {
    /// A folder with the two files and nothing else, fit to be served.
    package let directory: URL
    /// The kernel; its architecture is amd64.
    package var kernel: URL { directory.appending(path: "linux") }
    /// The initrd, gzip'd cpio.
    package var initrd: URL { directory.appending(path: "initrd.gz") }

    /// What ``build(in:)`` needs on this machine.
    package static let requirements: [Requirement] =
        DebianInstaller.requirements + [.tool("cpio", package: "cpio"), .tool("gzip", package: "gzip")]

    /// Returns the image, building it unless an image of the same content is already in `cache`.
    ///
    /// Takes 3 s to build. Safe to call from several tests and processes at once.
    ///
    /// - Parameter cache: a directory, made if absent, that keeps images between runs; each has its own folder, named
    ///   by a digest of everything that goes into it.
    /// - Returns: the image, complete on disk.
    /// - Throws: `missingRequirement`; `commandFailed` when a file is not where the installer used to have it.
    package static func build(in cache: URL) async throws -> GuestImage {
        try Requirement.demand(requirements)
        let image = GuestImage(directory: cache.appending(path: "guest-\(try await contentKey())"))
        guard !image.isBuilt else { return image }
        try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
        try await TemporaryDirectory.with(prefix: "guest-image") { work in
            let finished = work.appending(path: "image", directoryHint: .isDirectory)
            let root = work.appending(path: "root", directoryHint: .isDirectory)
            for folder in [finished, root] {
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            }
            try await shell(GuestScripts.build, root.path, finished.path, DebianInstaller.initrd.path)
            // A rename within the cache's file system: another process sees the whole image or none.
            let arriving = cache.appending(path: ".arriving-\(UUID().uuidString)")
            try await shell(
                "cp \"$1\" \"$2\"/linux && mv \"$2\" \"$3\" && { mv -T \"$3\" \"$4\" 2>/dev/null || rm -r \"$3\"; }",
                DebianInstaller.kernel.path, finished.path, arriving.path, image.directory.path)
        }
        return image
    }

    private var isBuilt: Bool {
        FileManager.default.fileExists(atPath: initrd.path)
    }

    /// A digest of the sources: the installer's two files and the scripts.
    private static func contentKey() async throws -> String {
        let sources = GuestScripts.files.map { "\($0.path)\n\($0.content)" } + [GuestScripts.build]
        let result = try await CommandRunner.local.run(
            [
                "sh", "-c", "cat \"$1\" \"$2\" - | sha256sum", "sh",
                DebianInstaller.kernel.path, DebianInstaller.initrd.path,
            ],
            input: sources.joined(separator: "\n"))
        return String(result.output.prefix(16))
    }

    private static func shell(_ script: String, _ arguments: String...) async throws {
        try await CommandRunner.local.run(["sh", "-euc", script, "sh"] + arguments)
    }
}
