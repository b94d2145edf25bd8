internal import Artifacts
internal import GRDB
internal import Synchronization

/// Online collection: nobody has to stop pushing or booting. What nobody needs is first condemned (G2): whoever pushes is
/// told that it is missing, whoever reads still can. After a while it goes to the trash (G3), and after another its bytes
/// go for good, its row last (G4). Every state is asked in the transaction of the step, so a push in between wins, and a
/// step that a crash interrupts is done again.
extension ArtifactStore {
    /// One round: condemns what nobody needs, moves on what was condemned before, removes what was trashed before.
    /// - Throws: `tooMuch` when the brake holds (nothing is condemned then); `degraded`; `failure`.
    @discardableResult
    package func collect(
        _ rules: CollectionRules = CollectionRules(), by actor: String = "local"
    ) throws(StoreError) -> CollectionReport {
        try health.requireWritable()
        return try collecting.withLock { _ throws(StoreError) in try collectAlone(rules, actor) }
    }

    private func collectAlone(_ rules: CollectionRules, _ actor: String) throws(StoreError) -> CollectionReport {
        var report = CollectionReport()
        // What an earlier round has condemned goes on, whatever the brake says of this one.
        try moveToTrash(rules, &report)
        try emptyTrash(rules, &report)
        try forgetCorrupt()
        var found = try survey(rules)
        found.trashed = report.trashed
        found.removed = report.removed
        found.failures = report.failures
        if found.trashed.count + found.removed.count > 0 {
            try note(
                "collect", "\(found.trashed.count) blobs to the trash, \(found.removed.count) removed",
                "\(found.removed.bytes) bytes removed", by: actor)
        }
        try requireNoBrake(rules, found)
        found.unneeded = try condemn(rules)
        try giveBack(rules)
        try keepTime()
        if found.unneeded.count > 0 {
            try note(
                "collect", "\(found.unneeded.count) blobs condemned", "\(found.unneeded.bytes) bytes", by: actor)
        }
        return found
    }

    /// What a collection would find, by reason; nothing is changed.
    /// - Throws: `failure`.
    package func survey(_ rules: CollectionRules = CollectionRules()) throws(StoreError) -> CollectionReport {
        let now = lifetimeClock()
        return try withCatalog { pool in
            try pool.read { database in
                var report = CollectionReport()
                let rows = try Row.fetchCursor(
                    database,
                    sql: """
                        SELECT digest, size, touched_at, \(Self.isReferenced) AS referenced, \(Self.isLeased) AS leased
                        FROM blob WHERE state = 'present'
                        """, arguments: ["now": now])
                while let row = try rows.next() {
                    let size: Int64 = row["size"]
                    if row["referenced"] {
                        report.referenced.add(size)
                    } else if row["leased"] {
                        report.leased.add(size)
                    } else if row["touched_at"] as Int64 > now - rules.grace {
                        report.recent.add(size)
                    } else {
                        report.unneeded.add(size)
                        if report.examples.count < 100 {
                            report.examples.append(try Digest(hex: row["digest"] as String))
                        }
                    }
                }
                return report
            }
        }
    }

    private func requireNoBrake(_ rules: CollectionRules, _ report: CollectionReport) throws(StoreError) {
        let all = report.referenced.bytes + report.leased.bytes + report.recent.bytes + report.unneeded.bytes
        let unneeded = report.unneeded.bytes
        guard rules.hasBrake, unneeded > rules.brakeMinimum, Double(unneeded) > rules.brakePart * Double(all) else {
            return
        }
        throw StoreError(
            .tooMuch,
            "nobody needs \(report.unneeded.count) blobs of \(unneeded) bytes, of \(all) in all: that is more than is likely to be meant; look at 'artifactctl gc --dry-run', and collect with --yes"
        )
    }

    static let isReferenced = """
        (EXISTS (SELECT 1 FROM manifest_reference WHERE manifest_reference.digest = blob.digest)
            OR EXISTS (SELECT 1 FROM manifest WHERE manifest.digest = blob.digest)
            OR EXISTS (SELECT 1 FROM archive_member JOIN manifest_reference ON manifest_reference.digest = archive
                WHERE archive_member.digest = blob.digest))
        """
    private static let isLeased = """
        EXISTS (SELECT 1 FROM lease WHERE lease.digest = blob.digest AND expires_at >= :now)
        """

    /// G1 and G2. Candidates are looked for without keeping writers waiting, and looked at again when they are condemned.
    private func condemn(_ rules: CollectionRules) throws(StoreError) -> CollectionReport.Share {
        var share = CollectionReport.Share()
        var last = ""
        while true {
            let now = lifetimeClock()
            let isUnneeded = """
                state = 'present' AND touched_at <= :oldest AND NOT \(Self.isReferenced) AND NOT \(Self.isLeased)
                """
            let batch = try withCatalog { pool in
                let candidates = try pool.read { database in
                    try String.fetchAll(
                        database,
                        sql:
                            "SELECT digest FROM blob WHERE digest > :last AND \(isUnneeded) ORDER BY digest LIMIT :batch",
                        arguments: ["last": last, "oldest": now - rules.grace, "now": now, "batch": rules.batch])
                }
                guard let end = candidates.last else { return (end: String?.none, sizes: [Int64]()) }
                let sizes = try pool.write { database in
                    try candidates.compactMap { digest in
                        try Int64.fetchOne(
                            database,
                            sql: """
                                UPDATE blob SET state = 'condemned', changed_at = :now
                                WHERE digest = :digest AND \(isUnneeded) RETURNING size
                                """, arguments: ["digest": digest, "oldest": now - rules.grace, "now": now])
                    }
                }
                return (end: end, sizes: sizes)
            }
            for size in batch.sizes { share.add(size) }
            guard let end = batch.end else { return share }
            last = end
        }
    }

    /// What another name needs and this one no longer does is the other's alone: it does not count for a quota any more. What
    /// nobody needs stays readable under its names until it goes.
    private func giveBack(_ rules: CollectionRules) throws(StoreError) {
        let isIdle = """
            NOT EXISTS (SELECT 1 FROM manifest_reference WHERE digest = held.digest AND name = held.name)
                AND NOT EXISTS (SELECT 1 FROM manifest WHERE digest = held.digest AND name = held.name)
                AND EXISTS (SELECT 1 FROM blob WHERE digest = held.digest AND state = 'present'
                    AND touched_at <= :oldest AND \(Self.isReferenced) AND NOT \(Self.isLeased))
            """
        var last = (name: "", digest: "")
        while true {
            let now = lifetimeClock()
            let times: [String: Int64] = ["oldest": now - rules.grace, "now": now]
            let page = try withCatalog { pool in
                try pool.read { database in
                    try Row.fetchAll(
                        database,
                        sql: """
                            SELECT name, digest FROM repository_blob AS held
                            WHERE (name, digest) > (:name, :last) AND \(isIdle) ORDER BY name, digest LIMIT :batch
                            """,
                        arguments: StatementArguments(times)
                            + ["name": last.name, "last": last.digest, "batch": rules.batch]
                    ).map { (name: $0["name"] as String, digest: $0["digest"] as String) }
                }
            }
            guard let end = page.last else { return }
            last = end
            try withCatalog { pool in
                try pool.write { database in
                    for (name, digest) in page {
                        try database.execute(
                            sql: """
                                DELETE FROM repository_blob AS held WHERE name = :name AND digest = :digest AND \(isIdle)
                                """, arguments: StatementArguments(times) + ["name": name, "digest": digest])
                    }
                }
            }
        }
    }

    /// G3.
    private func moveToTrash(_ rules: CollectionRules, _ report: inout CollectionReport) throws(StoreError) {
        for (digest, size) in try blobs(in: "condemned", since: lifetimeClock() - rules.readTime) {
            let done = try step(digest, from: "condemned", to: "trashed", &report) { [files, directory] in
                let path = directory.blobPath(digest)
                // A step that died before its commit has moved the file already.
                guard try files.size(path) != nil else { return }
                try files.rename(path, to: directory.trashFile(digest))
                try files.synchronizeDirectory(directory.trashPath)
                try files.synchronizeDirectory(directory.blobDirectory(digest).inner)
            }
            if done { report.trashed.add(size) }
        }
    }

    /// G4: the row is the last to go. Nothing leads back from the trash, so the bytes go outside of any transaction.
    private func emptyTrash(_ rules: CollectionRules, _ report: inout CollectionReport) throws(StoreError) {
        for (digest, size) in try blobs(in: "trashed", since: lifetimeClock() - rules.trashTime) {
            do {
                try files.removeFile(directory.trashFile(digest))
                try files.synchronizeDirectory(directory.trashPath)
            } catch {
                report.failures.append("\(digest): \(error)")
                continue
            }
            if try step(digest, from: "trashed", to: nil, &report, {}) { report.removed.add(size) }
        }
        // Of a blob that was pushed again meanwhile, the old bytes.
        for name in DirectoryListing.names(directory.trashPath) {
            let isAwaited = try withCatalog { pool in
                try pool.read { database in
                    try Bool.fetchOne(
                        database, sql: "SELECT 1 FROM blob WHERE digest = ? AND state IN ('condemned', 'trashed')",
                        arguments: [name])
                }
            }
            if isAwaited != true { try? files.removeFile("\(directory.trashPath)/\(name)") }
        }
    }

    /// Blobs that were lost, and that nothing lists any more. As elsewhere, `state != 'present'` says nothing new: it lets
    /// SQLite use the index `blob_state`, which leaves the many out.
    private func forgetCorrupt() throws(StoreError) {
        let now = lifetimeClock()
        try withCatalog { pool in
            try pool.write { database in
                let rows = try String.fetchAll(
                    database,
                    sql: """
                        SELECT digest FROM blob WHERE state = 'corrupt' AND state != 'present'
                            AND NOT \(Self.isReferenced) AND NOT \(Self.isLeased)
                        """, arguments: ["now": now])
                for digest in rows {
                    for table in ["repository_blob", "blob"] {
                        try database.execute(sql: "DELETE FROM \(table) WHERE digest = ?", arguments: [digest])
                    }
                }
            }
        }
    }

    /// Changes a blob's state, and its file with it, in one transaction; without a next state its row goes. A failure is one
    /// blob's: the others go on.
    /// - Returns: false when the blob has left the state, or when it failed.
    private func step(
        _ digest: Digest, from state: String, to next: String?, _ report: inout CollectionReport,
        _ move: @Sendable () throws -> Void
    ) throws(StoreError) -> Bool {
        do {
            return try catalog.pool.write { database in
                let present = try String.fetchOne(
                    database, sql: "SELECT state FROM blob WHERE digest = ?", arguments: [digest.column])
                guard present == state else { return false }
                try move()
                if let next {
                    try database.execute(
                        sql: "UPDATE blob SET state = ?, changed_at = ? WHERE digest = ?",
                        arguments: [next, self.lifetimeClock(), digest.column])
                } else {
                    for table in ["lease", "repository_blob", "blob"] {
                        try database.execute(sql: "DELETE FROM \(table) WHERE digest = ?", arguments: [digest.column])
                    }
                    try self.forgetViews(of: digest)
                    try database.execute(
                        sql: "DELETE FROM archive_member WHERE archive = ?", arguments: [digest.column])
                }
                return true
            }
        } catch {
            report.failures.append("\(digest): \(error)")
            return false
        }
    }

    private func blobs(in state: String, since time: Int64) throws(StoreError) -> [(digest: Digest, size: Int64)] {
        try withCatalog { pool in
            try pool.read { database in
                try Row.fetchAll(
                    database,
                    sql: """
                        SELECT digest, size FROM blob
                        WHERE state = ? AND state != 'present' AND changed_at <= ? ORDER BY digest
                        """, arguments: [state, time]
                ).map { (try Digest(hex: $0["digest"] as String), $0["size"]) }
            }
        }
    }
}
