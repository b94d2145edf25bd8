package import Artifacts
package import Boot
package import ControlAPI
internal import Foundation
internal import HTTPTypes
package import Hosts
package import Hummingbird
package import Logging
package import Site
package import Store

/// What the control plane works with.
package struct ControlServices: Sendable {
    package let store: ArtifactStore
    package let ledger: HostLedger
    package let site: @Sendable () -> Site
    /// How the server is.
    package let status: @Sendable () -> ServerStatus
    /// Who may log in over the network; nil where nobody can.
    package let access: OperatorAccess?
    let requestCounts = RequestCounts()
    let batches = BatchCount()
    /// Which archives are shown as folders.
    package let archives: any ArchiveLookup
    package let stuck: StuckMachines
    /// Of every substrate whose machines asked.
    package let queues: @Sendable () -> [BootQueue]
    /// How collections go about it.
    package let collection: CollectionRules
    /// Seconds that never go back, for waiting times.
    package let lifetimeClock: @Sendable () -> Int64
    package let logger: Logger

    package init(
        store: ArtifactStore, ledger: HostLedger, site: @escaping @Sendable () -> Site,
        status: @escaping @Sendable () -> ServerStatus, access: OperatorAccess?, archives: any ArchiveLookup,
        stuck: StuckMachines, queues: @escaping @Sendable () -> [BootQueue], collection: CollectionRules,
        lifetimeClock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.store = store
        self.ledger = ledger
        self.site = site
        self.status = status
        self.access = access
        self.archives = archives
        self.stuck = stuck
        self.queues = queues
        self.collection = collection
        self.lifetimeClock = lifetimeClock
        self.logger = logger
    }
}

/// Answers every request of one listener of the control plane: checks who calls, finds the route, turns errors into
/// answers.
package struct ControlResponder: HTTPResponder {
    package typealias Context = ControlContext

    private let services: ControlServices
    private let authorization: Authorization
    private let failures: FailedAttempts
    /// Routes call the store, which blocks.
    private let executor = BlockingTaskExecutor()

    package init(services: ControlServices, authorization: Authorization) {
        self.services = services
        self.authorization = authorization
        failures = FailedAttempts(clock: services.lifetimeClock)
    }

    package func respond(to request: Request, context: Context) async throws -> Response {
        let id = context.id
        var response: Response
        var caller = Caller.anonymous
        do {
            caller = try await identify(request, context)
            let routes = ControlRoutes(services: services, caller: caller)
            response = try await withTaskExecutorPreference(executor) { try await routes.answer(request) }
        } catch {
            let error = ControlError(error)
            if error.isGuess { failures.note(context.clientAddress) }
            response = try failure(error, request, id)
        }
        // A body after the answer to a HEAD would be read as the start of the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        response.headers.append(contentsOf: HTTPFields(fields: [(ControlHeader.requestID, id)]))
        services.requestCounts.note(response.status.code)
        services.logger.debug(
            "\(request.method) \(request.uri) -> \(response.status.code)",
            metadata: ["id": "\(id)", "caller": "\(caller.name)"])
        return response
    }

    /// A good token is let through whatever others at its address have done; guesses wait, and so do logins and the token of
    /// a file, which a person may have chosen.
    private func identify(_ request: Request, _ context: Context) async throws -> Caller {
        let address = context.clientAddress
        do {
            let caller = try authorization.caller(
                request.headers, path: request.uri.path,
                peer: authorization.goesByPeer ? try await LocalPeer.of(context.channel) : nil,
                authority: request.head.authority,
                certificate: authorization.goesByCertificate ? await ClientCertificate.of(context.channel) : nil)
            if !caller.isLocal, caller == .anonymous || caller == Authorization.tokenFileHolder {
                try failures.require(address)
            }
            return caller
        } catch let error as ControlError where error.isGuess {
            try failures.require(address)
            throw error
        }
    }

    private func failure(_ error: ControlError, _ request: Request, _ id: String) throws -> Response {
        if error.status.kind == .serverError || error.cause != nil {
            services.logger.error(
                "\(request.method) \(request.uri): \(error.document.errors.first?.message ?? "")",
                metadata: ["id": "\(id)", "cause": "\(error.cause ?? "none")"])
        }
        var response = try Response.json(error.document, status: error.status)
        // Registry clients know how to send a name and a password; a token is the password.
        if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Basic realm=\"provisioner\"" }
        if let seconds = error.retryAfter { response.headers[.retryAfter] = String(seconds) }
        return response
    }
}
