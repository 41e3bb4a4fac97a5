#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# More than one network: made, used, changed, deleted.
load ../lib/common

teardown() {
	layerbox --quiet delete --all --force
	for network in $(layerbox net list --json | jq -r '.[] | select(.default | not) | .bridge'); do
		layerbox --quiet net delete "$network"
	done
	common_teardown
}

status_of() { # status_of NETWORK FIELD
	layerbox net status "$1" --json | jq -r ".$2"
}

answers() {
	ping -c 1 -W 1 "$1" > /dev/null 2>&1
}

@test "a second network has a bridge, a dnsmasq and addresses of its own" {
	layerbox net create lab --subnet 10.77.0.0/16
	is "$(status_of lab manager)" layerbox
	is "$(status_of lab address)" 10.77.0.1/16
	is "$(status_of lab problem)" ""
	is "$(status_of lab pool_size)" 65533
	refute test "$(status_of lab dnsmasq_pid)" = "$(status_of lxcbr0 dnsmasq_pid)"
	make inside --network lab --start
	make outside --start
	is "$(field inside network)" lab
	is "$(field outside network)" lxcbr0
	wait_until 10 has_address inside
	wait_until 10 has_address outside
	[[ $(field inside ipv4) == 10.77.* ]]
	[[ $(field outside ipv4) == 10.0.3.* ]]
	is "$(layerbox exec inside -- cat /etc/resolv.conf | grep -c 10.77.0.1)" 1
	wait_until 5 answers "$(field inside ipv4)"
	is "$(status_of lab pool_used)" 1
	is "$(status_of lab ports)" 1
	layerbox net list | grep -q '^lab '
}

@test "containers of a network that is taken down and brought up again keep their addresses" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24
	make one --network lab --start
	address=$(field one ipv4)
	wait_until 10 has_address one
	refused $NETWORK 'stop the containers first' layerbox net down lab
	layerbox --quiet stop --kill one
	layerbox --quiet net down lab
	refused $NETWORK "the bridge lab is not there" layerbox start one
	layerbox --quiet net up
	layerbox --quiet start one
	wait_until 10 has_address one
	is "$(field one ipv4)" "$address"
}

@test "what cannot be a network is refused, and nothing of it is left" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24
	refused $EXISTS "network 'lab' already" layerbox net create lab --subnet 10.78.0.0/24
	refused $EXISTS "network 'lxcbr0' already" layerbox net create lxcbr0 --subnet 10.78.0.0/24
	refused $BAD_NAME 'cannot be the name of a network' layerbox net create a-name-of-16-chr --subnet 10.78.0.0/24
	refused $BAD_NAME 'cannot be the name of a network' layerbox net create ../lab --subnet 10.78.0.0/24
	refused $BAD_VALUE 'needs a subnet' layerbox net create more
	refused $BAD_VALUE 'host bits' layerbox net create more --subnet 10.78.0.1/24
	refused $BAD_VALUE 'overlaps that of network lab' layerbox net create more --subnet 10.77.0.128/25
	refused $BAD_VALUE 'overlaps that of network lab' layerbox net create more --subnet 10.77.0.0/16
	refused $BAD_VALUE 'overlaps that of network lxcbr0' layerbox net create more --subnet 10.0.3.0/29
	ip link add other type veth peer name other-end
	ip address add 10.79.0.1/24 dev other
	refused $BAD_VALUE 'in use on this host already: 10.79.0.1/24 on other' layerbox net create more --subnet 10.79.0.0/16
	refused $NETWORK 'layerbox did not make it' layerbox net create other --subnet 10.78.0.0/24
	refused $BAD_VALUE 'is not a setting of a network' layerbox net create more --subnet 10.78.0.0/24 colour=blue
	refused $BAD_VALUE 'must be yes or no' layerbox net create more --subnet 10.78.0.0/24 isolated=perhaps
	refused $BAD_VALUE 'from 1280' layerbox net create more --subnet 10.78.0.0/24 mtu=100
	ip link delete other
	# Both names have the same hash, which the names of their ports begin with.
	layerbox --quiet net create lb20 --subnet 10.80.0.0/24
	refused $NETWORK "like those of network lb20, lb9811-...; choose another name" layerbox net create lb215 --subnet 10.78.0.0/24
	layerbox --quiet net delete lb20
	layerbox --quiet net create lb215 --subnet 10.78.0.0/24
	layerbox --quiet net delete lb215
	is "$(layerbox net list --json | jq length)" 2
	refused $NO_NETWORK "no network 'more'" layerbox create one --network more
	refused $NO_NETWORK "no network 'more'" layerbox net status more
	refused $NO_NETWORK "no network 'more'" layerbox net delete more
	is_empty "$CONTAINERS"
}

@test "a network is deleted only when no container is on it, the default one never" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24
	make one --network lab
	refused $NETWORK '1 container is on network lab (one); delete it first' layerbox net delete lab
	refused $NETWORK 'is the default network' layerbox net delete lxcbr0
	layerbox --quiet delete one
	pid=$(status_of lab dnsmasq_pid)
	layerbox --quiet net delete lab
	refute ip link show lab
	refute kill -0 "$pid"
	[ ! -e "$LAYERBOX_ROOT/network/lab" ]
}

@test "settings are kept, shown, and refused where they make no sense" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24 mtu=1400
	is "$(layerbox net get lab mtu)" 1400
	is "$(layerbox net get lab isolated)" no
	layerbox --quiet net set lab isolated=yes
	is "$(layerbox net get lab isolated)" yes
	is "$(status_of lab isolated)" true
	layerbox --quiet net set lxcbr0 isolated=yes
	is "$(layerbox net get lxcbr0)" "$(printf 'subnet=10.0.3.0/24\nipv6=\nmtu=\nisolated=yes\nantispoof=yes\ndhcp=yes')"
	layerbox --quiet net set lxcbr0 isolated=no
	refused $BAD_VALUE 'keeps its subnet' layerbox net set lab subnet=10.78.0.0/24
	refused $BAD_VALUE 'layerbox.conf' layerbox net set lxcbr0 subnet=10.78.0.0/24
	echo 'subnet = nonsense' > "$LAYERBOX_ROOT/network/lab/network.conf"
	refused $BAD_CONFIG 'network.conf:1: ' layerbox net status lab
	echo 'subnet = 10.77.0.0/24' > "$LAYERBOX_ROOT/network/lab/network.conf"
}

@test "the MTU of a network is that of its bridge and of its containers" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24 mtu=1400
	make one --network lab --start
	is "$(cat /sys/class/net/lab/mtu)" 1400
	is "$(layerbox exec one -- cat /sys/class/net/eth0/mtu)" 1400
}

has_no_dnsmasq() {
	[ "$(status_of "$1" dnsmasq_pid)" = null ]
}

@test "doctor looks at every network" {
	layerbox --quiet net create lab --subnet 10.77.0.0/24
	make one --network lab
	rm "$LAYERBOX_ROOT/network/lab/hosts.d/one"
	kill "$(status_of lab dnsmasq_pid)"
	wait_until 5 has_no_dnsmasq lab
	run -0 layerbox doctor
	[[ $output == *'container one'*'wrote the reservation anew'* ]]
	[[ $output == *'network lab'*'put right'* ]]
	is "$(status_of lab problem)" ""
	layerbox doctor --dry-run
}

has_ipv6() { # has_ipv6 NAME ADDRESS
	layerbox exec "$1" -- ip -6 -o address show eth0 | grep -qF " $2/"
}

has_ipv6_on_bridge() {
	ip -6 -o address show six | grep -qF " $1/"
}

@test "a network with IPv6 gives each container the address that follows from its IPv4 address" {
	layerbox --quiet net create six --subnet 10.77.0.0/24 --ipv6 fd42:1:2:3::/64
	is "$(layerbox net get six ipv6)" fd42:1:2:3::/64
	is "$(status_of six ipv6)" fd42:1:2:3::/64
	has_ipv6_on_bridge fd42:1:2:3::1
	make one --network six --static --start
	make two --network six --static --start
	wait_until 10 has_ipv6 one fd42:1:2:3::2
	wait_until 10 has_ipv6 two fd42:1:2:3::3
	wait_until 5 layerbox exec one -- ping -6 -c 1 -W 1 fd42:1:2:3::3
	wait_until 5 layerbox exec one -- ping -6 -c 1 -W 1 fd42:1:2:3::1
	layerbox exec one -- nslookup two | grep -qF fd42:1:2:3::3
	grep -qxF "$(field one mac),id:*,10.77.0.2,[fd42:1:2:3::2],one" "$LAYERBOX_ROOT/network/six/hosts.d/one"
	refused $BAD_VALUE 'must be' layerbox net set six ipv6=fd42::/48
	layerbox --quiet net set six ipv6=auto
	[[ $(layerbox net get six ipv6) == fd*::/64 ]]
	refute has_ipv6_on_bridge fd42:1:2:3::1
}

@test "a network without DHCP has names all the same, and its containers need no server for their addresses" {
	layerbox --quiet net create fixed --subnet 10.77.0.0/24 dhcp=no
	is "$(status_of fixed problem)" ""
	make one two --network fixed --start
	kill "$(status_of fixed dnsmasq_pid)"
	layerbox --quiet restart one
	wait_until 10 has_address one
	layerbox --quiet net up
	wait_until 5 layerbox exec one -- ping -c 1 -W 1 two
	layerbox --quiet stop --kill two
	layerbox --quiet rename two three
	wait_until 5 layerbox exec one -- nslookup three
	refute layerbox exec one -- nslookup two
}

@test "addresses rest after a delete, and are asked for on the bridge before they are used" {
	layerbox --quiet net create small --subnet 10.77.0.0/29
	make one --network small
	is "$(field one ipv4)" 10.77.0.2
	layerbox --quiet delete one
	ip netns add stranger
	ip link add stranger0 type veth peer name eth0 netns stranger
	ip link set stranger0 master small up
	ip -n stranger address add 10.77.0.3/29 dev eth0
	ip -n stranger link set eth0 up
	wait_until 5 answers 10.77.0.3
	make two three four --network small
	is "$(field two ipv4) $(field three ipv4) $(field four ipv4)" '10.77.0.4 10.77.0.5 10.77.0.6'
	refused $EXHAUSTED 'rest for a while (2' layerbox create five --network small
	is "$(layerbox lease pool small --json | jq -c '.[] | [.size, .used, .quarantined, .free]')" '[5,3,2,0]'
	ip netns delete stranger
}

# networks: NAME SUBNET of each, the default one first.
networks() {
	local name
	for name in $(layerbox net list --json | jq -r '.[].bridge'); do
		echo "$name $(layerbox net get "$name" subnet)"
	done | xargs
}

@test "a default network that was set, and one that was created, can take each other's place" {
	local config=/etc/layerbox/layerbox.conf before with_lab after
	layerbox --quiet net set lxcbr0 mtu=1400
	layerbox --quiet net create lab --subnet 10.77.0.0/24
	before=$(cat "$config")
	printf 'base = busybox\nbridge = lab\n' > "$config"
	with_lab=$(networks; layerbox net set lab mtu=1400; layerbox list 2>&1)
	echo "$before" > "$config"
	after=$(networks; layerbox net get lxcbr0 mtu)
	layerbox --quiet net set lxcbr0 mtu=
	is "$with_lab" $'lab 10.77.0.0/24\nthere are no containers yet; make one with `layerbox create NAME`'
	is "$after" $'lxcbr0 10.0.3.0/24 lab 10.77.0.0/24\n1400'
}
