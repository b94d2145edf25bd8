/// A host of the site file, or a discovered machine. `GET /api/v1/hosts` gives a list, without events.
package struct HostReport: Codable, Hashable, Sendable {
    package struct Event: Codable, Hashable, Sendable {
        /// Milliseconds since 1970.
        package var time: Int64
        /// `dhcp`, `loader`, `script`, `held`, `refused`, `kernel`, `initrd`, `file`, `answer`, `up`, `installed`, `armed`, `log`, `failure`.
        package var kind: String
        package var detail: String
        package var bytes: Int64?

        package init(time: Int64, kind: String, detail: String, bytes: Int64?) {
            self.time = time
            self.kind = kind
            self.detail = detail
            self.bytes = bytes
        }
    }

    /// The last boot as one record.
    package struct Boot: Codable, Hashable, Sendable {
        package struct Step: Codable, Hashable, Sendable {
            /// `dhcp`, `loader`, `script`, `wait`, `kernel`, `initrd`, `answer`, `up` or `installed`.
            package var phase: String
            /// From the step before to this one.
            package var milliseconds: Int64
            package var count: Int
            package var bytes: Int64

            package init(phase: String, milliseconds: Int64, count: Int, bytes: Int64) {
                self.phase = phase
                self.milliseconds = milliseconds
                self.count = count
                self.bytes = bytes
            }
        }

        /// Milliseconds since 1970.
        package var started: Int64
        package var steps: [Step]
        package var failures: Int
        /// Why it went no further, where it should have.
        package var cause: String?

        package init(started: Int64, steps: [Step], failures: Int, cause: String?) {
            self.started = started
            self.steps = steps
            self.failures = failures
            self.cause = cause
        }
    }

    /// The name in the site file; nil for a discovered machine.
    package var name: String?
    /// Every MAC of the host; the one of a discovered machine.
    package var macs: [String]
    package var address: String?
    /// `discovered`, `expected`, `armed`, `booting`, `up`, `installed` or `local`.
    package var state: String
    package var profile: String?
    /// `once`, `always` or `local`.
    package var boot: String?
    package var uuid: String?
    package var serial: String?
    package var architecture: String?
    package var platform: String?
    /// Milliseconds since 1970; nil when it was never seen.
    package var lastSeen: Int64?
    /// Why it stopped half-way through a boot, by the last look, which is at most a minute old; nil when it did not.
    package var stuck: String?
    /// Oldest first; nil in lists.
    package var events: [Event]?
    /// nil in lists, and when it was not seen to boot.
    package var lastBoot: Boot?

    package init(macs: [String], state: String) {
        self.macs = macs
        self.state = state
    }
}
