package import ArgumentParser
internal import Artifacts
internal import Foundation
internal import Store

/// `provisioner backup DIR`.
package struct BackupCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the data directory, also while the server runs.",
        discussion: """
            The copy is a data directory itself: artifacts, catalog, timelines and keys, as of one moment. The next backup to \
            the same place brings what is new only. Every byte that is copied is compared with its digest; what has rotted is \
            told, and the status is 1. Uploads under way are not copied. KEEP IT AS SAFE AS THE SERVER: it holds its keys.
            """)

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    @Argument(help: "Where to: a directory, on another disk.", completion: .directory)
    var directory: String

    package init() {}

    package func validate() throws {
        guard data.absolute != directory.absolute, !directory.absolute.hasPrefix(data.absolute + "/") else {
            throw ValidationError("'\(directory)' is the data directory, or in it: name another place")
        }
    }

    package func run() throws {
        try DataCopy(from: data.absolute, to: directory.absolute).run()
    }
}

/// `provisioner restore DIR`.
package struct RestoreCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring a backup back into a data directory.",
        discussion: """
            The data directory must not hold a store: move one that is there away first. Stop the server for it. What the \
            backup has lost is told, and marked so that a push mends it; the status is 1 then.
            """)

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    @Argument(help: "The backup.", completion: .directory)
    var directory: String

    package init() {}

    package func run() throws {
        let target = data.absolute
        guard !FileManager.default.fileExists(atPath: target + "/catalog.sqlite") else {
            throw ValidationFailure("\(target) holds a store: move it away first, for nothing here writes over one")
        }
        try DataCopy(from: directory.absolute, to: target, verifiesTarget: true).run()
        if geteuid() == 0 {
            print("restored; give it to the server's user, as: chown -R provisioner:provisioner \(target)")
        }
    }
}

/// `provisioner reindex`.
package struct ReindexCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "reindex", abstract: "Make the catalog anew from the blobs, when it was lost or is damaged.",
        discussion: """
            Stop the server for it. Names and tags come from what can be read of the old catalog, else from names.jsonl beside \
            it; manifests that have no name there are put under 'recovered', by digest. The audit log and the histories of \
            channels are lost. The old catalog is kept as catalog.sqlite.old. Status 1 when blobs are missing.
            """)

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    package init() {}

    package func run() throws {
        let report = try Reindex(data.absolute, clock: { Int64(time(nil)) }).run { count in
            if count.isMultiple(of: 1000) { StandardError.write("\(count) blobs read") }
        }
        print("\(report.blobs) blobs, \(report.manifests) manifests, \(report.tags) tags")
        if let old = report.oldCatalog { print("the old catalog is \(old)") }
        if report.hasLostKeys { print("keys that were added or revoked are lost: add and revoke them again") }
        for digest in report.recovered { print("without a name, now recovered@\(digest)") }
        for digest in report.quarantined { print("rotten, now in quarantine: \(digest)") }
        for (reference, missing) in report.incomplete {
            print("\(reference) lacks \(missing.map(\.description).joined(separator: " ")): push it again")
        }
        guard report.incomplete.isEmpty else { throw ExitCode.failure }
    }
}

/// A copy of all that a data directory holds, told to a person.
private struct DataCopy {
    let source: String
    let target: String
    let verifiesTarget: Bool

    init(from source: String, to target: String, verifiesTarget: Bool = false) {
        self.source = source
        self.target = target
        self.verifiesTarget = verifiesTarget
    }

    func run() throws {
        umask(0o077)
        let copy = StoreCopy(
            from: source, to: target,
            companions: .init(
                databases: ["hosts.sqlite"],
                smallFiles: [
                    "boot-token.key", "boot-pkcs11.crt", "boot.crt", "boot.key", "boot-openpgp.key", "control.crt",
                    "control.key", "operators.json", "names.jsonl",
                ]),
            verifiesTarget: verifiesTarget)
        var told: Int64 = 0
        let report = try copy.run { done, total in
            let percent = total > 0 ? done * 100 / total : 100
            guard percent >= told + 10 else { return }
            told = percent
            StandardError.write("\(percent) % of \(total) bytes")
        }
        print("\(report.copiedCount) blobs of \(report.copiedBytes) bytes copied, \(report.keptCount) were there")
        for blob in report.lost {
            let references = blob.references.map(\.description).joined(separator: " ")
            print(
                "lost: \(blob.digest), \(blob.size) bytes; push again: \(references.isEmpty ? "nothing lists it" : references)"
            )
        }
        guard report.lost.isEmpty else { throw ExitCode.failure }
    }
}

extension String {
    /// Against the working directory when it is relative, without a slash at the end.
    fileprivate var absolute: String { URL(filePath: self).standardizedFileURL.path }
}
