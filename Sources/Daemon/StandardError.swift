internal import Glibc

/// What a command says beside its result.
enum StandardError {
    /// Writes one line.
    static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
