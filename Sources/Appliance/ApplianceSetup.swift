internal import ConfigurationFile
internal import Site

/// What a start of an appliance makes of the partition PROVISION and the network cards: values only. With any error in
/// a file, no site file is in use, so the box serves its console and control plane alone, on link-local addresses when
/// the network file is the wrong one.
package struct ApplianceSetup: Sendable {
    package static let defaultHostName = "provisioner"

    /// What to show, as FILE:LINE:COLUMN lines where a line is meant.
    package private(set) var problems: [String] = []
    /// What to do next on a box that lacks something; empty when nothing is missing.
    package private(set) var advice: [String] = []
    package private(set) var hostName = Self.defaultHostName
    package private(set) var networkFiles = NetworkdConfiguration.linkLocal
    /// The site file to serve with; nil for none. One with errors is handed on: the daemon refuses it, and can tell why.
    package private(set) var site: [UInt8]?
    /// Lines for sshd; empty: it is not started.
    package private(set) var keys: [String] = []
    /// For the console's login; nil: there is none.
    package private(set) var passwordHash: String?

    /// `isDataMounted`: whether the data partition is there.
    package init(partition: BootPartition, links: [NetworkLink], isDataMounted: Bool) {
        if !isDataMounted {
            problems.append(
                "the data partition cannot be mounted: the image was not written completely, or the disk is damaged. "
                    + "Write the image again; what was pushed is lost only if the disk is.")
        }
        if let failure = partition.failure {
            problems.append(
                "the partition PROVISION cannot be read (\(failure)): put the disk into another computer and check that "
                    + "partition, or write the image again and copy your files onto it.")
            return
        }
        for name in BootPartition.names {
            if case .unreadable(let reason) = partition[name] {
                problems.append("\(name): it cannot be read (\(reason)): replace it on the partition PROVISION")
            }
        }
        let isNetworkUsable = readNetwork(partition, links)
        readOperators(partition)
        readSite(partition, isNetworkUsable: isNetworkUsable && isDataMounted)
        advise(partition)
    }

    private mutating func readNetwork(_ partition: BootPartition, _ links: [NetworkLink]) -> Bool {
        guard let bytes = partition.text(BootPartition.networkName) else {
            return partition[BootPartition.networkName] == .absent
        }
        let reading = NetworkFile.parse(bytes, links: links)
        problems += reading.diagnostics.filter { $0.severity == .error }
            .map { $0.rendered(file: BootPartition.networkName) }
        guard let file = reading.file else { return false }
        hostName = file.hostName ?? Self.defaultHostName
        networkFiles = NetworkdConfiguration.files(for: file)
        return true
    }

    private mutating func readOperators(_ partition: BootPartition) {
        if let bytes = partition.text(BootPartition.keysName) {
            let (lines, problems) = OperatorFiles.keys(bytes, file: BootPartition.keysName)
            keys = lines
            self.problems += problems
        }
        if let bytes = partition.text(BootPartition.passwordName) {
            let (hash, problem) = OperatorFiles.passwordHash(bytes, file: BootPartition.passwordName)
            passwordHash = hash
            problems += [problem].compactMap { $0 }
        }
    }

    private mutating func readSite(_ partition: BootPartition, isNetworkUsable: Bool) {
        guard let bytes = partition.text(BootPartition.siteName) else { return }
        problems += Site.parse(bytes).diagnostics.filter { $0.severity == .error }
            .map { $0.rendered(file: BootPartition.siteName) }
        if isNetworkUsable { site = bytes }
    }

    private mutating func advise(_ partition: BootPartition) {
        let lacksNetwork = partition[BootPartition.networkName] == .absent
        let lacksSite = partition[BootPartition.siteName] == .absent
        guard lacksNetwork || lacksSite else { return }
        let missing = [lacksNetwork ? "network.yaml" : nil, lacksSite ? "site.yaml" : nil].compactMap { $0 }
        advice.append(
            "To set this box up: switch it off, put its disk into any computer, open the partition PROVISION,")
        advice.append(
            "copy \(missing.map { "\($0).example to \($0)" }.joined(separator: " and ")), edit, and start again.")
        if lacksNetwork { advice.append("Until then it has link-local addresses only.") }
    }
}
