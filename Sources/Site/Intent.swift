package import Artifacts

/// A name that moves between hosts: what consumers use.
package struct Service: Hashable, Sendable {
    package var name: String
    package var zone: ServiceZone
    package var provider: ServiceProvider
    /// Substrates in whose zones the name exists too.
    package var exposedIn: [String]
}

package enum ServiceZone: Hashable, Sendable {
    case management
    case substrate(String)
}

package enum ServiceProvider: Hashable, Sendable {
    case host(String)
    /// Whoever is the authority of the substrate at the time.
    case authority
}

/// What to boot and with which answers. Reusable; may be parked (assigned to nobody).
package struct Profile: Hashable, Sendable {
    package var name: String
    /// nil for a disk image profile, which this version knows but cannot boot.
    package var kernel: FileReference?
    package var initrds: [FileReference]
    /// Kernel arguments, with `${...}` variables of `ProfileVariable`.
    package var arguments: [String]
    /// A file that is served, its variables filled in, under the machine's own per-boot URL.
    package var answer: FileReference?
    package var image: FileReference?
    /// Files that the machine finds in its initrd, laid over those of its other initrds.
    package var overlay: [OverlayEntry]
    /// Who verifies on the machine, by the site's boot key, what is booted there; nil for nobody.
    package var verifier: BootVerifier?
}

/// Who holds what a machine boots against the site's boot key, on that machine.
package enum BootVerifier: String, Hashable, Sendable, CaseIterable {
    /// An iPXE that has `imgverify` and the site's certificate: kernel and initrds.
    case ipxe
    /// The GRUB that this server makes, with the site's public key inside: configuration, kernel and initrds.
    case grub
    /// UEFI Secure Boot with the site's certificate enrolled: kernel, initrds and arguments in one signed program.
    case firmware
}

/// A file of an initrd overlay.
package struct OverlayEntry: Hashable, Sendable {
    /// Where the machine finds it, below the root.
    package var path: ArtifactPath
    package var file: FileReference
    /// Whether its variables are filled in, as those of an answer file are.
    package var isTemplate: Bool
    /// Permission bits.
    package var mode: UInt16
}

extension Site {
    /// Every version that a profile names, parked ones included: an operator may assign them at any moment.
    package var artifactsInUse: Set<Reference> {
        var references: Set<Reference> = []
        for profile in profiles {
            for file in profile.files { references.insert(file.artifact) }
        }
        return references
    }
}

extension Profile {
    /// Every file that it names.
    package var files: [FileReference] {
        [kernel, answer, image].compactMap { $0 } + initrds + overlay.map(\.file)
    }
}

/// The variables that a profile's arguments and answer file may use.
package enum ProfileVariable: Hashable, Sendable {
    /// `${service.NAME}`: the service's name in the substrate that the request came from.
    case service(String)
    /// `${host.name}`, `${host.fqdn}`, `${host.mac}`.
    case hostName, hostFQDN, hostMAC
    /// `${boot.url}`: the base of this machine's own URLs for this one boot.
    case bootURL
    /// `${answer.url}`: the answer file.
    case answerURL

    /// nil for an unknown variable; `name` is without `${` and `}`.
    package init?(name: some StringProtocol) {
        switch name {
        case "host.name": self = .hostName
        case "host.fqdn": self = .hostFQDN
        case "host.mac": self = .hostMAC
        case "boot.url": self = .bootURL
        case "answer.url": self = .answerURL
        default:
            guard name.hasPrefix("service.") else { return nil }
            self = .service(String(name.dropFirst("service.".count)))
        }
    }
}

/// Which host boots what, and how often.
package struct Assignment: Hashable, Sendable {
    package var host: String
    /// nil where the host only boots its disk.
    package var profile: String?
    package var boot: BootFrequency
}

/// How often an assignment may be booted.
package enum BootFrequency: String, Hashable, Sendable, CaseIterable {
    /// Until the machine reports that it is installed; then its local disk, until an operator arms it again.
    case once
    /// Every time (diskless machines, rescue).
    case always
    /// Never: its local disk.
    case local
}
