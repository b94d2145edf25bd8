import CommandLaunch
import ConfinedReader
import Daemon
import Dispatch

// Before anything else: while there is one thread only.
ConfinedArchiveReader.readIfAsked(CommandLine.arguments)
Task { await ProvisionerCommand.launch() }
dispatchMain()
