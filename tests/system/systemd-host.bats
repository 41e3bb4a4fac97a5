#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A Debian host with systemd, on which Debian's lxc-net runs lxcbr0: layerbox beside it, and reboots of all that.
load ../lib/system
load ../lib/boot

setup_file() {
	HOST_TREE=$(mktemp -d "${TMPDIR:-/tmp}/host.XXXXXX")
	export HOST_TREE
	network_for_hosts
	# Of the machine's own release: layerbox has been built for its libraries.
	host_tree "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$HOST_TREE"
	start_host
}

teardown_file() {
	kill_host || true
	kill "$(cat "$BATS_FILE_TMPDIR/slirp.pid")"
	rm -rf "$HOST_TREE"
}

# The processes and the table that lxc-net made; what must not change when containers come and go.
lxc_net_identity() {
	in_host systemctl show --property=ActiveEnterTimestampMonotonic lxc-net.service
	in_host sh -c 'cat /run/lxc/dnsmasq.pid; stat -c %Y /sys/class/net/lxcbr0; cat /sys/class/net/lxcbr0/ifindex'
}

runs_with_its_address() {
	local address
	address=$(in_host layerbox info "$1" --json | jq -r .ipv4)
	[ -n "$address" ] && in_host layerbox exec "$1" -- ip -4 -o address show eth0 | grep -qF " $address/"
}

@test "the host is up, and lxc-net runs its bridge" {
	is "$(in_host systemctl is-active lxc-net.service)" active
	in_host ip -4 -o address show lxcbr0 | grep -qF 10.0.3.1/24
	is "$(in_host layerbox net status --json | jq -r .manager)" lxc-net
}

@test "net up gives lxc-net's dnsmasq the reservations, once, and leaves the bridge alone" {
	local before
	before=$(in_host cat /sys/class/net/lxcbr0/ifindex)
	succeeds in_host layerbox init
	succeeds in_host layerbox net up
	is "$(in_host cat /sys/class/net/lxcbr0/ifindex)" "$before"
	in_host grep -qF dhcp-hostsdir=/var/lib/layerbox/network/lxcbr0/hosts.d /etc/lxc/dnsmasq.conf
	before=$(lxc_net_identity)
	succeeds in_host layerbox net up
	says "up already"
	is "$(lxc_net_identity)" "$before"
	is "$(in_host layerbox net status --json | jq -r .problem)" ''
}

@test "containers get their reserved addresses from it, and it is not restarted for them" {
	local before
	before=$(lxc_net_identity)
	succeeds in_host layerbox --quiet base build busybox
	succeeds in_host layerbox create tiger pragmatic --base busybox --start
	wait_until 10 runs_with_its_address tiger
	wait_until 10 runs_with_its_address pragmatic
	is "$(in_host layerbox info tiger --json | jq -r .privileged)" false
	succeeds in_host layerbox exec tiger -- ping -c 1 -W 5 pragmatic
	succeeds in_host layerbox delete pragmatic --force
	succeeds in_host layerbox create other --base busybox --start
	wait_until 10 runs_with_its_address other
	succeeds in_host layerbox delete other --force
	is "$(lxc_net_identity)" "$before"
}

host_finds() {
	[ "$(in_host getent hosts "$1" | awk '{ print $1 }')" = "$2" ]
}

@test "host_names = hosts: the host knows the names, and lxc-net's dnsmasq says nothing that is over" {
	in_host sh -c 'mkdir -p /etc/layerbox; echo "host_names = hosts" > /etc/layerbox/layerbox.conf'
	succeeds in_host layerbox net up
	host_finds tiger "$(in_host layerbox info tiger --json | jq -r .ipv4)"
	succeeds in_host layerbox create fleeting --base busybox
	host_finds fleeting "$(in_host layerbox info fleeting --json | jq -r .ipv4)"
	wait_until 5 in_host layerbox exec tiger -- nslookup fleeting.lxc 10.0.3.1
	succeeds in_host layerbox delete fleeting
	refute in_host getent hosts fleeting
	wait_until 5 nobody_answers_for fleeting.lxc
	succeeds in_host rm /etc/layerbox/layerbox.conf
	succeeds in_host layerbox net up
	refute in_host grep tiger /etc/hosts
}

nobody_answers_for() {
	! in_host layerbox exec tiger -- nslookup "$1" 10.0.3.1
}

@test "host_names = resolved: systemd-resolved asks the bridge's name server, and for nothing else" {
	local address
	address=$(in_host layerbox info tiger --json | jq -r .ipv4)
	in_host sh -c 'mkdir -p /etc/systemd/resolved.conf.d; echo "host_names = resolved" > /etc/layerbox/layerbox.conf
		printf "[Resolve]\nDNS=10.0.2.3\n" > /etc/systemd/resolved.conf.d/test.conf
		ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; systemctl restart systemd-resolved.service'
	refute in_host env RES_OPTIONS="timeout:1 attempts:1" getent hosts tiger
	run in_host layerbox doctor --dry-run
	[ "$status" -ne 0 ]
	[[ $output == *systemd-resolved* ]]
	succeeds in_host layerbox net up
	wait_until 5 host_finds tiger "$address"
	wait_until 5 host_finds tiger.lxc "$address"
	in_host resolvectl default-route lxcbr0 | grep -q ': no$'
	succeeds in_host layerbox doctor --dry-run
	succeeds in_host layerbox net up
	says "up already"
	# What resolved has forgotten, doctor tells it again.
	succeeds in_host resolvectl revert lxcbr0
	succeeds in_host layerbox doctor
	wait_until 5 host_finds tiger "$address"
}

@test "after a power failure the network is there again, and containers start with their addresses" {
	local address
	succeeds in_host systemctl enable layerbox-net.service
	address=$(in_host layerbox info tiger --json | jq -r .ipv4)
	kill_host
	start_host
	is "$(in_host systemctl is-active layerbox-net.service)" active
	is "$(in_host layerbox net status --json | jq -r '.manager + .problem')" lxc-net
	is "$(in_host layerbox info tiger --json | jq -r .state)" stopped
	succeeds in_host layerbox start tiger
	wait_until 10 runs_with_its_address tiger
	is "$(in_host layerbox info tiger --json | jq -r .ipv4)" "$address"
	# layerbox-net.service has told systemd-resolved again.
	wait_until 5 host_finds tiger "$address"
	in_host sh -c 'rm /etc/layerbox/layerbox.conf /etc/resolv.conf; echo nameserver 10.0.2.3 > /etc/resolv.conf'
	is "$(in_host systemctl --failed --plain --no-legend)" ''
}

@test "without lxc-net, layerbox-net.service brings layerbox's own bridge back at boot" {
	succeeds in_host layerbox stop --all
	in_host sh -c 'systemctl disable lxc-net.service; systemctl mask lxc-net.service'
	stop_host
	start_host
	is "$(in_host systemctl is-active layerbox-net.service)" active
	is "$(in_host layerbox net status --json | jq -r '.manager + .problem')" layerbox
	succeeds in_host layerbox start tiger
	wait_until 10 runs_with_its_address tiger
	# The DHCP server outlives a restart of the unit that has started it.
	succeeds in_host systemctl restart layerbox-net.service
	is "$(in_host layerbox net status --json | jq -r '.manager + .problem')" layerbox
	succeeds in_host layerbox stop tiger
	is "$(in_host systemctl --failed --plain --no-legend)" ''
}

# boot.bats has the same with lxc-net, and on Debian 13.
@test "containers are started with the host and shut down with it, and no unit stops them at any other time" {
	succeeds in_host layerbox delete --all --force
	boot_and_shutdown own
}
