package import ArgumentParser
internal import Foundation
internal import ServerIdentity

/// `provisioner boot-key show|rotate`.
package struct BootKeyCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "boot-key", abstract: "Show the certificate of the site's boot key, or make a new key.",
        discussion: """
            Firmware that has the certificate in its db, or an iPXE that has it inside, starts what this server signed and nothing \
            else; profiles with 'verify: firmware' and 'verify: ipxe' ask for it. The key itself stays in the data \
            directory, or on a PKCS #11 token (serve --boot-key).

              provisioner boot-key show >boot.crt
              make bin/ipxe.efi CERT=boot.crt TRUST=boot.crt      # in iPXE's sources, with IMAGE_TRUST_CMD
            """,
        subcommands: [BootKeyShowCommand.self, BootKeyRotateCommand.self])

    package init() {}
}

struct BootKeyShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print the certificate, PEM; its fingerprint on standard error.")

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    func run() throws {
        if let certificate = try TokenCertificateFile.read(in: data) {
            print(certificate, terminator: "")
            StandardError.write("\(try ServerIdentity.fingerprint(certificate: certificate))")
            return
        }
        guard FileManager.default.fileExists(atPath: DefaultPath.bootCertificate(in: data)) else {
            throw ValidationFailure("\(data) has no boot key yet: the server makes it at its first start")
        }
        let key = try BootKeyFiles.loadOrMake(in: data)
        print(key.certificate, terminator: "")
        StandardError.write("\(key.fingerprint)")
    }
}

struct BootKeyRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Make a new key, and print its certificate; the old one is gone.",
        discussion: """
            Stop the server for it. The key that GRUB has inside is made anew, too. Loaders and firmware with the old certificate \
            start nothing any more: give them the new one, or take 'verify' out of the profiles meanwhile.
            """)

    @Option(help: "The data directory.")
    var data = DefaultPath.data

    func run() throws {
        guard FileManager.default.fileExists(atPath: data) else {
            throw ValidationFailure("\(data) is not there: is it the server's --data?")
        }
        if try TokenCertificateFile.read(in: data) != nil {
            BootKeyFiles.rotateOpenPGP(in: data)
            return StandardError.write(
                "GRUB gets a new key. The boot key is on a token: make another one there, and start the server with its --boot-key"
            )
        }
        umask(0o077)
        let key = try BootKeyFiles.rotate(in: data)
        print(key.certificate, terminator: "")
        StandardError.write("\(key.fingerprint)")
    }
}
