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
    static let sbsign = SigningTool(program: "sbsign", package: "sbsigntool")

    /// What it writes to standard output.
    /// - Parameters:
    ///   - arguments: for it.
    ///   - added: variables that it gets beside all of this process, which libraries of tokens need; nil for an environment
    ///     without anything of this process.
    /// - Returns: the text.
    /// - Throws: `BootSigningError` when it is missing or fails, with the end of what it says.
    @discardableResult
    func run(
        _ arguments: [String], inheriting added: [Environment.Key: String]? = nil
    ) async throws(BootSigningError) -> String {
        var variables: [Environment.Key: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        variables.merge(added ?? [:]) { $1 }
        let environment: Environment =
            added == nil ? .custom(variables) : .inherit.updating(variables.mapValues { Optional($0) })
        do {
            let result = try await Subprocess.run(
                .name(program), arguments: Arguments(arguments),
                environment: environment, input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            guard case .exited(0) = result.terminationStatus else {
                let said = result.standardError.split(whereSeparator: \.isNewline).suffix(6).joined(separator: "; ")
                throw BootSigningError("\(program) fails: \(said)")
            }
            return result.standardOutput
        } catch let error as BootSigningError {
            throw error
        } catch {
            throw BootSigningError("\(program) cannot be run: install the package \(package)")
        }
    }
}
