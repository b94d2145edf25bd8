# The disk layout: read by the build, by the initramfs hook and by the tests. It can never change under people's feet:
# an update finds its slots, its data and its boot partition by these numbers.
# shellcheck shell=sh disable=SC2034
disk_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a10
bios_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a11
boot_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a12
slot_a_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a13
slot_b_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a14
data_guid=5c1f6d5e-3f0a-4b57-9c0e-0d9a3e1b7a15

# Start and size of each partition in MiB. The shipped data partition is small, and grows on the disk it lands on.
bios_start=1 bios_size=1
boot_start=2 boot_size=512
slot_a_start=514 slot_b_start=1538 slot_size=1024
data_start=2562 data_size=128
disk_size=2691
