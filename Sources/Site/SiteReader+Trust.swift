internal import Artifacts
internal import ConfigurationFile
internal import Trust

extension SiteReader {
    /// `trust`: keys, and which signatures artifacts need.
    func readTrust() -> TrustPolicy {
        guard let section = root.section("trust") else { return TrustPolicy() }
        defer { section.finish() }
        let releaseKeys = section.sections("release_keys").compactMap(readReleaseKey)
        let operators = section.sections("operators").compactMap(readOperator)
        let named = readKeys(section)
        var policy = TrustPolicy(keys: named + releaseKeys + operators)
        requireDistinctNames(policy.keys, section)
        policy.rules = section.sections("policies").compactMap(readRule)
        if let rule = readRequireSigned(section, signers: (releaseKeys + operators).map(\.name)) {
            policy.rules.append(rule)
        }
        return policy
    }

    /// `keys`: a name for each, and below it the format with the key itself.
    private func readKeys(_ section: YAMLSection) -> [TrustKey] {
        guard let keys = section.section("keys") else { return [] }
        return keys.keys.compactMap { name, position in
            guard let entry = keys.named(name) else { return nil }
            defer { entry.finish() }
            let formats = SignatureFormat.allCases.filter { entry.has($0.rawValue) }
            let identity = entry.string("identity")
            let keyring = entry.string("keyring")
            let namespaces = entry.has("namespaces") ? entry.strings("namespaces").map(\.text) : nil
            let (after, before) = (readDate(entry, "valid_after"), readDate(entry, "valid_before"))
            let texts = SignatureFormat.allCases.map { entry.string($0.rawValue) }
            guard formats.count == 1, let text = texts.compactMap({ $0 }).first else {
                diagnostics.report(
                    .error, "V61", at: position,
                    "'\(entry.path)' needs one key: \(SignatureFormat.allCases.map(\.rawValue).joined(separator: ", "))"
                )
                return nil
            }
            return readKey(entry, formats[0].rawValue) { () throws(TrustError) in
                try TrustKey(
                    name: name, identity: identity, format: formats[0], text: text,
                    keyring: Array((keyring ?? "").utf8), validAfter: after, validBefore: before,
                    namespaces: namespaces)
            }
        }
    }

    /// A key of those who release: `{id, alg: ed25519, public: RW..., not_after}`, by minisign.
    private func readReleaseKey(_ entry: YAMLSection) -> TrustKey? {
        defer { entry.finish() }
        let name = entry.requiredString("id", "V61", example: "release-2026")
        let algorithm = entry.requiredString("alg", "V61", example: "ed25519")
        let text = entry.requiredString("public", "V61", example: "RW... (the line of the minisign .pub file)")
        let end = readDate(entry, "not_after")
        if let algorithm, algorithm != "ed25519" {
            entry.fail("alg", "V61", "'\(algorithm)' must be ed25519: write keys of other forms under trust.keys")
            return nil
        }
        guard let name, let text, algorithm != nil else { return nil }
        return readKey(entry, "public") { () throws(TrustError) in
            // The day itself is still good.
            try TrustKey(name: name, format: .minisign, text: text, validBefore: end.map { $0 + 86_400 })
        }
    }

    /// Somebody who signs with a key of SSH: `{name, ssh, roles}`.
    private func readOperator(_ entry: YAMLSection) -> TrustKey? {
        defer { entry.finish() }
        let name = entry.requiredString("name", "V61", example: "ops1")
        let text = entry.requiredString("ssh", "V61", example: "ssh-ed25519 AAAA...")
        _ = entry.strings("roles")
        guard let name, let text else { return nil }
        return readKey(entry, "ssh") { () throws(TrustError) in
            try TrustKey(name: name, format: .ssh, text: text)
        }
    }

    private func readKey(_ entry: YAMLSection, _ key: String, _ make: () throws(TrustError) -> TrustKey) -> TrustKey? {
        do throws(TrustError) {
            return try make()
        } catch {
            entry.fail(key, "V61", error.message)
            return nil
        }
    }

    private func requireDistinctNames(_ keys: [TrustKey], _ section: YAMLSection) {
        var seen: Set<String> = []
        for key in keys where !seen.insert(key.name).inserted {
            diagnostics.report(
                .error, "V61", at: section.position, "trust: two keys are called '\(key.name)': rename one")
        }
    }

    private func readRule(_ entry: YAMLSection) -> TrustRule? {
        defer { entry.finish() }
        let names = entry.strings("artifacts").compactMap { text, position -> NamePattern? in
            if let pattern = NamePattern(text) { return pattern }
            diagnostics.report(.error, "V61", at: position, "'\(text)' is not \(NamePattern.forms)")
            return nil
        }
        let paths = entry.strings("paths").compactMap { text, position -> PathPattern? in
            if let pattern = PathPattern(text) { return pattern }
            diagnostics.report(.error, "V61", at: position, "a pattern of paths is expected, such as 'pool/**/*.deb'")
            return nil
        }
        let signers = entry.strings("signers").map(\.text)
        for (key, list) in [("artifacts", entry.strings("artifacts").count), ("signers", signers.count)] where list == 0
        {
            diagnostics.report(
                .error, "V61", at: entry.position,
                "'\(entry.child(key))' is missing: name \(key == "signers" ? "keys or identities" : "artifacts, such as ['*']")"
            )
        }
        let threshold = entry.integer("threshold", in: 1...100) ?? 1
        let age = duration(entry, "max_age", in: 60...3_153_600_000)
        let missing = entry.choice("on_missing", "V61", as: MissingSignature.self) ?? .reject
        guard !names.isEmpty, !signers.isEmpty else { return nil }
        return TrustRule(
            names: names, paths: paths, signers: signers, threshold: threshold, maximumAge: age.map(Int64.init),
            onMissing: missing)
    }

    /// `require_signed.artifacts: true` is one rule for everything. Of the two others, a promise that this version cannot
    /// keep is an error: silence would pass what was never verified.
    private func readRequireSigned(_ section: YAMLSection, signers: [String]) -> TrustRule? {
        guard let required = section.section("require_signed") else { return nil }
        defer { required.finish() }
        for key in ["site", "update"] where required.boolean(key) == true {
            required.fail(
                key, "V61",
                "this version verifies signatures of artifacts only, and will not promise more: set it to false")
        }
        guard required.boolean("artifacts") == true else { return nil }
        guard !signers.isEmpty else {
            required.fail(
                "artifacts", "V61",
                "nobody could sign: list release_keys or operators, or write rules under trust.policies")
            return nil
        }
        return TrustRule(names: [.all], signers: signers)
    }

    private func readDate(_ section: YAMLSection, _ key: String) -> Int64? {
        guard let text = section.string(key) else { return nil }
        guard let seconds = TrustDate.seconds(text) else {
            section.fail(key, "V61", "'\(text)' must be a date such as 2027-12-31, in UTC")
            return nil
        }
        return seconds
    }
}
