#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The first command of README.md, and again: on a fresh machine with nothing but Debian 13's smallest system and systemd.
load ../lib/system

setup_file() {
	DIRECTORY=$(mktemp -d "${TMPDIR:-/tmp}/quickstart.XXXXXX")
	export DIRECTORY
	chmod 755 "$DIRECTORY"
	network_for_hosts
}

teardown_file() {
	kill_host || true
	kill "$(cat "$BATS_FILE_TMPDIR/slirp.pid")"
	rm -rf "$DIRECTORY"
}

@test "a fresh Debian 13 with systemd: lxc-net runs the bridge, a reboot keeps it all" {
	fresh_tree trixie "$DIRECTORY/trixie" systemd systemd-sysv dbus passwd
	checkout "$DIRECTORY/trixie/root/layerbox"
	prepare_host "$DIRECTORY/trixie"
	start_host
	run in_host /root/layerbox/quickstart --base busybox
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *"tiger-assemblies running "*"10.0.3."* ]] || fail "$output"
	run in_host /root/layerbox/quickstart --base busybox
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == *"the base busybox is there"*"running already"* ]] || fail "$output"
	in_host layerbox net status | grep -qE '^Run by: +lxc-net'
	is "$(in_host systemctl --failed --plain --no-legend)" ''
	kill_host
	start_host
	is "$(in_host layerbox info tiger-assemblies --json | jq -r .state)" running
	is "$(in_host systemctl is-active layerbox-net.service)" active
	is "$(in_host systemctl --failed --plain --no-legend)" ''
}
