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
    static let sbsign = SigningTool(program: "sbsign", package: "sbsigntool")

    /// What it writes to standard output.
    /// - Throws: `BootSigningError` when it is missing or fails, with the end of what it says.
    @discardableResult
    func run(_ arguments: [String]) async throws(BootSigningError) -> String {
        do {
            let result = try await Subprocess.run(
                .name(program), arguments: Arguments(arguments),
                environment: .custom(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]),
                input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            guard case .exited(0) = result.terminationStatus else {
                let said = result.standardError.split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
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
