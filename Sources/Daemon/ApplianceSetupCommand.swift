internal import Appliance
internal import ArgumentParser
internal import Glibc
internal import Store

/// `provisioner appliance setup`.
struct ApplianceSetupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Read the partition PROVISION, and prepare this start.",
        discussion: """
            Checks site.yaml, network.yaml, authorized_keys and password_hash, and writes what the other services need
            below /run. It never fails for what is in a file: that is shown on the console.
            """)

    @Option(help: "Where the partition PROVISION is mounted.")
    var config = "/boot/efi"

    @Option(help: "Where to write what the other services need.")
    var state = AppliancePath.state

    @Option(help: "Where systemd-networkd reads its files.")
    var network = "/run/systemd/network"

    @Option(help: "The mount point of the data partition.")
    var dataMount = "/var"

    func run() throws {
        umask(0o022)
        let setup = ApplianceSetup(
            partition: readPartition(), links: LinkInventory.read(), isDataMounted: isMountPoint(dataMount))
        for directory in [state, network] {
            for parent in directory.pathAndParents { _ = try SystemFileOperations().makeDirectory(parent) }
            // The services that read it run as users of their own.
            chmod(directory, 0o755)
        }
        removeEarlierNetworkFiles()
        for file in setup.networkFiles { try write("\(network)/\(file.name)", file.text, mode: 0o644) }
        try write(AppliancePath.problems(in: state), setup.problems.joinedLines, mode: 0o644)
        try write(AppliancePath.advice(in: state), setup.advice.joinedLines, mode: 0o644)
        try place(
            setup.site.map { String(decoding: $0, as: UTF8.self) }, at: AppliancePath.site(in: state), mode: 0o644)
        try place(
            setup.keys.isEmpty ? nil : setup.keys.joinedLines, at: AppliancePath.keys(in: state), mode: 0o600)
        try setPassword(setup.passwordHash)
        sethostname(setup.hostName, setup.hostName.utf8.count)
        for line in setup.problems { StandardError.write(line) }
    }

    private func readPartition() -> BootPartition {
        guard isMountPoint(config) else { return BootPartition(failure: "\(config) is not mounted") }
        var files: [String: BootPartition.Content] = [:]
        for name in BootPartition.names { files[name] = Self.read("\(config)/\(name)") }
        return BootPartition(files: files)
    }

    private static func read(_ path: String) -> BootPartition.Content {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT ? .absent : .unreadable(String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .unreadable("it is not a file") }
        guard let bytes = SmallFile.read(path, limit: 16 << 20) else {
            return .unreadable(String(cString: strerror(errno)))
        }
        return .bytes(bytes)
    }

    /// A mount point lies on another device than its parent.
    private func isMountPoint(_ path: String) -> Bool {
        var own = stat()
        var parent = stat()
        return stat(path, &own) == 0 && stat(path + "/..", &parent) == 0 && own.st_dev != parent.st_dev
    }

    /// Files of an earlier run: a card that is no longer named must not keep its address.
    private func removeEarlierNetworkFiles() {
        for name in DirectoryListing.names(network) where name.hasSuffix(".network") {
            if name.hasPrefix("10-") || name.hasPrefix("90-") { unlink("\(network)/\(name)") }
        }
    }

    /// Root's line of shadow(5), in a copy that lies over the file of the read-only root. With keys alone the account is
    /// open to them but to no password; with nothing it stays as it is in the image: locked.
    private func setPassword(_ hash: String?) throws {
        guard let hash, let bytes = SmallFile.read("/etc/shadow", limit: 1 << 20) else { return }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line -> String in
            guard line.hasPrefix("root:") else { return String(line) }
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            return (["root", Substring(hash)] + fields.dropFirst(2)).joined(separator: ":")
        }
        let copy = AppliancePath.shadow(in: state)
        try write(copy, lines.joinedLines, mode: 0o600)
        guard mount(copy, "/etc/shadow", nil, UInt(MS_BIND), nil) == 0 else {
            throw ValidationFailure("/etc/shadow cannot be covered: \(String(cString: strerror(errno)))")
        }
    }

    private func place(_ text: String?, at path: String, mode: mode_t) throws {
        guard let text else {
            unlink(path)
            return
        }
        try write(path, text, mode: mode)
    }

    private func write(_ path: String, _ text: String, mode: mode_t) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        let bytes = Array(text.utf8)
        guard descriptor >= 0, bytes.isEmpty || Glibc.write(descriptor, bytes, bytes.count) == bytes.count,
            close(descriptor) == 0, rename(draft, path) == 0
        else { throw ValidationFailure("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    }
}

extension Sequence<String> {
    /// Each with its line end.
    fileprivate var joinedLines: String { map { $0 + "\n" }.joined() }
}

extension String {
    /// `/run`, `/run/appliance`.
    fileprivate var pathAndParents: [String] {
        var current = ""
        return split(separator: "/").map { component in
            current += "/" + component
            return current
        }
    }
}
