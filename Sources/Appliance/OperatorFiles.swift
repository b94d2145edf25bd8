/// `authorized_keys` and `password_hash`: who may log in on an appliance itself.
enum OperatorFiles {
    /// Types that sshd of Debian 12 accepts (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
    private static let keyTypes: Set<Substring> = [
        "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// The lines that hold keys, and a finding for each line that sshd would pass over in silence.
    static func keys(_ bytes: [UInt8], file: String) -> (lines: [String], problems: [String]) {
        var lines: [String] = []
        var problems: [String] = []
        for (index, line) in self.lines(bytes).enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(whereSeparator: \.isWhitespace)
            // Options may stand before the type; quoted ones hold blanks.
            guard let type = words.firstIndex(where: { keyTypes.contains($0) }), type + 1 < words.count,
                words[type + 1].hasPrefix("AAAA")
            else {
                problems.append(
                    "\(file):\(index + 1):1: error: this is no public key: copy a line of a .pub file, such as 'ssh-ed25519 AAAA... name' [N06]"
                )
                continue
            }
            lines.append(line)
        }
        if lines.isEmpty, problems.isEmpty {
            problems.append(
                "\(file):1:1: error: there is no key in it: copy a line of a .pub file, or remove the file [N06]")
        }
        return (lines, problems)
    }

    /// The hash, in a form that cannot break a line of shadow(5).
    static func passwordHash(_ bytes: [UInt8], file: String) -> (hash: String?, problem: String?) {
        let text = lines(bytes).first ?? ""
        let schemes = ["$6$", "$5$", "$y$", "$2b$", "$7$"]
        guard schemes.contains(where: { text.hasPrefix($0) }), text.utf8.count < 400,
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") })
        else {
            return (
                nil,
                "\(file):1:1: error: this is no password hash: write the one line that 'openssl passwd -6' prints [N07]"
            )
        }
        return (text, nil)
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .map { line in
                let words = line.drop(while: \.isWhitespace)
                return String(words.reversed().drop(while: \.isWhitespace).reversed())
            }
    }
}
