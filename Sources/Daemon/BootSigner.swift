internal import Artifacts
internal import Boot
internal import BootPlane
internal import BootSigning
internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import Site
internal import Store

/// What machines verify: signatures, this site's GRUB, unified kernel images. Each is made once, when somebody asks first.
/// Signatures over files are kept in the data directory: `boot-signatures/KEY/HEX.cms`, and `boot-signatures/openpgp/HEX.sig`.
final class BootSigner: ServiceLifecycle.Service {
    private static let signatureLimit = 64 << 10
    /// Signatures in memory: a kilobyte each.
    private static let signatureCount: Int64 = 4096

    private struct SignatureKey: Hashable {
        let form: SignatureForm
        let digest: Digest
    }

    private let key: SiteBootKey
    private let root: String
    private let work: String
    private let httpPort: Int
    private let blobPath: @Sendable (Digest) -> String
    private let logger: Logger
    private let jobs: PreparationJobs
    private let openPGP: OpenPGPKeyFile
    private let efi: EFISignature
    private let signatures: PreparedValues<SignatureKey, [UInt8]>
    private let grubImages: PreparedValues<GRUBPlatform, [UInt8]>
    private let kernelImages: KernelImageCache

    /// - Parameters:
    ///   - key: the site's.
    ///   - dataPath: where it is from, and where signatures are kept.
    ///   - httpPort: that machines reach this server at.
    ///   - blobPath: where a blob's bytes are.
    ///   - clock: seconds that nothing sets back.
    ///   - reserve: bytes that are to stay free on the file system; nil for the store's default.
    ///   - logger: told what could not be made.
    init(
        key: SiteBootKey, dataPath: String, httpPort: Int, blobPath: @escaping @Sendable (Digest) -> String,
        clock: @escaping @Sendable () -> Int64, reserve: Int64?, logger: Logger
    ) {
        self.key = key
        self.httpPort = httpPort
        self.blobPath = blobPath
        self.logger = logger
        root = DefaultPath.bootSignatures(in: dataPath)
        work = DefaultPath.bootSigning(in: dataPath)
        jobs = PreparationJobs(logger: logger)
        efi = key.efiSignature
        openPGP = OpenPGPKeyFile(data: dataPath, directory: work) { [root] in Self.empty(Self.openPGPFolder(root)) }
        signatures = PreparedValues(capacity: Self.signatureCount, jobs: jobs, clock: clock)
        grubImages = PreparedValues(capacity: 2, jobs: jobs, clock: clock)
        kernelImages = KernelImageCache(
            directory: work, signature: efi, jobs: jobs, clock: clock, reserve: reserve,
            blobPath: blobPath)
    }

    private static func openPGPFolder(_ root: String) -> String { root + "/openpgp" }

    private static func empty(_ folder: String) {
        for name in DirectoryListing.names(folder) { unlink("\(folder)/\(name)") }
    }

    private func path(_ form: SignatureForm, _ digest: Digest) async throws -> String {
        switch form {
        case .cms: return "\(try await keyFolder())/\(digest.hex).cms"
        case .openPGP: return "\(Self.openPGPFolder(root))/\(digest.hex).sig"
        }
    }

    /// A signature over a file, which is kept.
    func signature(_ form: SignatureForm, of content: FileContent) -> Preparation<[UInt8]> {
        signatures.value(SignatureKey(form: form, digest: content.file.digest)) { [self] in
            let path = try await path(form, content.file.digest)
            if let bytes = SmallFile.read(path, limit: Self.signatureLimit) { return bytes }
            let piece = FilePiece(content, in: blobPath)
            let signature: [UInt8]
            let isWhole = content.container == content.file.digest
            switch form {
            case .cms: signature = try await key.sign(piece, isWhole: isWhole)
            case .openPGP: signature = try await openPGP.signer().sign(piece, isWhole: isWhole)
            }
            try SmallFile.write(path, signature, SystemFileOperations())
            return signature
        }
    }

    /// A signature over bytes, which is not kept.
    func signature(_ form: SignatureForm, over bytes: [UInt8]) -> Preparation<[UInt8]> {
        signatures.value(SignatureKey(form: form, digest: SHA256.digest(of: bytes))) { [self] in
            switch form {
            case .cms: try await key.sign(bytes)
            case .openPGP: try await openPGP.signer().sign(bytes)
            }
        }
    }

    /// This site's GRUB; the one for UEFI is signed by the boot key.
    func grubImage(_ platform: GRUBPlatform) -> Preparation<[UInt8]> {
        grubImages.value(platform) { [self] in
            let image = try await GRUBImage.make(
                for: platform == .bios ? .bios : .uefi, publicKey: try await openPGP.signer().publicKey,
                configuration: Array(GRUBRenderer(port: httpPort).firstConfiguration().utf8), in: work)
            return platform == .bios ? image : try await efi.sign(image, in: work)
        }
    }

    /// Makes what machines of such a site ask for first: firmware asks for its loader a few times, and then no more.
    func makeAhead(for site: Site) {
        guard site.profiles.contains(where: { $0.verifier == .grub }) else { return }
        for platform in GRUBPlatform.allCases { _ = grubImage(platform) }
    }

    /// The path of a unified kernel image.
    func kernelImage(_ parts: KernelImageParts) -> Preparation<String> { kernelImages.image(parts) }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do {
                try self.prepare()
            } catch {
                self.logger.error("signatures of the boot key: \(error)")
            }
            await self.jobs.run()
        }
        await openPGP.stop()
    }

    private func prepare() throws {
        let files = SystemFileOperations()
        for folder in [root, Self.openPGPFolder(root), work] { _ = try files.makeDirectory(folder) }
        try kernelImages.prepare()
        // Now, that the log tells early when a token cannot be used; whoever needs a signature tries again.
        _ = jobs.add { [self] in try await openKey() }
    }

    private func keyFolder() async throws -> String {
        let folder = "\(root)/\(try await key.fingerprint().hex)"
        _ = try SystemFileOperations().makeDirectory(folder)
        return folder
    }

    /// Signatures of a key that is no more are nobody's.
    private func openKey() async throws {
        let mine = [try await keyFolder(), Self.openPGPFolder(root)]
        for folder in DirectoryListing.names(root).map({ "\(root)/\($0)" }) where !mine.contains(folder) {
            Self.empty(folder)
            rmdir(folder)
        }
    }
}

extension FilePiece {
    init(_ content: FileContent, in blobPath: (Digest) -> String) {
        self.init(
            path: blobPath(content.container), offset: content.offset, size: content.file.size,
            digest: content.file.digest)
    }
}
