internal import Boot
internal import Foundation
internal import Site

/// What firmware loads that verifies by itself.
extension Preflight {
    /// The unified kernel image that a machine would get but for the token of its boot, loaded over HTTP wherever the firmware loads
    /// it, and verified as the firmware would.
    mutating func loadKernelImage(
        _ file: String, _ step: String, _ names: BootNames, _ nameServer: IPv4Address?, _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        let url = file.hasPrefix("http://") ? file : "\(names.scriptsBase)/\(file)"
        let copy = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        switch await fetch("\(url)?\(BootPath.preflight)=1", nameServer, view, to: copy) {
        case .failure(let error):
            report.add(
                step, .bad, "\(url): \(error)",
                fix: "the server makes it of the profile's files: its log tells what is missing")
        case .success(let answer):
            switch await options.isSignedForFirmware(copy.path) {
            case true?: report.add(step, .good, "\(file): \(answer.size) bytes, signed by the boot key")
            case false?:
                report.add(
                    step, .bad, "\(url) is not signed by the boot key",
                    fix: "was the key made anew? Then firmware needs the new certificate in its db, too")
            case nil:
                report.add(
                    step, .bad,
                    "\(url) cannot be verified: the data directory has no certificate, or sbverify is missing",
                    fix: "install the package sbsigntool; 'provisioner boot-key show' makes sure of the key")
            }
        }
    }
}
