internal import Appliance
internal import ArgumentParser
internal import ControlAPI
internal import Foundation
internal import Glibc
internal import Store

/// `provisioner appliance console`.
struct ApplianceConsoleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Show this machine's state on its terminal, and refresh it.",
        discussion: "Enter logs in, where the partition PROVISION has a password hash.")

    /// Older words of the daemon do not count.
    private static let staleAfter: Int64 = 15_000
    private static let refreshMilliseconds: Int32 = 2000
    /// What a serial line is that tells no size.
    private static let usualSize = (width: 80, height: 24)

    @Option(help: "What 'provisioner appliance setup' wrote.")
    var state = AppliancePath.state

    @Option(help: "What the daemon writes.")
    var statusFile = "/run/provisioner/status.json"

    @Option(help: "Say that no services run, and why.")
    var emergency: String?

    @Flag(help: "Print the page once.")
    var once = false

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        if once {
            print(ConsolePage(content()).lines(width: Self.usualSize.width, height: 200).joined(separator: "\n"))
            return
        }
        var shown: [String] = []
        while true {
            let size = Self.size()
            let lines = ConsolePage(content()).lines(width: size.width, height: size.height)
            // A serial line is slow, and somebody may be selecting text: the clock alone is no reason to paint.
            if lines.dropFirst() != shown.dropFirst() || shown.isEmpty {
                paint(lines)
                shown = lines
            }
            if waitForEnter() {
                try logIn()
                shown = []
            }
        }
    }

    private func content() -> ConsolePage.Content {
        let time = SteadyClock.system().wall
        var status: ConsoleStatus?
        if let bytes = SmallFile.read(statusFile, limit: 4 << 20), let age = age(of: statusFile),
            (0..<Self.staleAfter).contains(age)
        {
            status = try? JSONDecoder().decode(ConsoleStatus.self, from: Data(bytes))
        }
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return ConsolePage.Content(
            version: ProductVersion.current,
            hostName: String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            time: time, links: LinkInventory.read(), status: status,
            problems: lines(AppliancePath.problems(in: state)), advice: lines(AppliancePath.advice(in: state)),
            emergency: emergency, login: login)
    }

    private var login: ConsolePage.Login {
        if access(AppliancePath.shadow(in: state), F_OK) == 0 { return .password }
        return access(AppliancePath.keys(in: state), F_OK) == 0 ? .keysOnly : .none
    }

    /// Milliseconds since the file was written; by the file system's clock and the same as ours, whatever it says.
    private func age(of path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return SteadyClock.system().wall
            - (Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    private func lines(_ path: String) -> [String] {
        let bytes = SmallFile.read(path, limit: 1 << 20) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// ECMA-48: home, and each line after its place was cleared, with the rest of the screen before the last one. Clearing
    /// after a line that fills its width would take its last character: the cursor still stands on it.
    private func paint(_ lines: [String]) {
        let text =
            "\u{1b}[H" + lines.dropLast().map { "\u{1b}[K\($0)\r\n" }.joined() + "\u{1b}[J" + (lines.last ?? "")
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(1, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            guard count > 0 else { return }
            offset += count
        }
    }

    /// Waits for the next refresh; true when a line came before.
    private func waitForEnter() -> Bool {
        var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, Self.refreshMilliseconds) > 0 else { return false }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(0, &bytes, bytes.count)
        // The terminal is gone: systemd starts this program again when it is back.
        if count <= 0 { Glibc.exit(0) }
        return bytes.prefix(count).contains(UInt8(ascii: "\n"))
    }

    private func logIn() throws {
        guard login == .password else { return }
        let clear = Array("\u{1b}[H\u{1b}[J".utf8)
        _ = Glibc.write(1, clear, clear.count)
        // login(1) goes only where all three are a terminal (standard error goes to the journal until here).
        dup2(1, 2)
        // Ignored signals outlive execv, and a shell needs this one.
        signal(SIGPIPE, SIG_DFL)
        // It becomes this process, so that the session has this terminal; the page comes back when it ends.
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup(AppliancePath.login), strdup("root"), nil]
        execv(AppliancePath.login, arguments)
        throw ValidationFailure("\(AppliancePath.login): \(String(cString: strerror(errno)))")
    }

    private static func size() -> (width: Int, height: Int) {
        var window = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else { return usualSize }
        return (Int(window.ws_col), Int(window.ws_row))
    }
}
