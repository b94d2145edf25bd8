/// What was found for one machine, in the order in which its boot goes.
package struct PreflightReport: Sendable {
    /// One thing that was looked at.
    package struct Step: Equatable, Sendable {
        package enum Result: String, Sendable {
            case good = "ok"
            /// The boot goes on, and somebody should look.
            case doubtful = "warning"
            /// The machine would stop here.
            case bad = "FAILS"
        }

        package let name: String
        package let result: Result
        package let text: String
        /// What to do; empty where there is nothing to do.
        package let fix: String
    }

    /// The machine in words.
    package let machine: String
    package private(set) var steps: [Step] = []

    init(machine: String) { self.machine = machine }

    /// No step is bad.
    package var passes: Bool { !steps.contains { $0.result == .bad } }

    mutating func add(_ name: String, _ result: Step.Result, _ text: String, fix: String = "") {
        steps.append(Step(name: name, result: result, text: text, fix: fix))
    }

    /// For people. `onlyFaults`: without the steps that are as they should be.
    package func text(onlyFaults: Bool = false) -> String {
        var lines = [machine]
        for step in steps where !onlyFaults || step.result != .good {
            let result = step.result.rawValue + String(repeating: " ", count: max(0, 8 - step.result.rawValue.count))
            let name = step.name + String(repeating: " ", count: max(0, 14 - step.name.count))
            lines.append("  \(result) \(name) \(step.text)")
            if !step.fix.isEmpty { lines.append(String(repeating: " ", count: 26) + "-> \(step.fix)") }
        }
        return lines.joined(separator: "\n")
    }
}
