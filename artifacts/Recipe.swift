package import Artifacts
package import Trust

/// How an operating system line comes here: where its files are, what signs them, what they are published as, and how they
/// boot. A recipe is a YAML file of the schema `provisioner.recipe/1`; those that ship are compiled in.
package struct Recipe: Sendable {
    package static let schema = "provisioner.recipe/1"

    /// A key that upstream signs with.
    package struct Key: Sendable {
        package let name: String
        package let format: SignatureFormat
        /// The key itself, of OpenPGP the fingerprint of its primary key: what is trusted.
        package let text: String
        /// Of OpenPGP: certificates that ship with the recipe; empty where they are fetched.
        package let keyring: [UInt8]
        /// Where the certificates are; what comes from there is held against the fingerprint.
        package let fetch: String?
    }

    package struct List: Sendable {
        /// Below `from`.
        package let path: String
        /// The list's name in the list that lists it.
        package let name: ArtifactPath
        package let folder: ArtifactPath?
        /// It comes compressed, by gzip or xz: its name is without the ending that its path has.
        package var isCompressed: Bool {
            [".gz", ".xz"].contains { path.hasSuffix($0) && !name.description.hasSuffix($0) }
        }
        /// Path of a detached signature; nil for a clear-signed list, and one that another list lists.
        package let signature: String?
    }

    package struct File: Sendable {
        /// In the artifact.
        package let name: ArtifactPath
        /// Below `from`.
        package let path: String
        package let signature: String?

        package init(name: ArtifactPath, path: String, signature: String?) {
            self.name = name
            self.path = path
            self.signature = signature
        }
    }

    /// Packages of a Debian archive, which are files below `from` and have the same paths here.
    package struct Packages: Sendable {
        /// The name of the list that lists them.
        package let list: ArtifactPath
        package var choice: PackageIndex.Choice
    }

    package let title: String
    package let artifact: ArtifactName
    package let version: String
    /// A URL or a folder, without a slash at the end.
    package let source: String
    package let keys: [Key]
    package let lists: [List]
    package let files: [File]
    package var packages: [Packages]
    /// Why nothing of it is signed; nil for a line that is.
    package let unsigned: String?
    /// A profile for the site file.
    package let profile: String
    /// Facts that were not held against the real upstream.
    package let unchecked: [String]
}
