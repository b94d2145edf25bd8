import CommandLaunch
import Operator

await ArtifactctlCommand.launch()
