internal import Artifacts
internal import GRDB
internal import Synchronization

/// Online collection: nobody has to stop pushing or booting. What nobody needs is first condemned (G2): whoever pushes is
/// told that it is missing, whoever reads still can. After a while it goes to the trash (G3), and after another its bytes
/// go for good, its row last (G4). Every state is asked in the transaction of the step, so a push in between wins, and a
/// step that a crash interrupts is done again.
extension ArtifactStore {
    /// One round: condemns what nobody needs, moves on what was condemned before, removes what was trashed before.
    /// - Throws: `tooMuch` when the brake holds (nothing changes then); `degraded`; `failure`.
    @discardableResult
    package func collect(
        _ rules: CollectionRules = CollectionRules(), by actor: String = "local"
    ) throws(StoreError) -> CollectionReport {
        try health.requireWritable()
        return try collecting.withLock { _ throws(StoreError) in try collectAlone(rules, actor) }
    }

    private func collectAlone(_ rules: CollectionRules, _ actor: String) throws(StoreError) -> CollectionReport {
        var report = try survey(rules)
        try requireNoBrake(rules, report)
        let condemned = try condemn(rules)
        try moveToTrash(rules, &report)
        try emptyTrash(rules, &report)
        try keepTime()
        if condemned.count + report.trashed.count + report.removed.count > 0 {
            try note(
                "collect", "\(condemned.count) blobs condemned",
                "\(condemned.bytes) bytes; \(report.trashed.count) to the trash, \(report.removed.count) removed",
                by: actor)
        }
        report.unneeded = condemned
        return report
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

    private static let isReferenced = """
        (EXISTS (SELECT 1 FROM manifest_reference WHERE manifest_reference.digest = blob.digest)
            OR EXISTS (SELECT 1 FROM manifest WHERE manifest.digest = blob.digest))
        """
    private static let isLeased = """
        EXISTS (SELECT 1 FROM lease WHERE lease.digest = blob.digest AND expires_at >= :now)
        """

    /// G1 and G2.
    private func condemn(_ rules: CollectionRules) throws(StoreError) -> CollectionReport.Share {
        var share = CollectionReport.Share()
        var last = ""
        while true {
            let now = lifetimeClock()
            let batch = try withCatalog { pool in
                try pool.write { database in
                    let rows = try Row.fetchAll(
                        database,
                        sql: """
                            SELECT digest, size FROM blob
                            WHERE state = 'present' AND digest > :last AND touched_at <= :oldest
                                AND NOT \(Self.isReferenced) AND NOT \(Self.isLeased)
                            ORDER BY digest LIMIT :batch
                            """,
                        arguments: ["last": last, "oldest": now - rules.grace, "now": now, "batch": rules.batch])
                    for row in rows {
                        try database.execute(
                            sql: "UPDATE blob SET state = 'condemned', changed_at = ? WHERE digest = ?",
                            arguments: [now, row["digest"] as String])
                    }
                    return rows
                }
            }
            for row in batch { share.add(row["size"]) }
            guard let end = batch.last else { return share }
            last = end["digest"]
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

    /// G4: the row is the last to go.
    private func emptyTrash(_ rules: CollectionRules, _ report: inout CollectionReport) throws(StoreError) {
        for (digest, size) in try blobs(in: "trashed", since: lifetimeClock() - rules.trashTime) {
            let done = try step(digest, from: "trashed", to: nil, &report) { [files, directory] in
                try files.removeFile(directory.trashFile(digest))
                try files.synchronizeDirectory(directory.trashPath)
            }
            if done { report.removed.add(size) }
        }
        // Of a blob that was pushed again meanwhile, the old bytes.
        let known = Set(try blobs(in: "trashed", since: .max).map(\.digest.hex))
        for name in DirectoryListing.names(directory.trashPath) where !known.contains(name) {
            try? files.removeFile("\(directory.trashPath)/\(name)")
        }
    }

    /// Changes a blob's state, and its file with it, in one transaction. A failure is one blob's: the others go on.
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
                if let next {
                    try move()
                    try database.execute(
                        sql: "UPDATE blob SET state = ?, changed_at = ? WHERE digest = ?",
                        arguments: [next, self.lifetimeClock(), digest.column])
                } else {
                    try move()
                    for table in ["lease", "repository_blob", "blob"] {
                        try database.execute(sql: "DELETE FROM \(table) WHERE digest = ?", arguments: [digest.column])
                    }
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
                    sql: "SELECT digest, size FROM blob WHERE state = ? AND changed_at <= ? ORDER BY digest",
                    arguments: [state, time]
                ).map { (try Digest(hex: $0["digest"] as String), $0["size"]) }
            }
        }
    }
}
