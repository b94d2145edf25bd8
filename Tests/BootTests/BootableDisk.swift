import Foundation

/// A disk image whose boot sector says one line on the first serial port and halts.
enum BootableDisk {
    /// The text is ASCII, at most 200 characters.
    static func make(in directory: URL, saying text: String) throws -> URL {
        // cli; xor ax,ax; mov ds,ax; mov si,7c17; mov dx,3f8; lodsb; or al,al; jz +3; out dx,al; jmp -8; hlt; jmp -3
        var sector: [UInt8] = [0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0xBE, 0x18, 0x7C, 0xFC, 0xBA, 0xF8, 0x03]
        sector += [0xAC, 0x08, 0xC0, 0x74, 0x03, 0xEE, 0xEB, 0xF8]
        sector += [0xF4, 0xEB, 0xFD, 0x90]
        sector += Array("\r\n\(text)\r\n".utf8) + [0]
        sector += [UInt8](repeating: 0, count: 510 - sector.count) + [0x55, 0xAA]
        let disk = directory.appending(path: "\(text).img")
        var image = Data(sector)
        image.append(Data(count: (1 << 20) - 512))
        try image.write(to: disk)
        return disk
    }
}
