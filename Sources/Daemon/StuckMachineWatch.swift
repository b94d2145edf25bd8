internal import Hosts
internal import Logging
internal import ServiceLifecycle
internal import Site
internal import Store

/// Looks every half minute for machines that stopped half-way through a boot, and says so once of each.
struct StuckMachineWatch: ServiceLifecycle.Service {
    let machines: StuckMachines
    let site: @Sendable () -> Site
    let logger: Logger
    private let executor = BlockingTaskExecutor()
    private static let pause = Duration.seconds(30)

    init(machines: StuckMachines, site: @escaping @Sendable () -> Site, logger: Logger) {
        self.machines = machines
        self.site = site
        self.logger = logger
    }

    func run() async throws {
        await withTaskExecutorPreference(executor) {
            await cancelWhenGracefulShutdown {
                while (try? await Task.sleep(for: Self.pause)) != nil {
                    for machine in machines.look(site()) {
                        let name = machine.host.map { "\($0) (\(machine.mac))" } ?? machine.mac.description
                        logger.warning("\(name) is stuck: \(machine.cause)")
                    }
                }
            }
        }
    }
}
