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
