import Testing

@testable import Preflight

/// What is read out of the configurations that this server makes for its GRUB.
@Suite struct GRUBConfigurationTests {
    private static let device = "(http,$site_server:8080)"

    @Test func itsFilesAreTheKernelAndEveryInitrd() throws {
        let text = """
            set site_configured=yes
            echo 'Provisioner: hv01 boots installer, linux (http,$site_server)/not/this'
            if linux \(Self.device)/grub/files/os:1/linux console=ttyS0 root=(hd0); then
                if initrd \(Self.device)/grub/files/os:1/a \(Self.device)/grub/files/os:1/b%20c \(Self.device)/hosts/t/overlay.cpio; then
                    boot
                fi
            fi
            """
        let configuration = try #require(GRUBConfiguration(text, site: "http://pxe.example.net"))
        #expect(
            configuration.files == [
                "http://pxe.example.net/grub/files/os:1/linux", "http://pxe.example.net/grub/files/os:1/a",
                "http://pxe.example.net/grub/files/os:1/b%20c", "http://pxe.example.net/hosts/t/overlay.cpio",
            ])
    }

    @Test(arguments: ["", "echo 'refused: it contradicts the site file'\nsleep 5", "if linux; then boot; fi", "<html>"])
    func whatLoadsNothingIsNone(_ text: String) {
        #expect(GRUBConfiguration(text, site: "http://x") == nil)
        #expect(
            GRUBConfiguration.message(of: text)
                == (text.hasPrefix("echo") ? "'refused: it contradicts the site file'" : "it says nothing"))
    }
}
