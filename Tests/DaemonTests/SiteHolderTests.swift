import Foundation
import Logging
import Site
import Synchronization
import TestSupport
import Testing

@testable import Daemon

@Suite struct SiteHolderTests {
    @Test func aReloadIsWholeOrNothing() async throws {
        try await TemporaryDirectory.with { directory in
            let file = directory.appending(path: "site.yaml")
            let good = SiteFixture().yaml
            try Data(good.utf8).write(to: file)
            let site = try #require(SiteFile.read(file.path).site)
            let changes = Counter()
            let holder = SiteHolder(
                path: file.path, site: site, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            ) { _ in changes.increment() }

            holder.reload()
            #expect(changes.value == 0)

            for bad in ["", "schema: other\n", good + "nonsense: 1\n", "\u{0}"] {
                try Data(bad.utf8).write(to: file)
                holder.reload()
                #expect(holder.current.revision == site.revision)
            }
            try FileManager.default.removeItem(at: file)
            holder.reload()
            #expect(holder.current.revision == site.revision)
            #expect(changes.value == 0)

            try Data((good + "# a comment\n").utf8).write(to: file)
            holder.reload()
            #expect(holder.current.revision != site.revision)
            #expect(changes.value == 1)
        }
    }

    final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func increment() { count.withLock { $0 += 1 } }
    }
}
