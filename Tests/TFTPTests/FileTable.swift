import Synchronization
import Testing

@testable import TFTP

/// A service that serves a fixed table of files and tells what the server reported.
final class FileTable: TFTPService {
    private let files: [String: TFTPContent]
    private let reported = Mutex<(ended: [TransferReport], refused: [RequestRefusal])>(([], []))
    /// One element for each report; only one iteration may run.
    let reports: AsyncStream<TransferReport>
    private let continuation: AsyncStream<TransferReport>.Continuation

    /// Files that are not there yet when they are asked for the first time.
    private let late: Mutex<Set<String>>
    /// Transfers that began.
    let begun = Mutex(0)

    private let blockSizeLimit: Int?

    private let asked: @Sendable (String) -> Void

    /// `asked`: called with each path that is asked for, on the server's thread.
    init(
        _ files: [String: TFTPContent], late: Set<String> = [], blockSizeLimit: Int? = nil,
        asked: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.asked = asked
        self.files = files
        self.blockSizeLimit = blockSizeLimit
        self.late = Mutex(late)
        (reports, continuation) = AsyncStream.makeStream()
    }

    var ended: [TransferReport] { reported.withLock { $0.ended } }
    var refused: [RequestRefusal] { reported.withLock { $0.refused } }

    func content(path: String, client: String) -> TFTPContent? { files[path] }

    func reply(path: String, client: String) -> TFTPReply {
        asked(path)
        if late.withLock({ $0.remove(path) }) != nil { return .notYet }
        return content(path: path, client: client).map {
            .file(TFTPAnswer($0, blockSizeLimit: blockSizeLimit))
        } ?? .notFound
    }

    func expectation() -> (DatagramEndpoint) -> Bool { { _ in true } }

    func transferBegan(client: String) { begun.withLock { $0 += 1 } }

    func transferEnded(_ report: TransferReport, context: (any Sendable)?) {
        reported.withLock { $0.ended.append(report) }
        continuation.yield(report)
    }

    /// As often as all places were taken.
    let ranOut = Mutex(0)
    func placesRanOut(gaveWay: Int) { ranOut.withLock { $0 += 1 } }

    func requestRefused(_ refusal: RequestRefusal) { reported.withLock { $0.refused.append(refusal) } }

    /// Waits for so many more reports.
    func next(_ count: Int = 1) async -> [TransferReport] {
        var found: [TransferReport] = []
        guard count > 0 else { return found }
        for await report in reports {
            found.append(report)
            if found.count == count { break }
        }
        return found
    }
}

/// A server on a port that the kernel chose, for the length of a scope.
enum RunningServer {
    static func with(
        _ service: FileTable, address: String = "127.0.0.1", ports: TransferPorts = .any,
        transferLimit: Int = TFTPServer.maximumTransfers, disk: ColdReads.Disk = ColdReads.Disk(),
        _ body: (UInt16) async throws -> Void
    ) async throws {
        let endpoint = try #require(DatagramEndpoint(host: address, port: 0))
        let server = try TFTPServer(
            listen: [endpoint], service: service, ports: ports, drainLimit: 300,
            transferLimit: transferLimit, disk: disk)
        // At once: tests that wait for packets keep the threads that a task would need.
        let (running, ended) = AsyncStream.makeStream(of: Void.self)
        server.start { ended.finish() }
        do {
            try await body(server.endpoints.first?.port ?? 0)
        } catch {
            server.stop()
            for await _ in running {}
            throw error
        }
        server.stop()
        for await _ in running {}
    }
}
