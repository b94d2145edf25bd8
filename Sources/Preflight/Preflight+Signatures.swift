internal import Artifacts
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
    private var grubKey: Signer {
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

    /// What the site's GRUB loads: its configuration for the machine, and every file in it, each with its signature.
    mutating func loadByGRUB(
        _ plan: BootPlan, _ wanted: Set<Digest>, _ machine: Machine, _ nameServer: IPv4Address?, _ view: SubstrateView,
        _ report: inout PreflightReport
    ) async {
        guard
            let names = BootNames(
                site: view.site, substrate: view.substrate.name, mode: view.mode, port: options.httpPort)
        else { return }
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

/// What one of our configurations for GRUB has it load.
struct GRUBConfiguration: Equatable {
    /// URLs, by the names of the site in the place of GRUB's device for its server.
    private(set) var files: [String] = []

    /// nil where it loads no kernel. `site`: the base that takes the place of GRUB's device.
    init?(_ text: String, site: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ").map(Self.withoutSyntax)
            // Each is a condition: GRUB does not go on with what it could not load.
            guard words.count > 2, words[0] == "if", words[1] == "linux" || words[1] == "initrd" else { continue }
            // Of a kernel's words the first is its file; all words of an initrd line are files.
            let loaded = words[2...].prefix(words[1] == "linux" ? 1 : .max)
            files += loaded.compactMap { word in
                guard word.hasPrefix("("), let end = word.firstIndex(of: ")") else { return nil }
                return site + word[word.index(after: end)...]
            }
        }
        guard !files.isEmpty else { return nil }
    }

    /// The first thing that it says, for people.
    static func message(of text: String) -> String {
        text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("echo ") }.map { String($0.dropFirst(5)) }
            ?? "it says nothing"
    }

    private static func withoutSyntax(_ word: Substring) -> Substring {
        var word = word
        while let last = word.last, last == ";" || last == "]" { word = word.dropLast() }
        return word
    }
}
