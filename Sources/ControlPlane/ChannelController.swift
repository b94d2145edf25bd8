internal import Artifacts
internal import ControlAPI
internal import Hummingbird
internal import Logging
internal import Store

/// The routes below `/api/v1/channels`.
struct ChannelController {
    let services: ControlServices
    let caller: Caller

    func report(_ text: String) throws -> Response {
        let (name, channel) = try Self.channel(text)
        try caller.require(.pull, name)
        return try .json(try report(name, channel))
    }

    func promote(_ text: String, _ request: Request) async throws -> Response {
        let (name, channel) = try Self.channel(text)
        try caller.require(.promote, name)
        let asked = try await request.document(PromoteRequest.self)
        let move = try await services.store.promote(
            try Version(asked.version), to: channel, name: name, expecting: try Self.expectation(asked.expected),
            by: caller.name)
        services.logger.info("\(name):\(channel) names \(move.digest)", metadata: ["by": "\(caller.name)"])
        return try .json(try report(name, channel))
    }

    func rollBack(_ text: String, _ request: Request) async throws -> Response {
        let (name, channel) = try Self.channel(text)
        try caller.require(.promote, name)
        let asked = try await request.document(RollbackRequest.self)
        let move = try await services.store.rollBack(
            channel, name: name, expecting: try Self.expectation(asked.expected), by: caller.name)
        services.logger.info(
            "\(name):\(channel) was rolled back to \(move.digest)", metadata: ["by": "\(caller.name)"])
        return try .json(try report(name, channel))
    }

    private func report(_ name: ArtifactName, _ channel: Tag) throws -> ChannelReport {
        // Who may move a channel and not read is told where it stands, and no more.
        let moves = try services.store.history(channel, name: name, limit: caller.may(.pull, name) ? 1000 : 1)
        let versions = try services.store.versions(name: name)
        return ChannelReport(
            name: name.description, channel: channel.description,
            moves: moves.map { move in
                ChannelReport.Move(
                    sequence: move.sequence, digest: move.digest,
                    tags: versions.filter { $0.digest == move.digest }.map(\.tag.description),
                    restores: move.restores, movedAt: move.movedAt, actor: move.actor)
            })
    }

    private static func channel(_ text: String) throws -> (ArtifactName, Tag) {
        let reference = try Reference(text)
        guard case .tag(let channel) = reference.version else {
            throw ArtifactError(.invalidReference, "'\(text)' is a digest: name a channel, NAME:CHANNEL")
        }
        return (reference.name, channel)
    }

    private static func expectation(_ text: String?) throws -> ChannelExpectation {
        switch text {
        case nil: .anywhere
        case "none": .absent
        case .some(let digest): .at(try Digest(digest))
        }
    }
}
