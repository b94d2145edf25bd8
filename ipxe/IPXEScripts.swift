/// The scripts of this folder, compiled into the program. `@NAME@` are the places that `Boot` fills in.
package enum IPXEScripts {
    package static var stage1: [UInt8] { PackageResources.stage1_ipxe }
    package static var plan: [UInt8] { PackageResources.plan_ipxe }
    package static var local: [UInt8] { PackageResources.local_ipxe }
    package static var hold: [UInt8] { PackageResources.hold_ipxe }
    package static var refuse: [UInt8] { PackageResources.refuse_ipxe }
    package static var handover: [UInt8] { PackageResources.handover_ipxe }
}

/// The same for GRUB.
package enum GRUBScripts {
    /// What a GRUB image has inside; it has no places.
    package static var first: [UInt8] { PackageResources.first_grub }
    package static var plan: [UInt8] { PackageResources.plan_grub }
    package static var local: [UInt8] { PackageResources.local_grub }
    package static var hold: [UInt8] { PackageResources.hold_grub }
    package static var refuse: [UInt8] { PackageResources.refuse_grub }
}
