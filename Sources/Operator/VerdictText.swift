internal import ControlAPI
internal import Trust

/// A verdict for people.
enum VerdictText {
    /// One line: the outcome and the first reason.
    static func line(_ report: VerdictReport) -> String {
        guard let verdict = report.verdict else { return "still to be verified" }
        let first = verdict.reasons.first.map { ": \($0)" } ?? ""
        return title(verdict.outcome) + first
    }

    static func text(_ report: VerdictReport) -> String {
        guard let verdict = report.verdict else { return "its signatures are still to be verified" }
        var lines = ["verdict  \(title(verdict.outcome))"]
        lines += verdict.reasons.map { "         \($0)" }
        lines.append("checked  \(TrustDate.text(verdict.checkedAt))")
        if let end = verdict.validUntil { lines.append("until    \(TrustDate.text(end))") }
        guard !verdict.signatures.isEmpty else { return lines.joined(separator: "\n") }
        lines.append("")
        lines.append(
            OutputFormat.table(
                ["SIGNED BY", "FORMAT", "OVER", "FILES", "SIGNED", "RECEIVED", "VERIFIED WITH", "STANDING"],
                verdict.signatures.map { signature in
                    [
                        signature.identity ?? signature.key ?? "unknown", signature.format.rawValue, signature.target,
                        "\(signature.files)", signature.signedAt.map(TrustDate.text) ?? "-",
                        TrustDate.text(signature.receivedAt), signature.tool, signature.fault ?? "good",
                    ]
                }))
        for signature in verdict.signatures {
            if let key = signature.key, let fingerprint = signature.fingerprint {
                lines.append("key \(key)  \(fingerprint)  evidence \(signature.evidence)")
            }
            lines += signature.notes.map { "note: \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    private static func title(_ outcome: Verdict.Outcome) -> String {
        switch outcome {
        case .unrestricted: "unrestricted: no rule of the site asks for signatures"
        case .trusted: "trusted"
        case .warned: "warned: it boots, though signatures are missing"
        case .quarantined: "quarantined: it does not boot until it is signed"
        case .rejected: "rejected: it does not boot"
        }
    }
}
