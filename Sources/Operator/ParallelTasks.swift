/// Work in parts of which some are under way at once, with somebody who watches.
enum ParallelTasks {
    /// Does all parts, in their order, `limit` at once; the first error ends all.
    ///
    /// `started` and `ended` are told each part, and `watch` is called ten times a second, all of them by the caller's task:
    /// what they draw needs no lock.
    /// - Returns: what each part gave.
    /// - Throws: what a part threw.
    static func run<Value: Sendable>(
        _ count: Int, atOnce limit: Int, started: (Int) -> Void = { _ in }, ended: (Int) -> Void = { _ in },
        watch: () -> Void, body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        var values = [Value?](repeating: nil, count: count)
        try await withThrowingTaskGroup(of: (part: Int, value: Value)?.self) { group in
            var next = 0
            func start() {
                guard next < count else { return }
                let part = next
                next += 1
                started(part)
                group.addTask { (part, try await body(part)) }
            }
            func tick() {
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(100))
                    return nil
                }
            }
            for _ in 0..<max(1, limit) { start() }
            tick()
            var left = count
            while left > 0, let finished = try await group.next() {
                if let finished {
                    left -= 1
                    values[finished.part] = finished.value
                    ended(finished.part)
                    start()
                } else {
                    tick()
                }
                watch()
            }
            group.cancelAll()
        }
        return values.compactMap { $0 }
    }
}
