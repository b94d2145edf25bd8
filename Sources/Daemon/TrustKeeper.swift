internal import Logging
internal import ServiceLifecycle
internal import Store

/// Judges versions anew: when something asks for it, and each minute, since signatures grow too old.
struct TrustKeeper: Service {
    let store: ArtifactStore
    let logger: Logger
    private let executor = BlockingTaskExecutor()

    init(store: ArtifactStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while (try? await Task.sleep(for: .seconds(60))) != nil { store.wantJudgement() }
                    }
                    for await _ in store.verdictsWanted {
                        let (judged, failures) = await store.judgePending()
                        if judged > 0 { logger.notice("verified the signatures of \(judged) versions") }
                        for failure in failures { logger.error("verifying signatures: \(failure)") }
                    }
                    group.cancelAll()
                }
            }
        }
    }
}
