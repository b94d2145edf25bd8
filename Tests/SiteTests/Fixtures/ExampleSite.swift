/// The complete example of the site file's documentation.
package enum ExampleSite {
    /// The file's bytes.
    package static var bytes: [UInt8] { PackageResources.example_yaml }

    /// The file's text.
    package static var text: String { String(decoding: bytes, as: UTF8.self) }
}
