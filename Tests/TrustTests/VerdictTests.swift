import Artifacts
import Foundation
import Testing

@testable import Trust

@Suite struct VerdictTests {
    private static let keys: [TrustKey] = {
        // Three keys of two people: their text alone counts here.
        let lines = [
            "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
            "RWSIhkR/dkM2DSaBRniv/bbbAf8hmDqdbOEmgXkf1RxRoxzodgKcDyGq",
            "RWSkb2hM8ZfWVTBbPfA/zxpAgV7kkpae6gUuYQEGWwai1awvfkMW/KRr",
        ]
        return zip(["a1", "a2", "b"], lines).compactMap { name, line in
            try? TrustKey(
                name: name, identity: name == "b" ? "bob@x.net" : "alice@example.net", format: .minisign, text: line)
        }
    }()
    private let name: ArtifactName
    private let files: FileList

    init() throws {
        name = try ArtifactName("debian/12")
        files = try FileList(
            FilePage(
                ["boot/linux", "boot/initrd", "answer"].map {
                    (try ArtifactPath($0), ReleaseFile(digest: .empty, size: 0))
                }))
        #expect(Self.keys.count == 3)
    }

    private func finding(
        _ key: Int, _ paths: [String]? = nil, received: Int64 = 1000, signed: Int64? = nil, fault: String? = nil
    ) throws -> SignatureFinding {
        var finding = SignatureFinding(
            evidence: .empty, format: .minisign, key: Self.keys[key], target: "the manifest", signedAt: signed,
            receivedAt: received, tool: "t", fault: fault)
        finding.coverage = try paths.map { .paths(Set(try $0.map { try ArtifactPath($0) })) } ?? .everything
        return finding
    }

    private func verdict(
        _ rules: [TrustRule], _ findings: [SignatureFinding], revoked: [Revocation] = [], now: Int64 = 2000,
        files: FileList? = nil, keys: [TrustKey] = VerdictTests.keys
    ) -> Verdict {
        TrustBasis(policy: TrustPolicy(keys: keys, rules: rules), revocations: revoked)
            .verdict(on: name, files: files ?? self.files, findings: findings, now: now)
    }

    private func rule(
        _ signers: [String], _ threshold: Int = 1, paths: [String] = [], age: Int64? = nil,
        else missing: MissingSignature = .reject
    ) -> TrustRule {
        TrustRule(
            names: [NamePattern("debian/*") ?? .all], paths: paths.compactMap(PathPattern.init), signers: signers,
            threshold: threshold, maximumAge: age, onMissing: missing)
    }

    @Test func aNameWithoutARuleIsNotRestricted() {
        var other = rule(["b"])
        other.names = NamePattern("ubuntu").map { [$0] } ?? []
        #expect(verdict([other], []).outcome == .unrestricted)
        #expect(verdict([], []).mayBoot)
    }

    @Test func identitiesAreCountedAndNotKeys() throws {
        let rule = rule(["a1", "a2", "b"], 2)
        #expect(verdict([rule], [try finding(0), try finding(1)]).outcome == .rejected)
        #expect(verdict([rule], [try finding(0), try finding(2)]).outcome == .trusted)
        #expect(verdict([self.rule(["*@example.net"])], [try finding(1)]).outcome == .trusted)
        #expect(verdict([self.rule(["*@example.net"])], [try finding(2)]).outcome == .rejected)
    }

    @Test func everyFileNeedsItsSigners() throws {
        let whole = [try finding(0, ["boot/linux", "boot/initrd"]), try finding(2, ["answer"])]
        #expect(verdict([rule(["a1", "b"])], whole).outcome == .trusted)
        let partial = verdict([rule(["a1"])], whole)
        #expect(partial.outcome == .rejected)
        #expect(partial.explanation.contains("'answer' needs 1 of a1"), "\(partial.explanation)")
        let rules = [rule(["a1"], paths: ["boot/**"]), rule(["b"], paths: ["answer"])]
        #expect(verdict(rules, whole).outcome == .trusted)
        let orphan = verdict([rules[0]], whole)
        #expect(orphan.outcome == .rejected && orphan.explanation.contains("no rule speaks of 'answer'"))
        // Every rule that fits counts.
        #expect(verdict(rules + [rule(["b"])], whole).outcome == .rejected)
    }

    @Test(arguments: [
        ([MissingSignature.warn], Verdict.Outcome.warned), ([.quarantine], .quarantined),
        ([.warn, .quarantine], .quarantined),
        ([.quarantine, .reject, .warn], .rejected),
    ])
    func theStrictestRuleThatIsNotContentDecides(_ missing: [MissingSignature], _ outcome: Verdict.Outcome) {
        #expect(verdict(missing.map { rule(["b"], else: $0) }, []).outcome == outcome)
    }

    @Test func aRuleThatIsContentIsNoReasonToReject() throws {
        let rules = [rule(["b"], else: .reject), rule(["a1"], else: .warn)]
        #expect(verdict(rules, [try finding(2)]).outcome == .warned)
    }

    @Test func ageIsCountedFromTheSignersTimeElseFromOurs() throws {
        let rule = rule(["b"], age: 100)
        for (signed, end) in [(Int64?.none, Int64(1100)), (900, 1000)] {
            let findings = [try finding(2, signed: signed)]
            let good = verdict([rule], findings, now: end - 1)
            #expect(good.outcome == .trusted && good.validUntil == end)
            let old = verdict([rule], findings, now: end)
            #expect(old.outcome == .rejected && old.explanation.contains("older than the rule allows: b"))
        }
    }

    @Test func aKeyIsValidWhenItsSignatureCameIn() throws {
        let key = try TrustKey(
            name: "b", format: .minisign, text: Self.keys[2].text, validAfter: 1000, validBefore: 2000)
        for (received, isGood) in [(Int64(999), false), (1000, true), (1999, true), (2000, false)] {
            var finding = try finding(2, received: received)
            finding.key = key
            let verdict = verdict([rule(["b"])], [finding], now: 5000, keys: [key])
            #expect((verdict.outcome == .trusted) == isGood, "\(received)")
        }
    }

    @Test func aRevokedKeyCountsForNothing() throws {
        let revocation = Revocation(
            format: .minisign, fingerprint: Self.keys[2].fingerprint, revokedAt: 500, reason: "lost")
        let verdict = verdict([rule(["b"])], [try finding(2)], revoked: [revocation])
        #expect(verdict.outcome == .rejected)
        #expect(verdict.explanation.contains("its key 'b' was revoked on 1970-01-01T00:08:20Z: lost"))
        #expect(verdict.signatures.first?.fault != nil && verdict.signatures.first?.files == 0)
    }

    @Test func everyReasonIsTold() throws {
        let findings = [try finding(2, fault: "the signature is not of these bytes"), try finding(1)]
        let text = verdict([rule(["b", "nobody"])], findings).explanation
        for words in [
            "'answer' and 2 more files needs 1 of b, nobody", "no key here is nobody",
            "by 'b' over the manifest does not count: the signature is not of these bytes",
            "by 'a2' over the manifest is good, and no rule asks for it",
        ] { #expect(text.contains(words), "\(words) is not in: \(text)") }
        #expect(verdict([rule(["b"])], []).explanation.contains("there is no signature"))
    }

    @Test func aVersionWithoutFilesIsItsManifest() throws {
        let none = try FileList(FilePage([]))
        #expect(verdict([rule(["b"])], [try finding(2)], files: none).outcome == .trusted)
        #expect(verdict([rule(["b"])], [], files: none).outcome == .rejected)
        #expect(verdict([rule(["b"])], [try finding(2, [])], files: none).outcome == .rejected)
    }

    @Test func aBasisIsAnotherWhenWhatANameRestsOnIs() throws {
        func digest(_ rules: [TrustRule], _ keys: [TrustKey], _ revoked: [Revocation] = []) -> Digest {
            TrustBasis(policy: TrustPolicy(keys: keys, rules: rules), revocations: revoked).digest(for: name)
        }
        let base = digest([rule(["b"])], Self.keys)
        #expect(digest([rule(["b"])], [Self.keys[2]]) == base, "keys that no rule accepts do not matter")
        #expect(digest([], Self.keys) == .empty)
        let revocation = Revocation(format: .minisign, fingerprint: Self.keys[2].fingerprint, revokedAt: 1, reason: "x")
        let other = try TrustKey(name: "b", format: .minisign, text: Self.keys[0].text)
        for changed in [
            digest([rule(["b"], 2)], Self.keys), digest([rule(["b", "a1"])], Self.keys),
            digest([rule(["b"], else: .warn)], Self.keys), digest([rule(["b"], age: 9)], Self.keys),
            digest([rule(["b"], paths: ["x"])], Self.keys), digest([rule(["b"])], Self.keys, [revocation]),
            digest([rule(["b"])], [other]),
        ] { #expect(changed != base) }
    }

    @Test func aVerdictSurvivesJSON() throws {
        let verdict = verdict([rule(["b"], age: 5000)], [try finding(2, signed: 900)])
        let copy = try JSONDecoder().decode(Verdict.self, from: JSONEncoder().encode(verdict))
        #expect(copy == verdict && copy.validUntil == 5900)
    }
}
