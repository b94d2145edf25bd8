internal import Boot
internal import Foundation
internal import ServerIdentity
internal import Site

/// What a machine verifies, verified as it would.
extension Preflight {
    /// Whose signatures are looked at.
    struct Signer {
        /// What a step about its signatures ends in.
        let ending: String
        /// Whether the file at the first path is its signature over the one at the second; nil where its key is not known.
        let isValid: @Sendable (String, String) async -> Bool?
        /// What to do where it is not known.
        let fix: String
    }

    /// Signs what iPXE verifies.
    var bootKey: Signer {
        let certificate = options.certificate
        return Signer(
            ending: ".cms",
            isValid: { signature, file in
                certificate.map { BootSignature.isValid(at: signature, over: file, by: $0) }
            }, fix: "'provisioner boot-key show' makes sure of it")
    }

    /// Signs what the site's GRUB verifies.
    var grubKey: Signer {
        Signer(
            ending: ".sig", isValid: options.isSignedForGRUB,
            fix: "the server makes it where a profile says 'verify: grub': its log tells what is missing")
    }

    mutating func verify(
        _ url: String, over file: URL, _ name: String, by signer: Signer, _ nameServer: IPv4Address?,
        _ view: SubstrateView, _ report: inout PreflightReport
    ) async {
        let step = name + signer.ending
        let signature = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: signature) }
        switch await fetch(url, nameServer, view, to: signature) {
        case .failure(let error): report.add(step, .bad, "\(url): \(error)")
        case .success:
            guard let isValid = await signer.isValid(signature.path, file.path) else {
                return report.add(
                    step, .bad, "the data directory has no key that it could be verified by", fix: signer.fix)
            }
            if isValid {
                report.add(step, .good, "this site's signature over what came")
            } else {
                report.add(
                    step, .bad, "\(url) is no signature of this site over what came",
                    fix: "was the key made anew? Then the loaders need the new one, too")
            }
        }
    }
}
