import Operator

await ArtifactctlCommand.launch()
