import Foundation
import TestSupport
import Testing

/// Package mirrors: pushed as folders, read by apt and dnf as they are.
@Suite struct MirrorTests {
    @Test func aptReadsAMirror() async throws {
        try Requirement.demand([.tool("apt-ftparchive", package: "apt-utils"), .tool("dpkg-deb", package: "dpkg")])
        try await ServedLab.with { lab, server in
            let root = lab.directory.path
            try await lab.run(["bash", "-euc", Self.aptMirror, "make", root])
            try await server.artifactctl("push", "debian:1", "\(root)/mirror")
            let update = try await lab.commands.result(
                of: ["bash", "-euc", Self.apt, "apt", root, "debian:1"], timeLimit: .seconds(120))
            #expect(update.succeeded, "\(update)")
            try await lab.run([
                "cmp", "\(root)/fetched/tiny_1.0+b1~x_all.deb", "\(root)/mirror/pool/main/t/tiny_1.0+b1~x_all.deb",
            ])
            #expect(update.output.contains("stable/main amd64 Packages"), "\(update)")
        }
    }

    @Test func dnfReadsAMirror() async throws {
        try Requirement.demand([
            .tool("dnf", package: "dnf"), .tool("createrepo_c", package: "createrepo-c"),
            .tool("rpmbuild", package: "rpm"),
        ])
        try await ServedLab.with { lab, server in
            let root = lab.directory.path
            try await lab.run(["bash", "-euc", Self.rpmMirror, "make", root])
            try await server.artifactctl("push", "rpms:1", "\(root)/mirror")
            let dnf = try await lab.commands.result(
                of: ["bash", "-euc", Self.dnf, "dnf", root], timeLimit: .seconds(240))
            #expect(dnf.succeeded, "\(dnf)")
            try await lab.run([
                "cmp", "\(root)/fetched/tiny-1.0-1.noarch.rpm", "\(root)/mirror/Packages/t/tiny-1.0-1.noarch.rpm",
            ])
        }
    }

    private static let aptMirror = """
        cd "$1"
        mkdir -p package/DEBIAN package/usr/share/tiny mirror/pool/main/t mirror/dists/bookworm/main/binary-amd64
        printf 'Package: tiny\\nVersion: 1.0+b1~x\\nArchitecture: all\\nMaintainer: nobody <nobody@example.net>\\nDescription: tiny\\n' \\
            >package/DEBIAN/control
        echo tiny >package/usr/share/tiny/tiny
        dpkg-deb --root-owner-group -b package mirror/pool/main/t/tiny_1.0+b1~x_all.deb
        cd mirror
        apt-ftparchive packages pool >dists/bookworm/main/binary-amd64/Packages
        gzip -k dists/bookworm/main/binary-amd64/Packages
        apt-ftparchive -o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=bookworm \\
            -o APT::FTPArchive::Release::Architectures=amd64 -o APT::FTPArchive::Release::Components=main \\
            release dists/bookworm >Release
        mv Release dists/bookworm/Release
        ln -s bookworm dists/stable
        """

    private static let apt = """
        cd "$1"
        mkdir -p apt/lists/partial apt/cache/archives/partial apt/etc fetched
        echo "deb [trusted=yes arch=amd64] http://10.20.99.1/$2 stable main" >apt/sources.list
        touch apt/status
        options=(-o Dir::State="$PWD/apt" -o Dir::State::lists="$PWD/apt/lists" -o Dir::State::status="$PWD/apt/status"
            -o Dir::Cache="$PWD/apt/cache" -o Dir::Etc="$PWD/apt/etc" -o Dir::Etc::sourcelist="$PWD/apt/sources.list"
            -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root -o Acquire::http::Proxy=false)
        apt-get "${options[@]}" update
        cd fetched
        apt-get "${options[@]}" download tiny
        """

    private static let rpmMirror = """
        cd "$1"
        mkdir -p mirror/Packages/t
        printf 'Name: tiny\\nVersion: 1.0\\nRelease: 1\\nSummary: tiny\\nLicense: none\\nBuildArch: noarch\\n%%description\\ntiny\\n%%files\\n' >tiny.spec
        rpmbuild -bb --define "_topdir $PWD/rpmbuild" --define "_rpmdir $PWD/rpms" tiny.spec
        cp rpms/noarch/tiny-1.0-1.noarch.rpm mirror/Packages/t/
        createrepo_c mirror
        """

    private static let dnf = """
        cd "$1"
        mkdir -p fetched root
        dnf --installroot="$PWD/root" --setopt=reposdir=/dev/null --setopt=cachedir="$PWD/cache" --setopt=gpgcheck=0 \\
            --releasever=1 --repofrompath=test,http://10.20.99.1/rpms:1 --repo=test -y --downloadonly --downloaddir="$PWD/fetched" \\
            install tiny
        """
}
