#!/usr/bin/env bash
# The boot partition: FAT, readable on any computer; holds the loaders, the kernel of each slot and the operator's
# files. mtools writes it, so that no file system has to be mounted.
set -euo pipefail
# shellcheck source=../layout.sh
source "$image/layout.sh"
tree=$work/boot

mkdir -p "$work/loaders" "$tree"/EFI/{BOOT,debian} "$tree"/{a,b}
for file in "$work"/boot-packages/*.deb; do dpkg-deb --extract "$file" "$work/loaders"; done

# Where Microsoft's signature leads: shim, then Debian's GRUB beside it, which reads /EFI/debian/grub.cfg.
install -m 644 "$work/loaders/usr/lib/shim/shimx64.efi.signed" "$tree/EFI/BOOT/BOOTX64.EFI"
install -m 644 "$work/loaders/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "$tree/EFI/BOOT/grubx64.efi"
install -m 644 "$image/grub/grub.cfg" "$tree/EFI/debian/grub.cfg"

# GRUB's block of variables: exactly 1024 bytes, filled up with #. An update changes it to choose the slot.
printf -v block '%s\n' '# GRUB Environment Block' 'slot=a'
printf '%s%s' "$block" "$(printf '%*s' $((1024 - ${#block})) '' | tr ' ' '#')" >"$tree/slots.env"

install -m 644 "$work/kernel/vmlinuz" "$work/kernel/initrd.img" "$work/slot.cfg" "$tree/a/"
install -m 644 "$image"/boot-partition/* "$tree/"
install -m 644 "$image/../docs/example-site.yaml" "$tree/site.yaml.example"
# Windows' older editors show a text without carriage returns as one line.
sed -i 's/\r*$/\r/' "$tree"/*.txt "$tree"/*.example

find "$tree" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
truncate -s "${boot_size}M" "$work/boot.fat"
mkfs.vfat -F 32 -n PROVISION --invariant -i 50524f56 "$work/boot.fat" >/dev/null
# One at a time and sorted: the order of writing is the order on the disk.
(cd "$tree" && find . -mindepth 1 -type d | sort) | while read -r folder; do mmd -i "$work/boot.fat" "::${folder#.}"; done
(cd "$tree" && find . -type f | sort) | while read -r file; do mcopy -m -i "$work/boot.fat" "$tree/$file" "::${file#.}"; done
