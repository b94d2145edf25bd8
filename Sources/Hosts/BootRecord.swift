/// A machine's last boot as one record, made from its timeline: how long each step took, how often it was tried, and why it
/// went no further, as far as that can be told from here.
package struct BootRecord: Hashable, Sendable {
    /// A step of a boot, in the order in which steps come.
    package enum Phase: String, Hashable, Sendable, CaseIterable, Comparable {
        case dhcp, loader, wait, script, kernel, initrd, answer, up, installed

        package static func < (lhs: Phase, rhs: Phase) -> Bool { lhs.position < rhs.position }
        private var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }

        /// nil for what is no step of a boot.
        init?(_ event: HostEvent) {
            switch event.kind {
            // A system that renews its address does not boot.
            case .dhcp where Self.isByFirmware(event.detail): self = .dhcp
            case .loader: self = .loader
            case .script, .refused: self = .script
            case .held: self = .wait
            case .kernel: self = .kernel
            case .initrd: self = .initrd
            case .answer: self = .answer
            case .up: self = .up
            case .installed: self = .installed
            case .dhcp, .file, .armed, .log, .failure: return nil
            }
        }

        /// By the classes that firmware and loaders have: PXE (option 60, PXE specification 2.1), UEFI HTTP boot, and iPXE.
        private static func isByFirmware(_ detail: String) -> Bool {
            ["PXEClient", "HTTPClient", "user class iPXE"].contains { detail.contains($0) }
        }
    }

    package struct Step: Hashable, Sendable {
        package var phase: Phase
        /// From the end of the step before to the end of this one, in milliseconds; of the first, 0.
        package var milliseconds: Int64
        /// How often it came: what came more than once was repeated, or has several files.
        package var count: Int
        package var bytes: Int64
    }

    /// A machine that is silent for so many milliseconds after a step, before its boot is over, is stuck: firmware and loaders
    /// say something all the time, an installer takes its time.
    package static func patience(after phase: Phase) -> Int64 {
        switch phase {
        case .dhcp, .loader, .script, .wait, .kernel: shortestPatience
        case .initrd: 600_000
        case .answer, .up, .installed: longestPatience
        }
    }

    /// The least of them, and the most.
    package static let shortestPatience: Int64 = 180_000
    package static let longestPatience: Int64 = 3_600_000

    /// Milliseconds since 1970.
    package let started: Int64
    /// In the order in which each came last.
    package private(set) var steps: [Step] = []
    package private(set) var failures = 0
    private let events: [HostEvent]

    /// nil when there is no step of a boot among the events.
    package init?(_ timeline: [HostEvent]) {
        guard let start = Self.start(of: timeline) else { return nil }
        events = Array(timeline[start...])
        started = timeline[start].time
        var previous = started
        for event in events {
            if event.kind == .failure { failures += 1 }
            guard let phase = Phase(event) else { continue }
            let took = event.time - previous
            previous = event.time
            if let index = steps.firstIndex(where: { $0.phase == phase }) {
                steps[index].milliseconds += took
                steps[index].count += 1
                steps[index].bytes += event.bytes ?? 0
            } else {
                steps.append(Step(phase: phase, milliseconds: took, count: 1, bytes: event.bytes ?? 0))
            }
        }
    }

    /// A boot begins where firmware asks for an address, or for a loader, after a boot that had come further: a loader asks for
    /// an address, too, and a script may be asked for many times.
    private static func start(of timeline: [HostEvent]) -> Int? {
        var start: Int?
        var furthest: Phase?
        for (index, event) in timeline.enumerated() {
            guard let phase = Phase(event) else { continue }
            let isFirmware =
                phase == .dhcp && !event.detail.contains("user class iPXE")
                || phase == .loader && !event.detail.hasPrefix("iPXE runs")
            if start == nil || isFirmware && (furthest ?? .dhcp) > .loader {
                start = index
                furthest = phase
            } else {
                furthest = max(furthest ?? phase, phase)
            }
        }
        return start
    }

    private func count(_ phase: Phase) -> Int { steps.first { $0.phase == phase }?.count ?? 0 }

    /// Why the boot went no further, where it did not and should have: the likely cause, and what to look at.
    /// - Parameters:
    ///   - silence: milliseconds since the machine was seen last: it may have repeated itself without another event.
    ///   - boots: whether the machine is given something to boot.
    ///   - reports: whether an end is expected: an installation report.
    /// - Returns: nil while it is under way, and when it is where it should be.
    package func cause(silence: Int64, boots: Bool, reports: Bool) -> String? {
        guard let furthest = steps.map(\.phase).max(), silence > Self.patience(after: furthest) else {
            return nil
        }
        let failure = events.last { $0.kind == .failure }.map { "; the last failure was: \($0.detail)" } ?? ""
        switch furthest {
        // Who boots its disk asks for an address by the way.
        case .dhcp: return boots ? dhcpCause + failure : nil
        case .loader: return loaderCause + failure
        case .wait, .script:
            let told = events.last { Phase($0) == .script || Phase($0) == .wait }
            guard boots, told?.kind != .refused else { return nil }
            return told?.kind == .held
                ? "it was told to wait and asks no more: it was switched off, or lost its link" + failure
                : "it was told what to boot and has not loaded the kernel: its loader cannot reach the artifacts' name, or the file did not fit its memory"
                    + failure
        case .kernel:
            return "it has the kernel and not the initrd: it ran out of memory, or its network driver stopped" + failure
        case .initrd, .answer:
            guard reports else { return nil }
            return furthest == .initrd
                ? "it has all that was to be loaded and was not heard of since: the kernel has no driver for its card, or does not boot; its console says which"
                    + failure
                : "it has its answers and did not report: the installation failed, or its answers name no '${boot.url}/installed'"
                    + failure
        case .up:
            return reports
                ? "it runs and did not report that it is installed: the installation failed, or goes on" + failure : nil
        case .installed: return nil
        }
    }

    private var dhcpCause: String {
        let times = count(.dhcp)
        let asked = "it asked for an address \(times == 1 ? "once" : "\(times) times")"
        if events.contains(where: { $0.kind == .dhcp && $0.detail.contains("there is no address for it") }) {
            return asked + " and there was none: the pool is used up, or has none in this mode"
        }
        return asked
            + " and never for a loader: another DHCP server's answer won, UDP port 69 is blocked, or network boot is not its boot entry"
    }

    private var loaderCause: String {
        if events.contains(where: { $0.kind == .loader && $0.detail.hasPrefix("iPXE runs") }) {
            return
                "iPXE has its first script and never asked for the machine's own: it lost its link, or cannot reach the scripts' name"
        }
        if events.contains(where: { $0.kind == .dhcp && $0.detail.contains("user class iPXE") }) {
            return
                "iPXE runs and has an address, and asked for no script: it cannot resolve or reach the scripts' name; port 80 may be blocked"
        }
        let times = count(.loader)
        return times > 1
            ? "it loaded its loader \(times) times and never asked for a script: its firmware dropped the first answer, Secure Boot refuses the loader, or the loader does not drive this card"
            : "it loaded its loader and never asked for a script: Secure Boot refuses the loader, or the loader does not drive this card: try snponly.efi or undionly.kpxe in its place"
    }
}
