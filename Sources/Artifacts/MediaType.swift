/// The media types that this project writes or treats specially.
package enum MediaType {
    /// OCI image manifest (image specification 1.1, "Image Manifest").
    package static let imageManifest = "application/vnd.oci.image.manifest.v1+json"
    /// OCI image index.
    package static let imageIndex = "application/vnd.oci.image.index.v1+json"
    /// Docker's forms of the same two, which skopeo and podman may send.
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
    /// The configuration that image tools read. Ours is a minimal one and not the empty descriptor, because
    /// `skopeo inspect` of Debian 12 refuses manifests whose configuration is anything else.
    package static let imageConfiguration = "application/vnd.oci.image.config.v1+json"
    /// What an artifact's files are: bytes.
    package static let file = "application/octet-stream"
    /// `artifactType` of what `artifactctl push` makes.
    package static let artifact = "application/vnd.provisioner.artifact.v1"
    /// `artifactType` of an index whose manifests list the files of one folder, page by page in the order of their paths.
    package static let tree = "application/vnd.provisioner.tree.v1"
    /// Many small blobs in one body: see `BlobBatch`.
    package static let blobBatch = "application/vnd.provisioner.blobs.v1"

    /// Manifests that list other manifests.
    package static let indexes: Set<String> = [imageIndex, dockerIndex]
    /// Every manifest type the registry accepts.
    package static let manifests: Set<String> = [imageManifest, imageIndex, dockerManifest, dockerIndex]
}

/// Annotation keys (image specification 1.1, "Pre-Defined Annotation Keys").
package enum AnnotationKey {
    /// On a layer: the path of the file it holds.
    package static let title = "org.opencontainers.image.title"
    /// On a manifest: when it was made, RFC 3339.
    package static let created = "org.opencontainers.image.created"
}
