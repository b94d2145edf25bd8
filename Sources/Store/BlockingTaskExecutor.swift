internal import Dispatch

/// Threads for tasks that call the disk or the database and so block: the cooperative pool has one thread for each
/// processor, and two blocked ones would stop everything asynchronous in the program.
package final class BlockingTaskExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "blocking", attributes: .concurrent)

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
