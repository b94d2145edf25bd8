internal import Artifacts
internal import FoundationEssentials
internal import GRDB
internal import Trust

/// Rules and keys as they stand: those of the site file, and what operators added and revoked.
struct TrustState: Sendable {
    var policy: TrustPolicy { didSet { basis = makeBasis() } }
    /// Keys that come with this program: any rule may name them.
    let packaged: [TrustKey]
    var added: [AddedKey] { didSet { basis = makeBasis() } }
    var revocations: [Revocation] { didSet { basis = makeBasis() } }
    /// All of it together: asked for often, and changed seldom.
    private(set) var basis = TrustBasis(policy: TrustPolicy())

    /// A catalog of an earlier version has no keys.
    init(policy: TrustPolicy, packaged: [TrustKey], _ database: Database) throws {
        self.policy = policy
        self.packaged = packaged
        guard try database.tableExists("trust_key") else {
            (added, revocations) = ([], [])
            basis = makeBasis()
            return
        }
        added = try Row.fetchAll(database, sql: "SELECT * FROM trust_key ORDER BY name").map(AddedKey.init)
        revocations = try Row.fetchAll(database, sql: "SELECT * FROM trust_revocation ORDER BY revoked_at").map { row in
            guard let format = SignatureFormat(rawValue: row["format"]) else {
                throw StoreError(.failure, "a revocation is of the format '\(row["format"] as String)'")
            }
            return Revocation(
                format: format, fingerprint: row["fingerprint"], revokedAt: row["revoked_at"], reason: row["reason"])
        }
        basis = makeBasis()
    }

    private func makeBasis() -> TrustBasis {
        TrustBasis(policy: policy, added: added.map(\.key) + packaged, revocations: revocations)
    }
}

/// A key that an operator added.
struct AddedKey: Sendable {
    let key: TrustKey
    /// Seconds since 1970.
    let addedAt: Int64

    init(key: TrustKey, addedAt: Int64) {
        self.key = key
        self.addedAt = addedAt
    }

    init(_ row: Row) throws {
        guard let format = SignatureFormat(rawValue: row["format"]) else {
            throw StoreError(.failure, "the key '\(row["name"] as String)' is of an unknown format")
        }
        let namespaces = row["namespaces"] as String?
        key = try TrustKey(
            name: row["name"], identity: row["identity"], format: format, text: row["text"],
            keyring: Array(row["keyring"] as Data), validAfter: row["valid_after"], validBefore: row["valid_before"],
            namespaces: namespaces.map { $0.split(separator: ",").map(String.init) })
        addedAt = row["added_at"]
    }

    func insert(_ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO trust_key
                    (name, identity, format, text, keyring, valid_after, valid_before, namespaces, added_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                key.name, key.identity, key.format.rawValue, key.text, Data(key.keyring), key.validAfter,
                key.validBefore, key.namespaces?.joined(separator: ","), addedAt,
            ])
    }
}

extension Revocation {
    func insert(_ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO trust_revocation (format, fingerprint, revoked_at, reason) VALUES (?, ?, ?, ?)",
            arguments: [format.rawValue, fingerprint, revokedAt, reason])
    }
}
