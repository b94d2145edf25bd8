internal import Artifacts
package import Site
internal import Synchronization

/// Per-boot tokens, what machines report with them, and arming. These wait until they are durable where what a machine boots next
/// depends on them.
extension HostLedger {
    /// A per-boot token for a host; nil when the machine has no random numbers.
    package func issueToken(host: String) -> String? {
        // Never older than the last arming, though the clock was set back since: the token would be dead at birth.
        let now = max(lifetimeClock(), state.withLock { $0.marks[host]?.armedAt } ?? 0)
        return BootToken.issue(host: host, now: now, key: key)?.text
    }

    /// The host that a token belongs to.
    /// - Throws: `HostsError` `invalidToken` when it is forged, expired or issued before the last arming.
    package func host(forToken text: String) throws(HostsError) -> String {
        guard let token = BootToken.verify(text, now: lifetimeClock(), key: key) else {
            throw HostsError(.invalidToken, "this per-boot URL is not valid, or no longer")
        }
        let armedAt = state.withLock { $0.marks[token.host]?.armedAt }
        if let armedAt, token.issued < armedAt {
            throw HostsError(.invalidToken, "this per-boot URL belongs to a boot before the host was armed again")
        }
        return token.host
    }

    /// Records that a host is installed. Durable when it returns: from now on it boots its disk. Blocks.
    /// - Throws: `HostsError`.
    package func reportInstalled(token: String, address: IPv4Address?) throws(HostsError) -> String {
        let host = try marking.withLock { _ throws(HostsError) in
            let host = try self.host(forToken: token)
            let armedAt = state.withLock { $0.marks[host]?.armedAt }
            try store(HostDatabase.Mark(host: host, installedAt: clock(), armedAt: armedAt))
            return host
        }
        noteReport(.installed, host: host, address: address)
        return host
    }

    /// Notes that a host runs.
    /// - Throws: `HostsError` `invalidToken`.
    package func reportUp(token: String, address: IPv4Address?) throws(HostsError) -> String {
        let host = try host(forToken: token)
        noteReport(.up, host: host, address: address)
        return host
    }

    /// Arms a host: it will be given its profile again, and tokens of earlier boots end. Durable when it returns.
    /// Blocks.
    /// - Throws: `HostsError` `failure`.
    package func arm(host: String) throws(HostsError) {
        try marking.withLock { _ throws(HostsError) in
            try store(HostDatabase.Mark(host: host, installedAt: nil, armedAt: clock()))
        }
        noteReport(.armed, host: host, address: nil)
    }

    private func store(_ mark: HostDatabase.Mark) throws(HostsError) {
        do {
            try database.store(mark)
        } catch {
            throw HostsError(.failure, "the state of \(mark.host) could not be stored", cause: error)
        }
        state.withLock { state in
            state.marks[mark.host] = mark
        }
        // After the mark: what was decided before it must not pass for new.
        generation.add(1, ordering: .releasing)
    }

    private func noteReport(_ kind: HostEvent.Kind, host: String, address: IPv4Address?) {
        let event = HostEvent(kind: kind, detail: host, time: clock())
        state.withLock { state in
            let mac =
                address.flatMap { state.macByAddress[$0] }.flatMap {
                    state.machines[$0]?.record.host == host ? $0 : nil
                }
                ?? state.machines.values.map(\.record).filter { $0.host == host }.max { $0.lastSeen < $1.lastSeen }?.mac
            if let mac { append(event, to: mac, at: nil, &state) }
        }
    }
}
