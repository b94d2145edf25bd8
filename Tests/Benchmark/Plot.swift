import Foundation
import TestSupport

/// The ratios as a picture, drawn by gnuplot: longer is better for us, and the line is the peer.
enum Plot {
    static func draw(_ bars: [(work: String, ratio: Double)], to file: URL) async throws {
        guard !bars.isEmpty else { return }
        let lines = bars.reversed().enumerated().map { index, bar in
            "\(index) \(bar.ratio) \"\(bar.work.replacing("\"", with: "'"))\""
        }
        let script = """
            set terminal svg size 1100,\(80 + 22 * bars.count) font "sans,11"
            set output "\(file.path)"
            set title "Rates of provisioner over those of its peers (the line is the peer)"
            set xrange [0:*]
            set yrange [-0.7:\(Double(bars.count) - 0.3)]
            set lmargin 62
            set style fill solid 0.8 noborder
            set arrow 1 from 1,graph 0 to 1,graph 1 nohead lc rgb "#c00000" front
            $bars << END
            \(lines.joined(separator: "\n"))
            END
            plot $bars using ($2/2):1:($2/2):(0.35):yticlabels(3) with boxxyerror lc rgb "#4477aa" notitle, \\
                $bars using 2:1:(sprintf(" %.2f", $2)) with labels left notitle

            """
        try await CommandRunner.local.run(["gnuplot"], input: script)
    }
}
