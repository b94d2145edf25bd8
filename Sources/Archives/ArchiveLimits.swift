/// What is given to an archive before it counts as hostile. Every real installer image and package mirror stays far below.
package struct ArchiveLimits: Sendable, Hashable {
    /// Files, folders and links.
    package var entries: Int
    /// Components of a path.
    package var depth: Int
    /// Bytes of directories and headers that are read.
    package var metadata: Int64
    /// Bytes that compressed members may have together.
    package var extracted: Int64
    /// The most bytes that one byte of an archive may become, on the whole.
    package var ratio: Int64

    package init(
        entries: Int = 2_000_000, depth: Int = 64, metadata: Int64 = 2 << 30, extracted: Int64 = 64 << 30,
        ratio: Int64 = 250
    ) {
        self.entries = entries
        self.depth = depth
        self.metadata = metadata
        self.extracted = extracted
        self.ratio = ratio
    }
}
