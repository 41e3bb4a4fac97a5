#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# LXC's own tools on layerbox's containers.
load ../lib/common

# lxc TOOL ARGUMENTS...
lxc() {
	local tool=$1
	shift
	"lxc-$tool" -P "$CONTAINERS" "$@" 3>&-
}

@test "lxc-ls and lxc-info see what list sees" {
	make seen unseen
	layerbox --quiet start seen
	wait_until 10 has_address seen
	run lxc ls -f
	is "$status" 0
	[[ $output =~ seen\ +RUNNING\ .*$(field seen ipv4) ]]
	[[ $output =~ unseen\ +STOPPED ]]
	is "$(lxc info -n seen -p -H)" "$(field seen pid)"
	is "$(lxc info -n seen -i -H)" "$(field seen ipv4)"
	lxc freeze -n seen
	is "$(field seen state)" frozen
	lxc unfreeze -n seen
	is "$(field seen state)" running
}

@test "lxc-start makes the same container as layerbox does" {
	make plain
	make trusted --privileged
	for name in plain trusted; do
		lxc start -n $name
		wait_until 5 state_is $name running
		is "$(lxc attach -n $name -- hostname)" $name
		succeeds layerbox exec $name -- touch /root/file
		is "$(stat -c %u:%g "$CONTAINERS/$name/rootfs-layer/root/file")" 0:0
		wait_until 10 has_address $name
		no_mount_left
	done
	is "$(layerbox exec plain -- cat /proc/self/uid_map | xargs)" "0 $(field plain id_start) 65536"
	tells "running already: plain" layerbox start plain
	before=$(field plain pid)
	layerbox exec plain -- reboot || true
	wait_until 10 eval '[ "$(field plain state)" = running ] && [ "$(field plain pid)" != "$before" ]'
	wait_until 10 has_address plain
	no_mount_left
	tells "stopped plain" layerbox stop plain
	lxc stop -n trusted
	wait_until 5 state_is trusted stopped
	wait_until 5 no_monitor_left
	no_mount_left
}

@test "lxc-start on what layerbox started, lxc-stop on it, and the other way round" {
	make both --start
	before=$(field both pid)
	run lxc start -n both
	is "$(field both pid)" "$before"
	is "$(layerbox exec both -- hostname)" both
	lxc stop -k -n both
	state_is both stopped
	lxc start -n both
	kill -9 "$(monitor_of both)"
	wait_until 5 state_is both stopped
	succeeds layerbox start both
}

@test "lxc-copy, lxc-snapshot and lxc-destroy are refused, and nothing is made or lost" {
	make precious
	before=$(find "$CONTAINERS" | sort)
	# LXC copies with rsync before it asks the hook; where that is not installed it fails of itself.
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexit 0\n' > "$BATS_TEST_TMPDIR/bin/rsync"
	chmod 755 "$BATS_TEST_TMPDIR/bin/rsync"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
	run lxc copy -n precious -N copied
	[ "$status" -ne 0 ]
	[[ $output == *"stands on layers that LXC's own tools do not know: lxc-copy"* ]] || fail "lxc-copy said: $output"
	run lxc copy -s -B overlay -n precious -N copied
	[ "$status" -ne 0 ]
	run lxc copy -R -n precious -N renamed
	echo "lxc-copy --rename: $status $output"
	is "$(find "$CONTAINERS" -name '*copied*')" ""
	run lxc snapshot -n precious
	[ "$status" -ne 0 ]
	[[ $output == *"stands on layers"* ]]
	run lxc destroy -n precious
	[ "$status" -ne 0 ]
	[[ $output == *"use \`layerbox delete\`"* ]]
	run lxc destroy -s -f -n precious
	[ "$status" -ne 0 ]
	diff <(echo "$before") <(find "$CONTAINERS" ! -name lxc.log | sort)
	is "$(names)" precious
	succeeds layerbox start precious
	run lxc destroy -f -n precious
	[ "$status" -ne 0 ]
	succeeds layerbox start precious
	is "$(layerbox exec precious -- hostname)" precious
}
