#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The examples, built by their own Makefile against the installed library and nothing else of this tree.
load ../lib/common

setup_file() {
	common_setup_file
	export EXAMPLES=$BATS_FILE_TMPDIR/examples
	cp -r "$BATS_TEST_DIRNAME/../../examples" "$EXAMPLES"
	make_output=$(command make -C "$EXAMPLES" CFLAGS='-O1 -g -Wall -Wextra -Werror' 2>&1) || fail "$make_output"
}

example() {
	local program=$1
	shift
	"$EXAMPLES/$program" "$@" 3>&-
}

@test "the examples are linked to the installed library alone" {
	is "$(pkg-config --modversion layerbox)" "$(layerbox --version | cut -d' ' -f2)"
	for program in create-and-run watch-list; do
		is "$(readelf -d "$EXAMPLES/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | xargs)" \
			"liblayerbox.so.0 libc.so.6"
	done
}

@test "create-and-run shows what the command printed and leaves nothing" {
	succeeds example create-and-run busybox sh -c 'echo "I am $(hostname)"; id -u'
	[[ ${lines[0]} =~ ^(example-[0-9]+)\ has\ the\ address\ 10\.0\.3\.[0-9]+$ ]] || fail "${lines[0]}"
	is "${lines[1]}" "container: I am ${BASH_REMATCH[1]}"
	is "${lines[2]}" "container: 0"
	is "${#lines[@]}" 3
	is "$(names)" ""
}

@test "create-and-run ends with the command's status" {
	run --separate-stderr example create-and-run busybox sh -c 'exit 7'
	is "$status" 7
	is "$(names)" ""
}

@test "create-and-run tells a failure by sentence and name, and leaves nothing" {
	run --separate-stderr example create-and-run nosuch true
	is "$status" 1
	says "there is no base 'nosuch'"
	says "(no-base)"
	is "$(names)" ""
}

@test "create-and-run deletes the container also where it could not be started" {
	layerbox --quiet net down
	run --separate-stderr example create-and-run busybox true
	layerbox --quiet net up
	ls -d /sys/class/net/* > "$BATS_FILE_TMPDIR/interfaces"
	is "$status" 1
	says "(network)"
	is "$(names)" ""
}

@test "watch-list shows what is there" {
	make one two
	layerbox --quiet start two
	succeeds example watch-list 1
	is "${#lines[@]}" 2
	[[ ${lines[0]} =~ ^one\ +stopped\ +$(field one ipv4)\ +busybox@1$ ]] || fail "${lines[0]}"
	[[ ${lines[1]} =~ ^two\ +running\ +$(field two ipv4)\ +busybox@1$ ]] || fail "${lines[1]}"
}

shows() {
	grep -qE "$1" "$BATS_TEST_TMPDIR/shown"
}

@test "watch-list shows containers that come, change and go" {
	make one
	example watch-list > "$BATS_TEST_TMPDIR/shown" &
	watcher=$!
	wait_until 10 shows '^one +stopped '
	layerbox --quiet start one
	wait_until 10 shows '^one +running '
	make two
	wait_until 10 shows '^two +stopped '
	layerbox --quiet delete two
	wait_until 10 shows '^two .*  gone$'
	kill "$watcher"
	is "$(wc -l < "$BATS_TEST_TMPDIR/shown")" 4
}
