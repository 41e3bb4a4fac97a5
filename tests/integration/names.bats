#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031
# What may be a name, and containers whose name is part of another's.
load ../lib/common

bad_names() {
	printf '%s\0' '' . .. ../x a/b /a '-x' 'x-' - A aB a_b a.b 'a b' $'a\n' $'\na' $'a\nb' ä '*' "a'b" 'a;b' 'a,b' 'a$b' \
		"$(printf 'a%.0s' {1..64})"
}

@test "a bad name is refused by every command, with the rule" {
	local name
	while IFS= read -r -d '' name; do
		for command in create start stop restart delete freeze thaw info get shell console; do
			[[ $command = shell || $command = console ]] && code=125 || code=$BAD_NAME
			[ "$command" = console ] && code=$BAD_NAME
			refused "$code" "1 to 63 lower-case letters" layerbox "$command" -- "$name"
		done
		refused "$BAD_NAME" "1 to 63 lower-case letters" layerbox rename -- "$name" good
		refused "$BAD_NAME" "1 to 63 lower-case letters" layerbox set -- "$name" memory=64M
		refused "$BAD_NAME" "1 to 63 lower-case letters" layerbox push -- "$name" /etc/passwd /
		refused "$BAD_NAME" "1 to 63 lower-case letters" layerbox pull -- "$name" /etc/passwd /tmp
	done < <(bad_names)
	is_empty "$CONTAINERS"
}

@test "a container cannot be renamed to a bad name, and stays what it was" {
	local name
	make good
	while IFS= read -r -d '' name; do
		refused "$BAD_NAME" "1 to 63 lower-case letters" layerbox rename -- good "$name"
	done < <(bad_names)
	is "$(names)" good
	succeeds layerbox start good
}

@test "a name that is not one is shown without its control characters" {
	run layerbox create -- $'a\e[31mb\nc'
	[ "$status" -eq "$BAD_NAME" ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output != *$'\e'* ]]
}

@test "the shortest, the longest and numbers are names" {
	long=$(printf 'a%.0s' {1..63})
	make 1 "$long" 0-0 --start
	is "$(layerbox list --json | jq -r 'map(select(.state == "running")) | length')" 3
	is "$(layerbox exec "$long" -- hostname)" "$long"
	wait_until 10 has_address "$long"
}

@test "a container whose name is part of another's is one of its own in every command" {
	make a ab a-1 1 b
	layerbox --quiet start a-1
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "running").name] | join(" ")')" a-1
	refused "$NOT_RUNNING" "container 'a' is not running" layerbox freeze a
	refused 125 "container 'a' is stopped" layerbox exec a -- true
	layerbox --quiet start a ab 1 b
	for name in a ab a-1 1 b; do
		is "$(layerbox exec "$name" -- hostname)" "$name"
	done
	layerbox --quiet set a description=first
	is "$(layerbox get ab description)" ""
	is "$(layerbox get a-1 description)" ""
	layerbox --quiet freeze a
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "frozen").name] | join(" ")')" a
	layerbox --quiet thaw a
	echo inside > "$BATS_TEST_TMPDIR/file"
	layerbox push a "$BATS_TEST_TMPDIR/file" /root/
	refused "$PROGRAM_FAILED" "No such file" layerbox pull ab /root/file "$BATS_TEST_TMPDIR/back"
	layerbox --quiet stop --kill a
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "running").name] | join(" ")')" "1 a-1 ab b"
	layerbox --quiet start a
	layerbox --quiet stop --kill a-1
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "running").name] | join(" ")')" "1 a ab b"
	layerbox --quiet stop --kill a
	layerbox --quiet rename a a-2
	is "$(names)" "1 a-1 a-2 ab b"
	layerbox --quiet delete a-2
	is "$(names)" "1 a-1 ab b"
	is "$(ls "$HOSTS" | xargs)" "1 a-1 ab b"
	layerbox --quiet delete --force 1
	is "$(names)" "a-1 ab b"
	succeeds layerbox exec ab -- true
}

@test "the cgroups of a killed monitor are swept though a container of a longer name runs" {
	make a a-1 --start
	kill -9 "$(monitor_of a)"
	wait_until 5 state_is a stopped
	layerbox --quiet list > "$BATS_TEST_TMPDIR/list"
	state_is a-1 running
	succeeds layerbox exec a-1 -- true
	succeeds layerbox start a
	succeeds layerbox exec a -- true
}
