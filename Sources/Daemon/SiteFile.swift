internal import ConfigurationFile
internal import Site
internal import Store

/// Reading a site file from disk.
enum SiteFile {
    /// The site of a machine that has no usable site file: it boots nothing and has no substrates.
    static var none: Site? { Site.parse(Array("schema: \(Site.schema)\nroot_domain: invalid\n".utf8)).site }

    /// A file that cannot be read is a finding like any other.
    static func read(_ path: String) -> SiteReading {
        guard let bytes = SmallFile.read(path, limit: Site.maximumFileSize) else {
            let position = FilePosition(line: 1, column: 1)
            return SiteReading(
                site: nil,
                diagnostics: [FileDiagnostic(.error, "V01", position, "the file cannot be read: does it exist?")])
        }
        return Site.parse(bytes)
    }
}
