internal import ArgumentParser
internal import TFTP

extension TransferPorts: ExpressibleByArgument {
    /// `single`, `any`, or `FIRST-LAST`.
    package init?(argument: String) {
        switch argument {
        case "any": self = .any
        case "single": self = .single
        default:
            let parts = argument.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard parts.count == 2, let first = parts[0], let last = parts[1], first > 0, first <= last else {
                return nil
            }
            self = .range(first...last)
        }
    }

    package var defaultValueDescription: String {
        switch self {
        case .any: "any"
        case .single: "single"
        case .range(let range): "\(range.lowerBound)-\(range.upperBound)"
        }
    }
}
