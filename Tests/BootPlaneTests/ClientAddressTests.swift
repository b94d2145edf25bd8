import Glibc
import NIOCore
import Site
import Testing

@testable import BootPlane

/// Who is at the other end, as NIO tells it and as accept(2) does.
@Suite struct ClientAddressTests {
    private static func storage(_ address: SocketAddress) -> sockaddr_storage {
        var storage = sockaddr_storage()
        address.withSockAddr { pointer, size in
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: size))
            }
        }
        return storage
    }

    @Test(arguments: ["10.20.99.21", "::ffff:10.20.99.21"])
    func anIPv4ClientIsTheSameOnEverySocket(_ text: String) throws {
        let address = try SocketAddress(ipAddress: text, port: 40000)
        for client in [ClientAddress(address), ClientAddress(Self.storage(address))] {
            #expect(IPv4Address(client: client) == IPv4Address("10.20.99.21"))
            #expect(client == ClientAddress(try SocketAddress(ipAddress: "10.20.99.21", port: 1)))
        }
    }

    @Test func anIPv6ClientIsNoIPv4OneAndToldFromItsNeighbour() throws {
        let address = try SocketAddress(ipAddress: "2001:db8::1", port: 40000)
        let neighbour = try SocketAddress(ipAddress: "2001:db8::2", port: 40000)
        #expect(ClientAddress(address) == ClientAddress(Self.storage(address)))
        #expect(ClientAddress(address) != ClientAddress(Self.storage(neighbour)))
        #expect(IPv4Address(client: ClientAddress(Self.storage(address))) == nil)
    }

    @Test func whatIsNoInternetAddressIsNobody() {
        #expect(ClientAddress(nil) == ClientAddress(sockaddr_storage()))
        #expect(IPv4Address(client: ClientAddress(nil)) == nil)
    }
}
