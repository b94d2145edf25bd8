internal import Foundation
internal import Subprocess
internal import Trust

/// Signs with the tools that own the keys: they ask for passphrases, and talk to agents and hardware.
enum ManifestSigner {
    /// With `ssh-keygen -Y sign`.
    /// `key`: the private key's file, or the public one's of a key that an agent holds.
    /// - Throws: `OperatorError` with the tool's last words.
    static func ssh(_ manifest: [UInt8], key: String) async throws -> [UInt8] {
        let arguments = ["-Y", "sign", "-q", "-n", TrustKey.manifestNamespace, "-f", key]
        do {
            let result = try await Subprocess.run(
                .name("ssh-keygen"), arguments: Arguments(arguments), input: .array(manifest),
                output: .bytes(limit: 64 << 10), error: .string(limit: 64 << 10))
            guard result.terminationStatus.isSuccess else {
                throw failure("ssh-keygen", "sign with \(key)", result.standardError)
            }
            return result.standardOutput
        } catch let error as OperatorError {
            throw error
        } catch {
            throw missing("ssh-keygen", package: "openssh-client", error)
        }
    }

    /// With `minisign -S`, which reads files and asks on the terminal.
    static func minisign(_ manifest: [UInt8], key: String) async throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("artifactctl-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw OperatorError(.file, "\(folder.path) cannot be made: \(error.localizedDescription)")
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        let content = folder.appendingPathComponent("manifest.json")
        let signature = folder.appendingPathComponent("manifest.minisig")
        do {
            try Data(manifest).write(to: content)
            let result = try await Subprocess.run(
                .name("minisign"),
                arguments: ["-S", "-q", "-s", key, "-m", content.path, "-x", signature.path],
                input: .currentStandardInput, output: .currentStandardError, error: .string(limit: 64 << 10))
            guard result.terminationStatus.isSuccess, let bytes = FileManager.default.contents(atPath: signature.path)
            else { throw failure("minisign", "sign with \(key)", result.standardError) }
            return Array(bytes)
        } catch let error as OperatorError {
            throw error
        } catch {
            throw missing("minisign", package: "minisign", error)
        }
    }

    private static func failure(_ program: String, _ what: String, _ words: String) -> OperatorError {
        let line = words.split(whereSeparator: \.isNewline).last.map(String.init) ?? "it ended with a failure"
        return OperatorError(.file, "\(program) could not \(what): \(ControlClient.visible(line))")
    }

    private static func missing(_ program: String, package: String, _ error: any Error) -> OperatorError {
        OperatorError(.file, "\(program) cannot be run: install the package \(package) (\(error))")
    }
}
