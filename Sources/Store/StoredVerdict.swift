internal import Artifacts
internal import FoundationEssentials
internal import GRDB
internal import Trust

/// A verdict as the catalog keeps it.
struct StoredVerdict {
    let verdict: Verdict
    /// The rules and keys that it was made on: `TrustBasis.digest(for:)`.
    let basis: Digest

    /// Whether it is still the answer.
    func holds(on basis: Digest, now: Int64) -> Bool {
        self.basis == basis && (verdict.validUntil.map { now < $0 } ?? true)
    }

    private init?(_ row: Row) {
        guard let basis = try? Digest(hex: row["basis"] as String),
            let verdict = try? JSONDecoder().decode(Verdict.self, from: Data((row["document"] as String).utf8))
        else { return nil }
        (self.verdict, self.basis) = (verdict, basis)
    }

    init(verdict: Verdict, basis: Digest) { (self.verdict, self.basis) = (verdict, basis) }

    /// Those of a name, by manifest. One that cannot be read is none: it is made anew.
    static func all(_ database: Database, _ name: ArtifactName) throws -> [Digest: StoredVerdict] {
        guard try database.tableExists("verdict") else { return [:] }
        var verdicts: [Digest: StoredVerdict] = [:]
        let rows = try Row.fetchCursor(
            database, sql: "SELECT * FROM verdict WHERE name = ?", arguments: [name.description])
        while let row = try rows.next() {
            guard let digest = try? Digest(hex: row["digest"] as String), let stored = StoredVerdict(row) else {
                continue
            }
            verdicts[digest] = stored
        }
        return verdicts
    }

    static func one(_ database: Database, _ name: ArtifactName, _ digest: Digest) throws -> StoredVerdict? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM verdict WHERE name = ? AND digest = ?",
            arguments: [name.description, digest.column]
        ).flatMap(StoredVerdict.init)
    }

    func write(_ database: Database, _ name: ArtifactName, _ digest: Digest) throws {
        let document = String(decoding: try JSONEncoder().encode(verdict), as: UTF8.self)
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO verdict (name, digest, basis, document, valid_until) VALUES (?, ?, ?, ?, ?)
                """, arguments: [name.description, digest.column, basis.column, document, verdict.validUntil])
    }
}

extension Verdict {
    /// What machines are told where they are not given the version.
    var withholding: Withholding? {
        guard !mayBoot else { return nil }
        // The reasons are for operators, who ask for the verdict.
        return outcome == .quarantined
            ? Withholding("it is in quarantine until it is signed as the site asks")
            : Withholding("it is not signed as the site asks")
    }
}

extension Withholding {
    /// Published, and not judged yet.
    static let unjudged = Withholding("its signatures have not been verified yet")
    /// A signature or the like, which nobody boots.
    static let attached = Withholding("it is attached to another version")
}
