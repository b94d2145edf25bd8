import Foundation
import TestSupport
import Testing

/// Twenty power cuts, four for each of five boxes: in the first start, in the one after it, and in two pushes. Every start
/// that is not cut itself is healthy, and what was acknowledged is there.
///
/// QEMU is killed: the guest loses its memory, and its disk keeps what the guest has given it.
///
/// `PROVISIONER_POWER_CUT_BOXES=3` takes three of the boxes, for when there is no time for all.
@Suite(.serialized)
struct PowerCutTests {
    /// Seconds after switching on, in the first start and in the second: loader, kernel, initramfs, growth of the data
    /// partition, first start of the services.
    static let moments: [(Double, Double)] = [(6, 34), (13, 42), (20, 50), (27, 58), (36, 66)]

    static let boxes: [Int] = {
        let asked = ProcessInfo.processInfo.environment["PROVISIONER_POWER_CUT_BOXES"].flatMap { Int($0) }
        let count = min(max(2, asked ?? moments.count), moments.count)
        return (0..<count).map { $0 * (moments.count - 1) / (count - 1) }
    }()

    @Test(arguments: boxes)
    func everyStartAfterPowerCutsIsHealthy(_ box: Int) async throws {
        try Requirement.demand(ApplianceLab.requirements)
        let image = try ApplianceImage.built()
        try await ApplianceLab.with { lab in
            let disk = try await image.flash(in: lab.network.directory, name: "cut-\(box)", files: GuestSite.files)
            for (number, seconds) in [Self.moments[box].0, Self.moments[box].1].enumerated() {
                let start = try await lab.start(disk, name: "cut-\(box)-start-\(number + 1)")
                try await Task.sleep(for: .seconds(seconds))
                await start.machine.cutPower()
                let megabytes = try await Self.dataPartition(disk)
                Self.report(box, number + 1, "\(seconds) s after switching on; data partition \(megabytes) MB")
            }

            let third = try await lab.start(disk, name: "cut-\(box)-start-3")
            try await third.waitUntilServing()
            try await third.logIn()
            let first = try await Parts.make(6, "first", lab)
            let kept = try await lab.artifactctl(["push", "kept:1", first.files[0]])
            #expect(kept.succeeded, "\(kept)")
            try await Self.cut(third, duringPushOf: first, in: lab, box, number: 3)

            let fourth = try await lab.start(disk, name: "cut-\(box)-start-4")
            try await fourth.waitUntilServing()
            try await first.requireWhole(in: lab)
            let second = try await Parts.make(6, "second", lab)
            try await Self.cut(fourth, duringPushOf: second, in: lab, box, number: 4)

            let fifth = try await lab.start(disk, name: "cut-\(box)-start-5")
            try await fifth.waitUntilServing()
            try await second.requireWhole(in: lab)
            try await first.requireWhole(in: lab)
            let pull = try await lab.artifactctl(["pull", "kept:1", "-o", lab.network.directory.path + "/kept"])
            #expect(pull.succeeded, "\(pull)")
        }
    }

    /// Cuts power at another moment of the push for each box: after its k-th blob, and a little into the next.
    private static func cut(
        _ appliance: Appliance, duringPushOf parts: Parts, in lab: ApplianceLab, _ box: Int, number: Int
    ) async throws {
        let push = try await lab.startArtifactctl(parts.push, log: "push-\(number).log")
        // artifactctl names a file by the last component of its path.
        let wanted = Parts.title(parts.files[1 + box % (parts.files.count - 1)])
        try await push.waitForLine(containing: "\(wanted): sent", timeout: .seconds(180))
        try await Task.sleep(for: .milliseconds(61 * box + 13 * number))
        await appliance.machine.cutPower()
        await push.stop()
        parts.noteAcknowledged(in: push.log)
        report(box, number, "during a push; \(parts.acknowledged.count) blobs of 12 MB acknowledged")
    }

    /// Its size by the partition table.
    private static func dataPartition(_ disk: URL) async throws -> Int {
        let text = try await CommandRunner.local.run(["sgdisk", "--info=5", disk.path]).standardOutput
        let sectors = try #require(text.firstMatch(of: /Partition size: ([0-9]+) sectors/)?.1)
        return (Int(sectors) ?? 0) / 2048
    }

    private static func report(_ box: Int, _ number: Int, _ text: String) {
        print("power cut \(number) of box \(box): \(text)")
    }
}

/// An artifact of several files that do not compress.
private final class Parts {
    let name: String
    let files: [String]
    private(set) var acknowledged: [String] = []

    var push: [String] { ["push", "\(name):1"] + files }

    private init(name: String, files: [String]) {
        self.name = name
        self.files = files
    }

    static func make(_ count: Int, _ name: String, _ lab: ApplianceLab) async throws -> Parts {
        var files: [String] = []
        for number in 0..<count {
            let path = lab.network.directory.appending(path: "\(name)-\(number)").path
            try await CommandRunner.local.run([
                "dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=12", "status=none",
            ])
            files.append(path)
        }
        return Parts(name: name, files: files)
    }

    static func title(_ file: String) -> String { URL(filePath: file).lastPathComponent }

    func noteAcknowledged(in log: LogFile) {
        acknowledged = files.filter {
            log.text.contains("send \(Self.title($0)): sent")
                || log.text.contains("send \(Self.title($0)): the server has it")
        }
    }

    /// The same push again sends no acknowledged blob, and then every file comes back as it was.
    func requireWhole(in lab: ApplianceLab) async throws {
        let again = try await lab.artifactctl(push)
        #expect(again.succeeded, "\(again)")
        for file in acknowledged {
            #expect(
                again.standardError.contains("send \(Self.title(file)): the server has it"),
                "\(file) is missing:\n\(again)")
        }
        let folder = lab.network.directory.appending(path: "pulled-\(UUID().uuidString)").path
        let pull = try await lab.artifactctl(["pull", "\(name):1", "-o", folder])
        #expect(pull.succeeded, "\(pull)")
        for file in files {
            try await CommandRunner.local.run(["cmp", file, "\(folder)/\(URL(filePath: file).lastPathComponent)"])
        }
    }
}
