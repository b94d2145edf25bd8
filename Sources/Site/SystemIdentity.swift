/// What SMBIOS says of a machine, and how far it can be believed: many boards lie about both values.
package enum SystemIdentity {
    /// Lower-case 8-4-4-4-12; nil when it is malformed, or all digits are equal (the 0 and F that boards without a
    /// UUID report).
    package static func canonicalUUID(_ text: some StringProtocol) -> String? {
        let lower = text.lowercased()
        guard lower.utf8.count == 36, let first = lower.utf8.first else { return nil }
        var isVaried = false
        for (place, byte) in lower.utf8.enumerated() {
            switch place {
            case 8, 13, 18, 23:
                guard byte == UInt8(ascii: "-") else { return nil }
            default:
                guard ("0"..."9").contains(Unicode.Scalar(byte)) || ("a"..."f").contains(Unicode.Scalar(byte)) else {
                    return nil
                }
                if byte != first { isVaried = true }
            }
        }
        return isVaried ? lower : nil
    }

    private static let fillers: Set<String> = [
        "", "tobefilledbyoem", "defaultstring", "systemserialnumber", "notspecified", "none", "unknown", "na",
        "notapplicable", "serial", "serialnumber", "123456789", "0123456789",
    ]

    /// Whether a serial number can tell machines apart: not empty and none of the words vendors leave in the field.
    package static func isUsableSerial(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count <= 128 else { return false }
        let normal = text.lowercased().filter { $0.isLetter || $0.isNumber }
        return !fillers.contains(normal) && Set(normal).count > 1
    }
}
