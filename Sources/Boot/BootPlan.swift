package import Artifacts
package import Site

/// One file that a machine is told to fetch.
package struct PlanFile: Hashable, Sendable {
    package let reference: FileReference
    package let file: ReleaseFile
}

/// A file of the overlay that a machine is told to fetch.
package struct PlanOverlayEntry: Hashable, Sendable {
    package let entry: OverlayEntry
    package let file: ReleaseFile
}

/// What a machine is to boot: digests and names, nothing that needs a socket to know.
package struct BootPlan: Hashable, Sendable {
    package let host: String
    package let profile: String
    package let frequency: BootFrequency
    package let kernel: PlanFile
    /// In load order.
    package let initrds: [PlanFile]
    /// Files that are put into an initrd of their own, which comes last.
    package let overlay: [PlanOverlayEntry]
    /// Who verifies on the machine what is loaded; nil for nobody.
    package let verifier: BootVerifier?
    /// With variables not yet filled in.
    package let arguments: [VariableTemplate]
    /// The template of the answer file, where the profile has one.
    package let answer: PlanFile?
}
