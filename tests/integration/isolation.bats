#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The firewall of a network, proven by what gets through: guests are network namespaces with a veth on the bridge, as
# containers have; frames are made by hand (tests/lib/frames), connections are real ones (tests/lib/traffic).
load ../lib/common

frames=$BATS_TEST_DIRNAME/../lib/frames
traffic=$BATS_TEST_DIRNAME/../lib/traffic

# What a container may send to its neighbours and its host,
honest="tcp udp icmp broadcast multicast arp-request arp-reply arp-probe dhcp-discover dhcp-renew nd-solicit
	nd-advert nd-advert-link-local nd-duplicate router-solicit listener-report udp6 udp6-link-local"
# and what none may send to anybody.
forged="spoofed-mac spoofed-mac-and-ipv4 spoofed-ipv4 spoofed-ipv4-of-world spoofed-ipv4-none spoofed-ipv6
	spoofed-ipv6-link-local spoofed-ipv6-none spoofed-arp spoofed-mac-arp spoofed-arp-mac spoofed-arp-own-ipv4
	spoofed-arp-announce spoofed-arp-reply-none spoofed-dhcp spoofed-dhcp-renew spoofed-dhcp-relayed
	spoofed-dhcp-fragment odd-dhcp-hardware odd-dhcp-mac-length odd-dhcp-short odd-arp-hardware odd-arp-protocol odd-arp-mac-length
	odd-arp-ip-length spoofed-nd-advert spoofed-nd-hidden spoofed-nd-duplicate router-advert
	router-advert-fragment router-advert-rest nd-redirect dhcp-answer dhcp6-answer vlan vlan-priority vlan-spoofed
	vlan-arp vlan-in-vlan unknown-type llc"
routed="routed routed-icmp routed6"

# firewall_program: where the build put it; LAYERBOX_TEST_BUILD names the build directory.
firewall_program() {
	ls "${LAYERBOX_TEST_BUILD:-$BATS_TEST_DIRNAME/../../build}"/tests/integration/firewall
}

firewall() {
	"$FIREWALL" "$@" 3>&-
}

# network OPTION...: the file that describes it; GUEST='WORDS' in the environment adds to a guest's line.
network_file() {
	cat <<- END
		network lbtest 10.77.0.0/24 fd77:0:0:1::/64 nat $antispoof other=lbother
		guest third 00:16:3e:aa:00:0f 10.77.0.15 fd77:0:0:1::f
		guest alone1 00:16:3e:aa:00:0a 10.77.0.10 fd77:0:0:1::a isolated ${alone1:-}
		guest alone2 00:16:3e:aa:00:0b 10.77.0.11 fd77:0:0:1::b isolated ${alone2:-}
		guest open1 00:16:3e:aa:00:0c 10.77.0.12 fd77:0:0:1::c ${open1:-}
		guest open2 00:16:3e:aa:00:0d 10.77.0.13 fd77:0:0:1::d ${open2:-}
	END
}

# apply: brings in the firewall of the network that the variables describe.
apply() {
	network_file > "$FILE"
	firewall "$FILE" apply || [ $? -eq 1 ]
}

# join BRIDGE PORT NAME MAC IPV4 IPV6 GATEWAY4 GATEWAY6
join() {
	ip netns add "$3"
	ip link add "$2" type veth peer name eth0 address "$4" netns "$3"
	ip link set "$2" master "$1" up
	ip -n "$3" link set lo up
	ip -n "$3" address add "$5/24" dev eth0
	ip -n "$3" address add "$6/64" dev eth0 nodad
	ip -n "$3" link set eth0 up
	ip -n "$3" route add default via "$7"
	ip -n "$3" -6 route add default via "$8"
}

make_bridge() {
	ip link add "$1" address "$2" type bridge
	ip address add "$3" dev "$1"
	ip address add "$4" dev "$1" nodad
	ip link set "$1" up
}

# There are no containers of layerbox here.
teardown() { :; }

setup_file() {
	local kind name mac ipv4 ipv6 rest
	antispoof=antispoof
	FIREWALL=$(firewall_program)
	LAYERBOX_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/layerbox-test.XXXXXX")
	FILE=$BATS_FILE_TMPDIR/network
	export FIREWALL LAYERBOX_ROOT FILE antispoof
	mkdir -p /run/netns
	echo 1 > /proc/sys/net/ipv4/ip_forward
	echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
	make_bridge lbtest 00:16:3e:00:00:01 10.77.0.1/24 fd77:0:0:1::1/64
	make_bridge lbother 00:16:3e:00:00:02 10.78.0.1/24 fd78:0:0:1::1/64
	network_file > "$FILE"
	while read -r kind name mac ipv4 ipv6 rest; do
		[ "$kind" != guest ] || join lbtest "$(firewall "$FILE" port "$name")" "$name" "$mac" "$ipv4" "$ipv6" \
			10.77.0.1 fd77:0:0:1::1
	done < "$FILE"
	join lbother other1 other 00:16:3e:bb:00:01 10.78.0.10 fd78:0:0:1::a 10.78.0.1 fd78:0:0:1::1
	# The world: it has no way back to addresses of containers.
	ip netns add world
	ip link add up0 type veth peer name eth0 netns world
	ip address add 192.0.2.1/24 dev up0
	ip address add 2001:db8::1/64 dev up0 nodad
	ip link set up0 up
	ip -n world link set lo up
	ip -n world address add 192.0.2.2/24 dev eth0
	ip -n world address add 2001:db8::2/64 dev eth0 nodad
	ip -n world link set eth0 up
	for name in alone1 alone2 open1 open2 third other world -; do
		"$traffic" answer "$name" 80 > "$BATS_FILE_TMPDIR/answers.$name" 3>&- &
		echo $! >> "$BATS_FILE_TMPDIR/pids"
		wait_until 5 grep -qs ready "$BATS_FILE_TMPDIR/answers.$name"
	done
	ls "$FILE"
}

teardown_file() {
	xargs kill < "$BATS_FILE_TMPDIR/pids"
	firewall "$FILE" down || [ $? -eq 1 ]
	rm -rf "$LAYERBOX_ROOT"
}

setup() {
	bridge_nf 0
	apply
}

# arrive|vanish FROM TO KIND...
arrive() {
	"$frames" "$FILE" "$1" "$2" arrive "${@:3}"
}

vanish() {
	"$frames" "$FILE" "$1" "$2" vanish "${@:3}"
}

# answers WHO ASKING PROTOCOL ADDRESS PORT [SEEN-AS]
answers() {
	run "$traffic" ask "$2" "$3" "$4" "$5"
	[ "$status" -eq 0 ] || fail "$output"
	[[ $output == "$1 "${6:-*} ]] || fail "$2 asks $3 $4 port $5 and hears: $output"
}

# silent [ASKING PROTOCOL ADDRESS PORT]...: none of them hears an answer.
silent() {
	"$traffic" silent "$@"
}

# bridge_nf 0|1: do frames on bridges pass the IP tables too (br_netfilter, as Docker wants it)? Fails where this kernel
# cannot do so.
bridge_nf() {
	local file=/proc/sys/net/bridge/bridge-nf-call-
	[ -e ${file}iptables ] || [ "$1" -eq 0 ] || return 1
	[ ! -e ${file}iptables ] || echo "$1" | tee ${file}{ip,ip6,arp}tables > /dev/null
}

@test "without a firewall every frame of this test arrives" {
	firewall "$FILE" down
	arrive open1 open2 $honest $forged $routed routed-spoofed
	arrive alone1 alone2 $honest $forged $routed routed-spoofed
	arrive open1 host $honest $forged around around-spoofed
	# What the bridge and the host's neighbour tables have learnt of it goes again.
	echo 1 > /sys/class/net/lbtest/bridge/flush
	ip neighbour flush dev lbtest
	answers alone1 - tcp 10.77.0.10 80
}

@test "between containers that are not isolated the honest frames pass and no forged one" {
	local on
	for on in 0 1; do
		bridge_nf $on || continue
		arrive open1 open2 $honest $routed
		vanish open1 open2 $forged routed-spoofed
		answers open2 open1 tcp 10.77.0.13 80 10.77.0.12
		answers open2 open1 udp fd77:0:0:1::d 80 fd77:0:0:1::c
	done
}

@test "between isolated containers nothing passes, nor between them and others" {
	local on
	for on in 0 1; do
		bridge_nf $on || continue
		vanish alone1 alone2 $honest $forged $routed routed-spoofed
		vanish alone1 open1 $honest $forged $routed routed-spoofed
		vanish open1 alone1 $honest $forged $routed routed-spoofed
		silent alone1 tcp 10.77.0.11 80 \
			open1 udp fd77:0:0:1::a 80
	done
}

@test "nor by a route through the host" {
	local name
	for name in alone1 alone2 open1; do
		ip -n $name route add 10.77.0.10/31 via 10.77.0.1
		ip -n $name -6 route add fd77:0:0:1::a/127 via fd77:0:0:1::1
	done
	silent alone1 tcp 10.77.0.11 80 \
		open1 tcp 10.77.0.10 80 \
		open1 udp fd77:0:0:1::b 80
	refute ip netns exec alone1 ping -c 1 -W 0.3 10.77.0.11
	for name in alone1 alone2 open1; do
		ip -n $name route del 10.77.0.10/31
		ip -n $name -6 route del fd77:0:0:1::a/127
	done
}

@test "the host gets honest frames of isolated containers, and no forged one" {
	arrive alone1 host $honest
	vanish alone1 host $forged around around-spoofed
	arrive open1 host $honest
	vanish open1 host $forged around around-spoofed
	answers - alone1 tcp 10.77.0.1 80 10.77.0.10
	answers - alone1 udp fd77:0:0:1::1 80
	answers alone1 - tcp 10.77.0.10 80
	answers alone2 - udp fd77:0:0:1::b 80
}

@test "a port that no container is known for passes nothing" {
	firewall "$FILE" remove third
	vanish third open1 $honest $forged
	vanish third host $honest $forged
	firewall "$FILE" add third
	arrive third open1 $honest
}

@test "where the network has no antispoof, only isolated containers are looked at" {
	antispoof='' apply
	arrive open1 open2 $honest spoofed-mac-and-ipv4 vlan
	echo 1 > /sys/class/net/lbtest/bridge/flush
	vanish alone1 host $forged around around-spoofed
	vanish alone1 alone2 $honest $forged $routed routed-spoofed
}

@test "the world sees the host's address, other networks of the host see the container's" {
	answers world alone1 tcp 192.0.2.2 80 192.0.2.1
	answers world open1 udp 192.0.2.2 80 192.0.2.1
	answers world open1 tcp 2001:db8::2 80 2001:db8::1
	answers other open1 tcp 10.78.0.10 80 10.77.0.12
	answers open1 other tcp 10.77.0.12 80 10.78.0.10
	answers open1 other udp fd77:0:0:1::c 80 fd78:0:0:1::a
}

@test "isolated containers and other networks of the host do not reach each other" {
	silent alone1 tcp 10.78.0.10 80 \
		alone1 udp fd78:0:0:1::a 80 \
		other tcp 10.77.0.10 80 \
		other udp fd77:0:0:1::a 80
}

@test "forwards, from the world, the host, neighbours and the container itself, for TCP and UDP" {
	local protocol
	alone1="forward=tcp/-/8080/80 forward=udp/-/8080/80" \
		alone2="forward=tcp/192.0.2.1/8081/80 forward=udp/2001:db8::1/8081/80" apply
	for protocol in tcp udp; do
		answers alone1 world $protocol 192.0.2.1 8080 192.0.2.2
		answers alone1 world $protocol 2001:db8::1 8080 2001:db8::2
		answers alone1 - $protocol 192.0.2.1 8080
		answers alone1 - $protocol 2001:db8::1 8080
		answers alone1 open1 $protocol 192.0.2.1 8080 10.77.0.1
		answers alone1 alone2 $protocol 192.0.2.1 8080 10.77.0.1
		answers alone1 alone1 $protocol 10.77.0.1 8080 10.77.0.1
		answers alone1 open1 $protocol 2001:db8::1 8080 fd77:0:0:1::1
		answers alone1 other $protocol 192.0.2.1 8080 10.78.0.10
	done
	answers alone2 world tcp 192.0.2.1 8081
	answers alone2 world udp 2001:db8::1 8081
	silent world udp 192.0.2.1 8081 \
		open1 tcp 10.77.0.1 8081 \
		- tcp 127.0.0.1 8080
	answers - - tcp 127.0.0.1 80
	# What a forward leads to is open by it alone.
	silent open1 tcp 10.77.0.10 80
}

# There a neighbour's forward leads over the bridge, not through the host: the bridge keeps isolated ones apart, and
# sends nothing back to the port it came from.
@test "forwards with br_netfilter: all, but from neighbours to isolated containers" {
	local protocol
	bridge_nf 1 || skip "this kernel has no br_netfilter"
	alone1="forward=tcp/-/8080/80 forward=udp/-/8080/80" open2="forward=tcp/-/8081/80 forward=udp/-/8081/80" apply
	for protocol in tcp udp; do
		answers alone1 world $protocol 192.0.2.1 8080 192.0.2.2
		answers alone1 world $protocol 2001:db8::1 8080 2001:db8::2
		answers alone1 other $protocol 192.0.2.1 8080 10.78.0.10
		answers open2 world $protocol 192.0.2.1 8081 192.0.2.2
		answers open2 open1 $protocol 192.0.2.1 8081 10.77.0.1
		answers open2 open1 $protocol 2001:db8::1 8081 fd77:0:0:1::1
		silent open1 $protocol 192.0.2.1 8080
	done
}

@test "a forward comes and goes with a single change" {
	silent world tcp 192.0.2.1 8082
	open1="forward=tcp/-/8082/80" network_file > "$BATS_TEST_TMPDIR/after"
	firewall "$FILE" change open1 "$BATS_TEST_TMPDIR/after"
	firewall "$BATS_TEST_TMPDIR/after" check
	answers open1 world tcp 192.0.2.1 8082
	open1="forward=tcp/-/8082/81" network_file > "$BATS_TEST_TMPDIR/elsewhere"
	firewall "$BATS_TEST_TMPDIR/after" change open1 "$BATS_TEST_TMPDIR/elsewhere"
	firewall "$BATS_TEST_TMPDIR/elsewhere" check
	silent world tcp 192.0.2.1 8082
	firewall "$BATS_TEST_TMPDIR/elsewhere" change open1 "$FILE"
	firewall "$FILE" check
}

@test "a container is isolated and freed with a single change" {
	answers open2 open1 tcp 10.77.0.13 80
	open1="isolated" network_file > "$BATS_TEST_TMPDIR/after"
	firewall "$FILE" change open1 "$BATS_TEST_TMPDIR/after"
	firewall "$BATS_TEST_TMPDIR/after" check
	vanish open1 open2 $honest $routed
	silent open2 tcp 10.77.0.12 80
	firewall "$BATS_TEST_TMPDIR/after" change open1 "$FILE"
	firewall "$FILE" check
	arrive open1 open2 $honest
}

@test "rules: the first that matches, for the world, neighbours, other networks and the host" {
	ip -n world address add 192.0.2.3/24 dev eth0
	open1="allow=192.0.2.2/32 deny=192.0.2.0/24 deny=10.77.0.13 deny=10.78.0.0/16 deny=2001:db8::/32" apply
	answers world open1 tcp 192.0.2.2 80
	silent open1 tcp 192.0.2.3 80 \
		open1 tcp 2001:db8::2 80 \
		open1 tcp 10.77.0.13 80 \
		open1 udp 10.78.0.10 80
	answers third open1 tcp 10.77.0.15 80
	answers world open2 tcp 192.0.2.3 80
	# The host's own address out there is one of those that are denied; its address on the bridge is not.
	silent open1 tcp 192.0.2.1 80
	answers - open1 tcp 10.77.0.1 80
	# To what comes to the container it answers.
	answers open1 other tcp 10.77.0.12 80
	ip -n world address del 192.0.2.3/24 dev eth0
}

@test "a container that is denied everything still has addresses, names, and whom it is allowed" {
	local on
	open1="allow=fd77:0:0:1::d deny=::/0 deny=0.0.0.0/0" apply
	# A name server, as dnsmasq is one on the bridge.
	"$traffic" answer - 53 > "$BATS_TEST_TMPDIR/names" 3>&- &
	wait_until 5 grep -qs ready "$BATS_TEST_TMPDIR/names"
	for on in 0 1; do
		bridge_nf $on || continue
		arrive open1 host dhcp-discover nd-solicit arp-request
		silent open1 tcp 10.77.0.1 80 \
			open1 tcp fd77:0:0:1::1 80 \
			open1 tcp 192.0.2.2 80 \
			open1 tcp 10.77.0.13 80
		ip -n open1 neighbour flush dev eth0
		answers open2 open1 tcp fd77:0:0:1::d 80
		answers - open1 udp 10.77.0.1 53
		answers - open1 tcp fd77:0:0:1::1 53
	done
	kill %%
}

@test "changes of rules ask for the whole" {
	open1="deny=192.0.2.0/24" network_file > "$BATS_TEST_TMPDIR/after"
	run firewall "$FILE" change open1 "$BATS_TEST_TMPDIR/after"
	is "$status" 3
	firewall "$FILE" check
}

# within PERCENT WANTED MEASURED
within() {
	awk -v percent="$1" -v wanted="$2" -v is="$3" \
		'BEGIN { exit is < wanted * (1 - percent / 100) || is > wanted * (1 + percent / 100) }'
}

# rate_is MBIT FROM TO ADDRESS: within 10 %. What else the machine does may spoil a measurement: it has five.
rate_is() {
	local mbit=$1 measured=''
	shift
	for _ in 1 2 3 4 5; do
		measured+=" $("$traffic" rate "$@" 2)"
		! within 10 "$mbit" "${measured##* }" || return 0
	done
	fail "$measured Mbit/s instead of $mbit"
}

@test "what a container sends has the rate of its limit within 10 %, also after a single change" {
	local mbit
	for mbit in 10 100 500; do
		open1="egress=${mbit}000000" network_file > "$BATS_TEST_TMPDIR/after"
		firewall "$FILE" change open1 "$BATS_TEST_TMPDIR/after"
		firewall "$BATS_TEST_TMPDIR/after" check
		cp "$BATS_TEST_TMPDIR/after" "$FILE"
		rate_is $mbit open1 world 192.0.2.2
	done
	rate_is 500 open1 open2 10.77.0.13
	# Neither what it receives nor its neighbours are slower for it.
	fast=$("$traffic" rate open2 open1 10.77.0.12 1)
	[ "${fast%.*}" -gt 1000 ] || fail "$fast Mbit/s"
}

@test "what someone does to the tables is found and put right" {
	local edit
	firewall "$FILE" check
	for edit in "flush chain bridge layerbox-lbtest guard" "add rule inet layerbox-lbtest forward accept" \
		"delete table bridge layerbox-lbtest" "delete element inet layerbox-lbtest isolated4 { 10.77.0.10 }" \
		"add element bridge layerbox-lbtest macs { \"up0\" . 00:16:3e:00:00:99 }" "flush ruleset" \
		"add table inet layerbox-lbtest { flags dormant; }"; do
		nft "$edit"
		run firewall "$FILE" check
		[ "$status" -eq 1 ] || fail "nothing was found after: $edit"
		firewall "$FILE" apply
		firewall "$FILE" check
		run firewall "$FILE" apply
		is "$status" 1
	done
}

@test "other tables are left alone" {
	nft 'add table inet mine; add chain inet mine y'
	open1="egress=1000000" apply
	nft list chain inet mine y
	firewall "$FILE" down
	nft list chain inet mine y
	is "$(nft list tables)" "table inet mine"
	run firewall "$FILE" down
	is "$status" 1
	run firewall "$FILE" add open1
	is "$status" 3
	nft delete table inet mine
}

@test "two containers that want one port: the first has it, and nobody loses the network" {
	open1="forward=tcp/-/8083/80" open2="forward=tcp/-/8083/80" apply
	answers open1 world tcp 192.0.2.1 8083
}
