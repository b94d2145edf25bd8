import Artifacts
import Testing

@testable import ControlPlane

@Suite struct RegistryRouteTests {
    static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test func readsEveryRoute() throws {
        let name = try ArtifactName("a/b")
        let digest = try Digest(Self.digest)
        let routes: [(String, RegistryRoute)] = [
            ("/v2", .base), ("/v2/", .base), ("/v2/a/b/blobs/\(Self.digest)", .blob(name, digest)),
            ("/v2/a/b/blobs/uploads", .startUpload(name)), ("/v2/a/b/blobs/uploads/", .startUpload(name)),
            ("/v2/a/b/blobs/uploads/x1", .upload(name, "x1")),
            ("/v2/a/b/manifests/1.0", .manifest(name, .tag(try Tag("1.0")))),
            ("/v2/a/b/manifests/\(Self.digest)", .manifest(name, .digest(digest))), ("/v2/a/b/tags/list", .tags(name)),
            ("/v2/a/b/referrers/\(Self.digest)", .referrers(name, digest)), ("/v2/_catalog", .names),
        ]
        for (path, route) in routes { #expect(try RegistryRoute(path: path) == route, "\(path)") }
    }

    @Test func namesMayLookLikeRoutes() throws {
        #expect(try RegistryRoute(path: "/v2/blobs/uploads/tags/list") == .tags(try ArtifactName("blobs/uploads")))
        #expect(
            try RegistryRoute(path: "/v2/manifests/manifests/1")
                == .manifest(try ArtifactName("manifests"), .tag(try Tag("1"))))
    }

    @Test(arguments: ["/", "/v1/x", "/v2x", "/v2/a", "/v2/a/b", "/v2/tags/list", "/v2/a/other/x", "/v2/a/tags/other"])
    func otherPathsAreNoRoute(path: String) throws {
        #expect(try RegistryRoute(path: path) == nil)
    }

    @Test(arguments: [
        "/v2/A/tags/list", "/v2/a/../b/tags/list", "/v2/a/blobs/sha512:00", "/v2/a/blobs/x", "/v2/a/manifests/-x",
    ])
    func faultyPartsAreNamed(path: String) {
        #expect(throws: ArtifactError.self) { try RegistryRoute(path: path) }
    }
}
