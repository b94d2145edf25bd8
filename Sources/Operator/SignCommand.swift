internal import ArgumentParser
internal import Artifacts
internal import ControlAPI
internal import Trust

/// `artifactctl sign NAME:TAG`.
struct SignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign a version, or hand in signatures that others made.",
        discussion: """
            What is signed is the version's manifest, which lists every file with its digest. Keys stay with ssh-keygen, ssh-agent \
            and minisign. A version in quarantine boots as soon as the site's rules are content.

              artifactctl sign debian-installer:12 --ssh-key ~/.ssh/id_ed25519
              artifactctl sign vyos:1.5 --signature vyos.iso=vyos-1.5.iso.minisig
              artifactctl sign debian-installer:12 --checksums SHA256SUMS --signature SHA256SUMS.sign

            To sign elsewhere, with cosign, openssl or gpg, take the manifest's bytes:

              artifactctl show debian-installer:12 --manifest >manifest.json
              openssl cms -sign -binary -in manifest.json -signer me.crt -inkey me.key -outform PEM -out manifest.cms
              artifactctl sign debian-installer:12 --signature manifest=manifest.cms
            """)

    @OptionGroup var server: ServerOptions

    @OptionGroup(title: "Signatures") var evidence: EvidenceOptions

    @Flag(help: "Print the verdict as JSON.")
    var json = false

    @Argument(help: "The version: NAME:TAG or NAME@sha256:HEX.")
    var reference: String

    func validate() throws {
        do { _ = try Reference(reference) } catch { throw ValidationError("\(error)") }
        if evidence.isEmpty {
            throw ValidationError("say what signs: --ssh-key, --minisign-key, --signature or --checksums")
        }
    }

    func run() async throws {
        let reference = try Reference(reference)
        let draft = try evidence.read()
        let report = try await ControlClient.with(try server.connection()) { client in
            let fetched = try await FetchedRelease.fetch(reference, client)
            try await draft.attach(
                to: fetched.bytes, mediaType: fetched.mediaType, name: reference.name,
                files: fetched.release.files.map(\.path), client)
            return try await client.document(
                VerdictReport.self, "\(ControlPath.verdicts)/\(reference.name)@\(fetched.digest)")
        }
        print(
            json
                ? try OutputFormat.json(report) : "\(reference)\ndigest   \(report.digest)\n\(VerdictText.text(report))"
        )
    }
}
