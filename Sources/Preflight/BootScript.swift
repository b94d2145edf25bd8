/// What one of our iPXE scripts tells a machine to load.
struct BootScript: Equatable {
    /// A file, and where the signature over it is that the machine wants.
    struct Load: Equatable {
        let url: String
        var signature: String?
    }

    private(set) var loads: [Load] = []
    /// What the machine goes on with instead: another script, or a loader.
    private(set) var chains: [String] = []
    private(set) var boots = false
    /// What it prints.
    private(set) var messages: [String] = []

    /// nil where the text is no iPXE script.
    init?(_ text: String) {
        guard text.hasPrefix("#!ipxe") else { return nil }
        var byName: [Substring: Int] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            // What follows `||` is for when it fails.
            let words = line.split(separator: " ").prefix { $0 != "||" && $0 != "&&" }
            let arguments = words.dropFirst().drop { $0.hasPrefix("-") && $0 != "--name" }
            switch words.first {
            case "kernel", "initrd":
                guard arguments.first == "--name", let name = arguments.dropFirst().first,
                    let url = arguments.dropFirst(2).first
                else { continue }
                byName[name] = loads.count
                loads.append(Load(url: String(url)))
            case "imgverify":
                guard let name = arguments.first, let index = byName[name], let url = arguments.dropFirst().first else {
                    continue
                }
                loads[index].signature = String(url)
            case "chain":
                var rest = arguments
                if rest.first == "--name" { rest = rest.dropFirst(2) }
                if let url = rest.first { chains.append(String(url)) }
            case "boot": boots = true
            case "echo": messages.append(words.dropFirst().joined(separator: " "))
            default: continue
            }
        }
    }
}
