import Artifacts
import ConfigurationFile
import Site
import Testing
import Trust

/// V61: keys, and which signatures artifacts need.
@Suite struct TrustSectionTests {
    private static let minisign = "RWSkb2hM8ZfWVTBbPfA/zxpAgV7kkpae6gUuYQEGWwai1awvfkMW/KRr"
    private static let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKG93PPg45d7DXYPitnkh0uak6WGm22SRIzCWU673o8i"

    private static func bad(_ name: String, _ hint: String, _ trust: String) -> BadSite {
        BadSite(name, "V61", hint, replacing: "authority:\n", with: "trust: \(trust)\nauthority:\n")
    }

    private static func badKey(_ name: String, _ hint: String, _ key: String) -> BadSite {
        bad(name, hint, "{keys: {k: {\(key)}}}")
    }

    private static func badRule(_ name: String, _ hint: String, _ rule: String) -> BadSite {
        bad(name, hint, "{policies: [\(rule)]}")
    }

    @Test(arguments: [
        badKey("no minisign key", "it is no minisign public key", "▶minisign: RWQ"),
        badKey("no SSH key", "it is no SSH public key", "▶ssh: AAAA"),
        badKey(
            "an SSH key of another type", "'ecdsa-sha2-nistp256'",
            "▶ssh: \"ecdsa-sha2-nistp256 \(ssh.split(separator: " ")[1])\""),
        badKey("no PEM", "it is no PEM public key", "▶cosign: \(minisign)"),
        badKey("no certificate", "it is no PEM certificate", "▶x509: \(minisign)"),
        badKey("a short key ID", "a short key ID is not safe", "▶openpgp: DA87E80D6294BE9B"),
        badKey(
            "no keyring", "the keyring is no OpenPGP certificate",
            "▶openpgp: DF9B9C49EAA9298432589D76DA87E80D6294BE9B, keyring: x"),
        badKey("no date", "must be a date", "minisign: \(minisign), ▶valid_after: tomorrow"),
        badKey("a day that is none", "must be a date", "minisign: \(minisign), ▶valid_before: 2027-02-30"),
        badKey(
            "valid never", "it ends before it begins",
            "▶minisign: \(minisign), valid_after: 2027-01-02, valid_before: 2027-01-01"),
        badKey("namespaces of minisign", "namespaces belong to SSH keys", "▶minisign: \(minisign), namespaces: [file]"),
        bad("two forms", "needs one key", "{keys: {▶k: {minisign: \(minisign), ssh: \"\(ssh)\"}}}"),
        bad("no form", "needs one key", "{keys: {▶k: {identity: me}}}"),
        bad(
            "two of a name", "two keys are called 'k'",
            "▶{keys: {k: {minisign: \(minisign)}}, operators: [{name: k, ssh: \"\(ssh)\"}]}"),
        bad("another algorithm", "must be ed25519", "{release_keys: [{id: k, ▶alg: rsa, public: \(minisign)}]}"),
        bad(
            "no key of a releaser", "it is no minisign public key",
            "{release_keys: [{id: k, alg: ed25519, ▶public: x}]}"),
        bad("nobody may sign", "nobody could sign", "{require_signed: {▶artifacts: true}}"),
    ])
    func refusesKeys(_ site: BadSite) throws { try site.check() }

    @Test(arguments: [
        badRule("no artifacts", "name artifacts", "▶{signers: [k]}"),
        badRule("no signers", "name keys or identities", "▶{artifacts: [\"*\"]}"),
        badRule("no pattern", "is not one name", "{artifacts: [▶\"debian-*\"], signers: [k]}"),
        badRule("no word for it", "must be one of", "{artifacts: [\"*\"], signers: [k], ▶on_missing: maybe}"),
    ])
    func refusesRules(_ site: BadSite) throws { try site.check() }

    @Test func tellsOfASignerThatIsNoKeyOfTheFile() {
        let text = BaseSite.text.replacing(
            "authority:\n",
            with: "trust: {policies: [{artifacts: [\"*\"], signers: [debian-archive-12]}]}\nauthority:\n")
        let reading = BaseSite.parse(text)
        #expect(reading.site != nil)
        let notes = reading.diagnostics.filter { $0.code == "V61" }
        #expect(notes.map(\.severity) == [.info] && notes[0].message.contains("'debian-archive-12' is no key"))
    }

    @Test func readsEveryKeyOfARule() throws {
        let text = BaseSite.text.replacing(
            "authority:\n",
            with: """
                trust:
                  keys:
                    alice: {ssh: "\(Self.ssh)", identity: alice@example.net, valid_after: 2026-01-01, namespaces: [file]}
                    vyos: {minisign: \(Self.minisign)}
                  policies:
                    - {artifacts: [vyos, "debian/*"], paths: ["**/*.iso"], signers: [vyos, "*@example.net"], threshold: 2, max_age: 30d, on_missing: quarantine}
                authority:

                """)
        let reading = BaseSite.parse(text)
        let trust = try #require(reading.site, "\(reading.diagnostics)").trust
        #expect(trust.keys.map(\.identity) == ["alice@example.net", "vyos"])
        #expect(trust.keys[0].validAfter == TrustDate.seconds("20260101"))
        #expect(trust.keys[0].namespaces == ["file"])
        let rule = try #require(trust.rules.first)
        #expect(rule.names.map(\.description) == ["vyos", "debian/*"])
        #expect(rule.paths.map(\.description) == ["**/*.iso"])
        #expect(rule.threshold == 2 && rule.maximumAge == 30 * 86_400 && rule.onMissing == .quarantine)
        #expect(trust.keys.allSatisfy(rule.accepts))
    }
}
