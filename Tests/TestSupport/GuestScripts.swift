/// The shell scripts of ``GuestImage``: those that run in the guest and the one that builds it.
enum GuestScripts {
    /// Modules in the order of their dependencies; `/init` loads them in this order.
    private static let modules = [
        "virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci",
        "failover", "net_failover", "virtio_net", "e1000",
    ]

    /// Busybox is one program; these are the names under which the guest's scripts call it.
    private static let applets = [
        "sh", "cat", "dmesg", "grep", "head", "insmod", "ip", "mkdir", "mount", "poweroff", "sleep", "tail", "tr",
        "udhcpc", "wget",
    ]

    /// The files of our own in the guest, by path.
    static let files: [(path: String, content: String)] = [
        ("init", start), ("udhcpc", lease), ("etc/nsswitch.conf", "hosts: files dns\n"),
    ]

    private static let start = """
        #!/bin/sh
        export PATH=/bin
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        mount -t devtmpfs devtmpfs /dev
        exec </dev/null >/dev/ttyS0 2>&1
        # Kernel messages would land in the middle of the lines that a test waits for.
        dmesg -n 1
        echo
        echo "GUEST-UP $(cat /proc/cmdline)"
        [ -e /overlay/note ] && echo "GUEST-OVERLAY $(cat /overlay/note)"
        for module in \(modules.joined(separator: " ")); do insmod /modules/$module.ko; done
        ip link set lo up
        tries=0
        while [ ! -e /sys/class/net/eth0 ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
        ip link set eth0 up
        udhcpc -i eth0 -n -q -f -t 10 -T 2 -s /udhcpc >/tmp/udhcpc 2>&1 || { cat /tmp/udhcpc; echo GUEST-NO-ADDRESS; }

        phone_home() {
            for try in 1 2 3; do
                if wget -S -O /tmp/body "$1" 2>/tmp/answer; then
                    status=$(grep -m 1 HTTP/ /tmp/answer | tr -d '\\r')
                    echo "GUEST-PHONED-HOME ${status#  } | $(head -n 1 /tmp/body)"
                    return
                fi
                sleep 1
            done
            echo "GUEST-PHONE-FAILED $(tail -n 1 /tmp/answer)"
        }

        for argument in $(cat /proc/cmdline); do
            case $argument in phonehome=*) phone_home "${argument#phonehome=}" ;; esac
        done
        echo GUEST-DONE
        poweroff -f

        """

    private static let lease = """
        #!/bin/sh
        case $1 in
        deconfig)
            ip address flush dev $interface
            ip link set $interface up
            ;;
        bound | renew)
            ip address add $ip/${mask:-24} dev $interface
            for gateway in $router; do ip route add default via $gateway dev $interface; done
            [ -z "$domain" ] || echo "search $domain" >/etc/resolv.conf
            for server in $dns; do echo "nameserver $server"; done >>/etc/resolv.conf
            echo "GUEST-ADDRESS $ip dns=$dns domain=$domain" >/dev/ttyS0
            ;;
        esac

        """

    /// Builds the initrd. Arguments: an empty folder for the root, the folder for `initrd.gz`, the installer's initrd.
    static let build = """
        cd "$1"
        gzip -dc "$3" | cpio --quiet -idm bin/busybox 'lib64' 'lib64/ld-linux*' 'lib/x86_64-linux-gnu/ld-linux*' \\
            'lib/x86_64-linux-gnu/libc.so.*' 'lib/x86_64-linux-gnu/libresolv.so.*' \\
            'lib/x86_64-linux-gnu/libnss_*' \\
            \(modules.map { "'*/\($0).ko'" }.joined(separator: " "))
        mkdir -p proc sys dev tmp etc modules
        for module in \(modules.joined(separator: " ")); do
            find lib/modules -name "$module.ko" -exec mv {} modules \\;
            [ -e "modules/$module.ko" ] || { echo "no module $module in $3" >&2; exit 1; }
        done
        rm -r lib/modules
        for applet in \(applets.joined(separator: " ")); do ln -s busybox "bin/$applet"; done
        \(files.map(write).joined(separator: "\n"))
        chmod 755 init udhcpc
        find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 | gzip -9n >"$2/initrd.gz"
        """

    private static func write(path: String, content: String) -> String {
        "cat >\(path) <<'END-OF-FILE'\n\(content)END-OF-FILE"
    }
}
