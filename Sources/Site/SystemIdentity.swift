/// What SMBIOS says of a machine, and how far it can be believed: many boards lie about both values.
package enum SystemIdentity {
    /// Lower-case 8-4-4-4-12; nil when it is malformed, or all digits are equal (the 0 and F that boards without a
    /// UUID report).
    package static func canonicalUUID(_ text: some StringProtocol) -> String? {
        let lower = text.lowercased()
        let groups = lower.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        let digits = lower.filter { $0 != "-" }
        guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), Set(digits).count > 1 else { return nil }
        return lower
    }

    /// Whether a serial number can tell machines apart: not empty and none of the words vendors leave in the field.
    package static func isUsableSerial(_ text: some StringProtocol) -> Bool {
        guard text.utf8.count <= 128 else { return false }
        let normal = text.lowercased().filter { $0.isLetter || $0.isNumber }
        let fillers: Set<String> = [
            "", "tobefilledbyoem", "defaultstring", "systemserialnumber", "notspecified", "none", "unknown", "na",
            "notapplicable", "serial", "serialnumber", "123456789", "0123456789",
        ]
        return !fillers.contains(normal) && Set(normal).count > 1
    }
}
