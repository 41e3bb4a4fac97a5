#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# refresh.base: a start takes the newest generation of the container's base first, once, and never at the cost of the
# start.
load ../lib/common

setup() {
	layerbox --quiet base build busybox --name b
	make a --base b
	layerbox --quiet set a refresh.base=yes
}

teardown() {
	common_teardown
	layerbox --quiet base delete b
}

# upgrade COMMAND...: the next generation of the base.
upgrade() {
	layerbox --quiet base upgrade b -- /bin/sh -c "$*"
}

# restarts [WARNING]: it starts again, and says nothing but that.
restarts() {
	succeeds layerbox --quiet restart --kill a
	[[ $stderr == ${1-} ]] || fail "it said '$stderr' instead of '${1-}'"
	state_is a running
}

generation() {
	field a generation
}

# conflicting: a generation that has a directory where the container has changed a file.
conflicting() {
	upgrade 'echo 1 > /etc/thing'
	restarts
	layerbox exec a -- sh -c 'echo own > /etc/thing'
	upgrade 'rm /etc/thing; mkdir /etc/thing; echo 2 > /etc/thing/file'
}

@test "each start takes the newest generation, and none where it has it" {
	upgrade 'echo 2 > /number'
	layerbox --quiet start a
	is "$(generation) $(layerbox exec a -- cat /number)" "2 2"
	is "$(field a rebased_from)" b@1
	inode=$(stat -c %i "$CONTAINERS/a/container.conf")
	restarts
	is "$(stat -c %i "$CONTAINERS/a/container.conf")" "$inode"
	upgrade 'echo 3 > /number'
	upgrade 'echo 4 > /number'
	is "$(layerbox exec a -- cat /number)" 2
	# What a refresh did is settled by the next one.
	restarts
	is "$(generation) $(layerbox exec a -- cat /number)" "4 4"
	is "$(field a rebased_from)" b@2
	succeeds layerbox restart --kill a
	refute grep -q rebased <<< "$stderr"
	layerbox --quiet set a refresh.base=
	upgrade 'echo 5 > /number'
	restarts
	is "$(generation)" 4
}

@test "one with refresh.base and one without, started together" {
	make stays --base b
	make named --base b@1
	layerbox --quiet set named refresh.base=yes
	upgrade 'echo 2 > /number'
	layerbox --quiet start a stays named
	is "$(field a generation) $(field stays generation) $(field named generation)" "2 1 2"
	is "$(layerbox exec named -- cat /number)" 2
}

@test "where it has conflicts it starts as it is, is warned of once, and tries again with the next generation" {
	conflicting
	restarts "layerbox: warning: refresh.base: container 'a' cannot be rebased from b@2 to b@3: /etc/thing*"
	is "$(generation) $(layerbox exec a -- cat /etc/thing)" "2 own"
	restarts
	is "$(generation)" 2
	# By hand it tells again.
	run layerbox --quiet rebase a
	[ "$status" -eq "$CONFLICT" ] || fail "$output"
	upgrade 'rm -r /etc/thing; echo 1 > /etc/thing; echo 4 > /number'
	restarts
	is "$(generation) $(layerbox exec a -- cat /number /etc/thing)" "4 4
own"
}

@test "what was undone does not come back by itself" {
	upgrade 'echo 2 > /number'
	layerbox --quiet start a
	layerbox --quiet stop --kill a
	layerbox --quiet rebase --undo a
	is "$(generation)" 1
	layerbox --quiet start a
	is "$(generation)" 1
	upgrade 'echo 3 > /number'
	restarts
	is "$(generation)" 3
}

@test "a rebase that somebody asked for keeps its way back until it is confirmed" {
	upgrade 'echo 2 > /number'
	layerbox --quiet rebase a
	is "$(field a rebased_from)" b@1
	upgrade 'echo 3 > /number'
	succeeds layerbox start a
	says "container 'a' comes to b@3 when its rebase from b@1 is confirmed: \`layerbox rebase --confirm a\`"
	is "$(generation)" 2
	layerbox --quiet rebase --confirm a
	restarts
	is "$(generation)" 3
	# One that is pending goes where it was sent, and waits there.
	upgrade 'echo 4 > /number'
	upgrade 'echo 5 > /number'
	layerbox --quiet rebase a --to b@4
	restarts
	is "$(generation)" 4
	layerbox --quiet rebase --confirm a
	restarts
	is "$(generation)" 5
}

@test "a refresh that is killed at any moment leaves it on one of the two, and the next start does it" {
	upgrade 'echo 2 > /number'
	for ms in 2 5 8 12 20; do
		timeout -s KILL "0.0$(printf %02d "$ms")" layerbox --quiet start a 3>&- || true
		layerbox --quiet start a
		is "$(generation) $(layerbox exec a -- cat /number)" "2 2"
		layerbox --quiet delete --force a
		make a --base b@1
		layerbox --quiet set a refresh.base=yes
	done
}

# That a generation is looked for costs a start nothing that could be felt.
@test "without a newer generation nothing is planned" {
	layerbox --quiet start a
	layerbox --quiet stop --kill a
	strace -qq -e trace=openat -o "$BATS_TEST_TMPDIR/trace" layerbox --quiet start a 3>&-
	grep -q "os-bases/b\"" "$BATS_TEST_TMPDIR/trace"
	refute grep -q rebase-answers "$BATS_TEST_TMPDIR/trace"
}
