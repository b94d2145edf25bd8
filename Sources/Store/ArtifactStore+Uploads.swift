package import Artifacts
internal import GRDB
internal import Synchronization

extension ArtifactStore {
    /// Starts an upload (W1): its row first, then its staging file, with room reserved when the size is known.
    /// - Throws: `noSpace`, `degraded`, `failure`. Nothing is left then.
    ///
    /// Where the digest is known and the name holds it already, as when a blob that has rotted comes again, quotas do not count.
    package func beginUpload(name: ArtifactName, size: Int64?, digest: Digest? = nil) throws(StoreError) -> Upload {
        try health.requireWritable()
        guard uploads.withLock({ $0.count }) < Self.maximumUploads else {
            throw StoreError(.busy, "\(Self.maximumUploads) uploads are open: finish or cancel some")
        }
        try space.require(size ?? 0)
        let isHeld = try withCatalog { pool in
            try pool.read { database in
                if let digest, try Quota.isHeld(digest, name, database) { return true }
                if let size { try Quota.require(size, for: name, database) }
                return false
            }
        }
        guard let random = RandomBytes.make(16) else { throw StoreError(.failure, "no random numbers on this machine") }
        let id = Hexadecimal.encode(random)
        do {
            try catalog.pool.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO upload (id, name, declared_size, durable_offset, touched_at) VALUES (?, ?, ?, 0, ?)
                        """, arguments: [id, name.description, size, lifetimeClock()])
            }
            _ = try files.makeDirectory(directory.stagingDirectory(id))
            let upload = try openUpload(id: id, name: name, declaredSize: size, offset: 0, isHeld: isHeld)
            uploads.withLock { $0[id] = upload }
            return upload
        } catch {
            try? files.removeFile(directory.stagingFile(id))
            try? files.removeDirectory(directory.stagingDirectory(id))
            try? catalog.pool.write { try $0.execute(sql: "DELETE FROM upload WHERE id = ?", arguments: [id]) }
            throw space.explain(error, as: "the upload could not be started")
        }
    }

    /// An upload that is under way, or was when the program last ended.
    /// - Throws: `uploadUnknown`.
    package func upload(_ id: String, name: ArtifactName) throws(StoreError) -> Upload {
        if let upload = try openedUpload(id, name) { return upload }
        // A second opening would cut off what has been appended since the first.
        return try resumption.withLock { _ throws(StoreError) in
            if let upload = try openedUpload(id, name) { return upload }
            let upload = try resumeUpload(id, name)
            uploads.withLock { $0[id] = upload }
            return upload
        }
    }

    private func openedUpload(_ id: String, _ name: ArtifactName) throws(StoreError) -> Upload? {
        guard let upload = uploads.withLock({ $0[id] }) else { return nil }
        guard upload.name == name else { throw Self.unknownUpload }
        return upload
    }

    private static var unknownUpload: StoreError {
        StoreError(.uploadUnknown, "there is no such upload: start a new one")
    }

    private func resumeUpload(_ id: String, _ name: ArtifactName) throws(StoreError) -> Upload {
        let row = try withCatalog { pool in
            try pool.read { database in
                try Row.fetchOne(
                    database, sql: "SELECT * FROM upload WHERE id = ? AND name = ?",
                    arguments: [id, name.description])
            }
        }
        guard let row else { throw Self.unknownUpload }
        do {
            return try openUpload(
                id: id, name: name, declaredSize: row["declared_size"], offset: row["durable_offset"])
        } catch {
            throw StoreError(.uploadUnknown, "the upload's bytes are gone: start a new one", cause: error)
        }
    }

    /// Forgets an upload that has ended.
    package func forget(_ upload: Upload) { uploads.withLock { $0[upload.id] = nil } }

    private func openUpload(
        id: String, name: ArtifactName, declaredSize: Int64?, offset: Int64, isHeld: Bool = false
    ) throws -> Upload {
        let path = directory.stagingFile(id)
        let hasher = try SHA256()
        if offset > 0 {
            guard try StagedFile.hash(path, upTo: offset, into: hasher) == offset else {
                throw StoreError(.uploadUnknown, "the upload's bytes are gone")
            }
        }
        let descriptor = try files.openForWriting(path)
        do {
            try files.truncate(descriptor, to: offset, path: path)
            if let declaredSize { try files.reserve(descriptor, size: declaredSize, path: path) }
        } catch {
            files.close(descriptor)
            throw error
        }
        return Upload(
            id: id, name: name, committer: committer, space: space, health: health, hasher: hasher,
            descriptor: descriptor, declaredSize: declaredSize, offset: offset,
            room: isHeld ? nil : try catalog.pool.read { try Quota.room(for: name, $0) })
    }

    /// Stores bytes that are in memory as a blob of a name.
    /// - Throws: `noSpace`, `degraded`, `failure`.
    package func storeBlob(_ bytes: [UInt8], name: ArtifactName) async throws(StoreError) -> Digest {
        let digest = SHA256.digest(of: bytes)
        let upload = try beginUpload(name: name, size: Int64(bytes.count), digest: digest)
        defer { forget(upload) }
        do {
            let turn = try await upload.begin(at: 0)
            try await upload.append(bytes, turn: turn)
            try await upload.finish(digest, turn: turn)
        } catch {
            try? await upload.cancel()
            throw error
        }
        return digest
    }
}
