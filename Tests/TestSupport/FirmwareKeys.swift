package import Foundation

/// Keys that a UEFI firmware trusts in the place of Microsoft's: what an owner enrolls in a real machine's setup.
package enum FirmwareKeys {
    private static var tool: URL { TestOutput.repository.appending(path: ".build/python/bin/virt-fw-vars") }
    /// Who enrolled them; any one will do.
    private static let owner = "6a7c2f3e-1f0f-4e51-9a3f-0d6b3a4f7a11"

    package static var requirements: [Requirement] {
        [
            .file(Firmware.variablesFile, package: "ovmf"),
            .file(tool, package: "python3-venv; then: make .build/python/bin/packages-are-there"),
        ]
    }

    /// Variables of OVMF with a certificate as platform key, key exchange key and in `db`, Secure Boot on.
    ///
    /// - Parameters:
    ///   - certificate: PEM.
    ///   - directory: where the file is made.
    /// - Returns: the file, for ``VirtualMachine/Configuration/variables``.
    /// - Throws: `missingRequirement`; `commandFailed` when the certificate cannot be read.
    package static func enroll(_ certificate: URL, in directory: URL) async throws -> URL {
        try Requirement.demand(requirements)
        let variables = directory.appending(path: "own-keys.vars.fd")
        let keys = ["--set-pk", "--add-kek", "--add-db"].flatMap { [$0, owner, certificate.path] }
        try await CommandRunner.local.run(
            [tool.path, "--input", Firmware.variablesFile.path, "--output", variables.path] + keys + ["--sb"])
        return variables
    }
}
