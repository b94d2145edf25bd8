import Foundation
import Logging
import Site
import Synchronization
import TestSupport
import Testing

@testable import BootPlane
@testable import TFTP

/// What the timeline says of transfers.
@Suite struct BootTFTPServiceTests {
    /// Of an address elsewhere somebody else may have asked, thousands of times.
    @Test(arguments: [
        ("10.20.99.21", Int64(0), 1), ("10.20.99.21", 512, 1), ("198.18.0.1", 512, 1), ("198.18.0.1", 0, 0),
    ])
    func aClientThatNeverAnsweredIsWorthALineWhereItMayHaveAsked(
        _ client: String, _ bytes: Int64, _ lines: Int
    ) async throws {
        try await TemporaryDirectory.with { directory in
            let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
            let backend = FakeBackend(site: site, directory: directory)
            let service = BootTFTPService(
                namespace: BootNamespace(backend: backend),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            service.transferEnded(
                TransferReport(
                    client: client, path: "os:1/linux", outcome: .timedOut, bytes: bytes, milliseconds: 1,
                    blockSize: 512,
                    windowSize: 1, repeatedBlocks: 0), context: nil)
            #expect(backend.events.withLock { $0.count } == lines)
        }
    }

    @Test func thoseOnASegmentOfTheSiteAreExpected() async throws {
        try await TemporaryDirectory.with { directory in
            let site = try #require(Site.parse(Array(BootNamespaceTests.site.yaml.utf8)).site)
            let service = BootTFTPService(
                namespace: BootNamespace(backend: FakeBackend(site: site, directory: directory)),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            let expectation = service.expectation()
            func isExpected(_ host: String) throws -> Bool {
                expectation(try #require(DatagramEndpoint(host: host, port: 2070)))
            }
            for client in ["10.20.99.21", "10.20.99.250", "::ffff:10.20.99.21"] { #expect(try isExpected(client)) }
            for client in ["198.18.0.1", "10.21.99.21", "2001:db8::1", "::10.20.99.21"] {
                #expect(try !isExpected(client))
            }
        }
    }
}
