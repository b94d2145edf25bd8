#!/usr/bin/env bash
# The content of a root slot: a squashfs with its dm-verity hash tree behind it, and what the kernel must be told
# to check it.
set -euo pipefail
# shellcheck source=../layout.sh
source "$image/layout.sh"

# Level 12: 15 takes five times as long for 6 % less.
# All dates are the commit's, also older ones; mksquashfs takes that only without the variable.
env -u SOURCE_DATE_EPOCH mksquashfs "$work/root" "$work/slot-a" -noappend -quiet -no-progress -comp zstd -Xcompression-level 12 \
	-mkfs-time "$SOURCE_DATE_EPOCH" -all-time "$SOURCE_DATE_EPOCH"
offset=$(stat -c %s "$work/slot-a")
# A fixed salt: it is no secret, and a random one would make two builds of one commit differ.
hash=$(veritysetup format "$work/slot-a" "$work/slot-a" --hash-offset="$offset" \
	--uuid="$slot_a_guid" --salt="$(printf provisioner | sha256sum | cut -d' ' -f1)" |
	sed -n 's/^Root hash:[[:space:]]*//p')
[[ $hash =~ ^[0-9a-f]{64}$ ]]
size=$(stat -c %s "$work/slot-a")
((size <= slot_size * 1048576)) || { echo "the root file system has $size bytes, a slot only $slot_size MiB" >&2; exit 1; }

cat >"$work/slot.cfg" <<-END
	set slot_version="$version"
	set slot_arguments="appliance.slot=a appliance.partition=$slot_a_guid appliance.offset=$offset appliance.hash=$hash"
END
