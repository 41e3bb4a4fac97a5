#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Ports of the host that lead to containers, and where containers' connections may go to: who gets through, and that
# nothing else on the host is touched. The world is a network namespace that knows the host's address alone.
load ../lib/common

traffic=$BATS_TEST_DIRNAME/../lib/traffic

setup_file() {
	mkdir -p /run/netns
	ip netns add world
	ip link add up0 type veth peer name eth0 netns world
	ip address add 192.0.2.1/24 dev up0
	ip address add 192.0.2.11/24 dev up0
	ip link set up0 up
	ip -n world link set lo up
	ip -n world address add 192.0.2.2/24 dev eth0
	ip -n world link set eth0 up
	common_setup_file
	serve world 80
}

teardown_file() {
	kill $(cat "$BATS_FILE_TMPDIR/servers")
	common_teardown_file
	ip link delete up0
}

setup() {
	: > "$BATS_TEST_TMPDIR/servers"
}

teardown() {
	kill $(cat "$BATS_TEST_TMPDIR/servers") 2> /dev/null || true
	for name in $(names); do
		ip netns delete "$name" 2> /dev/null || true
	done
	common_teardown
}

# serve NAMESPACE PORT: answers there, on TCP and UDP.
serve() {
	local answers=$BATS_FILE_TMPDIR/answers.$1.$2.$BATS_TEST_NUMBER directory=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}
	"$traffic" answer "$1" "$2" > "$answers" 3>&- &
	echo $! >> "$directory/servers"
	wait_until 5 grep -qs ready "$answers"
}

# attach NAME: the network of a running container under its name.
attach() {
	ip netns delete "$1" 2> /dev/null || true
	ip netns attach "$1" "$(field "$1" pid)"
	wait_until 10 has_address "$1"
}

# make_server NAME PORT: a container that answers.
make_server() {
	make "$1" --start
	attach "$1"
	serve "$1" "$2"
}

# answers WHO SEEN-AS ASKING PROTOCOL ADDRESS PORT
answers() {
	run "$traffic" ask "${@:3}"
	[ "$status" -eq 0 ] || fail "$output"
	is "$output" "$1 $2"
}

# silent ASKING PROTOCOL ADDRESS PORT
silent() {
	"$traffic" silent "$@"
}

# set_bridged 0|1: what the kernel does with bridged frames, where it can do so.
set_bridged() {
	[ ! -e /proc/sys/net/bridge ] || echo "$1" > /proc/sys/net/bridge/bridge-nf-call-iptables
}

forwards() {
	layerbox forward list "$@" --json | jq -r '.[] | "\(.container) \(.listen):\(.port):\(.target_port)/\(.protocol)"'
}

@test "a TCP and a UDP port lead from outside to the container, which sees who asks" {
	make_server broker 1883
	silent world tcp 192.0.2.1 8883
	tells 'port 8883 of the host leads to port 1883 of broker' layerbox forward add broker 8883:1883/tcp
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	answers broker 192.0.2.2 world tcp 192.0.2.11 8883
	silent world udp 192.0.2.1 8883
	layerbox --quiet forward add broker 5353:1883/udp
	answers broker 192.0.2.2 world udp 192.0.2.1 5353
	silent world tcp 192.0.2.1 5353
	layerbox --quiet forward remove broker 8883/tcp
	silent world tcp 192.0.2.1 8883
	answers broker 192.0.2.2 world udp 192.0.2.1 5353
	layerbox --quiet forward remove broker 5353:1883/udp
	silent world udp 192.0.2.1 5353
	is "$(forwards)" ''
}

@test "one address of the host may lead elsewhere than another" {
	make_server left 80
	make_server right 80
	layerbox --quiet forward add left 8080:80 --listen 192.0.2.1
	layerbox --quiet forward add right 192.0.2.11:8080:80/tcp
	answers left 192.0.2.2 world tcp 192.0.2.1 8080
	answers right 192.0.2.2 world tcp 192.0.2.11 8080
	refused $EXISTS "port 192.0.2.1:8080/tcp of the host leads to port 80 of container 'left' already" \
		layerbox forward add right 8080:80
	is "$(forwards)" "$(printf 'left 192.0.2.1:8080:80/tcp\nright 192.0.2.11:8080:80/tcp')"
	is "$(forwards right)" 'right 192.0.2.11:8080:80/tcp'
	layerbox forward list | grep -qE '^192\.0\.2\.1 +8080 +tcp +left +80$'
}

@test "the host itself, another container and the container itself use a forward as well" {
	make_server broker 1883
	make other --start
	attach other
	layerbox --quiet forward add broker 8883:1883/tcp
	layerbox --quiet forward add broker 8883:1883/udp
	# Some hosts give bridged frames to the rules of IP as well (br_netfilter).
	for bridged in 1 0; do
		set_bridged $bridged
		for protocol in tcp udp; do
			answers broker 192.0.2.1 - $protocol 192.0.2.1 8883
			answers broker 10.0.3.1 other $protocol 192.0.2.1 8883
			answers broker 10.0.3.1 other $protocol 10.0.3.1 8883
			# Straight, it is seen as what it is.
			answers broker "$(field other ipv4)" other $protocol "$(field broker ipv4)" 1883
		done
	done
	# There, a frame never goes back to the port it came from.
	answers broker 10.0.3.1 broker tcp 192.0.2.1 8883
	answers broker 10.0.3.1 broker udp 192.0.2.1 8883
	# What leaves the host for elsewhere is not caught.
	answers world 192.0.2.1 other tcp 192.0.2.2 80
	silent other tcp 192.0.2.2 8883
}

@test "a port that is taken is refused, by whomever" {
	make one two
	layerbox --quiet forward add one 8883:1883/tcp
	tells 'port 8883 of the host led to port 1883 of one already' layerbox forward add one 8883:1883
	refused $EXISTS "leads to port 1883 of container 'one' already; remove that first: \`layerbox forward remove one 8883/tcp\`" \
		layerbox forward add two 8883:1883/tcp
	refused $EXISTS "of container 'one' already" layerbox forward add two 8883 --listen 192.0.2.1
	refused $EXISTS "of container 'one' already" layerbox forward add one 8883:1884/tcp
	layerbox --quiet forward add two 8883:1883/udp
	serve - 9000
	refused $EXISTS 'a program of this host listens on [::]:9000 (tcp) already' layerbox forward add two 9000/tcp
	refused $EXISTS 'a program of this host listens on [::]:9000 (udp) already' layerbox forward add two 9000/udp
	refused $EXISTS '[::]:9000 (tcp)' layerbox forward add two 9000 --listen 192.0.2.11
	refused $EXISTS 'listens on 10.0.3.1:53 (udp)' layerbox forward add two 53/udp
	layerbox --quiet forward add two 53/udp --listen 192.0.2.1
	is "$(forwards)" "$(printf 'one :8883:1883/tcp\ntwo :8883:1883/udp\ntwo 192.0.2.1:53:53/udp')"
	# Of two who want one port at a time, one gets it.
	layerbox --quiet forward add one 7000 2> "$BATS_TEST_TMPDIR/one" & first=$!
	layerbox --quiet forward add two 7000 2> "$BATS_TEST_TMPDIR/two" & second=$!
	wait $first && code=0 || code=$?
	wait $second && code=$((code + 0)) || code=$((code + $?))
	is "$code" $EXISTS
	is "$(forwards | grep -c 7000)" 1
}

@test "what is no forward is refused, and nothing of it is kept" {
	make one
	for port in 0 65536 80:0 -1 80-90 80/sctp 80:81:82 x 1.2.3.4 0.0.0.0:80 ''; do
		refused $BAD_VALUE 'is not a forward' layerbox forward add one -- "$port"
	done
	refused $BAD_VALUE 'loopback' layerbox forward add one 80 --listen 127.0.0.1
	refused $BAD_VALUE 'loopback' layerbox forward add one 80 --listen ::1
	refused $BAD_VALUE 'must be an IPv4 or IPv6 address' layerbox forward add one 80 --listen eth0
	refused $BAD_VALUE "container 'one' has no IPv6 address" layerbox forward add one 80 --listen 2001:db8::1
	refused $USAGE 'give the address once' layerbox forward add one 192.0.2.1:80 --listen 192.0.2.1
	refused $NO_CONTAINER "no container 'none'" layerbox forward add none 80
	refused $NO_CONTAINER "no container 'none'" layerbox forward list none
	refused $BAD_NAME 'cannot be the name' layerbox forward add ../one 80
	refused $BAD_VALUE 'has no such forward of port 80/tcp' layerbox forward remove one 80
	is "$(forwards)" ''
	refute grep forwards "$CONTAINERS/one/container.conf"
	for port in $(seq 7001 7064); do
		echo "$port:80/tcp"
	done | paste -sd, | sed 's/^/forwards = /' >> "$CONTAINERS/one/container.conf"
	refused $EXHAUSTED 'has 64 forwards, the most' layerbox forward add one 7065
	is "$(forwards | wc -l)" 64
}

@test "forwards last: over restarts, reboots, renaming and a network that goes down and comes up" {
	make_server broker 1883
	layerbox --quiet forward add broker 8883:1883/tcp
	layerbox --quiet restart --kill broker
	attach broker
	serve broker 1883
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	layerbox --quiet stop --kill broker
	layerbox --quiet net down
	refute nft list table inet layerbox-lxcbr0
	layerbox --quiet net up
	layerbox --quiet rename broker courier
	layerbox --quiet start courier
	attach courier
	serve courier 1883
	answers courier 192.0.2.2 world tcp 192.0.2.1 8883
	is "$(forwards)" 'courier :8883:1883/tcp'
	# While the network is down they are noted, and hold when it is up.
	layerbox --quiet stop --kill courier
	layerbox --quiet net down
	layerbox --quiet forward add courier 8884:1883
	layerbox --quiet forward remove courier 8883
	layerbox --quiet net up
	layerbox --quiet start courier
	attach courier
	serve courier 1883
	answers courier 192.0.2.2 world tcp 192.0.2.1 8884
	silent world tcp 192.0.2.1 8883
}

@test "a deleted container's ports are free, whatever its record looks like" {
	make_server heir 1883
	make one two
	layerbox --quiet forward add one 8883:1883
	layerbox --quiet forward add two 8884:1883
	layerbox --quiet set two net.rules='deny all'
	echo nonsense >> "$CONTAINERS/two/container.conf"
	refused $BAD_CONFIG 'which ports are taken cannot be known' layerbox --quiet forward add heir 8885:1883
	layerbox --quiet delete one two
	refute nft list chain inet layerbox-lxcbr0 rules-two
	[[ $(nft list map inet layerbox-lxcbr0 forwards_any4) != *elements* ]]
	layerbox --quiet forward add heir 8883:1883
	layerbox --quiet forward add heir 8884:1883
	answers heir 192.0.2.2 world tcp 192.0.2.1 8883
	answers heir 192.0.2.2 world tcp 192.0.2.1 8884
}

@test "nobody else's rules are touched" {
	local before
	nft -f - <<- END
		table inet theirs {
			set s { type ipv4_addr; elements = { 10.0.3.7 } }
			map m { type inet_proto . inet_service : ipv4_addr . inet_service; elements = { tcp . 1 : 10.0.3.7 . 1 } }
			chain input { type filter hook input priority 0; policy accept; tcp dport 9 drop; }
			chain nat { type nat hook prerouting priority 0; policy accept; tcp dport 10 redirect to :9; }
		}
		table ip nat {
			chain POSTROUTING { type nat hook postrouting priority 100; ip saddr 10.9.9.0/24 masquerade; }
		}
		table bridge theirs {
			chain forward { type filter hook forward priority 0; ether type vlan drop; }
		}
	END
	before=$(nft list table inet theirs; nft list table ip nat; nft list table bridge theirs)
	make one two --start
	layerbox --quiet forward add one 8883:1883
	layerbox --quiet forward add one 53:53/udp --listen 192.0.2.1
	layerbox --quiet net egress one deny 198.51.100.0/24
	layerbox --quiet forward remove one 8883
	layerbox --quiet rename two three || layerbox --quiet stop --kill two
	layerbox --quiet delete --force one
	layerbox --quiet stop --all --kill
	layerbox --quiet doctor
	layerbox --quiet net down
	layerbox --quiet net up
	is "$(nft list table inet theirs; nft list table ip nat; nft list table bridge theirs)" "$before"
	is "$(nft list tables | grep -v layerbox-)" "$(printf 'table inet theirs\ntable ip nat\ntable bridge theirs')"
	nft delete table inet theirs
	nft delete table ip nat
	nft delete table bridge theirs
}

@test "rules say where a container's connections may go to, the first that matches" {
	make_server broker 1883
	make_server other 80
	layerbox --quiet forward add broker 8883:1883
	answers world 192.0.2.1 broker tcp 192.0.2.2 80
	layerbox --quiet net egress broker deny 192.0.2.0/24
	silent broker tcp 192.0.2.2 80
	silent broker udp 192.0.2.2 80
	# To who came to it, it answers; others' connections are others'.
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	answers world 192.0.2.1 other tcp 192.0.2.2 80
	answers other "$(field broker ipv4)" broker tcp "$(field other ipv4)" 80
	is "$(layerbox net egress broker)" 'deny 192.0.2.0/24'
	layerbox --quiet set broker net.rules='allow 192.0.2.2, deny all'
	answers world 192.0.2.1 broker tcp 192.0.2.2 80
	silent broker tcp "$(field other ipv4)" 80
	# Names are the host's to give, whatever the rules.
	layerbox exec broker -- nslookup other | grep -qF "$(field other ipv4)"
	layerbox --quiet net egress broker clear
	is "$(layerbox net egress broker)" ''
	answers other "$(field broker ipv4)" broker tcp "$(field other ipv4)" 80
	refute grep net.rules "$CONTAINERS/broker/container.conf"
}

@test "rules last over restarts, renaming and a new network, and are refused where they make no sense" {
	make_server broker 1883
	layerbox --quiet net egress broker allow 10.0.0.0/8 192.168.0.0/16
	layerbox --quiet net egress broker deny all
	is "$(layerbox get broker net.rules)" 'allow 10.0.0.0/8, allow 192.168.0.0/16, deny 0.0.0.0/0, deny ::/0'
	silent broker tcp 192.0.2.2 80
	layerbox --quiet stop --kill broker
	layerbox --quiet net down
	layerbox --quiet net up
	layerbox --quiet rename broker courier
	layerbox --quiet start courier
	attach courier
	silent courier tcp 192.0.2.2 80
	layerbox --quiet restart --kill courier
	attach courier
	silent courier tcp 192.0.2.2 80
	refused $BAD_VALUE 'host bits' layerbox net egress courier deny 10.0.0.1/8
	refused $BAD_VALUE 'twice' layerbox net egress courier allow all
	refused $BAD_VALUE 'must be rules such as' layerbox net egress courier allow example.org
	refused $BAD_VALUE 'must be rules such as' layerbox set courier net.rules='drop all'
	refused $USAGE 'give a container' layerbox net egress courier deny
	refused $USAGE 'give a container' layerbox net egress courier drop 10.0.0.0/8
	refused $USAGE 'give a container' layerbox net egress
	is "$(layerbox get courier net.rules)" 'allow 10.0.0.0/8, allow 192.168.0.0/16, deny 0.0.0.0/0, deny ::/0'
}

@test "doctor, net up and a start see to rules that someone has taken away" {
	make_server broker 1883
	layerbox --quiet forward add broker 8883:1883
	layerbox doctor --dry-run
	nft flush map inet layerbox-lxcbr0 forwards_any4
	silent world tcp 192.0.2.1 8883
	run -1 layerbox doctor --dry-run
	[[ $output == *'network lxcbr0'*'forwards_any4 lacks 1 entries'* ]]
	run -0 layerbox doctor
	[[ $output == *'made the rules anew'* ]]
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	nft flush map inet layerbox-lxcbr0 forwards_any4
	layerbox --quiet net up
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	layerbox --quiet stop --kill broker
	nft delete table inet layerbox-lxcbr0
	nft delete table bridge layerbox-lxcbr0
	layerbox --quiet start broker
	attach broker
	serve broker 1883
	answers broker 192.0.2.2 world tcp 192.0.2.1 8883
	layerbox doctor --dry-run
}
