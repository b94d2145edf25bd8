package import Archives
internal import CLinux
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// Has libarchive read archives in a process of its own. That process has the archive as its standard input and a pipe as
/// its output, and from before the first byte that it reads it may use memory and these two, and nothing else: no file, no
/// network, no other program. Its memory and its time are bounded.
package struct ConfinedArchiveReader: ArchiveStreaming {
    /// The first argument of the program that does the reading.
    package static let command = "archive-read"
    private static let limits = ["--as=4294967296", "--cpu=7200", "--fsize=0", "--nofile=8", "--core=0"]

    private let program: String

    /// `program` is one that calls `readIfAsked`; by default the one that runs.
    package init(program: String = "/proc/self/exe") { self.program = program }

    /// Reads an archive and ends the program, when its arguments ask for it: `archive-read`, and `--contents` for more than
    /// hashes. Whoever has the command calls this first, before a second thread is there.
    package static func readIfAsked(_ arguments: [String]) {
        guard arguments.dropFirst().first == command else { return }
        ArchiveStreamWriter.prepare()
        guard clinux_confine() == 0 else { exit(1) }
        var writer = ArchiveStreamWriter(sendsContents: arguments.contains("--contents"))
        exit(writer.run() ? 0 : 1)
    }

    package func stream(
        _ path: String, contents: Bool, _ receive: (ArchiveStreamParser.Event) async throws -> Void
    ) async throws {
        // The link is followed by whoever resolves it: prlimit is another program.
        let program = self.program == "/proc/self/exe" ? try Self.ownProgram() : self.program
        let arguments = Self.limits + ["--", program, Self.command] + (contents ? ["--contents"] : [])
        guard clinux_can_start_child() == 1 else {
            throw ArchiveError(.failure, "\(path) cannot be read: no file descriptors are left")
        }
        let archive: FileDescriptor
        do {
            archive = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        } catch {
            throw ArchiveError(.failure, "\(path) cannot be opened: \(error)")
        }
        var parser = ArchiveStreamParser()
        var fault: (any Error)?
        let status: TerminationStatus
        do {
            let result = try await Subprocess.run(
                .name("prlimit"), arguments: Arguments(arguments), environment: .custom(["PATH": "/usr/bin:/bin"]),
                input: .fileDescriptor(archive, closeAfterSpawningProcess: true), output: .sequence,
                error: .discarded
            ) { execution in
                do {
                    for try await piece in execution.standardOutput {
                        piece.withUnsafeBytes { parser.feed($0) }
                        while let event = try parser.next() { try await receive(event) }
                    }
                } catch {
                    // The reader ends by itself when nobody listens.
                    fault = error
                }
            }
            status = result.terminationStatus
        } catch {
            throw ArchiveError(.failure, "the reader of archives cannot be run: \(error)")
        }
        if let fault { throw fault }
        guard parser.isFinished else {
            switch status {
            case .signaled:
                throw ArchiveError(.hostile, "reading it took more time or memory than is given to an archive")
            case .exited(let code): throw ArchiveError(.failure, "the reader of archives ended with status \(code)")
            }
        }
    }

    private static func ownProgram() throws(ArchiveError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw ArchiveError(.failure, "this program cannot be found on disk") }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // An upgrade has put another in its place: the kernel says so behind the path.
        let mark = " (deleted)"
        return path.hasSuffix(mark) ? String(path.dropLast(mark.count)) : path
    }
}
