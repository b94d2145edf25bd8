package import Foundation

/// The appliance's disk image, as `make image` has built it, and disks made from it as a person flashes them.
package struct ApplianceImage: Sendable {
    /// Where the partitions are: image/layout.sh.
    package static let bootOffset = 2 << 20
    package static let bootSize = 512 << 20
    package static let slotAOffset = 514 << 20
    package static let dataOffset = 2562 << 20

    /// The uncompressed image.
    package let file: URL

    package static let requirements: [Requirement] =
        NetworkLab.requirements + [
            .tool("mcopy", package: "mtools"), .tool("socat", package: "socat"), .tool("sgdisk", package: "gdisk"),
        ]

    /// The newest image in `build/` of the repository whose tests these are.
    /// - Throws: `missingRequirement` when there is none.
    package static func built() throws -> ApplianceImage {
        let folder = TestOutput.repository.appending(path: "build")
        let images = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.contentModificationDateKey]
        ).filter { $0.lastPathComponent.hasPrefix("provisioner-") && $0.pathExtension == "raw" }
        func age(_ file: URL) -> Date {
            (try? file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate) ?? .distantPast
        }
        guard let newest = images?.max(by: { age($0) < age($1) }) else {
            throw TestSupportError(.missingRequirement, "there is no image in \(folder.path): make image")
        }
        return ApplianceImage(file: newest)
    }

    /// Writes the image to a new disk of `size` GiB, and files, contents by name, to its partition PROVISION, as an
    /// operator does.
    package func flash(in directory: URL, name: String, size: Int = 6, files: [String: String] = [:]) async throws
        -> URL
    {
        let disk = directory.appending(path: "\(name).img")
        try await CommandRunner.local.run(
            ["cp", "--sparse=always", file.path, disk.path], timeLimit: .seconds(120))
        try await CommandRunner.local.run(["truncate", "-s", "\(size)G", disk.path])
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            let source = directory.appending(path: "flash-\(name)")
            try Data(content.utf8).write(to: source)
            try await Self.mtools("mcopy", ["-o", "-i", "\(disk.path)@@\(Self.bootOffset)", source.path, "::\(name)"])
        }
        return disk
    }

    /// A copy-on-write disk over another one, which stays as it is.
    package static func overlay(on disk: URL, in directory: URL, name: String) async throws -> URL {
        let overlay = directory.appending(path: "\(name).qcow2")
        try await CommandRunner.local.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", disk.path, overlay.path])
        return overlay
    }

    /// Runs one of the mtools, which need no mount.
    package static func mtools(_ tool: String, _ arguments: [String]) async throws {
        try await CommandRunner.local.run([tool] + arguments)
    }

    /// Overwrites part of a disk.
    package static func damage(_ disk: URL, at offset: Int, with bytes: Data) throws {
        let handle = try FileHandle(forUpdating: disk)
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: bytes)
    }
}
