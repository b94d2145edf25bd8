import Foundation
import TestSupport
import Testing

/// Twenty power cuts: ten boxes lose power during their first start, and again during a push. Every following start is
/// healthy, and what was acknowledged is there.
///
/// QEMU is killed: the guest loses its memory, and its disk keeps what the guest has given it.
@Suite(.serialized)
struct PowerCutTests {
    /// Seconds after switching on: loader, kernel, initramfs, growth of the data partition, first start of the services.
    static let moments: [Double] = [5, 8, 11, 14, 16, 18, 20, 23, 26, 30]

    @Test(arguments: moments.indices)
    func everyStartAfterAPowerCutIsHealthy(_ index: Int) async throws {
        try Requirement.demand(ApplianceLab.requirements)
        let image = try ApplianceImage.built()
        try await ApplianceLab.with { lab in
            let name = "cut-\(index)"
            let disk = try await image.flash(in: lab.network.directory, name: name, files: GuestSite.files)

            let first = try await lab.start(disk, name: "\(name)-first")
            try await Task.sleep(for: .seconds(Self.moments[index]))
            await first.machine.cutPower()
            Self.report(
                "cut \(2 * index + 1) after \(Self.moments[index]) s of the first start, after: \(Self.lastLine(first))"
            )

            let second = try await lab.start(disk, name: "\(name)-second")
            try await second.waitUntilServing()
            try await second.logIn()
            let parts = try await Self.makeParts(lab)
            let kept = try await lab.artifactctl(["push", "kept:1", parts[0]])
            #expect(kept.succeeded, "\(kept)")
            let arguments = ["push", "large:1"] + parts
            let push = try await lab.startArtifactctl(arguments, log: "push.log")
            // A different moment of the push for each box: after its k-th blob, and a little into the next.
            let wanted = index % parts.count + 1
            try await push.waitForLine(
                containing: "\(parts[wanted - 1]): \(wanted == 1 ? "the server has it" : "sent")",
                timeout: .seconds(180))
            try await Task.sleep(for: .milliseconds(37 * index))
            await second.machine.cutPower()
            await push.stop()
            let acknowledged = parts.filter { push.log.text.contains("\($0): sent") }
            Self.report("cut \(2 * index + 2) during a push, \(acknowledged.count) blobs acknowledged")

            let third = try await lab.start(disk, name: "\(name)-third")
            try await third.waitUntilServing()
            let again = try await lab.artifactctl(arguments)
            #expect(again.succeeded, "\(again)")
            for part in acknowledged + [parts[0]] {
                #expect(again.standardError.contains("\(part): the server has it"), "\(part) is missing:\n\(again)")
            }
            for artifact in ["kept:1", "large:1"] {
                let pulled = lab.network.directory.appending(path: "pulled-\(artifact.prefix(4))").path
                let pull = try await lab.artifactctl(["pull", artifact, "-o", pulled])
                #expect(pull.succeeded, "\(pull)")
            }
            for part in parts {
                let file = URL(filePath: part).lastPathComponent
                let pulled = lab.network.directory.appending(path: "pulled-larg/\(file)").path
                try await CommandRunner.local.run(["cmp", part, pulled])
            }
        }
    }

    private static func makeParts(_ lab: ApplianceLab) async throws -> [String] {
        var parts: [String] = []
        for number in 0..<6 {
            let path = lab.network.directory.appending(path: "part-\(number)").path
            try await CommandRunner.local.run([
                "dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=12", "status=none",
            ])
            parts.append(path)
        }
        return parts
    }

    private static func lastLine(_ box: Appliance) -> String {
        let line = box.machine.serial.tail(1)
        return line.isEmpty ? "no word" : String(line.prefix(100))
    }

    private static func report(_ text: String) { print("power cuts: \(text)") }
}
