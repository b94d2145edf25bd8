/// Signatures of the boot key on EFI programs (Microsoft's "Windows Authenticode Portable Executable Signature Format"), for
/// firmware that has the key's certificate in its `db` (UEFI specification section 32.2).
package struct EFISignature: Sendable {
    private let signProgram: @Sendable (_ program: String, _ output: String) async throws(BootSigningError) -> Void

    /// By a key in a file.
    /// - Parameters:
    ///   - certificate: a path, PEM.
    ///   - key: the same; sbsign reads it itself.
    package init(certificate: String, key: String) {
        signProgram = { program, output async throws(BootSigningError) in
            try await SigningTool.sbsign.run(["--key", key, "--cert", certificate, "--output", output, program])
        }
    }

    /// By a key elsewhere.
    package init(
        by signProgram:
            @escaping @Sendable (
                _ program: String, _ output: String
            ) async throws(BootSigningError) -> Void
    ) { self.signProgram = signProgram }

    /// Whether a program is signed by a certificate's key, as firmware with the certificate in its `db` would find.
    /// - Parameters:
    ///   - program: a path.
    ///   - certificate: the same; PEM.
    /// - Returns: false for a program that has been changed, is signed by another key or not at all, or is none.
    /// - Throws: `BootSigningError` when sbverify is missing.
    package static func isValid(_ program: String, by certificate: String) async throws(BootSigningError) -> Bool {
        if (try? await SigningTool.sbverify.run(["--cert", certificate, program])) != nil { return true }
        // It says no, or is not there.
        try await SigningTool.sbverify.run(["--version"])
        return false
    }

    /// Signs a program.
    /// - Throws: `BootSigningError` when sbsign is missing, or the file is no EFI program, or the token does not sign.
    package func sign(_ program: String, to output: String) async throws(BootSigningError) {
        try await signProgram(program, output)
    }

    /// The same in memory.
    /// - Parameters:
    ///   - program: the file's bytes.
    ///   - directory: for the work.
    /// - Returns: the signed program.
    /// - Throws: as the other.
    package func sign(_ program: [UInt8], in directory: String) async throws(BootSigningError) -> [UInt8] {
        let folder = try WorkFolder(in: directory)
        defer { folder.remove() }
        let output = folder.path + "/signed"
        try await sign(try folder.write("unsigned", program), to: output)
        return try WorkFolder.read(output, limit: 64 << 20)
    }
}
