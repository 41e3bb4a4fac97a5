#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016
# What is set on the host's end of a container's veth, net.ingress and isolation: there, felt by real transfers, and
# still there after whatever makes the veth anew. Rates are low and transfers take seconds, so that a busy machine
# does not blur them.
load ../lib/common

PORT_OF_SERVER=5001

setup_file() {
	common_setup_file
}

teardown_file() {
	common_teardown_file
}

teardown() {
	common_teardown
}

# port NAME: the host's end of the container's veth.
port() {
	sed -n 's/^lxc.net.0.veth.pair = //p' "$CONTAINERS/$1/config"
}

# queue_is NAME WORDS: how tc shows its root queue begins so.
queue_is() {
	[[ "$(tc qdisc show dev "$(port "$1")")" == "qdisc $2"* ]] ||
		fail "the queue of $1 is: $(tc qdisc show dev "$(port "$1")")"
}

# is_alone NAME 0|1: the bridge's flag.
is_alone() {
	is "$(cat "/sys/class/net/$(port "$1")/brport/isolated")" "$2"
}

serves() {
	[ -n "$(ss -Hltn "sport = :$PORT_OF_SERVER")" ]
}

# download NAME SECONDS: what the container receives of an endless stream in that time, in kbit/s; payload alone.
download() {
	local server start bytes end
	busybox nc -l -p $PORT_OF_SERVER -e /bin/cat /dev/zero > /dev/null 2>&1 3>&- &
	server=$!
	wait_until 5 serves
	start=${EPOCHREALTIME/./}
	bytes=$(layerbox exec "$1" -- sh -c "timeout $2 nc $gateway $PORT_OF_SERVER | wc -c")
	end=${EPOCHREALTIME/./}
	kill "$server" 2> /dev/null || true
	wait "$server" || true
	echo $((bytes * 8000 / (end - start)))
}

# has_rate KBIT COMMAND...: what COMMAND measures is within 10 % of KBIT. What else the machine does may spoil a
# measurement: it has five.
has_rate() {
	local wanted=$1 rates=() rate
	shift
	for _ in 1 2 3 4 5; do
		rate=$("$@")
		rates+=("$rate")
		[ "$rate" -lt $((wanted * 90 / 100)) ] || [ "$rate" -gt $((wanted * 110 / 100)) ] || return 0
	done
	fail "$*: ${rates[*]} kbit/s instead of $wanted"
}

# runs_at NAME KBIT: that is what it receives.
runs_at() {
	wait_until 10 has_address "$1"
	has_rate "$2" download "$1" 3
}

rebooted() {
	state_is "$1" running && [ "$(field "$1" pid)" != "$2" ]
}

reboot_inside() {
	local before
	before=$(field "$1" pid)
	layerbox exec "$1" -- reboot -f || true
	wait_until 10 rebooted "$1" "$before"
}

setup() {
	gateway=$(layerbox net status --json | jq -r .address)
	gateway=${gateway%/*}
}

@test "net.ingress bounds a transfer, at two rates, and its change is felt at once" {
	make slow
	layerbox --quiet set slow net.ingress=2Mbit
	layerbox --quiet start slow
	queue_is slow "tbf 4c42: root refcnt 3 rate 2Mbit "
	runs_at slow 2000
	tells "" layerbox --quiet set slow net.ingress=16Mbit
	is "$(layerbox get slow net.ingress)" 16Mbit
	runs_at slow 16000
	layerbox --quiet set slow net.ingress=
	queue_is slow "noqueue 0: root refcnt 2"
	[ "$(download slow 1)" -gt 50000 ]
}

@test "net.ingress holds after a restart, a kill of the monitor, a reboot from inside and lxc-start" {
	make firm
	layerbox --quiet set firm net.ingress=4Mbit
	layerbox --quiet start firm
	layerbox --quiet restart --kill firm
	queue_is firm "tbf 4c42: root refcnt 3 rate 4Mbit "
	# Changed since the start: the reboot makes what the record says now.
	layerbox --quiet set firm net.ingress=3Mbit
	reboot_inside firm
	queue_is firm "tbf 4c42: root refcnt 3 rate 3Mbit "
	runs_at firm 3000
	layerbox --quiet set firm net.ingress=
	reboot_inside firm
	queue_is firm "noqueue 0: root refcnt 2"
	layerbox --quiet set firm net.ingress=5Mbit
	layerbox --quiet stop --kill firm
	lxc-start -P "$CONTAINERS" -n firm 3>&-
	queue_is firm "tbf 4c42: root refcnt 3 rate 5Mbit "
	reboot_inside firm
	queue_is firm "tbf 4c42: root refcnt 3 rate 5Mbit "
	[ ! -s "$CONTAINERS/firm/lxc.log" ] || fail "$(cat "$CONTAINERS/firm/lxc.log")"
}

@test "the first setting of a running container warns that a reboot loses it, and doctor finds and repairs that" {
	make late --start
	succeeds layerbox set late net.ingress=6Mbit
	says "a reboot from inside would lose it; \`layerbox restart late\` makes it last"
	queue_is late "tbf 4c42: root refcnt 3 rate 6Mbit "
	reboot_inside late
	queue_is late "noqueue 0: root refcnt 2"
	run --separate-stderr layerbox doctor --dry-run
	[[ $output$stderr == *"container late: its isolation or net.ingress is not in force"* ]] || fail "$output $stderr"
	queue_is late "noqueue 0: root refcnt 2"
	layerbox --quiet doctor || true
	queue_is late "tbf 4c42: root refcnt 3 rate 6Mbit "
	layerbox --quiet restart --kill late
	reboot_inside late
	queue_is late "tbf 4c42: root refcnt 3 rate 6Mbit "
}

@test "isolated containers do not reach one another, others do, at once and after a reboot" {
	make one two --start
	for name in one two; do
		wait_until 10 has_address $name
	done
	reaches() {
		layerbox exec "$1" -- ping -c 1 -W 1 "$(field "$2" ipv4)" > /dev/null
	}
	wait_until 5 reaches one two
	layerbox --quiet set one isolated=yes
	is_alone one 1
	is_alone two 0
	refute reaches one two
	refute reaches two one
	layerbox --quiet set two isolated=yes
	refute reaches one two
	layerbox exec one -- ping -c 1 -W 1 "$gateway" > /dev/null
	layerbox --quiet restart --kill one
	is_alone one 1
	reboot_inside one
	is_alone one 1
	wait_until 10 has_address one
	refute reaches one two
	layerbox --quiet set one isolated=no
	is_alone one 0
	layerbox --quiet set two isolated=
	is "$(layerbox get two isolated)" ""
	is_alone two 0
	wait_until 5 reaches one two
}

# upload NAME SECONDS: what arrives of an endless stream from the container in that time, in kbit/s; payload alone. The
# first burst, a second's worth, does not count.
upload() {
	local server bytes
	busybox nc -l -p $PORT_OF_SERVER -e /bin/sh -c "timeout 1.5 cat > /dev/null
		timeout $2 cat | wc -c > $BATS_TEST_TMPDIR/received" > /dev/null 2>&1 3>&- &
	server=$!
	wait_until 5 serves
	layerbox exec "$1" -- sh -c "timeout 6 nc $gateway $PORT_OF_SERVER < /dev/zero" > /dev/null 2>&1 || true
	wait "$server" || true
	bytes=$(cat "$BATS_TEST_TMPDIR/received")
	echo $((bytes * 8 / ($2 * 1000)))
}

@test "what a container sends is bounded by net.egress, at once, and after a restart" {
	make sender --start
	wait_until 10 has_address sender
	layerbox --quiet set sender net.egress=10Mbit
	has_rate 10000 upload sender 3
	layerbox --quiet restart --kill sender
	wait_until 10 has_address sender
	has_rate 10000 upload sender 3
	layerbox --quiet set sender net.egress=
	[ "$(upload sender 1)" -gt 100000 ]
}

@test "a container without either has no hook" {
	make plain --start
	refute grep -q script.up "$CONTAINERS/plain/config"
	queue_is plain "noqueue 0: root refcnt 2"
	is_alone plain 0
}

@test "a start right after kill -9 of the monitor finds the old veth gone, whoever starts" {
	make hurt
	for how in layerbox layerbox lxc lxc; do
		layerbox --quiet start hurt
		kill -9 "$(monitor_of hurt)"
		if [ $how = lxc ]; then
			lxc-start -P "$CONTAINERS" -n hurt 3>&- || fail "$(cat "$CONTAINERS/hurt/lxc.log")"
		else
			succeeds layerbox start hurt
		fi
		state_is hurt running
		[ -e "/sys/class/net/$(port hurt)/brport" ]
		layerbox --quiet stop --kill hurt
	done
	# Somebody else's of that name, too.
	ip link add "$(port hurt)" type veth peer name nothing
	succeeds layerbox start hurt
	[ ! -e /sys/class/net/nothing ]
}

@test "many that are killed or deleted lose their veths together, and nobody else does" {
	make many-1 many-2 many-3 other --start
	ip link add bystander type veth peer name bystander-2
	ip link set bystander group 7
	succeeds layerbox stop --kill many-1 many-2 many-3
	is "$(layerbox list --json | jq -c '[.[].state]')" '["stopped","stopped","stopped","running"]'
	wait_until 10 has_address other
	[ -e /sys/class/net/bystander ]
	layerbox --quiet start many-1 many-2 many-3
	succeeds layerbox delete --force many-1 many-2 many-3
	is "$(names)" other
	[ -e "/sys/class/net/$(port other)" ]
	ip link delete bystander
}

@test "nonsense is refused and changes nothing" {
	make odd --start
	layerbox --quiet set odd net.ingress=8Mbit
	refused "$BAD_VALUE" 'net.ingress cannot be "8MB": it must be a whole number of kbit, Mbit or Gbit' \
		layerbox set odd net.ingress=8MB
	refused "$BAD_VALUE" "from 64kbit to 100Gbit" layerbox set odd net.egress=1kbit
	refused "$BAD_VALUE" "must be yes, no, or nothing" layerbox set odd isolated=maybe
	is "$(layerbox get odd net.ingress)/$(layerbox get odd net.egress)/$(layerbox get odd isolated)" 8Mbit//
	is "$(field odd '"net.ingress"')" 8Mbit
	queue_is odd "tbf 4c42: root refcnt 3 rate 8Mbit "
}
