internal import Site
internal import Store

/// Reading a site file from disk.
enum SiteFile {
    /// A file that cannot be read is a finding like any other.
    static func read(_ path: String) -> SiteReading {
        guard let bytes = SmallFile.read(path, limit: Site.maximumFileSize) else {
            let position = SitePosition(line: 1, column: 1)
            return SiteReading(
                site: nil,
                diagnostics: [SiteDiagnostic(.error, "V01", position, "the file cannot be read: does it exist?")])
        }
        return Site.parse(bytes)
    }
}
