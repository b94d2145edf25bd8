internal import ArgumentParser

/// `artifactctl certificate`.
struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Print the certificate that other clients need to believe the server.",
        discussion: """
            It is the one of the server's own authority, which the login has proven. Registry clients want it as ca.crt:

              mkdir -p /etc/containers/certs.d/artifacts.rack.example.net
              artifactctl certificate >/etc/containers/certs.d/artifacts.rack.example.net/ca.crt
            """)

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let connection = try server.connection()
        guard let certificate = connection.certificate else {
            throw OperatorError(
                .refused,
                "there was no login to \(connection.place) from here: 'artifactctl login URL' first; on the server it is control.crt in the data directory"
            )
        }
        print(certificate, terminator: certificate.hasSuffix("\n") ? "" : "\n")
    }
}
