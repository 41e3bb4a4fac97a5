#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What systemd's units run: start --foreground, and starts and stops that are called off. tests/system/host-boot.bats
# has the units themselves.
load ../lib/common

teardown() {
	[ -z "${waiter:-}" ] || kill "$waiter" 2> /dev/null || true
	[ -z "${supervisor:-}" ] || kill "$supervisor" || true
	[ -z "${listener:-}" ] || kill "$listener" 2> /dev/null || true
	common_teardown
}

# listen ADDRESS: as systemd does; all that is told goes to $told.
listen() {
	told=$BATS_TEST_TMPDIR/told
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\0", 1))
print("listening", flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)' "$1" > "$told" 3>&- &
	listener=$!
	wait_until 5 grep -q listening "$told"
}

# in_foreground NAME: in the background of this test, until it is ready.
in_foreground() {
	command layerbox start "$1" --foreground > "$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	waiter=$!
	wait_until 10 grep -qE "^(started|running already:) $1" "$BATS_TEST_TMPDIR/said"
	wait_until 10 state_is "$1" running
}

# Its exit code, which it has within seconds.
ended_with() {
	local code=0
	wait_until 10 waiter_is_gone
	wait "$waiter" || code=$?
	[ "$code" -eq "$1" ] || fail "it ended with $code: $(cat "$BATS_TEST_TMPDIR/said")"
	waiter=
}

waiter_is_gone() {
	! kill -0 "$waiter" 2> /dev/null
}

is_waiting() {
	kill -0 "$waiter" || fail "it has ended: $(cat "$BATS_TEST_TMPDIR/said")"
}

another_init_runs() {
	local pid
	pid=$(field a pid)
	[ "$pid" != null ] && [ "$pid" != "$1" ]
}

@test "systemd is told, by a path and by an abstract address, when it is ready" {
	local address
	make a
	for address in "$BATS_TEST_TMPDIR/socket" @layerbox-foreground-test; do
		listen "$address"
		NOTIFY_SOCKET=$address in_foreground a
		wait_until 5 grep -qx READY=1 "$told"
		grep -qxF "STATUS=running, $(field a ipv4), init is process $(field a pid)" "$told"
		layerbox --quiet stop a
		ended_with 0
		grep -qx STOPPING=1 "$told"
		kill "$listener"
	done
}

@test "it is ready when boot.wait says so, and where that is not in time it is told all the same" {
	make a
	listen "$BATS_TEST_TMPDIR/socket"
	layerbox --quiet set a boot.wait=check health.command='test -e /root/ready' boot.timeout=60s
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/socket in_foreground a
	refute grep -q READY "$told"
	layerbox exec a -- touch /root/ready
	wait_until 10 grep -qx READY=1 "$told"
	layerbox --quiet stop a
	ended_with 0
	layerbox --quiet set a health.command=/bin/false boot.timeout=1s
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/socket in_foreground a
	wait_until 10 grep -qF "STATUS=running, not ready in time, " "$told"
	is_waiting
	layerbox --quiet stop a
	ended_with 0
}

@test "one that runs already is waited for; SIGTERM ends the waiting and not the container" {
	local pid
	make a --start
	pid=$(field a pid)
	in_foreground a
	kill -TERM "$waiter"
	ended_with 0
	is "$(field a pid)" "$pid"
	in_foreground a
	kill -KILL "$waiter"
	wait "$waiter" || true
	is "$(field a pid)" "$pid"
}

@test "a container that is shut down or powers off ends it with 0" {
	make a
	in_foreground a
	layerbox --quiet stop a
	ended_with 0
	in_foreground a
	layerbox exec a -- poweroff -f || true
	ended_with 0
}

# With a supervisor, which is stopped in the end.
with_supervisor() {
	command layerbox watch > "$BATS_TEST_TMPDIR/watch" 2>&1 3>&- &
	supervisor=$!
	wait_until 10 grep -q watching "$BATS_TEST_TMPDIR/watch"
}

@test "the supervisor knows what has failed, and what it starts again has not ended" {
	local pid
	make a
	with_supervisor
	in_foreground a
	kill -KILL "$(field a pid)"
	ended_with 1
	grep -qF "container 'a' has failed" "$BATS_TEST_TMPDIR/said"
	in_foreground a
	layerbox exec a -- poweroff -f || true
	ended_with 0
	layerbox --quiet set a restart.policy=on-failure
	in_foreground a
	pid=$(field a pid)
	kill -KILL "$pid"
	wait_until 10 another_init_runs "$pid"
	is_waiting
	layerbox --quiet stop a
	ended_with 0
	grep -qx "a was shut down" "$BATS_TEST_TMPDIR/said"
}

@test "a monitor that is killed is a failure" {
	make a
	in_foreground a
	kill -KILL "$(monitor_of a)"
	ended_with 1
}

@test "a reboot from inside and a restart by layerbox are no end" {
	local pid
	make a
	in_foreground a
	pid=$(field a pid)
	layerbox exec a -- reboot -f || true
	wait_until 10 another_init_runs "$pid"
	is_waiting
	pid=$(field a pid)
	layerbox --quiet restart a
	another_init_runs "$pid"
	sleep 1.5 # longer than it looks for somebody who brings it back
	is_waiting
	layerbox --quiet stop a
	ended_with 0
}

@test "it is for one container, and what cannot start fails" {
	make a b
	refused "$USAGE" "--foreground is for one container" layerbox start a b --foreground
	refused "$USAGE" "--foreground is for one container" layerbox start --all --foreground
	refused "$NO_CONTAINER" "no container 'c'" layerbox start c --foreground
	echo 'lxc.no.such.key = 1' > "$CONTAINERS/a/config.local"
	run layerbox start a --foreground
	[ "$status" -ne 0 ]
}

@test "stop --at-shutdown stops while systemd takes the host down, and else nothing" {
	make a --start
	mkdir "$BATS_TEST_TMPDIR/bin"
	for answer in running degraded maintenance offline; do
		printf '#!/bin/sh\necho %s\nexit 1\n' $answer > "$BATS_TEST_TMPDIR/bin/systemctl"
		chmod 755 "$BATS_TEST_TMPDIR/bin/systemctl"
		PATH=$BATS_TEST_TMPDIR/bin:$PATH tells "nothing to do: the host is not going down" layerbox stop --all --at-shutdown
	done
	tells "nothing to do: the host is not going down" env PATH=/nowhere "$(type -P layerbox)" stop --all --at-shutdown
	state_is a running
	printf '#!/bin/sh\n[ "$1" = is-system-running ] && echo stopping\nexit 1\n' > "$BATS_TEST_TMPDIR/bin/systemctl"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH succeeds layerbox stop --all --at-shutdown
	state_is a stopped
}

@test "stop --of-unit leaves alone what was started after its unit had ended" {
	make a --start
	tells "nothing to do: the container has ended already" layerbox stop a --of-unit
	state_is a running
	MAINPID=1 tells "stopped a" layerbox stop a --of-unit
}

@test "start --all --at-boot: a host that has never used layerbox is no failure, another root that is missing is" {
	[ ! -e /var/lib/layerbox ] || skip "this machine has a root"
	LAYERBOX_ROOT='' tells "nothing to do: layerbox was never prepared here with \`layerbox init\`" \
		layerbox start --all --at-boot
	LAYERBOX_ROOT='' run -1 layerbox start --all
	run -1 layerbox --root /srv/not-mounted start --all --at-boot
	[[ $output == *"/srv/not-mounted does not exist"* ]] || fail "$output"
}

@test "what a killed command left is no business of units, but of the next command" {
	local left=$CONTAINERS/.deleted-left
	make a
	mkdir "$left" "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho stopping\n' > "$BATS_TEST_TMPDIR/bin/systemctl"
	chmod 755 "$BATS_TEST_TMPDIR/bin/systemctl"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH succeeds layerbox stop --all --at-shutdown
	succeeds layerbox net up
	succeeds layerbox start --all --at-boot
	succeeds layerbox metrics --prometheus
	succeeds layerbox stop a --of-unit
	[ -d "$left" ]
	succeeds layerbox list
	[ ! -e "$left" ]
}
