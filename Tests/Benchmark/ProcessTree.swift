import Foundation

/// A process with its children, from proc(5).
struct ProcessTree {
    let root: Int32

    /// Seconds of processor time that it has used, children that have ended included.
    var processorSeconds: Double {
        members.reduce(0) { sum, process in
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return sum }
            // After the name: state is field 3, and utime, stime, cutime, cstime are 14 to 17.
            let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
            guard fields.count > 14 else { return sum }
            return sum + fields[11...14].reduce(0, +) / 100
        }
    }

    /// Bytes that are resident, all its processes together; what they share counts for each.
    var residentMiB: Double {
        members.reduce(0) { sum, process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            return sum + (line.flatMap { Double($0.filter(\.isNumber)) } ?? 0) / 1024
        }
    }

    private var members: [Int32] {
        var all = [root]
        var index = 0
        while index < all.count {
            let process = all[index]
            let text = try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
            all += (text ?? "").split(separator: " ").compactMap { Int32($0) }
            index += 1
        }
        return all
    }
}
