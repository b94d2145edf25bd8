internal import Boot
internal import ControlAPI
internal import Hosts
internal import Hummingbird
internal import NIOCore
internal import Store

/// `/metrics`: what monitoring wants to know, in Prometheus' text format (version 0.0.4). Any token may read it.
struct MetricsController {
    let services: ControlServices

    func metrics() throws -> Response {
        let status = services.status()
        let statistics = try services.store.statistics()
        var text = MetricsText()
        text.add("provisioner_info", .gauge, "The version that runs.", [(["version": status.version], 1)])
        text.add("provisioner_tags", .gauge, "Published versions and channels.", [([:], Int64(status.artifactCount))])
        text.add(
            "provisioner_blobs", .gauge, "Blobs by state.",
            statistics.blobs.map { (["state": $0.state], $0.count) })
        text.add(
            "provisioner_blob_bytes", .gauge, "Bytes of blobs by state.",
            statistics.blobs.map { (["state": $0.state], $0.bytes) })
        text.add("provisioner_uploads", .gauge, "Uploads under way.", [([:], statistics.uploads)])
        text.add("provisioner_audit_entries", .counter, "Entries of the audit log.", [([:], statistics.auditEntries)])
        text.add("provisioner_data_free_bytes", .gauge, "Free space beside the data.", [([:], status.freeBytes)])
        text.add("provisioner_data_size_bytes", .gauge, "Size of the data's file system.", [([:], status.totalBytes)])
        text.add(
            "provisioner_writable", .gauge, "0 after the disk refused to store.",
            [([:], status.degraded == nil ? 1 : 0)])
        text.add(
            "provisioner_site_valid", .gauge, "0 while the site file cannot be used.",
            [([:], status.siteProblems.isEmpty ? 1 : 0)])
        text.add(
            "provisioner_authority_answering", .gauge, "1 where this server answers DNS and DHCP.",
            status.authorities.map { (["substrate": $0.substrate], $0.isAnswering ? 1 : 0) })
        text.add(
            "provisioner_control_requests_total", .counter, "Requests of the control plane by status.",
            services.requestCounts.list.map { (["code": "\($0.status)"], $0.count) })
        addBoots(&text)
        return Response(
            status: .ok, headers: HTTPFields(fields: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")]),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
    }

    private func addBoots(_ text: inout MetricsText) {
        let figures = services.ledger.figures
        text.add(
            "provisioner_boot_events_total", .counter, "Steps of machines' timelines by kind.",
            figures.events.sorted { $0.key.rawValue < $1.key.rawValue }.map { (["kind": $0.key.rawValue], $0.value) })
        text.add(
            "provisioner_boot_bytes_total", .counter, "Bytes that machines loaded, by kind.",
            figures.bytes.sorted { $0.key.rawValue < $1.key.rawValue }.map { (["kind": $0.key.rawValue], $0.value) })
        text.add(
            "provisioner_machines_stuck", .gauge, "Machines that stopped half-way through a boot in the last day.",
            [([:], Int64(services.stuck.all.count))])
        let queues = services.queues()
        text.add(
            "provisioner_machines_loading", .gauge, "Machines that load what they boot.",
            queues.map { (["substrate": $0.substrate], Int64($0.loading)) })
        text.add(
            "provisioner_machines_waiting", .gauge, "Machines that wait for their turn, by 'boot_budget'.",
            queues.map { (["substrate": $0.substrate], Int64($0.waiting)) })
        text.addHistogram(
            "provisioner_boot_phase_seconds", "Seconds from the step before of a boot to this one.",
            figures.durations.sorted { $0.key < $1.key }.map { phase, durations in
                MetricsText.Histogram(
                    labels: ["phase": phase.rawValue],
                    classes: Array(zip(BootFigures.Durations.bounds, durations.counts)), count: durations.count,
                    sum: Double(durations.milliseconds) / 1000)
            })
    }
}

/// Lines of Prometheus' text format.
struct MetricsText {
    enum Kind: String { case gauge, counter }

    private(set) var text = ""

    /// A metric with its values by labels; one without values is left out.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ values: [(labels: [String: String], value: Int64)]
    ) {
        guard !values.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in values {
            let list = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escape($0.value))\"" }
            text += "\(name)\(list.isEmpty ? "" : "{\(list.joined(separator: ","))}") \(value)\n"
        }
    }

    /// Observations with the same labels.
    struct Histogram {
        let labels: [String: String]
        /// Upper bounds, and how many observations are not above each.
        let classes: [(bound: Double, count: Int64)]
        let count: Int64
        let sum: Double
    }

    /// A histogram; one without observations is left out.
    mutating func addHistogram(_ name: String, _ help: String, _ values: [Histogram]) {
        guard !values.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        for value in values {
            let labels = value.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escape($0.value))\"" }
            func list(_ more: [String] = []) -> String { (labels + more).joined(separator: ",") }
            for (bound, count) in value.classes {
                text += "\(name)_bucket{\(list(["le=\"\(bound)\""]))} \(count)\n"
            }
            text += "\(name)_bucket{\(list(["le=\"+Inf\""]))} \(value.count)\n"
            text += "\(name)_sum{\(list())} \(value.sum)\n\(name)_count{\(list())} \(value.count)\n"
        }
    }

    private static func escape(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
