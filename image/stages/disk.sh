#!/usr/bin/env bash
# The disk: partitions, their content, and what a BIOS starts. Everything is written sparsely to a file at known
# offsets, so neither loop devices nor mounts are needed.
set -euo pipefail
# shellcheck source=../layout.sh
source "$image/layout.sh"
disk=$work/disk.raw

put() { # FILE MIB
	dd if="$1" of="$disk" bs=64K seek=$(($2 * 16)) conv=notrunc,sparse status=none
}
number() { # VALUE BYTES: little-endian
	local value=$1 index
	for ((index = 0; index < $2; index++)); do
		printf '%b' "$(printf '\\x%02x' $((value >> 8 * index & 255)))"
	done
}

truncate -s "${disk_size}M" "$disk"
partition() { # NUMBER START SIZE TYPE GUID NAME
	printf '%s\n' --new="$1:$2M:+$3M" --typecode="$1:$4" --partition-guid="$1:$5" --change-name="$1:$6"
}
mapfile -t arguments < <(
	partition 1 $bios_start $bios_size ef02 $bios_guid bios
	partition 2 $boot_start $boot_size ef00 $boot_guid PROVISION
	partition 3 $slot_a_start $slot_size 8304 $slot_a_guid root-a
	partition 4 $slot_b_start $slot_size 8304 $slot_b_guid root-b
	partition 5 $data_start $data_size 8310 $data_guid data
)
sgdisk --clear --disk-guid=$disk_guid "${arguments[@]}" "$disk" >/dev/null

put "$work/boot.fat" $boot_start
put "$work/slot-a" $slot_a_start

# The data partition will grow a thousandfold, so it is made like a large one: big blocks, and descriptors reserved for
# 8 TiB (beyond that the kernel adds others while it grows). The kernel changes all of the reserved ones in one
# transaction, for which a journal of 16 MiB is too small: then it refuses to grow at all. The file system is empty:
# systemd-tmpfiles fills it at each start, which also serves a box whose data was erased.
truncate -s "${data_size}M" "$work/data.ext4"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mkfs.ext4 -q -L data -T default -b 4096 -m 1 -J size=32 -U $data_guid \
	-E "hash_seed=$data_guid,resize=2147483648,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" "$work/data.ext4"
put "$work/data.ext4" $data_start

# A BIOS starts the first sector, which loads GRUB from the BIOS boot partition; GRUB goes on with the grub.cfg that
# UEFI machines read too.
grub=$work/loaders/usr/lib/grub/i386-pc
grep -v '^#' "$image/grub/bios.cfg" >"$work/bios.cfg"
"$work/loaders/usr/bin/grub-mkimage" --directory="$grub" --format=i386-pc --output="$work/core.img" \
	--config="$work/bios.cfg" --prefix='(,gpt2)/EFI/debian' \
	biosdisk part_gpt fat normal configfile linux loadenv test echo sleep serial terminal reboot minicmd
(($(stat -c %s "$work/core.img") < bios_size * 1048576))
sector=$((bios_start * 2048))
cp "$grub/boot.img" "$work/boot.img"
# What grub-install patches: boot.img's address of core.img and its jump over the check of floppy drives, and
# core.img's address of its own second sector.
number $sector 8 | dd of="$work/boot.img" bs=1 seek=$((0x5c)) conv=notrunc status=none
printf '\x90\x90' | dd of="$work/boot.img" bs=1 seek=$((0x66)) conv=notrunc status=none
number $((sector + 1)) 8 | dd of="$work/core.img" bs=1 seek=$((0x1f4)) conv=notrunc status=none
put "$work/core.img" $bios_start
dd if="$work/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
