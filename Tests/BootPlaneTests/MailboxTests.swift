import CLinux
import Dispatch
import Glibc
import Testing

@testable import BootPlane

/// What other threads say to one that waits.
@Suite struct MailboxTests {
    private static func isReadable(_ mailbox: Mailbox<Int>) -> Bool {
        var poll = pollfd(fd: mailbox.event, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    @Test func itsEventIsReadableWhileThereIsSomething() throws {
        let mailbox = try Mailbox<Int>()
        #expect(!Self.isReadable(mailbox))
        for round in 0..<3 {
            #expect(mailbox.put(round) && mailbox.put(7))
            #expect(Self.isReadable(mailbox))
            let (messages, isClosed) = mailbox.takeAll()
            #expect(messages == [round, 7] && !isClosed)
            #expect(!Self.isReadable(mailbox) && mailbox.takeAll().messages.isEmpty)
        }
    }

    @Test func afterClosingNothingIsTakenAndWhatWasSaidIsHeard() throws {
        let mailbox = try Mailbox<Int>()
        #expect(mailbox.put(1))
        mailbox.close()
        mailbox.close()
        #expect(!mailbox.put(2))
        #expect(Self.isReadable(mailbox))
        let (messages, isClosed) = mailbox.takeAll()
        #expect(messages == [1] && isClosed)
    }

    /// Whoever waits for the event misses nothing, in whatever moment it comes.
    @Test func nothingIsMissed() async throws {
        let mailbox = try Mailbox<Int>()
        let (senders, each) = (4, 20_000)
        for sender in 0..<senders {
            DispatchQueue(label: "sender \(sender)").async {
                for number in 0..<each { _ = mailbox.put(sender * each + number) }
            }
        }
        let heard = await withCheckedContinuation { done in
            DispatchQueue(label: "waits").async {
                var heard: [Int] = []
                while heard.count < senders * each {
                    var poll = pollfd(fd: mailbox.event, events: Int16(POLLIN), revents: 0)
                    _ = Glibc.poll(&poll, 1, -1)
                    heard += mailbox.takeAll().messages
                }
                done.resume(returning: heard)
            }
        }
        #expect(heard.sorted() == Array(0..<senders * each))
        for sender in 0..<senders {
            let own = heard.filter { $0 / each == sender }
            #expect(own == own.sorted(), "in the order in which it was said")
        }
    }
}
