import Testing

@testable import Operator

@Suite struct VisibleTextTests {
    @Test(arguments: [
        ("plain words", "plain words"), ("a\u{1b}]52;c;x\u{7}b", "a ]52;c;x b"), ("a\r\nb", "a  b"),
        ("\u{202e}evil\u{9b}31m", " evil 31m"), ("Grüße", "Grüße"),
    ])
    func aServersWordsCannotDriveATerminal(text: String, shown: String) {
        #expect(ControlClient.visible(text) == shown)
    }
}
