internal import GRDB
internal import Site

/// The durable side of the ledger: SQLite, written in batches by one writer, and at once where a promise depends on it.
struct HostDatabase: Sendable {
    /// What an installation report or an arming left.
    struct Mark: Sendable, Hashable {
        var host: String
        /// Milliseconds since 1970; nil while not installed.
        var installedAt: Int64?
        var armedAt: Int64?
    }

    private let queue: DatabaseQueue

    init(path: String) throws {
        var configuration = Configuration()
        configuration.label = "hosts"
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try Self.migrator.migrate(queue)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 machines, events, marks") { database in
            try database.execute(
                sql: """
                    CREATE TABLE machine (
                        mac TEXT PRIMARY KEY, host TEXT, address TEXT, uuid TEXT, serial TEXT, architecture TEXT,
                        platform TEXT, vendor_class TEXT, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE event (
                        id INTEGER PRIMARY KEY, mac TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
                        time INTEGER NOT NULL, bytes INTEGER
                    ) STRICT;
                    CREATE INDEX event_by_machine ON event (mac, id);
                    CREATE TABLE mark (host TEXT PRIMARY KEY, installed_at INTEGER, armed_at INTEGER) STRICT;
                    """)
        }
        return migrator
    }

    func marks() throws -> [Mark] {
        try queue.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM mark").map {
                Mark(host: $0["host"], installedAt: $0["installed_at"], armedAt: $0["armed_at"])
            }
        }
    }

    /// Durable when it returns.
    func store(_ mark: Mark) throws {
        try queue.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO mark (host, installed_at, armed_at) VALUES (?, ?, ?)",
                arguments: [mark.host, mark.installedAt, mark.armedAt])
        }
    }

    /// Every machine with its newest events, the one that was seen last at the end.
    func machines(eventLimit: Int) throws -> [MachineRecord] {
        try queue.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM machine ORDER BY last_seen, rowid").compactMap { row in
                guard let mac = MACAddress(row["mac"] as String) else { return nil }
                let events = try Row.fetchAll(
                    database, sql: "SELECT * FROM event WHERE mac = ? ORDER BY id DESC LIMIT ?",
                    arguments: [mac.description, eventLimit]
                ).reversed().compactMap { row in
                    HostEvent.Kind(rawValue: row["kind"]).map {
                        HostEvent(kind: $0, detail: row["detail"], time: row["time"], bytes: row["bytes"])
                    }
                }
                return MachineRecord(
                    mac: mac, host: row["host"], address: (row["address"] as String?).flatMap { IPv4Address($0) },
                    uuid: row["uuid"], serial: row["serial"], architecture: row["architecture"],
                    platform: row["platform"], vendorClass: row["vendor_class"], firstSeen: row["first_seen"],
                    lastSeen: row["last_seen"], events: events)
            }
        }
    }

    /// Removes evicted machines, then writes changed ones and new events, in one transaction, and keeps each machine's
    /// newest `eventLimit` events, of which `logLimit` may be lines of syslog.
    func store(
        machines: [MachineRecord], events: [(MACAddress, HostEvent)], without evicted: Set<MACAddress>, eventLimit: Int,
        logLimit: Int
    ) throws {
        try queue.write { database in
            let removals = try ["event", "machine"].map {
                try database.makeStatement(sql: "DELETE FROM \($0) WHERE mac = ?")
            }
            for mac in evicted { for removal in removals { try removal.execute(arguments: [mac.description]) } }
            // Prepared once: thousands of machines may start together.
            let machineRow = try database.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO machine (mac, host, address, uuid, serial, architecture, platform,
                        vendor_class, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for machine in machines {
                try machineRow.execute(arguments: [
                    machine.mac.description, machine.host, machine.address?.description, machine.uuid, machine.serial,
                    machine.architecture, machine.platform, machine.vendorClass, machine.firstSeen, machine.lastSeen,
                ])
            }
            let eventRow = try database.cachedStatement(
                sql: "INSERT INTO event (mac, kind, detail, time, bytes) VALUES (?, ?, ?, ?, ?)")
            for (mac, event) in events {
                try eventRow.execute(arguments: [
                    mac.description, event.kind.rawValue, event.detail, event.time, event.bytes,
                ])
            }
            try trim(database, machines, eventLimit: eventLimit, logLimit: logLimit)
        }
    }

    /// Removes what is beyond the limits. Only machines that have reached one in memory can have more here.
    private func trim(_ database: Database, _ machines: [MachineRecord], eventLimit: Int, logLimit: Int) throws {
        let logs = try database.cachedStatement(
            sql: """
                DELETE FROM event WHERE mac = ?1 AND kind = 'log' AND id <=
                    (SELECT id FROM event WHERE mac = ?1 AND kind = 'log' ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """)
        let all = try database.cachedStatement(
            sql: """
                DELETE FROM event WHERE mac = ?1 AND id <=
                    (SELECT id FROM event WHERE mac = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                """)
        for machine in machines {
            let mac = machine.mac.description
            if machine.events.count >= logLimit, machine.events.count(where: { $0.kind == .log }) >= logLimit {
                try logs.execute(arguments: [mac, logLimit])
            }
            if machine.events.count >= eventLimit { try all.execute(arguments: [mac, eventLimit]) }
        }
    }
}
