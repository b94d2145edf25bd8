internal import Boot

/// A script that boots, as it was decided, which may be given again.
struct DecidedScript: Sendable {
    /// Whose boot it is.
    let host: String
    /// What its machine has to load, where that has to wait for its turn.
    let load: BootPacer.Load?
    /// What the decision was made on, as it was before.
    let basis: DecisionBasis
    let pieces: ScriptPieces
}
