import Artifacts
import Boot
import Site
import Testing

/// Every way from a known machine to its answer.
@Suite struct BootDeciderTests {
    private static func decide(
        _ mac: String, without missing: Set<String> = [], installed: Set<String> = [],
        changing change: (inout Site) -> Void = { _ in }
    ) throws -> BootDecision {
        var site = try LabSite.site()
        change(&site)
        return try BootDecider(site, without: missing, installed: installed).decide(BootRequest(mac: LabSite.mac(mac)))
    }

    private static let hv01 = "52:54:00:00:01:01"
    private static let hv02 = "52:54:00:00:02:01"

    @Test func bootsAssignedOnce() throws {
        let decision = try Self.decide(Self.hv01)
        let plan = try #require(decision.plan)
        #expect(decision.host == "hv01")
        #expect(decision.substrate == "lab")
        #expect(plan.host == "hv01" && plan.profile == "debian" && plan.frequency == .once)
        #expect(plan.kernel.reference.description == "debian:12.11/install.amd/vmlinuz")
        #expect(plan.kernel.file.digest == SHA256.digest(of: "debian:12.11/install.amd/vmlinuz".utf8))
        #expect(plan.initrds.map(\.reference.description) == ["debian:12.11/install.amd/initrd.gz"])
        #expect(plan.answer?.reference.description == "answers:1/preseed.cfg")
        #expect(plan.arguments.count == 5)
        #expect(
            decision.reasons == [
                "MAC 52:54:00:00:01:01 is host hv01", "hv01 is assigned profile debian, boot: once",
                "every file of profile debian is there",
            ])
    }

    @Test func bootsByEveryInterfaceOfAHost() throws {
        #expect(try Self.decide("52:54:00:00:01:02").plan == Self.decide(Self.hv01).plan)
    }

    @Test func doesNotInstallAnInstalledMachineAgain() throws {
        let decision = try Self.decide(Self.hv01, installed: ["hv01"])
        #expect(decision.outcome == .localDisk)
        #expect(decision.reason.contains("artifactctl host arm hv01"))
    }

    @Test func anotherHostsInstallationSaysNothing() throws {
        #expect(try Self.decide(Self.hv01, installed: ["hv02", "HV01", ""]).plan != nil)
    }

    @Test func bootsAlwaysWhetherInstalledOrNot() throws {
        let plan = try #require(try Self.decide(Self.hv02).plan)
        #expect(plan.frequency == .always)
        #expect(plan.initrds.map(\.reference.description) == ["ucode:7/intel.cpio", "rescue:1/initrd.img"])
        #expect(try Self.decide(Self.hv02, installed: ["hv02"]).plan == plan)
    }

    @Test func assignedLocalBootsItsDisk() throws {
        let decision = try Self.decide("52:54:00:00:03:01")
        #expect(decision.outcome == .localDisk)
        #expect(decision.reason == "hv03 is assigned 'boot: local'")
    }

    @Test func unassignedBootsItsDisk() throws {
        let decision = try Self.decide("52:54:00:00:04:01")
        #expect(decision.host == "hv04")
        #expect(decision.outcome == .localDisk)
        #expect(decision.reason.contains("no profile is assigned to hv04"))
    }

    @Test func holdsForAnArtifactThatIsNotPublished() throws {
        let decision = try Self.decide(Self.hv01, without: ["debian:12.11"])
        #expect(decision.outcome == .hold(seconds: 10))
        #expect(decision.reason == "profile debian cannot be served: debian:12.11 is not published")
    }

    @Test(arguments: [
        ("debian:12.11/install.amd/vmlinuz", "debian:12.11 has no file 'install.amd/vmlinuz'"),
        ("debian:12.11/install.amd/initrd.gz", "debian:12.11 has no file 'install.amd/initrd.gz'"),
        ("answers:1/preseed.cfg", "answers:1 has no file 'preseed.cfg'"), ("answers:1", "answers:1 is not published"),
    ])
    func holdsForAMissingFileAndNamesIt(_ missing: String, _ expected: String) throws {
        let decision = try Self.decide(Self.hv01, without: [missing])
        #expect(decision.outcome == .hold(seconds: BootDecider.holdSeconds))
        #expect(decision.reason == "profile debian cannot be served: \(expected)")
    }

    @Test func namesEverythingThatIsMissing() throws {
        let decision = try Self.decide(Self.hv02, without: ["ucode:7", "rescue:1/linux"])
        #expect(
            decision.reason
                == "profile rescue cannot be served: rescue:1 has no file 'linux'; ucode:7 is not published")
    }

    @Test func anInstalledMachineIsNotHeld() throws {
        #expect(try Self.decide(Self.hv01, without: ["debian:12.11"], installed: ["hv01"]).outcome == .localDisk)
    }

    @Test func refusesDiskImages() throws {
        let decision = try Self.decide(Self.hv02) { site in
            for index in site.assignments.indices { site.assignments[index].profile = "pi" }
        }
        #expect(decision.outcome == .refuse)
        #expect(decision.reason == "profile pi is a disk image, which this version cannot boot")
    }

    @Test func sameQuestionSameAnswer() throws {
        #expect(try Self.decide(Self.hv01) == Self.decide(Self.hv01))
    }

    @Test func answersWithTheSubstrateThatTheRequestCameFrom() throws {
        let decider = try BootDecider(try LabSite.site())
        func substrate(_ mac: String?, _ address: String?) throws -> String? {
            let request = BootRequest(mac: try mac.map(LabSite.mac), address: address.flatMap { IPv4Address($0) })
            return decider.decide(request).substrate
        }
        #expect(try substrate(Self.hv01, "10.20.99.150") == "lab")
        #expect(try substrate(nil, "10.20.99.150") == "lab")
        // The only substrate there is, where nothing says otherwise.
        #expect(try substrate(nil, nil) == "lab")
    }
}
