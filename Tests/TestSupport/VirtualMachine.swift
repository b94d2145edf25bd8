package import Foundation
import Glibc
package import Subprocess

/// A PC without an operating system, plugged into a lab: it boots from the network, and then from its disk if it has
/// one.
///
/// QEMU with software emulation, one processor, no display, no reboot: a guest that reboots or powers off ends it. Its
/// first serial line is its only console. Made by ``NetworkLab/boot(_:)``, stopped by the lab.
package final class VirtualMachine: Sendable {
    /// The machine's parts.
    package let configuration: Configuration
    /// The first serial line, as far as it was written.
    package let serial: LogFile
    private let program: RunningProgram
    private let directory: URL

    private init(configuration: Configuration, serial: LogFile, program: RunningProgram, directory: URL) {
        self.configuration = configuration
        self.directory = directory
        self.serial = serial
        self.program = program
    }

    static func start(
        _ configuration: Configuration, on tap: String, in lab: NetworkLab
    ) async throws -> VirtualMachine {
        try Requirement.demand(configuration.firmware.requirements)
        let name = configuration.name
        let serial = configuration.serialLog ?? lab.directory.appending(path: "\(name).serial.log")
        let arguments = try configuration.arguments(tap: tap, serial: serial, directory: lab.directory)
        let program = try await lab.start(["qemu-system-x86_64"] + arguments, log: "\(name).qemu.log")
        return VirtualMachine(
            configuration: configuration, serial: LogFile(serial), program: program, directory: lab.directory)
    }

    /// True once the machine is off, by itself or by ``stop()``.
    package var hasExited: Bool { !program.isRunning }

    /// Waits for a line on the serial console that contains `expected`, and returns it.
    ///
    /// - Throws: `timedOut`, or `programExited` when the machine goes off first; both with the end of the console, the
    ///   latter with QEMU's own messages.
    @discardableResult
    package func waitForSerial(containing expected: String, timeout: Duration = .seconds(90)) async throws -> String {
        do {
            return try await serial.waitForLine(
                containing: expected, timeout: timeout, writer: "machine \(configuration.name)",
                isWriting: { self.program.isRunning })
        } catch let error as TestSupportError where error == TestSupportError(.programExited, "") {
            throw TestSupportError(.programExited, "\(error.message)\nqemu: \(program.log.tail())")
        }
    }

    /// Waits until the guest has switched the machine off.
    ///
    /// - Throws: `timedOut` with the end of the console; the machine then still runs.
    @discardableResult
    package func waitForPowerOff(timeout: Duration = .seconds(30)) async throws -> TerminationStatus {
        do {
            return try await program.waitForExit(timeout: timeout)
        } catch let error as TestSupportError {
            throw TestSupportError(
                error.code, "machine \(configuration.name) is still on after \(timeout); console:\n\(serial.tail())")
        }
    }

    /// A power cut: QEMU is killed where it stands, with all that the guest had not yet given to its disk.
    package func cutPower() async {
        if program.isRunning { kill(program.processID, SIGKILL) }
        _ = try? await program.waitForExit(timeout: .seconds(10))
    }

    /// Types on the serial console.
    ///
    /// - Throws: `commandFailed` when the machine is off.
    package func type(_ text: String) async throws {
        try await Self.send(text, to: Self.socket("serial", machine: configuration.name, directory: directory))
    }

    /// Saves what the screen shows as a PNG file.
    ///
    /// - Throws: `commandFailed` when the machine is off.
    package func screenshot(_ file: URL) async throws {
        try await Self.send(
            "screendump \(file.path) -f png\n",
            to: Self.socket("monitor", machine: configuration.name, directory: directory))
    }

    /// The socket by which a machine's serial console or monitor is reached.
    static func socket(_ purpose: String, machine: String, directory: URL) -> URL {
        directory.appending(path: "\(machine).\(purpose).sock")
    }

    private static func send(_ text: String, to socket: URL) async throws {
        // Half a second for the answer, which is thrown away: closing at once would lose the text with some peers.
        try await CommandRunner.local.run(
            ["socat", "-t", "0.5", "-", "UNIX-CONNECT:\(socket.path)"], input: text, timeLimit: .seconds(20))
    }

    /// Pulls the plug: ends QEMU, and returns when it is gone. Harmless if the machine is off.
    package func stop() async {
        await program.stop()
    }
}
