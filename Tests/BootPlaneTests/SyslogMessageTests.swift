import Testing

@testable import BootPlane

@Suite struct SyslogMessageTests {
    @Test(
        arguments: [
            // RFC 3164, and its examples.
            ("<13>Oct 11 22:14:15 hv01 su: failed", 5, "su: failed"),
            ("<34>Oct  1 22:14:15 mymachine su: 'su root' failed", 2, "su: 'su root' failed"),
            ("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", 5, "Use the BFG!"),
            // Without host, as the C library's syslog(3) writes it; with rsyslog's times.
            ("<14>Oct 11 22:14:15 su[12]: failed", 6, "su[12]: failed"),
            ("<14>2026-11-27T18:08:05.123456+00:00 hv01 su: failed", 6, "su: failed"),
            // RFC 5424, its examples among them.
            (
                "<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [x@32473 iut=\"3\"] \u{FEFF}An event", 5,
                "evntslog: An event"
            ),
            ("<34>1 2003-10-11T22:14:15.003Z m.example.com su - ID47 - 'su root' failed", 2, "su: 'su root' failed"),
            ("<165>1 - - - - - - text", 5, "text"), ("<165>1 - h app 1 - [a b=\"]\\\" c\"][d] text", 5, "app: text"),
            ("<165>1 - h app 1 - -", 5, "app:"),
            // Structured data that does not end: kept as it is.
            ("<165>1 - h app 1 - [a b=\"", 5, "1 - h app 1 - [a b=\""),
            // iPXE.
            ("<134>ipxe: http://pxe/boot.ipxe... ok", 6, "ipxe: http://pxe/boot.ipxe... ok"),
            ("<134>hv01 ipxe: Could not boot", 6, "hv01 ipxe: Could not boot"),
            // netconsole, plain and extended.
            ("[    1.234567] Kernel panic - not syncing", nil, "[ 1.234567] Kernel panic - not syncing"),
            ("<0>[    1.2] Kernel panic", 0, "[ 1.2] Kernel panic"),
            ("3,416,1758426,-;ata1: failed\n SUBSYSTEM=scsi\n", 3, "kernel: ata1: failed"),
            ("30,416,1758426,-,ncfrag=0/33;ata1", 6, "kernel: ata1"),
            // Anaconda, by rsyslog.
            (
                "<22>Nov 27 18:08:05 localhost anaconda: Running pre-installation scripts", 6,
                "anaconda: Running pre-installation scripts"
            ),
            // Nothing of the kind.
            ("no priority", nil, "no priority"), ("<abc>kept", nil, "<abc>kept"), ("<192>kept", nil, "<192>kept"),
            ("<12345678>kept", nil, "<12345678>kept"), ("a,b,c,d;kept", nil, "a,b,c,d;kept"),
            ("<6>two\nlines\u{0}and\ttabs\u{9b}31m", 6, "two lines and tabs 31m"), ("", nil, ""), ("<13>", 5, ""),
        ] as [(String, Int?, String)])
    func givesWhatIsWorthKeeping(bytes: String, severity: Int?, text: String) {
        let message = SyslogMessage(Array(bytes.utf8))
        #expect(message.text == text)
        #expect(message.severity == severity)
    }

    @Test func saysWhatIsAWarningOrWorse() {
        #expect(SyslogMessage(severity: 3, text: "disk").summary(limit: 400) == "err: disk")
        #expect(SyslogMessage(severity: 6, text: "disk").summary(limit: 400) == "disk")
        #expect(SyslogMessage(severity: nil, text: "disk").summary(limit: 2) == "di")
    }

    @Test func cutsLongMessages() {
        #expect(SyslogMessage([UInt8](repeating: 65, count: 60_000)).text.count == SyslogMessage.maximumSize)
    }
}
