internal import ArgumentParser
internal import Artifacts

extension NamePattern {
    /// An argument of a command.
    /// - Throws: `ValidationError` that tells the forms.
    static func argument(_ text: String) throws -> NamePattern {
        guard let pattern = NamePattern(text) else { throw ValidationError("\(forms) is expected") }
        return pattern
    }
}
