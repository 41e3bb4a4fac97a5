#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A container that is frozen for a moment, by a program that may be killed at any other.
load ../lib/common

setup_file() {
	common_setup_file
	make ice --start
	layerbox exec ice -- sh -c '(while :; do usleep 5000; echo >> /count; done) > /dev/null 2>&1 &'
}

# Only one container, for all tests.
teardown() {
	[ -z "${holder:-}" ] || kill -KILL "$holder" 2> /dev/null || true
}

# hold SECONDS: holds it by a program of its own, whose input ends with `release`; leaves $holder and $helper.
hold() {
	said=$BATS_TEST_TMPDIR/said
	mkfifo "$BATS_TEST_TMPDIR/input"
	"${LAYERBOX_TEST_BUILD:-$BATS_TEST_DIRNAME/../../build}"/tests/integration/hold "$CONTAINERS" ice "$1" \
		< "$BATS_TEST_TMPDIR/input" > "$said" 2>&1 3>&- &
	holder=$!
	exec 7> "$BATS_TEST_TMPDIR/input"
	wait_until 5 test -s "$said"
	helper=$(sed -n 's/^held //p' "$said")
}

release() {
	exec 7>&-
	wait "$holder"
}

size() { stat -c %s "$CONTAINERS/ice/rootfs-layer/count"; }

stands_still() {
	local before
	before=$(size)
	sleep 0.2 # many times what it sleeps
	is "$(size)" "$before"
}

runs() {
	local before
	before=$(size)
	wait_until "${1:-1}" eval '[ "$(size)" -gt "$before" ]'
}

@test "it stands still while it is held, and runs when it is released" {
	runs
	hold 60
	stands_still
	is "$(field ice state)" frozen
	release
	runs
	is "$(field ice state)" running
	us=$(sed -n 's/^released //p' "$said")
	[ "$us" -ge 200000 ]
}

@test "a holder that is killed leaves it running" {
	hold 60
	stands_still
	kill -KILL "$holder"
	runs
	is "$(field ice state)" running
	wait_until 5 eval '! kill -0 "$helper" 2> /dev/null'
}

@test "a helper that is killed makes the hold fail, and it runs" {
	hold 60
	kill -KILL "$helper"
	stands_still
	refute release
	runs
	is "$(field ice state)" running
	grep -q "^failed the helper that held container 'ice' frozen has ended; it is thawed" "$said"
}

@test "with both killed it is frozen, everyone says so, and it can be thawed" {
	hold 60
	kill -KILL "$helper" "$holder"
	stands_still
	is "$(field ice state)" frozen
	tells "thawed ice" layerbox thaw ice
	runs
}

@test "signals of a terminal do not end the helper" {
	hold 60
	kill -INT "$helper"
	kill -TERM "$helper"
	kill -HUP "$helper"
	stands_still
	release
	runs
}

@test "who takes too long has nothing, and it runs" {
	hold 1
	runs 5
	refute release
	grep -q "^failed container 'ice' was frozen for too long" "$said"
}

@test "what the operator froze stays frozen" {
	layerbox --quiet freeze ice
	hold 60
	release
	is "$(tail -n 1 "$said")" "released 0"
	stands_still
	is "$(field ice state)" frozen
	layerbox --quiet thaw ice
}

@test "what does not run is not held" {
	layerbox --quiet stop --kill ice
	hold 60
	refute release
	grep -q "^failed container 'ice' cannot be frozen: it is not running" "$said"
}
