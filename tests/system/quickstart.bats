#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The first command of README.md as a newcomer types it, and again: on a fresh machine with nothing but Debian 12's
# smallest system, without systemd. quickstart-systemd.bats has Debian 13 with it.
load ../lib/system

setup_file() {
	DIRECTORY=$(mktemp -d "${TMPDIR:-/tmp}/quickstart.XXXXXX")
	export DIRECTORY
	chmod 755 "$DIRECTORY"
	network_for_hosts
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/slirp.pid")"
	rm -rf "$DIRECTORY"
}

# mirror: what apt uses there, for the base.
mirror() {
	echo ${LAYERBOX_TEST_MIRROR:+--mirror "$LAYERBOX_TEST_MIRROR"}
}

# in_tree COMMAND: on the machine without systemd; it ends, with all of its containers, when the command does.
in_tree() {
	unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
		"$lib/move-into" "$DIRECTORY/bookworm" env --ignore-environment HOME=/root CFLAGS=-O0 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -euc "$1" 3>&- < /dev/null
}

@test "a fresh Debian 12 without systemd: from the checkout to a container with an address, and again in seconds" {
	fresh_tree bookworm "$DIRECTORY/bookworm" passwd
	checkout "$DIRECTORY/bookworm/root/layerbox"
	run in_tree "cd /root/layerbox
		./quickstart $(mirror)
		echo SECOND
		began=\$(date +%s)
		sh -c 'cd / && exec /root/layerbox/quickstart'
		echo SECONDS \$((\$(date +%s) - began))
		layerbox exec tiger-assemblies -- systemctl is-system-running --wait || true
		layerbox stop tiger-assemblies
		layerbox net status"
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *"building the base debian-bookworm"*"tiger-assemblies running "*"10.0.3."*SECOND* ]] || fail "$output"
	[[ $output == *"SECOND"*"the base debian-bookworm is there"*"tiger-assemblies running "*"10.0.3."* ]] || fail "$output"
	[[ $output == *"layerbox shell tiger-assemblies"* ]]
	[[ ${output#*SECOND} != *==\>\ in* ]] || fail "installed again: $output"
	[[ $output =~ SECONDS\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -le 30 ] || fail "$output"
	[[ $output == *$'\nrunning\n'* ]] || fail "$output"
}

@test "where no mirror can be reached, it says so and goes on with busybox" {
	run in_tree "cd /root/layerbox
		layerbox delete --all --force
		layerbox base delete debian-bookworm
		./quickstart --mirror http://127.0.0.1:9/debian"
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *"cannot be reached"*"going on without Debian"* ]] || fail "$output"
	[[ $output =~ tiger-assemblies\ running\ +10\.0\.3\.[0-9]+\ +busybox ]] || fail "$output"
}
