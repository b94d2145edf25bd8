import Daemon

await ProvisionerCommand.launch()
