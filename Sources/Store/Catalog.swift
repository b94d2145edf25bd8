internal import Artifacts
internal import GRDB

/// The catalog: SQLite in WAL mode with synchronous=FULL, so that an acknowledged commit survives a power cut.
final class Catalog: Sendable {
    let pool: DatabasePool
    /// Its lock must outlast the connections.
    private let directory: DataDirectory

    /// Closed with the last who uses it, and before the directory's lock goes: whoever opens the directory next meets no
    /// connection that still writes, and no write-ahead log that still takes its room.
    deinit { try? pool.close() }

    init(_ directory: DataDirectory) throws {
        self.directory = directory
        var configuration = Configuration()
        configuration.label = "catalog"
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        pool = try DatabasePool(path: directory.catalogPath, configuration: configuration)
        // GRDB chooses NORMAL for WAL, which may lose the last commits.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try Self.migrator.migrate(pool)
    }

    /// Brings a database that is no catalog in use, such as a copy, to the present form.
    static func migrate(_ queue: DatabaseQueue) throws { try migrator.migrate(queue) }

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
        migrator.registerMigration("2 referrers, channels, audit, collection") { database in
            try database.execute(
                sql: """
                    CREATE TABLE blob_2 (
                        digest TEXT PRIMARY KEY, size INTEGER NOT NULL,
                        state TEXT NOT NULL
                            CHECK (state IN ('arriving', 'present', 'condemned', 'trashed', 'corrupt')),
                        touched_at INTEGER NOT NULL, changed_at INTEGER
                    ) STRICT;
                    INSERT INTO blob_2 (digest, size, state, touched_at)
                        SELECT digest, size, state, touched_at FROM blob;
                    DROP TABLE blob;
                    ALTER TABLE blob_2 RENAME TO blob;
                    CREATE INDEX blob_state ON blob (state, digest) WHERE state != 'present';
                    CREATE TABLE retention (
                        names TEXT PRIMARY KEY, kept_versions INTEGER, untagged_hours INTEGER
                    ) STRICT;
                    ALTER TABLE manifest ADD COLUMN lived_at INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE lifetime (seconds INTEGER NOT NULL) STRICT;
                    CREATE TABLE scrub (position TEXT NOT NULL, pass_ended_at INTEGER) STRICT;
                    INSERT INTO scrub (position) VALUES ('');
                    CREATE INDEX manifest_subject ON manifest (name, subject) WHERE subject IS NOT NULL;
                    CREATE INDEX manifest_digest ON manifest (digest);
                    CREATE INDEX manifest_reference_digest ON manifest_reference (digest);
                    CREATE INDEX repository_blob_digest ON repository_blob (digest);
                    CREATE INDEX tag_digest ON tag (name, digest);
                    ALTER TABLE tag ADD COLUMN is_channel INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE channel_move (
                        name TEXT NOT NULL, channel TEXT NOT NULL, sequence INTEGER NOT NULL, digest TEXT NOT NULL,
                        restores INTEGER, moved_at INTEGER NOT NULL, actor TEXT NOT NULL,
                        PRIMARY KEY (name, channel, sequence)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE audit (
                        sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
                        subject TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL
                    ) STRICT;
                    CREATE TRIGGER audit_is_append_only_1 BEFORE UPDATE ON audit
                    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
                    CREATE TRIGGER audit_is_append_only_2 BEFORE DELETE ON audit
                    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
                    """)
        }
        migrator.registerMigration("3 quotas, sizes") { database in
            // `usage` is what the blobs of a name sum up to, in every order in which rows of both tables may go; a `blob` row
            // comes before those that say who holds it.
            try database.execute(
                sql: """
                    CREATE INDEX blob_size ON blob (size);
                    CREATE TABLE quota (names TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
                    CREATE TABLE usage (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    INSERT INTO usage (name, bytes)
                        SELECT name, SUM(size) FROM repository_blob JOIN blob USING (digest) GROUP BY name;
                    CREATE TRIGGER usage_1 AFTER INSERT ON repository_blob BEGIN
                        INSERT OR IGNORE INTO usage (name, bytes) VALUES (NEW.name, 0);
                        UPDATE usage SET bytes = bytes
                            + COALESCE((SELECT size FROM blob WHERE digest = NEW.digest), 0) WHERE name = NEW.name;
                    END;
                    CREATE TRIGGER usage_2 AFTER DELETE ON repository_blob BEGIN
                        UPDATE usage SET bytes = bytes
                            - COALESCE((SELECT size FROM blob WHERE digest = OLD.digest), 0) WHERE name = OLD.name;
                    END;
                    CREATE TRIGGER usage_3 AFTER UPDATE OF size ON blob WHEN NEW.size != OLD.size BEGIN
                        UPDATE usage SET bytes = bytes + NEW.size - OLD.size
                            WHERE name IN (SELECT name FROM repository_blob WHERE digest = NEW.digest);
                    END;
                    CREATE TRIGGER usage_4 BEFORE DELETE ON blob BEGIN
                        UPDATE usage SET bytes = bytes - OLD.size
                            WHERE name IN (SELECT name FROM repository_blob WHERE digest = OLD.digest);
                    END;
                    """)
        }
        migrator.registerMigration("4 trust") { database in
            // `basis` tells on which rules and keys a verdict was made; a verdict on others is none.
            try database.execute(
                sql: """
                    CREATE TABLE trust_key (
                        name TEXT PRIMARY KEY, identity TEXT NOT NULL, format TEXT NOT NULL, text TEXT NOT NULL,
                        keyring BLOB NOT NULL, valid_after INTEGER, valid_before INTEGER, namespaces TEXT,
                        added_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE trust_revocation (
                        format TEXT NOT NULL, fingerprint TEXT NOT NULL, revoked_at INTEGER NOT NULL,
                        reason TEXT NOT NULL, PRIMARY KEY (format, fingerprint)
                    ) STRICT;
                    CREATE TABLE verdict (
                        name TEXT NOT NULL, digest TEXT NOT NULL, basis TEXT NOT NULL, document TEXT NOT NULL,
                        valid_until INTEGER, PRIMARY KEY (name, digest)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("5 members of archives") { database in
            try database.execute(
                sql: """
                    CREATE TABLE archive_member (
                        archive TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (archive, digest)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX archive_member_digest ON archive_member (digest);
                    """)
        }
        return migrator
    }
}

extension Database {
    /// Runs a statement that each connection compiles once: for those that run for every blob of many.
    func executeOften(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// The first row that such a statement gives.
    func rowOften(_ sql: String, _ arguments: StatementArguments) throws -> Row? {
        try Row.fetchOne(try cachedStatement(sql: sql), arguments: arguments)
    }
}

extension Digest {
    /// As the catalog holds it: the algorithm is always SHA-256.
    var column: String { hex }
}
