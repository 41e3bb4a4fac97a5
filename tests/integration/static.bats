#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers whose address stands in their files, on a network whose DHCP server is gone.
load ../lib/common

setup_file() {
	common_setup_file
	kill "$(cat /run/layerbox/network/lxcbr0/dnsmasq.pid)"
}

teardown_file() {
	common_teardown_file
}

teardown() {
	common_teardown
}

@test "a static container has its address and its way out without a DHCP server" {
	make tiger --static
	is "$(cat "$CONTAINERS/tiger/rootfs-layer/etc/udhcpc/static" | grep -v '^#')" "address=$(field tiger ipv4)/24
gateway=10.0.3.1"
	is "$(grep static "$CONTAINERS/tiger/container.conf")" 'static = yes'
	refute test -e "$CONTAINERS/tiger/rootfs-layer/etc/systemd"
	succeeds layerbox start tiger
	wait_until 5 has_address tiger
	wait_until 5 layerbox exec tiger -- ip route get 192.0.2.1
	succeeds layerbox exec tiger -- ping -c 1 -W 5 10.0.3.1
	[ ! -s "$LAYERBOX_ROOT/network/lxcbr0/leases" ]
}

@test "it keeps address and route when init starts its service again" {
	local pid
	make tiger --static --start
	wait_until 5 layerbox exec tiger -- ip route get 192.0.2.1
	pid=$(layerbox exec tiger -- pidof sleep)
	layerbox exec tiger -- kill "$pid"
	wait_until 5 layerbox exec tiger -- sh -c "[ \"\$(pidof sleep)\" ] && [ \"\$(pidof sleep)\" != $pid ]"
	has_address tiger
	succeeds layerbox exec tiger -- ip route get 192.0.2.1
}

@test "a container that asks a DHCP server has none of these files" {
	make tiger
	refute test -e "$CONTAINERS/tiger/rootfs-layer/etc/udhcpc"
	refute grep static "$CONTAINERS/tiger/container.conf"
}

@test "a base that knows none of the ways to set an address is refused, and nothing is left" {
	local tree
	tree=$(mktemp -d)
	mkdir -p "$tree/bin" "$tree/sbin" "$tree/etc"
	cp "$(command -v busybox)" "$tree/sbin/init"
	chmod 755 "$tree"
	layerbox --quiet base import bare "$tree"
	rm -rf "$tree"
	refused $BAD_VALUE 'there can be no static address' layerbox create tiger --base bare --static
	refused $NO_CONTAINER tiger layerbox info tiger
	mkdir -p "$LAYERBOX_ROOT/templates/rootfs-static/etc"
	echo '{{ipv4}} {{ipv4_length}} {{gateway}}' > "$LAYERBOX_ROOT/templates/rootfs-static/etc/address"
	make tiger --base bare --static
	is "$(cat "$CONTAINERS/tiger/rootfs-layer/etc/address")" "$(field tiger ipv4) 24 10.0.3.1"
	rm -r "$LAYERBOX_ROOT/templates/rootfs-static"
}
