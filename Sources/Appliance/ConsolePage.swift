package import ControlAPI

/// The page on an appliance's screen and serial line: plain text, the same on both.
package struct ConsolePage: Sendable {
    /// What the page is made of.
    package struct Content: Sendable {
        package var version: String
        package var hostName: String
        /// Milliseconds since 1970.
        package var time: Int64
        package var links: [NetworkLink]
        /// What the daemon last wrote; nil when it wrote nothing, or nothing lately.
        package var status: ConsoleStatus?
        /// From the start of the machine: `ApplianceSetup.problems` and `advice`.
        package var problems: [String]
        package var advice: [String]
        /// Why no services run at all; nil when they may.
        package var emergency: String?
        package var login: Login

        package init(
            version: String, hostName: String, time: Int64, links: [NetworkLink], status: ConsoleStatus?,
            problems: [String], advice: [String], emergency: String?, login: Login
        ) {
            self.version = version
            self.hostName = hostName
            self.time = time
            self.links = links
            self.status = status
            self.problems = problems
            self.advice = advice
            self.emergency = emergency
            self.login = login
        }
    }

    /// What Enter does.
    package enum Login: Sendable {
        /// Asks for root's password.
        case password
        /// There are keys for SSH, and no password.
        case keysOnly
        case none
    }

    private static let labelWidth = 12

    private let content: Content

    package init(_ content: Content) { self.content = content }

    /// The page's lines, each at most `width` characters (40 at least), at most `height` of them where the first problem
    /// leaves room. That one comes whole, wrapped and never cut; further ones leave room for interfaces and login.
    package func lines(width: Int, height: Int) -> [String] {
        let width = max(width, 40)
        let needed = (interfaces + control).flatMap { wrap($0, width) }
        let other = (store + boots).flatMap { wrap($0, width) }
        let footer = ["", footer]
        let head = headline(width)
        let body = head + problems(width, room: height - head.count - needed.count - footer.count)
        let room = max(0, height - body.count - footer.count)
        return body + (needed + other).prefix(room) + footer
    }

    private func headline(_ width: Int) -> [String] {
        let name = "Provisioner \(content.version) on \(content.hostName)"
        let time = Self.timestamp(content.time)
        let gap = width - name.count - time.count
        return [gap > 0 ? name + String(repeating: " ", count: gap) + time : name, ""]
    }

    private func problems(_ width: Int, room: Int) -> [String] {
        var all = [content.emergency].compactMap { $0 } + content.problems
        // The daemon reports a site file that setup has reported too.
        if content.problems.isEmpty { all += content.status?.server.siteProblems ?? [] }
        if content.advice.isEmpty == false { all.removeAll { $0.contains("the file cannot be read: does it exist?") } }
        if let degraded = content.status?.server.degraded { all.append(degraded) }
        if content.status == nil, content.emergency == nil {
            all.append("the server does not answer: it is starting, or 'journalctl -u provisioner' tells why not")
        }
        var rest = content.advice.flatMap { wrap(field("NEXT", $0), width) }
        if !content.problems.isEmpty {
            rest =
                wrap(field("", "Nothing but this page and the control plane is served until it is mended."), width)
                + rest
        }
        var lines: [String] = []
        for (index, problem) in all.enumerated() {
            let more = wrap(field("PROBLEM", problem), width)
            // One line for the count of the others, and one that is empty.
            guard index == 0 || lines.count + more.count + rest.count + 2 <= room else {
                lines.append(field("PROBLEM", "and \(all.count - index) more"))
                break
            }
            lines += more
        }
        lines += rest
        return lines.isEmpty ? [] : lines + [""]
    }

    private var interfaces: [String] {
        guard !content.links.isEmpty else {
            return [field("interfaces", "none: the kernel has no driver for this machine's network cards")]
        }
        return content.links.enumerated().map { index, link in
            let addresses = link.addresses.isEmpty ? "no address" : link.addresses.joined(separator: " ")
            let name = link.name.padded(to: 10)
            return field(
                index == 0 ? "interfaces" : "", "\(name)\(link.mac)  \(link.condition.padded(to: 8))\(addresses)")
        }
    }

    private var control: [String] {
        guard let status = content.status else { return [] }
        var lines = status.server.authorities.enumerated().map { index, authority in
            field(
                index == 0 ? "substrates" : "",
                "\(authority.substrate.padded(to: 10))\(authority.declared.padded(to: 13))\(authority.state)")
        }
        if let fingerprint = status.server.fingerprint, let url = controlURL(status) {
            lines.append(field("control", url))
            lines.append(field("sha256", String(fingerprint.trimmingPrefix("sha256:"))))
            lines.append(
                field(
                    "login",
                    status.loginCode.map { "artifactctl login \(url) --code \($0)" }
                        ?? "done; 'artifactctl login-code' as root here makes another code"))
        }
        return lines
    }

    private func controlURL(_ status: ConsoleStatus) -> String? {
        guard let port = status.controlPort else { return nil }
        let addresses = content.links.flatMap(\.addresses).compactMap { $0.split(separator: "/").first }
        let host =
            addresses.first { !$0.contains(":") && !$0.hasPrefix("169.254.") }
            ?? addresses.first { !$0.contains(":") } ?? "ADDRESS"
        return "https://\(host)\(port == 443 ? "" : ":\(port)")"
    }

    private var store: [String] {
        guard let server = content.status?.server else { return [] }
        return [
            field(
                "artifacts",
                "\(server.artifactCount) published; \(Self.size(server.freeBytes)) of \(Self.size(server.totalBytes)) free"
            )
        ]
    }

    private var boots: [String] {
        guard let list = content.status?.server.boots, !list.isEmpty else { return [] }
        return list.enumerated().map { index, boot in
            field(
                index == 0 ? "last boots" : "",
                "\(Self.timestamp(boot.time).dropLast(4)) \(boot.machine): \(boot.kind) \(boot.detail)")
        }
    }

    private var footer: String {
        switch content.login {
        case .password: "Press Enter to log in."
        case .keysOnly: "Log in with SSH, as root and with your key; 'password_hash' would add a login here."
        case .none: "No login: neither 'authorized_keys' nor 'password_hash' is on the partition PROVISION."
        }
    }

    private func field(_ label: String, _ text: String) -> String { label.padded(to: Self.labelWidth) + text }

    /// Breaks at blanks where it can; what follows stands below the text. Control characters never reach a terminal.
    private func wrap(_ line: String, _ width: Int) -> [String] {
        var rest = Substring(
            String(line.unicodeScalars.map { $0.value < 32 || (127...159).contains($0.value) ? " " : Character($0) }))
        var lines: [String] = []
        let indent = String(repeating: " ", count: Self.labelWidth)
        while rest.count > width {
            let head = rest.prefix(width)
            let cut = head.lastIndex(of: " ").flatMap {
                head.distance(from: head.startIndex, to: $0) > Self.labelWidth ? $0 : nil
            }
            let end = cut ?? head.endIndex
            lines.append(String(rest[..<end]))
            rest = Substring(indent + rest[end...].drop { $0 == " " })
        }
        lines.append(String(rest))
        return lines
    }

    /// `2026-11-25 03:50:11 UTC`.
    static func timestamp(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        var days = seconds / 86_400 + 719_468
        // Civil from days, proleptic Gregorian (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
        let era = days / 146_097
        days -= era * 146_097
        let yearOfEra = (days - days / 1460 + days / 36_524 - days / 146_096) / 365
        let dayOfYear = days - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let date = "\(year)-\(two(month))-\(two(dayOfYear - (153 * shifted + 2) / 5 + 1))"
        return "\(date) \(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) UTC"
    }

    /// `1.9 GB`.
    static func size(_ bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        var tenths = bytes * 10
        var unit = 0
        while tenths >= 10_000, unit < units.count - 1 {
            tenths /= 1000
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        count < width ? self + String(repeating: " ", count: width - count) : self + (width > 0 && !isEmpty ? " " : "")
    }
}
