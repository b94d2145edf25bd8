internal import Artifacts
internal import ConfigurationFile

extension SiteReader {
    func readService(_ name: String, _ section: YAMLSection) -> Service? {
        let zone = section.requiredString("zone", example: "management")
        let provider = section.requiredString("provider", example: "provisioner-01")
        let exposed = section.strings("expose_in")
        for (text, position) in exposed { diagnostics.remember("\(section.path).expose_in.\(text)", at: position) }
        guard let zone, let provider else { return nil }
        return Service(
            name: name, zone: zone == "management" ? .management : .substrate(zone),
            provider: provider == "authority" ? .authority : .host(provider), exposedIn: exposed.map(\.text))
    }

    func readProfile(_ name: String, _ section: YAMLSection) -> Profile? {
        let kernel = section.string("kernel").flatMap { file($0, section, "kernel") }
        let initrds = section.strings("initrd").compactMap { text, position in
            diagnostics.remember("\(section.path).initrd.\(text)", at: position)
            return file(text, section, "initrd.\(text)")
        }
        let arguments = section.strings("args")
        for (index, argument) in arguments.enumerated() {
            diagnostics.remember("\(section.path).args.\(index)", at: argument.position)
        }
        let answer = section.string("answer").flatMap { file($0, section, "answer") }
        let image = section.string("image").flatMap { file($0, section, "image") }
        let overlay = readOverlay(section)
        let verifier = section.choice("verify", "V01", as: BootVerifier.self)
        if !section.has("kernel"), !section.has("image") {
            diagnostics.report(
                .error, "V42", at: section.position,
                "'\(section.path)' boots nothing: add 'kernel: NAME:TAG/PATH' (and 'initrd: [NAME:TAG/PATH]')")
        }
        if section.has("kernel"), section.has("image") {
            section.fail("image", "V42", "a profile has either a kernel or an image")
        }
        return Profile(
            name: name, kernel: kernel, initrds: initrds, arguments: arguments.map(\.text), answer: answer,
            image: image, overlay: overlay, verifier: verifier)
    }

    /// `overlay`: where the machine finds a file, and which one it is.
    private func readOverlay(_ section: YAMLSection) -> [OverlayEntry] {
        guard let overlay = section.section("overlay") else { return [] }
        return overlay.keys.compactMap { text, position -> OverlayEntry? in
            guard let entry = overlay.named(text) else { return nil }
            defer { entry.finish() }
            let file = entry.requiredString("from", "V53", example: "NAME:TAG/PATH").flatMap {
                self.file($0, entry, "from")
            }
            let isTemplate = entry.boolean("fill") ?? false
            var mode: UInt16 = 0o644
            if let digits = entry.string("mode") {
                if let value = UInt16(digits, radix: 8), value <= 0o7777 {
                    mode = value
                } else {
                    entry.fail("mode", "V01", "'\(digits)' must be permission bits such as \"0644\"")
                }
            }
            let path: ArtifactPath
            do {
                path = try ArtifactPath(text)
            } catch {
                diagnostics.report(.error, "V53", at: position, "\(error)")
                return nil
            }
            return file.map { OverlayEntry(path: path, file: $0, isTemplate: isTemplate, mode: mode) }
        }
    }

    private func file(_ text: String, _ section: YAMLSection, _ key: String) -> FileReference? {
        do {
            return try FileReference(text)
        } catch {
            section.fail(key, "V53", "\(error)")
            return nil
        }
    }

    func readAssignment(_ host: String, _ section: YAMLSection) -> Assignment? {
        let profile = section.string("profile")
        let boot = section.choice("boot", "V43", as: BootFrequency.self)
        if !section.has("boot") {
            diagnostics.report(
                .error, "V43", at: section.position,
                "'\(section.child("boot"))' is missing: say 'once' (install), 'always' (diskless) or 'local' (its disk)"
            )
        }
        guard let boot else { return nil }
        if profile == nil, boot != .local {
            diagnostics.report(
                .error, "V42", at: section.position,
                "'\(section.child("profile"))' is missing: name the profile to boot, or write 'boot: local'")
            return nil
        }
        return Assignment(host: host, profile: profile, boot: boot)
    }
}
