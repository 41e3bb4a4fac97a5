#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many at once: processes, and threads of one process.
load ../lib/common

# More containers come and go here in minutes than a small network has addresses.
setup_file() {
	common_setup_file
	echo 'quarantine = 0' >> /etc/layerbox/layerbox.conf
}

# side_by_side COMMAND...: runs each in the background; their exit codes, in order, are in $codes.
side_by_side() {
	local command pids=()
	codes=
	for command in "$@"; do
		timeout 60 bash -c "exec $command" > /dev/null 2>> "$BATS_TEST_TMPDIR/said" 3>&- &
		pids+=($!)
	done
	for command in "${pids[@]}"; do
		local code=0
		wait "$command" || code=$?
		codes+=" $code"
	done
	codes=${codes# }
}

@test "of several creates of one name one wins, and the others say that it is taken" {
	echo same >> "$BATS_FILE_TMPDIR/names"
	for round in 1 2 3 4 5; do
		side_by_side 'layerbox create same' 'layerbox create same' 'layerbox create same' 'layerbox create same'
		is "$(tr ' ' '\n' <<< "$codes" | sort -n | xargs)" "0 $EXISTS $EXISTS $EXISTS"
		is "$(names)" same
		is "$(ls -A "$CONTAINERS")" same
		succeeds layerbox start same
		succeeds layerbox delete --force same
	done
}

@test "eight creates at once: addresses, MACs and id ranges are distinct" {
	for round in 1 2 3; do
		side_by_side "layerbox create --start p1-$round" "layerbox create --start p2-$round" "layerbox create p3-$round" \
			"layerbox create --start p4-$round" "layerbox create p5-$round" "layerbox create p6-$round" \
			"layerbox create p7-$round p8-$round" "layerbox create p9-$round"
		is "$codes" "0 0 0 0 0 0 0 0"
	done
	names | tr ' ' '\n' >> "$BATS_FILE_TMPDIR/names"
	is "$(layerbox list --json | jq -c '[length, ([.[].ipv4] | unique | length), ([.[].mac] | unique | length)]')" "[27,27,27]"
	is "$(for name in $(names); do field "$name" id_start; done | sort -u | wc -l)" 27
	is "$(cat "$HOSTS"/* | cut -d, -f3 | sort -u | wc -l)" 27
	[ ! -s "$BATS_TEST_TMPDIR/said" ] || refute grep -v '^created\|^started' "$BATS_TEST_TMPDIR/said"
}

@test "ten creates of twenty names each: 200 addresses, MACs and reservations, and the same dnsmasq" {
	local commands=() i
	pid=$(layerbox net status --json | jq .dnsmasq_pid)
	for i in {0..9}; do
		commands+=("layerbox create $(seq -s ' ' -f "m$i-%g" 20)")
	done
	side_by_side "${commands[@]}"
	is "$codes" "0 0 0 0 0 0 0 0 0 0"
	is "$(layerbox list --json | jq -c '[length, ([.[].ipv4] | unique | length), ([.[].mac] | unique | length)]')" "[200,200,200]"
	is "$(cat "$HOSTS"/* | cut -d, -f3 | sort -u | wc -l)" 200
	is "$(layerbox lease list --json | jq -c '[.[].state] | unique')" '["reserved"]'
	is "$(layerbox net status --json | jq -c '[.dnsmasq_pid, .pool_used]')" "[$pid,200]"
	is "$(layerbox net status --json | jq .warning)" '""'
	layerbox doctor --dry-run
}

@test "creates while others list: what is in the making is not swept away" {
	(while [ ! -e "$BATS_TEST_TMPDIR/done" ]; do command layerbox list > /dev/null; done) 2> "$BATS_TEST_TMPDIR/swept" 3>&- &
	(while [ ! -e "$BATS_TEST_TMPDIR/done" ]; do command layerbox list > /dev/null; done) 2>> "$BATS_TEST_TMPDIR/swept" 3>&- &
	for i in {1..60}; do
		layerbox --quiet create "w$i" || touch "$BATS_TEST_TMPDIR/failed"
	done
	layerbox --quiet delete --all
	touch "$BATS_TEST_TMPDIR/done"
	wait
	[ ! -e "$BATS_TEST_TMPDIR/failed" ]
	refute grep -v 'there are no containers yet' "$BATS_TEST_TMPDIR/swept"
}

@test "start, stop, restart, exec and delete of one container at once: none hangs, and one state comes out" {
	echo one >> "$BATS_FILE_TMPDIR/names"
	for round in 1 2 3; do
		layerbox --quiet create one
		side_by_side 'layerbox start one' 'layerbox start one' 'layerbox stop --kill one' 'layerbox restart --kill one' \
			'layerbox exec one -- true' 'layerbox list'
		for code in $codes; do
			[[ $code != 124 && $code != 137 ]]
		done
		# An exec may find that the container just went.
		refute grep -q 'LXC could not start\|no cause' "$BATS_TEST_TMPDIR/said"
		succeeds layerbox start one
		layerbox exec one -- true
		side_by_side 'layerbox delete --force one' 'layerbox start one' 'layerbox delete --force one' 'layerbox stop --kill one' \
			'layerbox rename one two' 'layerbox set one pids=9'
		for code in $codes; do
			[[ $code != 124 && $code != 137 ]]
		done
		for name in $(names); do
			layerbox --quiet delete --force "$name"
		done
		is "$(ls -A "$CONTAINERS")" ""
		is "$(ls -A "$HOSTS")" ""
	done
}

@test "two net ups, and net up beside creates" {
	layerbox --quiet net down
	side_by_side 'layerbox net up' 'layerbox net up' 'layerbox create n1' 'layerbox net up'
	is "$codes" "0 0 0 0"
	is "$(pgrep -c dnsmasq)" 1
	make n2 --start
}

@test "threads, each with a context and a container of its own" {
	# shellcheck disable=SC2046
	${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -pthread -o "$BATS_TEST_TMPDIR/threads" "$BATS_TEST_DIRNAME/threads.c" \
		$(pkg-config --cflags --libs layerbox)
	printf 'thread-%s\n' {0..7} >> "$BATS_FILE_TMPDIR/names"
	run timeout 60 "$BATS_TEST_TMPDIR/threads" 8 3 3>&-
	is "$status:$output" 0:
	is "$(names)" ""
}
