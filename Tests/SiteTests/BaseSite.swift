import Site

/// A small valid site: tests change one thing in it.
enum BaseSite {
    static let text = """
        schema: provisioner.site/1
        root_domain: example.net
        management: {zone: mgmt.example.net, ttl: 60}
        substrates:
          lab:
            zone: lab.example.net
            cidr: 10.20.0.0/16
            segments:
              management: {vlan: 99, subnet: 10.20.99.0/24, gateway: 10.20.99.1, \
        pool: {range: [10.20.99.100, 10.20.99.200]}}
              blackhole: {vlan: 999}
        hosts:
          boot-ph01:
            form: ph
            plane: management
            interfaces:
              lab: {mac: "52:54:00:00:00:01", at: lab/management, ip: 10.20.99.95, claims_gateway: true}
          core-rt01:
            plane: lab
            interfaces:
              lan: {mac: "52:54:00:00:00:02", at: lab/management, ip: gateway, ip_in_rebuild: 10.20.99.2}
          hv01:
            form: hv
            plane: lab
            interfaces:
              mgmt: {mac: "52:54:00:00:00:03", at: lab/management, ip: 10.20.99.21}
        services:
          artifacts: {zone: management, provider: boot-ph01, expose_in: [lab]}
          pxe: {zone: management, provider: boot-ph01, expose_in: [lab]}
          dns: {zone: lab, provider: authority}
        profiles:
          debian:
            kernel: debian:12/linux
            initrd: ["debian:12/initrd.gz"]
            args: ["auto"]
            answer: debian-answers:1/preseed.cfg
        assignments:
          hv01: {profile: debian, boot: once}
        authority:
          lab: {declared: router, router: {kind: vyos, host: core-rt01, credentials: "secret:vyos"}}
          policy: {rebuild_lease: 10m, upstream_dns: from-uplink}

        """

    static func parse(_ text: String) -> SiteReading { Site.parse(Array(text.utf8)) }
}
