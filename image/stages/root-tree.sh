#!/usr/bin/env bash
# Puts the root file system together: Debian, the provisioner package, the files of rootfs/. What the boot partition
# takes from the same archive (GRUB, shim) is fetched here too, so that everything has one archive state.
set -euo pipefail
# shellcheck source=../layout.sh
source "$image/layout.sh"
root=$work/root

# The package joins Debian's through a folder that is an archive, so that apt resolves all dependencies in one go.
mkdir -p "$work/archive" "$work/boot-packages"
cp "$package" "$work/archive/provisioner.deb"
{
	dpkg-deb --field "$package"
	echo "Filename: ./provisioner.deb"
	echo "Size: $(stat -c %s "$package")"
	echo "SHA256: $(sha256sum <"$package" | cut -d' ' -f1)"
} >"$work/archive/Packages"

packages=(
	linux-image-amd64 firmware-linux-free wireless-regdb initramfs-tools busybox zstd
	systemd systemd-sysv systemd-timesyncd systemd-resolved udev dbus kmod
	e2fsprogs fdisk cryptsetup-bin util-linux mount login passwd procps less
	iproute2 iputils-ping nftables ethtool pciutils openssh-server
	gpg gpg-agent grub-common grub-pc-bin grub-efi-amd64-bin binutils sbsigntool systemd-boot-efi
	provisioner
)
components=main
if [[ $firmware ]]; then
	# shellcheck disable=SC2206 # a list of words
	packages+=($firmware)
	components="main contrib non-free-firmware"
fi

# INITRD=No: the kernel's package would make an initramfs before the files that it needs are in place.
# `essential` has no apt inside: the root is read-only, and updates replace it as a whole.
INITRD=No mmdebstrap --quiet --mode=root --variant=essential --format=directory \
	--include="$(IFS=,; echo "${packages[*]}")" \
	--aptopt='APT::Install-Recommends "false"' \
	--dpkgopt=force-unsafe-io \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/info/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/lintian/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-include=/usr/share/doc/*/copyright' \
	--customize-hook="cd '$work/boot-packages' && APT_CONFIG=\"\$MMDEBSTRAP_APT_CONFIG\" apt-get -qq -o APT::Sandbox::User=root download grub-common grub-pc-bin grub-efi-amd64-signed shim-signed shim-signed-common" \
	bookworm "$root" \
	"deb http://deb.debian.org/debian bookworm $components" \
	"deb http://deb.debian.org/debian bookworm-updates $components" \
	"deb http://deb.debian.org/debian-security bookworm-security $components" \
	"deb [trusted=yes] copy:$work/archive ./"

# Kept for the list of packages: /var of the root is hidden under the data partition.
chroot "$root" dpkg-query --show --showformat \
	'${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Maintainer}\t${Homepage}\n' >"$work/packages.tsv"
for file in "$work"/boot-packages/*.deb; do
	dpkg-deb --show --showformat '${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Maintainer}\t${Homepage}\n' "$file"
done >"$work/boot-packages.tsv"

cp -r --no-preserve=mode,ownership "$image/rootfs/." "$root/"
# The GRUB for machines has services for a GRUB on this machine's own disk, which is not Debian's.
for unit in grub-common grub-initrd-fallback; do ln -sf /dev/null "$root/etc/systemd/system/$unit.service"; done
chmod 755 "$root"/usr/lib/appliance/* "$root"/etc/initramfs-tools/hooks/* "$root"/etc/initramfs-tools/scripts/*/*
install -m 644 "$image/layout.sh" "$root/usr/lib/appliance/layout.sh"
ln -sf /run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
# Without a battery a clock starts in 1970: systemd sets it to no less than this file's date.
: >"$root/usr/lib/clock-epoch"
mkdir -p "$root/boot/efi"
printf 'PRETTY_NAME="Provisioner %s"\nNAME=Provisioner\nID=provisioner\nID_LIKE=debian\nVERSION_ID=%s\n' \
	"$version" "$version" >"$root/usr/lib/os-release"
chroot "$root" systemctl --quiet preset-all
grep -q '^root:[*!]' "$root/etc/shadow" || { echo "root has a password" >&2; exit 1; }

# Made in the build, known to everybody who has the image: a box makes its own at its first start.
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/etc/hostname.orig"
rm -f "$root"/var/lib/systemd/{random-seed,credential.secret}

chroot "$root" update-initramfs -c -k all >/dev/null
mkdir -p "$work/kernel"
mv "$root"/boot/vmlinuz-* "$work/kernel/vmlinuz"
mv "$root"/boot/initrd.img-* "$work/kernel/initrd.img"

# Of no use on a read-only root, or different at each build.
rm -rf "$root"/etc/apt "$root"/boot/* "$root"/vmlinuz* "$root"/initrd.img* "$root"/var "$root"/run/* "$root"/tmp/* \
	"$root"/usr/share/doc-base "$root"/usr/share/bug "$root"/dev/* "$root"/etc/*- "$root"/etc/.pwd.lock
# systemd-tmpfiles fills the data partition at each start; these are the mount points alone.
mkdir "$root/var" "$root/boot/efi"
