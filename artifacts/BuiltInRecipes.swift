internal import Artifacts
package import Trust

/// The recipes of this folder, and the certificates that they name.
package enum BuiltInRecipes {
    /// By name, in lexical order.
    package static var all: [(name: String, bytes: [UInt8])] {
        [
            ("alpine", PackageResources.alpine_yaml),
            ("debian-12-live", PackageResources.debian_12_live_yaml),
            ("debian-12-mirror", PackageResources.debian_12_mirror_yaml),
            ("debian-12-netboot", PackageResources.debian_12_netboot_yaml),
            ("fedora-42-server", PackageResources.fedora_42_server_yaml),
            ("flatcar", PackageResources.flatcar_yaml),
            ("memtest86plus", PackageResources.memtest86plus_yaml),
            ("proxmox-8", PackageResources.proxmox_8_yaml),
            ("proxmox-9", PackageResources.proxmox_9_yaml),
            ("rocky-9", PackageResources.rocky_9_yaml),
            ("talos", PackageResources.talos_yaml),
            ("ubuntu-24.04", PackageResources.ubuntu_24_04_yaml),
            ("vyos", PackageResources.vyos_yaml),
        ]
    }

    /// nil when there is none of that name.
    package static func bytes(_ name: String) -> [UInt8]? { all.first { $0.name == name }?.bytes }

    /// The certificates of a file that a built-in recipe names.
    package static func keyring(_ file: String) -> [UInt8]? {
        switch file {
        case "debian-archive.asc": PackageResources.debian_archive_asc
        case "debian-cd.asc": PackageResources.debian_cd_asc
        default: nil
        }
    }

    /// The keys that recipes pin and whose certificates are here: rules of a site may name them.
    package static var keys: [TrustKey] {
        var names: Set<String> = []
        return all.flatMap { _, bytes in Recipe.parse(bytes, keyring: keyring).recipe?.keys ?? [] }.compactMap { key in
            guard key.fetch == nil, names.insert(key.name).inserted else { return nil }
            return try? TrustKey(name: key.name, format: key.format, text: key.text, keyring: key.keyring)
        }
    }
}
