internal import ConfigurationFile
internal import Trust

extension SiteRules {
    /// V61: a rule may name keys that are added to the server, or come with it. A misspelt one would never be content.
    func checkTrust() {
        for rule in site.trust.rules {
            for signer in rule.signers {
                let alone = TrustRule(names: [], signers: [signer])
                guard !site.trust.keys.contains(where: alone.accepts) else { continue }
                diagnostics.report(
                    .info, "V61", path: "trust.policies",
                    "trust.policies: '\(signer)' is no key of this file: it counts when 'artifactctl trust ls' lists it"
                )
            }
        }
    }
}
