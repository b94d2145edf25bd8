/// The scripts of this folder, compiled into the program. `@NAME@` are the places that `Boot` fills in.
package enum IPXEScripts {
    package static var stage1: [UInt8] { PackageResources.stage1_ipxe }
    package static var plan: [UInt8] { PackageResources.plan_ipxe }
    package static var local: [UInt8] { PackageResources.local_ipxe }
    package static var hold: [UInt8] { PackageResources.hold_ipxe }
    package static var refuse: [UInt8] { PackageResources.refuse_ipxe }
}
