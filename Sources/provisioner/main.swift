import CommandLaunch
import Daemon

await ProvisionerCommand.launch()
