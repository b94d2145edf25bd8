package import Artifacts

extension TrustBasis {
    /// Judges a version by what its signatures turned out to be.
    /// `now`: seconds since 1970.
    package func verdict(
        on name: ArtifactName, files: FileList, findings: [SignatureFinding], now: Int64
    ) -> Verdict {
        let rules = rules(for: name)
        guard !rules.isEmpty else { return Verdict(outcome: .unrestricted, checkedAt: now) }
        let findings = findings.map(withStanding)
        var failures: [(rule: TrustRule?, reason: String)] = []
        var reasons: [String] = []
        var lapses: [Int64] = []
        for rule in rules {
            let judgement = judge(rule, files, findings, now)
            lapses += judgement.lapses
            if judgement.reasons.isEmpty {
                reasons.append("\(Self.title(rule)): signed by \(judgement.signers.sorted().joined(separator: ", "))")
            } else {
                failures += judgement.reasons.map { (rule, $0) }
            }
        }
        let orphans = files.map(\.path).filter { path in !rules.contains { $0.covers(path) } }
        if let first = orphans.first {
            failures.append((nil, "no rule speaks of '\(first)'\(Self.more(orphans.count))"))
        }
        let outcome: Verdict.Outcome
        if failures.isEmpty {
            outcome = .trusted
        } else {
            // The strictest of those that are not content; what no rule speaks of is for the strictest of all.
            let strict = failures.flatMap { failure in failure.rule.map { [$0.onMissing] } ?? rules.map(\.onMissing) }
            outcome =
                strict.contains(.reject) ? .rejected : strict.contains(.quarantine) ? .quarantined : .warned
            reasons = failures.map(\.reason) + Self.unheard(findings, rules)
        }
        return Verdict(
            outcome: outcome, reasons: reasons, signatures: findings.map { Self.shown($0, files) }, checkedAt: now,
            validUntil: lapses.min())
    }

    /// A finding with what is known of its key: revoked, or not valid when it came in.
    private func withStanding(_ finding: SignatureFinding) -> SignatureFinding {
        guard finding.fault == nil, let key = finding.key else { return finding }
        var finding = finding
        if let revocation = revocation(of: key) {
            finding.fault =
                "its key '\(key.name)' was revoked on \(TrustDate.text(revocation.revokedAt)): \(revocation.reason)"
        } else {
            finding.fault = key.validityFault(at: finding.receivedAt)
        }
        return finding
    }

    private struct Judgement {
        var reasons: [String] = []
        var signers: Set<String> = []
        var lapses: [Int64] = []
    }

    private func judge(_ rule: TrustRule, _ files: FileList, _ findings: [SignatureFinding], _ now: Int64) -> Judgement
    {
        var judgement = Judgement()
        var fresh: [(identity: String, coverage: SignatureFinding.Coverage)] = []
        var old: [String] = []
        for finding in findings where finding.fault == nil {
            guard let key = finding.key, rule.accepts(key) else { continue }
            if let age = rule.maximumAge {
                let end = (finding.signedAt ?? finding.receivedAt).addingReportingOverflow(age).partialValue
                guard now < end else {
                    old.append(key.name)
                    continue
                }
                judgement.lapses.append(end)
            }
            fresh.append((key.identity, finding.coverage))
        }
        func signers(_ isMeant: (SignatureFinding.Coverage) -> Bool) -> Set<String> {
            Set(fresh.filter { isMeant($0.coverage) }.map(\.identity))
        }
        let ofAll = signers { $0 == .everything }
        judgement.signers = ofAll
        guard ofAll.count < rule.threshold else { return judgement }
        var lacking: [ArtifactPath] = []
        var isAny = false
        for (path, _) in files where rule.covers(path) {
            isAny = true
            let signers = signers { $0.contains(path) }
            if signers.count < rule.threshold { lacking.append(path) } else { judgement.signers.formUnion(signers) }
        }
        // A version without files is its manifest.
        guard !lacking.isEmpty || !isAny && rule.paths.isEmpty else { return judgement }
        let what = lacking.first.map { "'\($0)'\(Self.more(lacking.count))" } ?? "the manifest"
        var reason =
            "\(Self.title(rule)): \(what) needs \(rule.threshold) of \(rule.signers.joined(separator: ", "))"
        let unknown = rule.signers.filter { signer in
            !keys.contains { $0.name == signer || TrustRule(names: [], signers: [signer]).accepts($0) }
        }
        if !unknown.isEmpty { reason += "; no key here is \(unknown.joined(separator: ", "))" }
        if !old.isEmpty { reason += "; older than the rule allows: \(old.joined(separator: ", "))" }
        judgement.reasons = [reason]
        return judgement
    }

    private static func title(_ rule: TrustRule) -> String {
        "rule for \(rule.names.map(\.description).joined(separator: ", "))"
    }

    private static func more(_ count: Int) -> String {
        switch count {
        case 1: ""
        case 2: " and one more file"
        default: " and \(count - 1) more files"
        }
    }

    /// What was there and did not count.
    private static func unheard(_ findings: [SignatureFinding], _ rules: [TrustRule]) -> [String] {
        var lines: [String] = []
        for finding in findings {
            let who = finding.key.map { " by '\($0.name)'" } ?? ""
            let what = "the \(finding.format.rawValue) signature\(who) over \(finding.target)"
            if let fault = finding.fault {
                lines.append("\(what) does not count: \(fault)")
            } else if let key = finding.key, !rules.contains(where: { $0.accepts(key) }) {
                lines.append("\(what) is good, and no rule asks for it")
            }
            lines += finding.notes.prefix(5)
        }
        return lines.isEmpty ? ["there is no signature"] : lines
    }

    private static func shown(_ finding: SignatureFinding, _ files: FileList) -> Verdict.Signature {
        let count =
            switch finding.coverage {
            case .everything: files.count
            case .paths(let paths): paths.count
            }
        return Verdict.Signature(
            evidence: finding.evidence, format: finding.format, key: finding.key?.name,
            identity: finding.key?.identity, fingerprint: finding.key?.fingerprint, target: finding.target,
            files: finding.fault == nil ? count : 0, signedAt: finding.signedAt, receivedAt: finding.receivedAt,
            tool: finding.tool, fault: finding.fault, notes: Array(finding.notes.prefix(20)))
    }
}
