internal import CLinux
internal import Subprocess

/// A program of Debian that makes something which firmware or a loader verifies.
struct SigningTool: Sendable {
    let program: String
    let package: String

    static let gpg = SigningTool(program: "gpg", package: "gnupg")
    static let gpgconf = SigningTool(program: "gpgconf", package: "gnupg")
    static let grubMakeImage = SigningTool(program: "grub-mkimage", package: "grub-common")
    static let objcopy = SigningTool(program: "objcopy", package: "binutils")
    static let objdump = SigningTool(program: "objdump", package: "binutils")
    static let openssl = SigningTool(program: "openssl", package: "openssl")
    static let sbverify = SigningTool(program: "sbverify", package: "sbsigntool")
    static let sbsign = SigningTool(program: "sbsign", package: "sbsigntool")

    /// What it writes to standard output.
    /// - Parameters:
    ///   - arguments: for it.
    ///   - added: variables that it gets beside all of this process, which libraries of tokens need; nil for an environment
    ///     without anything of this process.
    ///   - patience: seconds after which it is ended; nil for as long as it takes.
    /// - Returns: the text.
    /// - Throws: `BootSigningError` when it is missing or fails, with the end of what it says.
    @discardableResult
    func run(
        _ arguments: [String], inheriting added: [Environment.Key: String]? = nil, patience: Int? = nil
    ) async throws(BootSigningError) -> String {
        var variables: [Environment.Key: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        variables.merge(added ?? [:]) { $1 }
        let environment: Environment =
            added == nil ? .custom(variables) : .inherit.updating(variables.mapValues { Optional($0) })
        guard clinux_can_start_child() == 1 else {
            throw BootSigningError("\(program) cannot be run: no file descriptors are left")
        }
        do {
            let result = try await Subprocess.run(
                .name(patience == nil ? program : "timeout"),
                arguments: Arguments((patience.map { ["--kill-after=5", "\($0)", program] } ?? []) + arguments),
                environment: environment, input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            // As timeout(1) tells it.
            switch (patience, result.terminationStatus) {
            case (_?, .exited(127)): throw missing
            case (let patience?, .exited(124)), (let patience?, .exited(137)):
                throw BootSigningError("\(program) has not ended after \(patience) seconds")
            default: break
            }
            guard case .exited(0) = result.terminationStatus else {
                let said = result.standardError.split(whereSeparator: \.isNewline).suffix(6).joined(separator: "; ")
                throw BootSigningError("\(program) fails: \(said)")
            }
            return result.standardOutput
        } catch let error as BootSigningError {
            throw error
        } catch {
            throw missing
        }
    }

    private var missing: BootSigningError {
        BootSigningError("\(program) cannot be run: install the package \(package)")
    }
}
