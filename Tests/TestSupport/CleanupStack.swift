/// What a scope has made and must remove, undone last in, first out.
///
/// Register an undo step *before* making the thing it removes, and let the step tolerate that the thing is absent:
/// then a failure or a cancellation half way leaves nothing behind.
package actor CleanupStack {
    private struct Step {
        let name: String
        let undo: @Sendable () async throws -> Void
    }

    private var steps: [Step] = []

    private init() {}

    /// Adds an undo step, run before all steps added earlier.
    ///
    /// - Parameters:
    ///   - name: what is undone, for the error if it fails.
    ///   - undo: runs exactly once, at the end of the scope, in a task that is not cancelled.
    package func add(_ name: String, undo: @escaping @Sendable () async throws -> Void) {
        steps.append(Step(name: name, undo: undo))
    }

    /// Runs `body` and then every step it added, whether it returned, threw or was cancelled.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: the error of `body`; or `cleanupFailed`, with all failed steps, when only the cleanup failed.
    package static func with<Value>(
        isolation: isolated (any Actor)? = #isolation,
        _ body: (CleanupStack) async throws -> Value
    ) async throws -> Value {
        let stack = CleanupStack()
        let value: Value
        do {
            value = try await body(stack)
        } catch {
            _ = await unwindUncancelled(stack)
            throw error
        }
        let failures = await unwindUncancelled(stack)
        guard failures.isEmpty else {
            throw TestSupportError(.cleanupFailed, failures.joined(separator: "\n"))
        }
        return value
    }

    /// A task of its own, because in a cancelled task every command of a cleanup would end at once.
    private static func unwindUncancelled(_ stack: CleanupStack) async -> [String] {
        await Task { await stack.unwind() }.value
    }

    private func unwind() async -> [String] {
        var failures: [String] = []
        // Not a loop over a copy: a step added while another one runs is undone as well.
        while let step = steps.popLast() {
            do {
                try await step.undo()
            } catch {
                failures.append("\(step.name): \(error)")
            }
        }
        return failures
    }
}
