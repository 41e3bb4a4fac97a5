#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The containers' names on the host: host_names of layerbox.conf(5).
load ../lib/common

own_lines=$'127.0.0.1\tlocalhost\r\n# the operator\'s own\n10.1.1.1 lion\n10.1.1.2 no-newline'

setup_file() {
	common_setup_file
	printf '%s' "$own_lines" > /etc/hosts
}

teardown_file() {
	common_teardown_file
}

setup() {
	host_names hosts
}

teardown() {
	common_teardown
	outside_is "$own_lines"
}

host_names() {
	printf 'base = busybox\nhost_names = %s\n' "$1" > /etc/layerbox/layerbox.conf
}

# The lines of this root's block, without its markers.
block() {
	sed -n "\|^# BEGIN layerbox $LAYERBOX_ROOT:|,\|^# END layerbox $LAYERBOX_ROOT\$|{/^#/!p}" /etc/hosts
}

# outside_is TEXT: all that is not a block of ours, to the byte.
outside_is() {
	cmp <(printf '%s' "$1") <(sed "\|^# BEGIN layerbox |,\|^# END layerbox |d" /etc/hosts)
}

# What the records say, in the form of the block.
expected() {
	layerbox list --json | jq -r '.[] | "\(.ipv4)\t\(.name) \(.name).lxc"'
}

block_is_right() {
	[ "$(block)" = "$(expected)" ] || fail "the block is '$(block)' instead of '$(expected)'"
}

inode() {
	stat -c '%i %z' /etc/hosts
}

@test "create, rename and delete are followed, and the host knows the names" {
	make tiger puma
	block_is_right
	is "$(block | wc -l)" 2
	is "$(getent ahostsv4 tiger | awk '{ print $1; exit }')" "$(field tiger ipv4)"
	is "$(getent ahostsv4 puma.lxc | awk '{ print $1; exit }')" "$(field puma ipv4)"
	succeeds layerbox rename tiger cat
	echo cat >> "$BATS_FILE_TMPDIR/names"
	block_is_right
	refute getent hosts tiger
	is "$(getent ahostsv4 cat | awk '{ print $1; exit }')" "$(field cat ipv4)"
	succeeds layerbox delete cat
	block_is_right
	succeeds layerbox delete puma
	is "$(block)" ''
	outside_is "$own_lines"
	is "$(cat /etc/hosts)" "$own_lines"
}

@test "a name that the host has for itself stays the host's" {
	make lion localhost "$(hostname)"
	is "$(block)" "$(for name in lion localhost "$(hostname)"; do printf '%s\t%s.lxc\n' "$(field "$name" ipv4)" "$name"; done | sort -k 2)"
	is "$(getent ahostsv4 lion | awk '{ print $1; exit }')" 10.1.1.1
	is "$(getent ahostsv4 lion.lxc | awk '{ print $1; exit }')" "$(field lion ipv4)"
}

@test "nothing is written when nothing changes, nor without the setting" {
	local before
	make tiger
	before=$(inode)
	succeeds layerbox net up
	says "up already"
	succeeds layerbox start tiger
	succeeds layerbox stop tiger
	succeeds layerbox doctor
	is "$(inode)" "$before"
	host_names none
	make puma
	is "$(inode)" "$before"
	succeeds layerbox delete puma
	is "$(inode)" "$before"
}

@test "net up and doctor make the block anew, and take it away when it is not wanted any more" {
	make tiger
	sed -i 's/\ttiger tiger.lxc/\ttiger tiger.old/' /etc/hosts
	run layerbox doctor --dry-run
	[ "$status" -ne 0 ]
	[[ $output == *"/etc/hosts"* ]]
	succeeds layerbox doctor
	block_is_right
	host_names none
	run layerbox doctor --dry-run
	[ "$status" -ne 0 ]
	succeeds layerbox net up
	is "$(cat /etc/hosts)" "$own_lines"
	succeeds layerbox doctor --dry-run
	host_names hosts
	succeeds layerbox net up
	block_is_right
}

@test "many commands at once end with exactly the right block" {
	local i pids=()
	make old-{1..10}
	for i in {1..10}; do
		layerbox --quiet create "new-$i" &
		pids+=($!)
		layerbox --quiet delete "old-$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	ls "$CONTAINERS" >> "$BATS_FILE_TMPDIR/names"
	is "$(block | wc -l)" 10
	block_is_right
	outside_is "$own_lines"
}

waits_for_the_file() {
	find "/proc/$1/fd" -lname /run/layerbox/hosts.lock 2> /dev/null | grep -q .
}

@test "a command that has waited for another writes what is true then" {
	local creating
	make lynx
	exec 8>> /run/layerbox/hosts.lock
	flock 8
	env layerbox --quiet create tiger 3>&- 8>&- &
	creating=$!
	wait_until 5 waits_for_the_file "$creating"
	# A change whose command is not yet at its own turn.
	host_names none
	make puma 8>&-
	exec 8>&-
	wait "$creating"
	ls "$CONTAINERS" >> "$BATS_FILE_TMPDIR/names"
	host_names hosts
	is "$(block | wc -l)" 3
	block_is_right
}

@test "two roots have a block each" {
	local other=$BATS_TEST_TMPDIR/other
	make tiger
	printf 'base = busybox\nhost_names = hosts\nbridge = br-other\nsubnet = 10.44.0.0/24\ndomain = box\nroot = %s\n' \
		"$other" > "$BATS_TEST_TMPDIR/other.conf"
	succeeds env -u LAYERBOX_ROOT layerbox --config "$BATS_TEST_TMPDIR/other.conf" init
	cp -a "$LAYERBOX_ROOT/os-bases" "$other/"
	succeeds env -u LAYERBOX_ROOT layerbox --config "$BATS_TEST_TMPDIR/other.conf" create puma
	grep -qP '^10\.44\.0\.\d+\tpuma puma\.box$' /etc/hosts
	block_is_right
	make lynx
	block_is_right
	grep -qF puma.box /etc/hosts
	succeeds env -u LAYERBOX_ROOT layerbox --config "$BATS_TEST_TMPDIR/other.conf" delete puma
	refute grep -F puma /etc/hosts
	block_is_right
}

@test "a damaged block is left alone, and said with file and line" {
	make tiger
	sed -i '/^# END layerbox/d' /etc/hosts
	cp /etc/hosts "$BATS_TEST_TMPDIR/damaged"
	succeeds layerbox create puma
	says "/etc/hosts:"
	says "layerbox"
	echo puma >> "$BATS_FILE_TMPDIR/names"
	cmp /etc/hosts "$BATS_TEST_TMPDIR/damaged"
	run layerbox doctor
	[ "$status" -ne 0 ]
	[[ $output == *"/etc/hosts:"* ]]
	cmp /etc/hosts "$BATS_TEST_TMPDIR/damaged"
	sed -i "s|^10.*tiger tiger.lxc\$|&\n# END layerbox $LAYERBOX_ROOT|" /etc/hosts
	succeeds layerbox doctor
	block_is_right
}

@test "a file that is a mount cannot be replaced, which is a warning" {
	cp /etc/hosts "$BATS_TEST_TMPDIR/hosts"
	mount --bind "$BATS_TEST_TMPDIR/hosts" /etc/hosts
	run --separate-stderr layerbox create tiger
	umount /etc/hosts
	echo tiger >> "$BATS_FILE_TMPDIR/names"
	[ "$status" -eq 0 ]
	says "is a mount of its own"
	succeeds layerbox doctor
	block_is_right
}

@test "killed between container and name, doctor puts it right" {
	make tiger
	# As if killed there: the container is made while the setting is another.
	host_names none
	make puma
	host_names hosts
	is "$(block | wc -l)" 1
	succeeds layerbox doctor
	block_is_right
}

@test "without systemd-resolved, host_names = resolved says so and takes nothing else with it" {
	host_names resolved
	succeeds layerbox net up
	says "resolve"
	make tiger
	run layerbox doctor
	[ "$status" -ne 0 ]
	[[ $output == *resolve* ]]
	host_names hosts
}
