internal import Artifacts
internal import Boot
internal import Foundation
internal import Site

extension Preflight {
    /// What the site's GRUB loads: its configuration for the machine, and every file in it, each with its signature.
    mutating func loadByGRUB(
        _ plan: BootPlan, _ wanted: Set<Digest>, _ machine: Machine, _ names: BootNames, _ nameServer: IPv4Address?,
        _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        let path = "\(names.scriptsBase)/\(BootPath.grubConfiguration(machine.interface.mac.description))"
        let query = "?\(BootPath.preflight)=1"
        let copy = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        switch await fetch(path + query, nameServer, view, to: copy) {
        case .failure(let error): return report.add("grub", .bad, "\(path): \(error)")
        case .success(let answer):
            guard let configuration = GRUBConfiguration(answer.text, site: names.scriptsBase) else {
                return report.add(
                    "grub", .bad, "\(path) boots nothing: \(GRUBConfiguration.message(of: answer.text))")
            }
            report.add("grub", .good, path)
            await verify(
                path + BootPath.grubSignatureEnding + query, over: copy, "grub", by: grubKey, nameServer, view, &report)
            for url in configuration.files where !url.contains("/hosts/") {
                let load = BootScript.Load(url: url, signature: url + BootPath.grubSignatureEnding)
                await check(load, wanted, by: grubKey, nameServer, view, &report)
            }
            let planned = 1 + plan.initrds.count
            let named = configuration.files.count { !$0.contains("/hosts/") }
            if named < planned {
                report.add("files", .bad, "GRUB's configuration names \(named) of \(planned) files of \(plan.profile)")
            }
        }
    }
}
