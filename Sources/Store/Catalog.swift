internal import Artifacts
internal import GRDB

/// The catalog: SQLite in WAL mode with synchronous=FULL, so that an acknowledged commit survives a power cut.
struct Catalog: Sendable {
    let pool: DatabasePool

    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB chooses NORMAL for WAL, which may lose the last commits.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try Self.migrator.migrate(pool)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 blobs, uploads, manifests, tags") { database in
            try database.execute(
                sql: """
                    CREATE TABLE upload (
                        id TEXT PRIMARY KEY, name TEXT NOT NULL, declared_size INTEGER,
                        durable_offset INTEGER NOT NULL, touched_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE blob (
                        digest TEXT PRIMARY KEY, size INTEGER NOT NULL,
                        state TEXT NOT NULL CHECK (state IN ('arriving', 'present')), touched_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE lease (
                        digest TEXT NOT NULL, holder TEXT NOT NULL, expires_at INTEGER NOT NULL,
                        PRIMARY KEY (digest, holder)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE repository_blob (
                        name TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (name, digest)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE manifest (
                        name TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, artifact_type TEXT,
                        subject TEXT, size INTEGER NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (name, digest)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE manifest_reference (
                        name TEXT NOT NULL, manifest TEXT NOT NULL, digest TEXT NOT NULL,
                        PRIMARY KEY (name, manifest, digest)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE tag (
                        name TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, updated_at INTEGER NOT NULL,
                        PRIMARY KEY (name, tag)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}

extension Digest {
    /// As the catalog holds it: the algorithm is always SHA-256.
    var column: String { hex }
}
