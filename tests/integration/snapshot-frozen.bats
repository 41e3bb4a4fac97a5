#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A container that is frozen for a snapshot is thawed, whoever dies or is stopped.
load ../lib/common

setup() {
	layerbox --quiet create icy --start
	layerbox exec icy -- sh -c 'for i in $(seq 300); do echo $i > /root/$i; done; (while :; do echo x >> /root/log; sleep 0.01; done) > /dev/null 2>&1 &'
}

runs() {
	[ "$(field icy state)" = running ] && layerbox exec icy -- true
}

is_frozen() {
	[ "$(field icy state)" = frozen ]
}

# Waits until a helper holds it; its pid.
helper() {
	local i
	for ((i = 0; i < 2000; i++)); do
		pgrep -f 'layerbox-lxc hold .* icy' && return
		sleep 0.002
	done
	return 1
}

# Makes a snapshot whose last pass takes long: strace holds up what it does once the helper is there.
slow_snapshot() {
	timeout -s KILL 60 strace -qq -o /dev/null -e trace=recvfrom -e inject=recvfrom:delay_exit=1500000 \
		"$(type -P layerbox)" --quiet snapshot create icy slow > "$BATS_TEST_TMPDIR/output" 2>&1 3>&- &
	slow=$!
}

@test "the command is killed while it is frozen: it runs again, and there is no snapshot" {
	slow_snapshot
	helper > /dev/null
	wait_until 5 is_frozen
	pkill -KILL -x layerbox
	wait_until 2 runs
	wait "$slow" || true
	is "$(layerbox snapshot list icy --json | jq length)" 0
	layerbox --quiet snapshot create icy again
	is "$(ls "$LAYERBOX_ROOT/layers" | wc -l)" 1
}

@test "its helper is killed while it is frozen: it runs again, and the snapshot fails" {
	slow_snapshot
	pid=$(helper)
	wait_until 5 is_frozen
	kill -KILL "$pid"
	ended=0
	wait "$slow" || ended=$?
	[ "$ended" -ne 0 ]
	grep -q 'helper that held' "$BATS_TEST_TMPDIR/output" || fail "$(cat "$BATS_TEST_TMPDIR/output")"
	runs
	is "$(layerbox snapshot list icy --json | jq length)" 0
}

@test "terminated, interrupted and hung up, the helper still thaws" {
	slow_snapshot
	pid=$(helper)
	kill -TERM "$pid"
	kill -INT "$pid"
	kill -HUP "$pid"
	wait "$slow"
	runs
	layerbox snapshot show icy slow
}

@test "one that the operator froze stays frozen, and is copied all the same" {
	layerbox --quiet freeze icy
	layerbox --quiet snapshot create icy cold
	is "$(field icy state)" frozen
	is "$(layerbox snapshot show icy cold --json | jq .frozen_us)" 0
	layerbox --quiet thaw icy
	runs
}

# Begins a live snapshot, which waits before it copies anything, until go_on.
long_snapshot() {
	timeout -s KILL 60 strace -D -qq -o /dev/null -e trace=syncfs -e inject=syncfs:delay_enter=50000000:when=1 \
		"$(type -P layerbox)" --quiet snapshot create icy "$1" > "$BATS_TEST_TMPDIR/output" 2>&1 3>&- &
	long=$!
	wait_until 5 is_copying
}

go_on() {
	kill -KILL "$(sed -n 's/^TracerPid:[^0-9]*//p' "/proc/$(pgrep -P "$long")/status")"
}

is_copying() {
	compgen -G "$LAYERBOX_ROOT/layers/.new-*" > /dev/null
}

@test "while a container is copied it can be stopped; the snapshot is made of it as it is then" {
	long_snapshot one
	layerbox --quiet stop icy
	is_copying
	go_on
	wait "$long"
	is "$(layerbox snapshot list icy --json | jq -r '.[] | "\(.label) \(.live)"')" 'one false'
	is "$(field icy state)" stopped
	is "$(ls "$LAYERBOX_ROOT/layers" | wc -l)" 1
}

@test "while a container is copied it gets another top layer: the copy is begun again" {
	long_snapshot one
	layerbox --quiet stop icy
	layerbox --quiet snapshot create icy before
	layerbox --quiet start icy
	layerbox exec icy -- touch /root/new
	is_copying
	go_on
	wait "$long"
	is "$(layerbox snapshot list icy --json | jq -r '.[] | select(.label == "one") | .live')" true
	layer=$LAYERBOX_ROOT/layers/$(sed -n 's/^layers = \([^ ]*\).*/\1/p' "$CONTAINERS/icy/snapshots/one")
	[ -e "$layer/rootfs-layer/root/new" ] && [ ! -e "$layer/rootfs-layer/root/7" ]
}

@test "two live snapshots at once: one after the other" {
	long_snapshot one
	layerbox --quiet snapshot create icy two 3>&- &
	second=$!
	sleep 0.3
	is "$(layerbox snapshot list icy --json | jq length)" 0
	go_on
	wait "$long"
	wait "$second"
	is "$(layerbox snapshot list icy --json | jq -r '[.[].label] | join(" ")')" 'one two'
	is "$(ls -A "$LAYERBOX_ROOT/layers" | grep -c '^[0-9a-f]*$')" 2
}

@test "while a container is copied it is deleted, and another one gets its name: no snapshot" {
	long_snapshot one
	layerbox --quiet delete icy --force
	layerbox --quiet create icy --start
	is_copying
	go_on
	ended=0
	wait "$long" || ended=$?
	[ "$ended" -ne 0 ]
	grep -q "is another one than when" "$BATS_TEST_TMPDIR/output" || fail "$(cat "$BATS_TEST_TMPDIR/output")"
	is "$(layerbox snapshot list icy --json | jq length)" 0
	is "$(ls -A "$LAYERBOX_ROOT/layers")" ""
}

@test "every file is of the moment when it was frozen" {
	# Two files that a program writes one behind the other: the second is never ahead.
	layerbox exec icy -- sh -c '(i=0; while :; do i=$((i + 1)); echo $i > /root/a.new; mv /root/a.new /root/a; echo $i > /root/b.new; mv /root/b.new /root/b; done) > /dev/null 2>&1 &'
	for i in 1 2 3 4 5; do
		layerbox --quiet snapshot create icy "s$i"
		layer=$LAYERBOX_ROOT/layers/$(layerbox snapshot show icy "s$i" --json | jq -r .layer)/rootfs-layer/root
		a=$(cat "$layer/a") b=$(cat "$layer/b")
		[ "$a" -eq "$b" ] || [ "$a" -eq $((b + 1)) ] || fail "a is $a, b is $b"
	done
}
