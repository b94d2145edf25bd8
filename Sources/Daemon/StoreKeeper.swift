internal import Artifacts
internal import Logging
internal import ServiceLifecycle
internal import Store

/// Gives up what nobody continues and frees what nobody needs: at start, then every hour. Every minute it writes down how
/// long the store has run, and what its names are.
struct StoreKeeper: Service {
    private static let minutesBetween = 60

    let store: ArtifactStore
    let rules: CollectionRules
    /// What the site file names: retention takes none of it.
    let inUse: @Sendable () -> Set<Reference>
    let logger: Logger
    private let executor = BlockingTaskExecutor()

    init(
        store: ArtifactStore, rules: CollectionRules, inUse: @escaping @Sendable () -> Set<Reference>, logger: Logger
    ) {
        self.store = store
        self.rules = rules
        self.inUse = inUse
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                var minutes = 0
                repeat {
                    // Each by itself: what needs space may fail on a full disk, and what frees it must go on.
                    attempt { try store.keepTime() }
                    attempt { try store.keepNames() }
                    if minutes.isMultiple(of: Self.minutesBetween) {
                        do { try await expire() } catch { logger.error("\(error)") }
                        attempt { try retain() }
                        attempt { try collect() }
                    }
                    minutes += 1
                } while (try? await Task.sleep(for: .seconds(60))) != nil
            }
        }
    }

    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch { logger.error("\(error)") }
    }

    private func expire() async throws {
        let count = try await store.expire()
        if count > 0 { logger.notice("gave up \(count) uploads that nobody continued for a day") }
    }

    private func retain() throws {
        guard store.health.reason == nil else { return }
        for finding in try store.applyRetention(inUse: inUse()) {
            logger.notice("retention: took \(finding.reference): \(finding.reason)")
        }
    }

    private func collect() throws {
        guard store.health.reason == nil else { return }
        let report = try store.collect(rules, by: "collection")
        for failure in report.failures { logger.error("collection: \(failure)") }
        if report.unneeded.count + report.trashed.count + report.removed.count > 0 {
            logger.notice(
                "collection: \(report.unneeded.count) blobs condemned, \(report.trashed.count) moved to the trash, \(report.removed.count) removed, \(report.removed.bytes) bytes freed"
            )
        }
    }
}

/// Compares every blob with its digest, all day and slowly. A pass that has ended is followed by the next after a day.
struct Scrubber: Service {
    private static let pause = Duration.seconds(24 * 3600)
    /// Bytes that a blob counts for at least: each is a commit too, and pushes want to commit as well.
    private static let least = 64 << 10

    let store: ArtifactStore
    /// Bytes in a second.
    let rate: Int64
    let logger: Logger
    private let executor = BlockingTaskExecutor()

    init(store: ArtifactStore, rate: Int64, logger: Logger) {
        self.store = store
        self.rate = rate
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                // The start has more urgent things to read.
                guard (try? await Task.sleep(for: .seconds(10))) != nil else { return }
                while !Task.isCancelled { await step() }
            }
        }
    }

    private func step() async {
        do {
            let finding = try await store.scrubNext { [rate] count in
                try await Task.sleep(for: .seconds(Double(max(count, Self.least)) / Double(rate)))
            }
            guard let finding else {
                try await Task.sleep(for: Self.pause)
                return
            }
            if !finding.isWhole {
                logger.critical(
                    "blob \(finding.digest) has rotted and is no longer served: 'artifactctl scrub' tells what to push again"
                )
            }
        } catch is CancellationError {
            return
        } catch {
            logger.error("scrub: \(error)")
            // A disk that fails is not asked again at once.
            try? await Task.sleep(for: .seconds(60))
        }
    }
}
