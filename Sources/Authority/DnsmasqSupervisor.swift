internal import CLinux
internal import Glibc
package import Logging
internal import Subprocess

/// Runs one dnsmasq for one substrate: checks each configuration before it is used, restarts the program when it ends
/// by itself, stops it when the task that runs it is cancelled.
package struct DnsmasqSupervisor: Sendable {
    /// Files of one substrate's instance.
    package struct Files: Sendable, Hashable {
        package let configuration: String
        package let leases: String
        package let processID: String

        /// The directory exists, and is ours.
        package init(directory: String, substrate: String) {
            configuration = "\(directory)/dnsmasq-\(substrate).conf"
            leases = "\(directory)/dnsmasq-\(substrate).leases"
            processID = "\(directory)/dnsmasq-\(substrate).pid"
        }
    }

    private static let program = "dnsmasq"
    private static let stopGrace = Duration.seconds(5)

    private let files: Files
    private let logger: Logger
    private let observe: @Sendable (DHCPObservation) -> Void
    private let answering: @Sendable () -> Void
    private let ended: @Sendable () -> Void

    /// `answering` is called each time dnsmasq has its sockets and answers, `ended` when it has ended by itself,
    /// `observe` for each DHCP exchange.
    package init(
        files: Files, logger: Logger, answering: @escaping @Sendable () -> Void,
        ended: @escaping @Sendable () -> Void,
        observe: @escaping @Sendable (DHCPObservation) -> Void
    ) {
        self.answering = answering
        self.ended = ended
        self.files = files
        self.logger = logger
        self.observe = observe
    }

    /// Writes a configuration and has dnsmasq check it. The one in use is untouched when it is refused.
    /// - Throws: `AuthorityError` with dnsmasq's own words.
    package func install(_ configuration: DnsmasqConfiguration) async throws {
        let text = configuration.rendered()
        let draft = files.configuration + ".new"
        try write(text, to: draft)
        try Self.demandDescriptors()
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await Subprocess.run(
                .name(Self.program), arguments: ["--test", "--conf-file=\(draft)"], output: .string(limit: 65_536),
                error: .string(limit: 65_536))
        } catch {
            throw AuthorityError(.program, "dnsmasq cannot be run: install the package dnsmasq-base (\(error))")
        }
        guard result.terminationStatus.isSuccess else {
            throw AuthorityError(.program, "dnsmasq refuses its configuration \(draft): \(result.standardError)")
        }
        guard rename(draft, files.configuration) == 0 else {
            throw AuthorityError(.file, "\(files.configuration) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Serves with the installed configuration until cancelled; then dnsmasq has ended.
    package func run() async throws {
        try await endStray()
        var pause = 1
        while !Task.isCancelled {
            let started = ContinuousClock.now
            do {
                try await runOnce()
            } catch is CancellationError {
                break
            } catch {
                logger.error("dnsmasq failed: \(error)")
            }
            if Task.isCancelled { break }
            ended()
            pause = ContinuousClock.now - started > .seconds(60) ? 1 : min(pause * 2, 30)
            logger.error("dnsmasq ended by itself: DNS and DHCP are down; starting it again in \(pause) s")
            do { try await Task.sleep(for: .seconds(pause)) } catch { break }
        }
    }

    private static func demandDescriptors() throws(AuthorityError) {
        guard clinux_can_start_child() == 1 else {
            throw AuthorityError(.program, "dnsmasq cannot be run: no file descriptors are left")
        }
    }

    private func runOnce() async throws {
        try Self.demandDescriptors()
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.stopGrace)]
        let logger = logger
        let observe = observe
        let answering = answering
        let result = try await Subprocess.run(
            .name(Self.program),
            arguments: [
                "--keep-in-foreground", "--conf-file=\(files.configuration)", "--pid-file=\(files.processID)",
                "--log-facility=-",
            ], platformOptions: options, input: .none, output: .discarded, error: .sequence
        ) { execution in
            var log = DnsmasqLog()
            var complaint = ""
            for try await line in execution.standardError.strings() {
                let line = line.trimmingNewlines
                logger.debug("\(line)")
                if DnsmasqLog.saysStarted(line) { answering() }
                if line.hasPrefix("dnsmasq: ") { complaint = line }
                if let observation = log.read(line) { observe(observation) }
            }
            return complaint
        }
        if !result.terminationStatus.isSuccess, !result.closureResult.isEmpty {
            logger.error("\(result.closureResult)")
        }
    }

    /// Ends a dnsmasq that an earlier run of this program left when it was killed: two servers would answer.
    private func endStray() async throws {
        guard let text = read(files.processID), let process = Int32(text.trimmingNewlines), process > 1,
            let arguments = read("/proc/\(process)/cmdline"), arguments.contains(files.configuration)
        else { return }
        logger.notice("ending dnsmasq \(process), which an earlier run left")
        kill(process, SIGTERM)
        for _ in 0..<50 where kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(100)) }
        if kill(process, 0) == 0 { kill(process, SIGKILL) }
    }

    private func write(_ text: String, to path: String) throws(AuthorityError) {
        guard let file = fopen(path, "w") else {
            throw AuthorityError(.file, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0 && fflush(file) == 0
        guard fclose(file) == 0, isWritten else { throw AuthorityError(.file, "\(path) cannot be written") }
    }

    private func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

extension StringProtocol {
    fileprivate var trimmingNewlines: String {
        var text = Substring(self)
        while text.last?.isNewline == true { text = text.dropLast() }
        return String(text)
    }
}
