internal import Logging
internal import Store

/// Work that requests of the boot plane leave behind, done a few at a time beside it.
final class PreparationJobs: Sendable {
    typealias Job = @Sendable () async throws -> Void

    /// Beyond this nobody waits for the last ones any more.
    private static let limit = 1024
    /// At once: most of it is programs that use a whole core.
    private static let width = 2

    private let logger: Logger
    private let waiting: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation
    private let executor = BlockingTaskExecutor()

    init(logger: Logger) {
        self.logger = logger
        (waiting, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.limit))
    }

    /// Whether it will be done. An error that it throws is logged.
    func add(_ job: @escaping Job) -> Bool {
        if case .enqueued = queue.yield(job) { return true }
        return false
    }

    /// Works until the task is cancelled. Call once.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await job in waiting {
                if running == Self.width {
                    await group.next()
                    running -= 1
                }
                let logger = logger
                group.addTask(executorPreference: executor) {
                    do {
                        try await job()
                    } catch {
                        logger.error("\(error)")
                    }
                }
                running += 1
            }
        }
    }
}
