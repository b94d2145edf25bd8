internal import Artifacts
internal import Glibc
internal import Logging
internal import ServerIdentity
internal import ServiceLifecycle
internal import Store

/// Signatures by the boot key, each made once and kept in the data directory: `boot-signatures/KEY/HEX.cms`. Whoever asks
/// for one that is not there yet has it made.
final class BootSigner: Service {
    private let key: BootKey
    private let root: String
    private let blobPath: @Sendable (Digest) -> String
    private let logger: Logger
    private let wanted: AsyncStream<FileContent>
    private let want: AsyncStream<FileContent>.Continuation
    private let executor = BlockingTaskExecutor()

    init(key: BootKey, dataPath: String, blobPath: @escaping @Sendable (Digest) -> String, logger: Logger) {
        self.key = key
        root = DefaultPath.bootSignatures(in: dataPath)
        self.blobPath = blobPath
        self.logger = logger
        (wanted, want) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    }

    private var directory: String { "\(root)/\(key.fingerprint.hex)" }
    private func path(_ digest: Digest) -> String { "\(directory)/\(digest.hex).cms" }

    /// DER; nil while it is being made.
    func signature(of content: FileContent) -> [UInt8]? {
        if let bytes = SmallFile.read(path(content.file.digest), limit: 64 << 10) { return bytes }
        want.yield(content)
        return nil
    }

    /// A signature that is not kept.
    func sign(_ bytes: [UInt8]) -> [UInt8]? { try? key.sign(bytes) }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                do {
                    try self.prepare()
                } catch {
                    self.logger.error("signatures of the boot key: \(error)")
                }
                for await content in self.wanted { self.make(content) }
            }
        }
    }

    /// Signatures of a key that is no more are nobody's.
    private func prepare() throws {
        let files = SystemFileOperations()
        _ = try files.makeDirectory(root)
        _ = try files.makeDirectory(directory)
        for other in DirectoryListing.names(root) where other != key.fingerprint.hex {
            for name in DirectoryListing.names("\(root)/\(other)") { unlink("\(root)/\(other)/\(name)") }
            rmdir("\(root)/\(other)")
        }
    }

    private func make(_ content: FileContent) {
        let path = path(content.file.digest)
        // Many may have asked.
        guard SmallFile.read(path, limit: 64 << 10) == nil else { return }
        do {
            let signature = try key.sign(
                path: blobPath(content.container), offset: content.offset, size: content.file.size)
            try SmallFile.write(path, signature, SystemFileOperations())
        } catch {
            logger.error("\(content.file.digest) cannot be signed: \(error)")
        }
    }
}
