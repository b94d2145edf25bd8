internal import Dispatch
package import NIOCore
package import NIOPosix

/// The threads that send bodies: of a new one, the one with the fewest.
package struct BodyLoops: Sendable {
    private let loops: [BodyLoop]
    private let running = DispatchGroup()

    /// Starts them.
    /// - Parameters:
    ///   - count: how many, at least one.
    ///   - readers: started threads that may wait for the disk.
    /// - Throws: `IOError` where there is no descriptor left.
    package init(count: Int, readers: NIOThreadPool) throws(IOError) {
        var loops: [BodyLoop] = []
        for _ in 0..<max(1, count) { loops.append(try BodyLoop(readers: readers)) }
        self.loops = loops
        for loop in loops { loop.start(in: running) }
    }

    /// Ends them, and what they send. When this returns all of it has been told: event loops that hear of it may end then.
    package func stop() async {
        for loop in loops { loop.stop() }
        await withCheckedContinuation { done in running.notify(queue: .global()) { done.resume() } }
    }

    /// Sends a body.
    /// - Returns: the loop that has it; nil after `stop`.
    func send(_ body: Body) -> BodyLoop? {
        guard let loop = loops.min(by: { $0.count < $1.count }), loop.send(body) else { return nil }
        return loop
    }
}
