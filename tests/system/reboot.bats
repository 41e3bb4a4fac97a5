#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers are started with the host and shut down with it: on Debian 12 and 13, with layerbox's own network and with
# lxc-net. systemd-host.bats does the first of these on a host that it has anyhow.
load ../lib/system
load ../lib/boot

setup_file() {
	DIRECTORY=$(mktemp -d "${TMPDIR:-/tmp}/boot.XXXXXX")
	export DIRECTORY
	chmod 755 "$DIRECTORY"
	network_for_hosts
}

teardown_file() {
	kill_host || true
	kill "$(cat "$BATS_FILE_TMPDIR/slirp.pid")"
	rm -rf "$DIRECTORY"
}

# Built on this machine, for whose libraries both have the same names.
debian_host() {
	host_tree "$1" "$DIRECTORY/$1"
	start_host
	in_host layerbox --quiet init
	in_host layerbox --quiet base build busybox
}

@test "Debian 12 with layerbox's own network" {
	debian_host bookworm
	boot_and_shutdown own
}

@test "Debian 12 with lxc-net" {
	boot_and_shutdown lxc
	kill_host
}

@test "Debian 13 with layerbox's own network" {
	debian_host trixie
	boot_and_shutdown own
}

@test "Debian 13 with lxc-net" {
	boot_and_shutdown lxc
}
