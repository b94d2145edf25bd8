internal import COpenSSL

/// Textual encodings (RFC 7468) by libcrypto.
enum PEM {
    static func readCertificate(_ text: String) -> OpaquePointer? {
        read(text) { PEM_read_bio_X509($0, nil, nil, nil) }
    }

    static func readPrivateKey(_ text: String) -> OpaquePointer? {
        // An empty password: libcrypto would else ask for one on the terminal when the key is encrypted.
        read(text) { bio in
            var password: CChar = 0
            return PEM_read_bio_PrivateKey(bio, nil, nil, &password)
        }
    }

    private static func read(_ text: String, _ body: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        // The BIO keeps the pointer, so everything that reads it happens while the bytes are pinned.
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let count = Int32(exactly: bytes.count), let bio = BIO_new_mem_buf(bytes.baseAddress, count) else {
                return nil
            }
            defer { BIO_free(bio) }
            return body(bio)
        }
    }

    static func text(_ body: (OpaquePointer) -> Int32) -> String? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard body(bio) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }
}
