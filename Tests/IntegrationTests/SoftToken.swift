import Foundation
import TestSupport

/// A PKCS #11 token in software, by SoftHSM, in a lab's directory.
struct SoftToken {
    static let requirements: [Requirement] = [
        .tool("softhsm2-util", package: "softhsm2"), .tool("pkcs11-tool", package: "opensc"),
        .tool("openssl", package: "openssl"), .tool("sbverify", package: "sbsigntool"),
        .file(URL(filePath: "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so"), package: "libengine-pkcs11-openssl"),
    ]
    private static let module = "/usr/lib/softhsm/libsofthsm2.so"
    private static let rightPIN = "271828"

    /// What programs need to find it.
    let environment: [String]
    private let lab: NetworkLab
    private let pin: URL

    /// A token with one key.
    init(in lab: NetworkLab, key: String) async throws {
        try Requirement.demand(Self.requirements)
        self.lab = lab
        let tokens = lab.directory.appending(path: "tokens")
        try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: false)
        let configuration = lab.directory.appending(path: "softhsm2.conf")
        try Data("directories.tokendir = \(tokens.path)\nobjectstore.backend = file\n".utf8).write(to: configuration)
        environment = ["SOFTHSM2_CONF=\(configuration.path)"]
        pin = lab.directory.appending(path: "pin")
        try setPIN(right: true)
        try await run(
            [
                "softhsm2-util", "--init-token", "--free", "--label", "site", "--pin", Self.rightPIN, "--so-pin",
                "314159",
            ])
        try await makeKey(key)
    }

    func makeKey(_ label: String) async throws {
        try await run(
            [
                "pkcs11-tool", "--module", Self.module, "--login", "--pin", Self.rightPIN, "--token-label", "site",
                "--keypairgen", "--key-type", "rsa:3072", "--label", label,
            ])
    }

    /// What is in the file that the server reads the PIN from; with a line's end, as editors write it.
    func setPIN(right: Bool) throws { try Data("\(right ? Self.rightPIN : "000000")\n".utf8).write(to: pin) }

    /// The right PIN, in a file that looks as the one with the wrong one did.
    func setRightPINUnseen() async throws {
        let times = lab.directory.path + "/times"
        try await lab.commands.run(["cp", "-p", pin.path, times])
        let file = try FileHandle(forWritingTo: pin)
        try file.write(contentsOf: Data(Self.rightPIN.utf8))
        try file.close()
        try await lab.commands.run(["touch", "-r", times, pin.path])
    }

    func uri(_ key: String) -> String {
        "pkcs11:token=site;object=\(key)?module-path=\(Self.module)&pin-source=file:\(pin.path)"
    }

    private func run(_ command: [String]) async throws {
        try await lab.commands.run(["env"] + environment + command)
    }
}
