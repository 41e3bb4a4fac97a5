#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Doctor says which of the kernel's limits is too low for the containers there are. The kernel's own are not touched.
load ../lib/common

teardown() {
	umount /proc/sys/fs/inotify/max_user_instances 2> /dev/null || true
	common_teardown
}

# The kernel shall seem to say so.
instances_are() {
	echo "$1" > "$BATS_TEST_TMPDIR/instances"
	mount --bind "$BATS_TEST_TMPDIR/instances" /proc/sys/fs/inotify/max_user_instances
}

@test "doctor names the wall, its height, what so many containers may need, and the remedy" {
	make a b
	instances_are 79
	run -1 layerbox doctor --dry-run
	[[ $output == *"host: fs.inotify.max_user_instances is 79, and 2 containers may need 80: "*"root"* ]] || fail "$output"
	[[ $output == *"sysctl -p /usr/lib/sysctl.d/40-layerbox.conf"* ]] || fail "$output"
	umount /proc/sys/fs/inotify/max_user_instances
	instances_are 80
	succeeds layerbox doctor --dry-run
	says "all is well"
}
