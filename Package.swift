// swift-tools-version: 6.2
import PackageDescription

/// Nobody looks up symbols in the two programs, and their relocations fit in a hundredth of the room (glibc 2.36 reads them so):
/// 6 MB of each process that would be read at every start and stay in memory.
let linkedForUse: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic"],
        .when(configuration: .release))
]

/// One target per body of knowledge; docs/architecture.md says who may import whom.
let package = Package(
    name: "provisioner",
    products: [
        .executable(name: "provisioner", targets: ["provisioner"]),
        .executable(name: "artifactctl", targets: ["artifactctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
    ],
    targets: [
        // System libraries and calls that Glibc's Swift module lacks.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("resolv")]),

        // Knowledge without I/O.
        .target(name: "Artifacts", dependencies: ["COpenSSL"]),
        .target(name: "Trust", dependencies: ["Artifacts", "COpenSSL"]),
        .target(name: "ConfigurationFile", dependencies: ["Yams"]),
        .target(name: "Site", dependencies: ["Artifacts", "ConfigurationFile", "Trust"]),
        .target(name: "ServerIdentity", dependencies: ["Artifacts", "COpenSSL"]),
        .target(
            name: "IPXEScripts", path: "ipxe",
            resources: [
                .embedInCode("stage1.ipxe"), .embedInCode("plan.ipxe"), .embedInCode("local.ipxe"),
                .embedInCode("hold.ipxe"), .embedInCode("refuse.ipxe"), .embedInCode("handover.ipxe"),
                .embedInCode("first.grub"), .embedInCode("plan.grub"), .embedInCode("local.grub"),
                .embedInCode("hold.grub"), .embedInCode("refuse.grub"),
            ]),
        .target(name: "Boot", dependencies: ["Artifacts", "Site", "IPXEScripts"]),
        .target(
            name: "Recipes", dependencies: ["Artifacts", "ConfigurationFile", "Trust"], path: "artifacts",
            exclude: ["README.md", "debian-installer-12"],
            resources: [
                .embedInCode("alpine.yaml"),
                .embedInCode("debian-12-live.yaml"),
                .embedInCode("debian-12-mirror.yaml"),
                .embedInCode("debian-12-netboot.yaml"),
                .embedInCode("fedora-42-server.yaml"),
                .embedInCode("flatcar.yaml"),
                .embedInCode("memtest86plus.yaml"),
                .embedInCode("proxmox-8.yaml"),
                .embedInCode("proxmox-9.yaml"),
                .embedInCode("rocky-9.yaml"),
                .embedInCode("talos.yaml"),
                .embedInCode("ubuntu-24.04.yaml"),
                .embedInCode("vyos.yaml"),
                .embedInCode("keys/debian-archive.asc"), .embedInCode("keys/debian-cd.asc"),
            ]),
        .target(name: "HTTPSemantics"),
        .target(name: "Archives", dependencies: ["Artifacts", "CArchive"]),

        // Programs of their own that read foreign forms.
        .target(
            name: "ConfinedReader",
            dependencies: [
                "Archives", "Artifacts", "CLinux", .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .target(
            name: "BootSigning",
            dependencies: [
                "Archives", "Artifacts", "CLinux", "ServerIdentity",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]),
        .target(
            name: "GPGV",
            dependencies: ["Artifacts", "CLinux", "Trust", .product(name: "Subprocess", package: "swift-subprocess")]),

        // State.
        .target(
            name: "Store",
            dependencies: ["Artifacts", "CLinux", "Trust", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "Hosts", dependencies: ["Boot", "Artifacts", "Site", .product(name: "GRDB", package: "GRDB.swift")]),

        // The boot plane.
        .target(name: "TFTP", dependencies: ["CLinux", .product(name: "HeapModule", package: "swift-collections")]),
        .target(
            name: "BootPlane",
            dependencies: [
                "Artifacts", "Boot", "CLinux", "HTTPSemantics", "Site", "TFTP",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),

        // A boot gone through before the machine does.
        .target(
            name: "Preflight",
            dependencies: [
                "Artifacts", "Boot", "CLinux", "ServerIdentity", "Site",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),

        // The control plane.
        .target(
            name: "Authority",
            dependencies: [
                "Artifacts", "CLinux", "Site", .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]),
        .target(name: "ControlAPI", dependencies: ["Artifacts", "Trust"]),
        .target(name: "Appliance", dependencies: ["ConfigurationFile", "ControlAPI", "Site"]),
        .target(
            name: "ControlPlane",
            dependencies: [
                "Artifacts", "Boot", "ControlAPI", "Hosts", "HTTPSemantics", "ServerIdentity", "Site", "Store", "Trust",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], resources: [.embedInCode("openapi.json")]),
        .target(
            name: "Daemon",
            dependencies: [
                "Appliance", "Archives", "Artifacts", "Authority", "Boot", "BootPlane", "BootSigning", "CLinux",
                "ConfigurationFile", "ControlAPI",
                "ConfinedReader", "ControlPlane", "GPGV", "Hosts", "Preflight", "Recipes", "ServerIdentity", "Site",
                "Store", "TFTP",
                "Trust",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),

        // The operator's client.
        .target(
            name: "Operator",
            dependencies: [
                "Artifacts", "CArchive", "ConfigurationFile", "ControlAPI", "GPGV", "Recipes", "Trust",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]),

        // The two programs, and how both end.
        .target(
            name: "CommandLaunch", dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .executableTarget(
            name: "provisioner", dependencies: ["CommandLaunch", "ConfinedReader", "Daemon"],
            linkerSettings: linkedForUse),
        .executableTarget(
            name: "artifactctl", dependencies: ["CommandLaunch", "Operator"], linkerSettings: linkedForUse),

        // Tests, and the demonstration that `make demo` runs.
        .target(
            name: "TestSupport",
            dependencies: [
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], path: "Tests/TestSupport"),
        .executableTarget(
            name: "bench", dependencies: ["CLinux", "TestSupport"], path: "Tests/Benchmark",
            resources: [.embedInCode("script-server.go")]),
        .target(name: "StoreFaults", dependencies: ["Store"], path: "Tests/StoreFaults"),
        .executableTarget(
            name: "store-crash", dependencies: ["Artifacts", "Fixtures", "Store", "StoreFaults"],
            path: "Tests/StoreCrash"),
        .executableTarget(name: "demo", dependencies: ["TestSupport"], path: "Tests/Demo"),
        .target(name: "Fixtures", path: "Tests/SiteTests/Fixtures", resources: [.embedInCode("example.yaml")]),
        .testTarget(name: "ArtifactsTests", dependencies: ["Artifacts", "Fixtures"]),
        .testTarget(
            name: "SiteTests", dependencies: ["Artifacts", "ConfigurationFile", "Site", "Fixtures", "Trust"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "BootDecisionTests", dependencies: ["Artifacts", "Boot", "ConfigurationFile", "Fixtures", "Site"]),
        .testTarget(name: "TrustTests", dependencies: ["Artifacts", "GPGV", "TestSupport", "Trust"]),
        .testTarget(
            name: "ArchivesTests",
            dependencies: ["Archives", "Artifacts", "ConfinedReader", "TestSupport", "provisioner"]),
        .testTarget(name: "BootSigningTests", dependencies: ["BootSigning", "ServerIdentity", "TestSupport"]),
        .testTarget(name: "PreflightTests", dependencies: ["Preflight", "ServerIdentity", "Site", "TestSupport"]),
        .testTarget(name: "HTTPSemanticsTests", dependencies: ["HTTPSemantics"]),
        .testTarget(name: "TFTPTests", dependencies: ["TFTP"]),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "Artifacts", "CLinux", "GPGV", "Store", "StoreFaults", "TestSupport", "Trust", "store-crash",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "HostsTests",
            dependencies: [
                "Artifacts", "Boot", "ConfigurationFile", "Hosts", "Site",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "AuthorityTests",
            dependencies: [
                "Artifacts", "Site", "Authority", "Fixtures", .product(name: "Logging", package: "swift-log"),
            ],
            resources: [.embedInCode("Fixtures/dvntm.conf")]),
        .testTarget(
            name: "BootPlaneTests",
            dependencies: [
                "Artifacts", "Boot", "BootPlane", "Site", "TFTP", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "Artifacts", "ControlAPI", "ControlPlane", "Hosts", "Store", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Artifacts", "Authority", "Boot", "ControlAPI", "Daemon", "Site", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "ServerIdentityTests", dependencies: ["Artifacts", "ServerIdentity", "TestSupport"]),
        .testTarget(
            name: "ApplianceTests",
            dependencies: ["Appliance", "ConfigurationFile", "ControlAPI", "Site"]),
        .testTarget(
            name: "OperatorTests",
            dependencies: [
                "Artifacts", "ControlAPI", "Operator", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "RecipesTests", dependencies: ["Artifacts", "ConfigurationFile", "Recipes", "Trust"]),
        .testTarget(name: "IntegrationTests", dependencies: ["Recipes", "TestSupport"]),
        .testTarget(name: "BootTests", dependencies: ["TestSupport"]),
        .testTarget(name: "PackageTests", dependencies: ["TestSupport"]),
        .testTarget(name: "ApplianceBootTests", dependencies: ["ControlAPI", "TestSupport"]),
    ]
)

// `make fuzz` builds this by itself, with what counts the branches that an input takes.
if Context.environment["PROVISIONER_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Archives", "Artifacts", "Boot", "BootPlane", "HTTPSemantics", "Preflight", "Site", "TFTP", "Trust",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Fuzz"))
}

// Their files use socket addresses, whose C types NIO's modules declare as Glibc's does: to which of them a type belongs depends on
// what the compiler loads first, and whether its members are visible would, too.
let withSocketAddresses: Set = [
    "Authority", "BootPlane", "BootPlaneTests", "Daemon", "Preflight", "TFTP", "TFTPTests", "bench",
]

// One strictness for all code of ours; dependencies keep theirs.
for target in package.targets where ![.system, .plugin].contains(target.type) && target.name != "CLinux" {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    if !withSocketAddresses.contains(target.name) {
        target.swiftSettings?.append(.enableUpcomingFeature("MemberImportVisibility"))
    }
}
