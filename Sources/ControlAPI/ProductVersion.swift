/// The version of daemon and client.
package enum ProductVersion {
    package static let current = "0.2.0"
}
