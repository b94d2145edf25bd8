import ArgumentParser
import Testing

@testable import Operator

@Suite struct ServerOptionsTests {
    @Test func optionsWinOverTheEnvironment() throws {
        let environment = ["PROVISIONER_SOCKET": "/env.sock", "PROVISIONER_SERVER": "http://env:1"]
        func place(_ arguments: [String], _ environment: [String: String]) throws -> ServerConnection.Place {
            try ServerOptions.parse(arguments).connection(environment: environment).place
        }
        #expect(try place(["--server", "http://x:1"], environment) == .url("http://x:1"))
        #expect(try place(["--socket", "/y"], environment) == .socket("/y"))
        #expect(try place([], environment) == .socket("/env.sock"))
        #expect(try place([], ["PROVISIONER_SERVER": "http://env:1"]) == .url("http://env:1"))
        #expect(try place([], [:]) == .socket("/run/provisioner/control.sock"))
    }

    @Test func socketPathsBecomeURLs() throws {
        let connection = ServerConnection(place: .socket("/run/a b.sock"), token: nil)
        #expect(connection.url("/v2/") == "http+unix://%2Frun%2Fa%20b%2Esock/v2/")
        #expect(ServerConnection(place: .url("http://x:1/"), token: nil).url("/v2/") == "http://x:1/v2/")
    }

    @Test(arguments: [["--server", "x:1"], ["--server", "ftp://x"], ["--server", "http://x", "--socket", "/y"]])
    func wrongPlacesAreUsage(arguments: [String]) {
        #expect(throws: (any Error).self) { try ServerOptions.parse(arguments) }
    }

    @Test func aMissingTokenFileIsNamed() throws {
        let options = try ServerOptions.parse(["--token-file", "/does/not/exist"])
        #expect(throws: OperatorError(.file, "")) { try options.connection(environment: [:]) }
    }
}
