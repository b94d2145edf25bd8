internal import Artifacts
internal import BootPlane
internal import BootSigning
internal import Glibc
internal import Store

/// Unified kernel images by the digests of what went in. They last as long as the server runs; their bytes on disk are
/// bounded.
final class KernelImageCache: Sendable {
    /// Bytes of all images.
    private static let capacity: Int64 = 4 << 30

    private struct Image {
        let path: String
        let size: Int64
    }

    private let directory: String
    private let work: String
    private let signature: EFISignature
    private let reserve: Int64?
    private let blobPath: @Sendable (Digest) -> String
    private let images: PreparedValues<Digest, Image>

    /// - Parameters:
    ///   - work: a folder for the making of them, on the same file system as they are.
    ///   - signature: of the boot key.
    ///   - jobs: who makes them.
    ///   - clock: seconds that nothing sets back.
    ///   - reserve: bytes that stay free; nil for the store's default.
    ///   - blobPath: where a blob's bytes are.
    init(
        directory work: String, signature: EFISignature, jobs: PreparationJobs,
        clock: @escaping @Sendable () -> Int64, reserve: Int64?, blobPath: @escaping @Sendable (Digest) -> String
    ) {
        self.work = work
        directory = work + "/uki"
        self.signature = signature
        self.reserve = reserve
        self.blobPath = blobPath
        images = PreparedValues(
            capacity: Self.capacity, jobs: jobs, clock: clock, cost: \.size, discard: { unlink($0.path) })
    }

    /// Removes what an earlier run of the server left: the stub of systemd may be another one by now.
    func prepare() throws {
        _ = try SystemFileOperations().makeDirectory(directory)
        for name in DirectoryListing.names(directory) { unlink("\(directory)/\(name)") }
    }

    /// The path of an image.
    func image(_ parts: KernelImageParts) -> Preparation<String> {
        let digest = digest(of: parts)
        let image = images.value(digest) { [self] in
            let path = "\(directory)/\(digest.hex).efi"
            let size = ([parts.kernel] + parts.initrds).reduce(Int64(parts.overlay?.count ?? 0)) { $0 + $1.file.size }
            // The parts, the image, and the image signed.
            try SpaceGuard(reserve: reserve, path: directory, files: SystemFileOperations()).require(3 * size)
            try await UnifiedKernelImage(
                kernel: FilePiece(parts.kernel, in: blobPath),
                initrds: parts.initrds.map { FilePiece($0, in: blobPath) }, overlay: parts.overlay,
                arguments: parts.arguments
            ).make(path, signature: signature, in: work)
            return Image(path: path, size: size)
        }
        switch image {
        case .ready(let image): return .ready(image.path)
        case .preparing: return .preparing
        case .failed: return .failed
        }
    }

    /// Each part as fixed bytes or a digest, the initrds behind their number: no two sets of parts look the same.
    private func digest(of parts: KernelImageParts) -> Digest {
        var bytes = parts.kernel.file.digest.bytes
        bytes += Array("\(parts.initrds.count)\n".utf8) + parts.initrds.flatMap(\.file.digest.bytes)
        bytes += SHA256.digest(of: parts.overlay ?? []).bytes + Array(parts.arguments.utf8)
        return SHA256.digest(of: bytes)
    }
}
