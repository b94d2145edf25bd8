internal import Artifacts
internal import CLinux
internal import Glibc
internal import Subprocess
internal import Synchronization
package import Trust

/// Runs gpgv, which alone here reads OpenPGP: in a folder of its own without a home, on one keyring that is named, and with
/// bounds on time, memory and output.
package final class GPGV: OpenPGPVerifying {
    private static let limits = ["--cpu=120", "--as=1073741824", "--fsize=\(ChecksumList.maximumSize)", "--core=0"]
    private static let options = [
        "--weak-digest", "SHA1", "--weak-digest", "MD5", "--weak-digest", "RIPEMD160", "--status-fd", "1",
    ]

    private let program: String
    private let temporaryPath: String
    private let version = Mutex<String?>(nil)

    /// - Parameters:
    ///   - program: A name on the PATH, or a path.
    ///   - temporaryPath: Where folders for single runs are made, and removed again.
    package init(program: String = "gpgv", temporaryPath: String = "/tmp") {
        self.program = program
        self.temporaryPath = temporaryPath
    }

    package func verify(
        _ signature: [UInt8]?, over content: SignedContent, keyring: [UInt8]
    ) async throws(OpenPGPUnavailable) -> OpenPGPResult {
        let folder = try TemporaryFolder(in: temporaryPath)
        defer { folder.remove() }
        let home = try folder.makeFolder("home")
        let keys = try folder.write("keys", keyring)
        let data: String
        switch content {
        case .file(let path): data = path
        case .bytes(let bytes): data = try folder.write("content", bytes)
        }
        var arguments = Self.options + ["--homedir", home, "--keyring", keys]
        let output = folder.path + "/text"
        if let signature {
            arguments += ["--", try folder.write("signature", signature), data]
        } else {
            arguments += ["--output", output, "--", data]
        }
        let status = try await run(arguments)
        let text = signature == nil ? try? SignedContent.file(path: output).all(limit: ChecksumList.maximumSize) : nil
        return OpenPGPResult(status: OpenPGPStatus(status), text: text, tool: try await tool())
    }

    private func run(_ arguments: [String]) async throws(OpenPGPUnavailable) -> String {
        guard clinux_can_start_child() == 1 else {
            throw OpenPGPUnavailable("\(program) cannot be run: no file descriptors are left")
        }
        do {
            let result = try await Subprocess.run(
                .name("prlimit"), arguments: Arguments(Self.limits + ["--", program] + arguments),
                environment: .custom(["PATH": "/usr/bin:/bin", "LC_ALL": "C"]), input: .none,
                output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            // 126 and 127 are prlimit's own: the program cannot be run, or is not there.
            if case .exited(let code) = result.terminationStatus, [126, 127].contains(code) {
                throw OpenPGPUnavailable("\(program) is missing: install the package gpgv")
            }
            if case .signaled(let signal) = result.terminationStatus {
                throw OpenPGPUnavailable(
                    "\(program) was ended by signal \(signal): the bounds on it are too narrow, or the input is hostile"
                )
            }
            return result.standardOutput
        } catch let error as OpenPGPUnavailable {
            throw error
        } catch {
            throw OpenPGPUnavailable("\(program) cannot be run: install the packages gpgv and util-linux (\(error))")
        }
    }

    /// The first line that the program says of itself.
    private func tool() async throws(OpenPGPUnavailable) -> String {
        if let version = version.withLock({ $0 }) { return version }
        let line = try await run(["--version"]).split(whereSeparator: \.isNewline).first.map(String.init) ?? program
        version.withLock { $0 = line }
        return line
    }
}

/// A folder that only this user may enter, for one run.
private struct TemporaryFolder {
    let path: String

    init(in parent: String) throws(OpenPGPUnavailable) {
        var template = Array("\(parent)/provisioner-gpgv.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw OpenPGPUnavailable("no folder can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func makeFolder(_ name: String) throws(OpenPGPUnavailable) -> String {
        guard mkdir("\(path)/\(name)", 0o700) == 0 else { throw failure(name) }
        return "\(path)/\(name)"
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(OpenPGPUnavailable) -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(name) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(name) }
            rest = rest.dropFirst(count)
        }
        return file
    }

    /// What gpgv may leave is in these two places, and in no other.
    func remove() {
        for name in ["keys", "content", "signature", "text"] { unlink("\(path)/\(name)") }
        rmdir("\(path)/home")
        rmdir(path)
    }

    private func failure(_ name: String) -> OpenPGPUnavailable {
        OpenPGPUnavailable("\(path)/\(name) cannot be written: \(String(cString: strerror(errno)))")
    }
}
