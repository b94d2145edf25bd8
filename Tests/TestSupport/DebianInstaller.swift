package import Foundation

/// Debian 12's network installer for amd64, as the package `debian-installer-12-netboot-amd64` has it.
package enum DebianInstaller {
    private static let folder = URL(
        filePath: "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64", directoryHint: .isDirectory)
    private static let debianPackage = "debian-installer-12-netboot-amd64"

    /// The kernel: a bzImage of about 8 MB that also is an EFI program.
    package static let kernel = folder.appending(path: "linux")
    /// The initrd: gzip'd cpio, about 40 MB, with the whole installer; needs a machine with 1 GiB.
    package static let initrd = folder.appending(path: "initrd.gz")

    /// What must be installed for the two files to be there.
    package static let requirements: [Requirement] = [
        .file(kernel, package: debianPackage), .file(initrd, package: debianPackage),
    ]
}
