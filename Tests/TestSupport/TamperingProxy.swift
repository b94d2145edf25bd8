import Foundation

/// Somebody on the wire who flips one bit of what a server sends by HTTP.
///
/// Every connection to port 80 that comes into the lab's namespace is diverted to a proxy, which passes requests on to the
/// server and answers back, with the lowest bit of one byte changed in answers to one path.
package struct TamperingProxy: Sendable {
    package static let requirements: [Requirement] = [
        .tool("python3", package: "python3"), .tool("nft", package: "nftables"),
    ]

    /// Where the changes are told.
    package let log: LogFile

    private static let port = 8099
    private static let program = """
        import http.server, socketserver, sys, urllib.request, urllib.error
        server, ending, needle = sys.argv[1], sys.argv[2], sys.argv[3].encode()
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *words): pass
            def do_HEAD(self): self.do_GET()
            def do_GET(self):
                headers = {k: v for k, v in self.headers.items() if k.lower() in ('range', 'host')}
                request = urllib.request.Request('http://%s%s' % (server, self.path), headers=headers, method=self.command)
                try: answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error: answer = error
                body = bytearray(answer.read())
                if self.command == 'GET' and self.path.endswith(ending) and answer.status == 200:
                    place = body.rfind(needle) if needle else len(body) // 2
                    if place >= 0:
                        body[place] ^= 1
                        print('flipped', self.path, place, flush=True)
                self.send_response(answer.status)
                length = len(body) if self.command == 'GET' else answer.headers.get('content-length', '0')
                for name, value in answer.headers.items():
                    if name.lower() not in ('content-length', 'connection', 'date', 'server'): self.send_header(name, value)
                self.send_header('Content-Length', str(length))
                self.end_headers()
                self.wfile.write(body)
        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer): daemon_threads = True
        listener = Server(('', \(port)), Handler)
        print('ready', flush=True)
        listener.serve_forever()
        """

    /// Starts it; the lab stops it.
    ///
    /// - Parameters:
    ///   - lab: where the server is.
    ///   - ending: of the path whose answers are changed.
    ///   - needle: what is changed, by its last occurrence; nil for the byte in the middle.
    /// - Returns: the proxy, which changes answers from now on.
    /// - Throws: `programExited` with what python says.
    package static func start(
        in lab: NetworkLab, changing ending: String, at needle: String? = nil
    ) async throws -> TamperingProxy {
        try Requirement.demand(requirements)
        let program = try await lab.start(
            ["python3", "-c", Self.program, lab.serverAddress, ending, needle ?? ""], log: "tampering.log")
        try await program.waitForLine(containing: "ready", timeout: .seconds(20))
        // The proxy's own connections are made here and do not come in.
        try await lab.run([
            "nft",
            "add table ip tamper; add chain ip tamper pre { type nat hook prerouting priority dstnat; }; "
                + "add rule ip tamper pre tcp dport 80 redirect to :\(port)",
        ])
        return TamperingProxy(log: program.log)
    }
}
