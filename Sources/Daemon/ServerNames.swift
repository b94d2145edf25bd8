internal import Glibc
internal import Site

/// What clients may call this server by.
enum ServerNames {
    /// The host's own name, and the names of the boot services on every substrate, whoever has the authority there.
    static func all(in site: Site) -> [String] {
        var names: Set<String> = ["localhost"]
        var text = [CChar](repeating: 0, count: 256)
        if gethostname(&text, text.count - 1) == 0 {
            let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // A name that is none would spoil the whole certificate.
            if DomainName(name) != nil { names.insert(name) }
        }
        for substrate in site.substrates {
            for mode in AuthorityMode.allCases {
                guard let view = SubstrateView(site: site, substrate: substrate.name, mode: mode) else { continue }
                for service in BootService.all { view.serviceName(service).map { _ = names.insert($0.description) } }
            }
        }
        return names.sorted()
    }
}
