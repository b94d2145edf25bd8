internal import Boot
package import Logging
internal import Site
package import TFTP

/// The namespace over TFTP.
package struct BootTFTPService: TFTPService {
    private let namespace: BootNamespace
    private let blockSizeLimit: Int?
    private let logger: Logger

    /// `blockSizeLimit`: for every client; a host may have a smaller one.
    package init(namespace: BootNamespace, blockSizeLimit: Int? = nil, logger: Logger) {
        self.namespace = namespace
        self.blockSizeLimit = blockSizeLimit
        self.logger = logger
    }

    package func reply(path: String, client: String) -> TFTPReply {
        let parts = path.split(separator: "?", maxSplits: 1)
        guard let components = URLPath.components(parts.first ?? "") else { return .notFound }
        let query = parts.count > 1 ? URLPath.query(parts[1]) : [:]
        let address = IPv4Address(client: client)
        let resource: BootResource
        do {
            resource = try namespace.resource(components, query: query, address: address)
        } catch {
            return error == .preparing ? .notYet : .notFound
        }
        // It does not wait as it was told. A loader asks again by itself.
        guard namespace.pacer.wait(for: resource, at: address) == nil else { return .notYet }
        let content: TFTPContent =
            switch resource.body {
            case .bytes(let bytes): .bytes(bytes)
            case .file(let file, let offset, let size): .file(file, offset: offset, size: size)
            }
        let limits = [blockSizeLimit, address.flatMap { namespace.backend.tftpBlockSize(at: $0) }].compactMap(\.self)
        return .file(TFTPAnswer(content, context: resource.event, blockSizeLimit: limits.min()))
    }

    /// Those on a segment of the site.
    package func expectation() -> (DatagramEndpoint) -> Bool {
        let site = namespace.backend.snapshot.site
        return { client in client.ipv4.flatMap { site.substrate(containing: IPv4Address(value: $0)) } != nil }
    }

    package func transferBegan(client: String) { namespace.pacer.transferBegan(IPv4Address(client: client)) }

    package func transferEnded(_ report: TransferReport, context: (any Sendable)?) {
        let path = LoggablePath.of(report.path)
        let text = "TFTP \(path) to \(report.client)"
        let address = IPv4Address(client: report.client)
        namespace.pacer.transferEnded(address)
        switch report.outcome {
        case .completed:
            logger.info(
                "\(text): \(report.bytes) bytes in \(report.milliseconds) ms, blksize \(report.blockSize), windowsize \(report.windowSize), \(report.repeatedBlocks) repeated"
            )
            if let address, let event = context as? BootEvent {
                namespace.pacer.sent(event, to: address, bytes: report.bytes)
                namespace.backend.note(event, from: address, bytes: report.bytes)
            }
        case .sizeProbe:
            logger.debug("\(text): size probe")
        case .aborted(let code, let message):
            logger.notice(
                "\(text): the client ended it with error \(code) '\(PrintableText.line(message))' after \(report.bytes) bytes"
            )
            if let address {
                namespace.backend.note(
                    .failure("TFTP \(path): client error \(code)"), from: address, bytes: report.bytes)
            }
        case .gaveWay:
            // There may be thousands, by whose addresses somebody else has asked: `placesRanOut` says it.
            logger.debug("\(text): its place was needed")
        case .timedOut where report.bytes == 0 && !isOfSite(address):
            // Whoever has that address may never have asked.
            logger.debug("\(text): no answer at all")
        case .timedOut:
            logger.notice("\(text): no answer after \(report.bytes) bytes")
            if let address {
                namespace.backend.note(.failure("TFTP \(path): no answer"), from: address, bytes: report.bytes)
            }
        }
    }

    private func isOfSite(_ address: IPv4Address?) -> Bool {
        address.flatMap { namespace.backend.snapshot.site.substrate(containing: $0) } != nil
    }

    package func placesRanOut(gaveWay: Int) {
        logger.warning(
            "all \(TFTPServer.maximumTransfers) places for TFTP transfers are taken, and \(gaveWay) whose clients never answered gave way: where no rack starts, somebody forges requests"
        )
    }

    package func requestRefused(_ refusal: RequestRefusal) {
        // Firmware asks for many optional files: a missing one is not worth a line at the default level.
        logger.debug("TFTP \(refusal.client) '\(LoggablePath.of(refusal.name))': \(refusal.reason)")
    }
}
