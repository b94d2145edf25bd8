import BootSigning
import Testing

@Suite struct TokenURITests {
    @Test func aURINamesKeyModuleAndPIN() throws {
        let uri = try TokenURI(
            "pkcs11:token=site%20key;object=boot?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/a%20pin"
        )
        #expect(uri.object == "pkcs11:token=site%20key;object=boot")
        #expect(uri.modulePath == "/usr/lib/softhsm/libsofthsm2.so")
        #expect(uri.pinPath == "/etc/a pin")
        #expect("\(uri)" == uri.object, "what is logged has no path of a PIN")
        let other = try TokenURI("pkcs11:id=%01?pin-source=file:///run/pin&module-path=file:/m.so")
        #expect(other.pinPath == "/run/pin" && other.modulePath == "/m.so")
    }

    @Test(arguments: [
        ("", "names no key"),
        ("file:/key.pem", "names no key"),
        ("pkcs11:token=site?module-path=/m&pin-source=/p", "names no key"),
        ("pkcs11:object=boot", "module-path"),
        ("pkcs11:object=boot?module-path=/m", "pin-source"),
        ("pkcs11:object=boot?module-path=m.so&pin-source=/p", "module-path"),
        ("pkcs11:object=boot?module-path=/m&pin-value=1234", "read by everybody"),
        ("pkcs11:object=boot?module-path=/m&pin-source=/p&pin-source=/q", "twice"),
        ("pkcs11:object=boot?module-path=/m&pin-source=/p%0", "no attribute"),
        ("pkcs11:object=boot?module-path=/m&pin-source=/p%00", "no attribute"),
        ("pkcs11:object=boot?module-path=/m&pin-source=/p%ff", "no attribute"),
        ("pkcs11:object=boot?module-path=/m&pin-source=/p&colour=red", "only module-path"),
        ("pkcs11:object=the boot key?module-path=/m&pin-source=/p", "%XX"),
    ])
    func whatIsNoneIsRefusedWithTheReason(text: String, reason: String) {
        let error = #expect(throws: BootSigningError.self) { _ = try TokenURI(text) }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }
}
