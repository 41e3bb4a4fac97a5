# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# What the integration tests share. Each file of tests runs in a private host (tests/lib/private-host) with a root of
# its own, a busybox base and the network up; after every test all containers are deleted and nothing of them may be
# left: no directory, mount, cgroup, interface, reservation or process.
bats_require_minimum_version 1.5.0

# Exit codes, as in layerbox(8), EXIT STATUS.
FAILED=1 USAGE=2 BAD_NAME=3 BAD_VALUE=4 NO_CONTAINER=5 EXISTS=6 RUNNING=7 NOT_RUNNING=8 NO_BASE=9 BASE_IN_USE=10
BAD_CONFIG=11 NOT_ROOT=12 KERNEL=13 NETWORK=14 NO_PROGRAM=15 PROGRAM_FAILED=16 RUNTIME=17 BUSY=18 TIMEOUT=19
EXHAUSTED=20 DAMAGED=21 NO_NETWORK=22 CONFLICT=23 UNHEALTHY=24 NO_SNAPSHOT=25 BAD_STREAM=26 BASE_DIFFERS=27
NO_REPOSITORY=28 NO_SPACE=40

# bats waits for everyone who holds its descriptor 3; monitors and dnsmasq shall not.
layerbox() {
	command layerbox "$@" 3>&-
}

common_setup_file() {
	# Not below bats' own directory, which is 0700: the containers' roots must be able to pass through.
	LAYERBOX_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/layerbox-test.XXXXXX")
	chmod 755 "$LAYERBOX_ROOT"
	export LAYERBOX_ROOT CONTAINERS=$LAYERBOX_ROOT/containers HOSTS=$LAYERBOX_ROOT/network/lxcbr0/hosts.d
	mkdir -p /etc/layerbox
	echo 'base = busybox' > /etc/layerbox/layerbox.conf
	layerbox --quiet init
	layerbox --quiet base build busybox
	layerbox --quiet net up
	ls -d /sys/class/net/* > "$BATS_FILE_TMPDIR/interfaces"
}

common_teardown_file() {
	layerbox --quiet delete --all --force
	layerbox --quiet net down
	no_process_of_ours
	rm -rf "$LAYERBOX_ROOT"
}

common_teardown() {
	layerbox --quiet delete --all --force
	nothing_left
}

# What a file of tests does around its tests unless it says otherwise.
setup_file() { common_setup_file; }
teardown_file() { common_teardown_file; }
teardown() { common_teardown; }

# ------------------------------------------------------------------------------------------------- what is left

nothing_left() {
	is_empty "$CONTAINERS"
	is_empty "$HOSTS"
	is_empty "$LAYERBOX_ROOT/layers"
	no_mount_left
	wait_until 5 no_cgroup_left
	wait_until 5 no_interface_left || fail "interfaces: $(ls -d /sys/class/net/* | diff - "$BATS_FILE_TMPDIR/interfaces")"
	wait_until 5 no_monitor_left
}

is_empty() {
	[ -z "$(ls -A "$1")" ] || fail "$1 is not empty: $(ls -A "$1")"
}

no_mount_left() {
	! grep -F " $LAYERBOX_ROOT/" /proc/self/mountinfo || fail "mounts are left"
}

# The machine's cgroup tree may be shared with others: only groups of containers that this file made count.
no_cgroup_left() {
	local group name
	for group in /sys/fs/cgroup{,/*}/lxc.{payload,monitor}.*; do
		name=${group##*/lxc.*or.} name=${name##*/lxc.payload.}
		! grep -qsx "$name" "$BATS_FILE_TMPDIR/names" || [ ! -d "$group" ] || return 1
	done
}

no_interface_left() {
	[ "$(ls -d /sys/class/net/*)" = "$(cat "$BATS_FILE_TMPDIR/interfaces")" ]
}

no_monitor_left() {
	! pgrep -f "^\[lxc monitor\] $LAYERBOX_ROOT/" >&2
}

no_process_of_ours() {
	! pgrep -a 'dnsmasq|layerbox' >&2 || fail "processes are left"
}

# -------------------------------------------------------------------------------------------------------- asking

fail() {
	echo "$*" >&2
	return 1
}

# refute COMMAND...: COMMAND fails. (A plain `! COMMAND` fails no test unless it stands last.)
refute() {
	if "$@"; then
		fail "succeeded: $*"
	fi
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds, looked at every 20 ms; three times as long, for the machine may
# be busy with others.
wait_until() {
	local end=$((${EPOCHREALTIME/./} + $1 * 3000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || { fail "waited in vain for: $*"; return 1; }
		sleep 0.02
	done
}

# succeeds COMMAND...: exit code 0; leaves $output and $stderr.
succeeds() {
	run --separate-stderr "$@"
	[ "$status" -eq 0 ] || fail "$* ended with $status: $output $stderr"
}

# refused CODE PART COMMAND...: exit code CODE, one sentence on stderr with PART in it, nothing on stdout.
refused() {
	local code=$1 part=$2
	shift 2
	if [ "$code" -eq 127 ]; then
		run -127 --separate-stderr "$@"
	else
		run --separate-stderr "$@"
	fi
	[ "$status" -eq "$code" ] || fail "$* ended with $status instead of $code: $output $stderr"
	[ -z "$output" ] || fail "$* printed: $output"
	[ "${#stderr_lines[@]}" -eq 1 ] || fail "$* said not one sentence: $stderr"
	[[ $stderr == layerbox* ]] || fail "$* did not say who speaks: $stderr"
	[[ $stderr == *"$part"* ]] || fail "$* did not say '$part': $stderr"
}

# tells PART COMMAND...: exit code 0, one line on stderr with PART in it, nothing on stdout.
tells() {
	local part=$1
	shift
	succeeds "$@"
	[ -z "$output" ] || fail "$* printed: $output"
	[ "$stderr" = "$part" ] || fail "$* said '$stderr' instead of '$part'"
}

says() {
	[[ $stderr == *"$1"* ]] || fail "stderr does not say '$1': $stderr"
}

is() {
	[ "$1" = "$2" ] || fail "it is '$1' instead of '$2'"
}

# field NAME FIELD: a field of `layerbox info NAME --json`.
field() {
	layerbox info "$1" --json | jq -r ".$2"
}

state_is() {
	[ "$(field "$1" state)" = "$2" ]
}

has_address() {
	layerbox exec "$1" -- ip -4 -o address show eth0 | grep -qF " $(field "$1" ipv4)/"
}

# The containers' names, in a line.
names() {
	layerbox list --json | jq -r '[.[].name] | join(" ")'
}

# make ARGUMENTS...: `layerbox create`, noting the names for no_cgroup_left.
make() {
	layerbox --quiet create "$@"
	ls "$CONTAINERS" >> "$BATS_FILE_TMPDIR/names"
}

monitor_of() {
	pgrep -f "^\[lxc monitor\] $CONTAINERS $1\$"
}

# Everything of a tree that must not change: types, modes, owners, sizes, times and contents.
tree_checksum() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %s %T@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum) |
		sha256sum
}

# ------------------------------------------------------------------------------------------------ at a terminal

# open_terminal COMMAND: runs COMMAND at a terminal; its keys are typed with `type_in`, what it shows is in $screen.
open_terminal() {
	local keys
	keys=$(mktemp -u "$BATS_TEST_TMPDIR/keys.XXXXXX")
	screen=$(mktemp "$BATS_TEST_TMPDIR/screen.XXXXXX")
	mkfifo "$keys"
	script -qefc "$1" "$screen" < "$keys" > /dev/null 2>&1 3>&- &
	terminal_pid=$!
	exec 7> "$keys"
}

type_in() {
	printf "$@" >&7
}

shows() {
	wait_until 5 grep -q -e "$1" "$screen" || fail "the terminal does not show '$1': $(cat -v "$screen")"
}

terminal_has_ended() {
	! kill -0 "$terminal_pid" 2> /dev/null
}

# Waits until the command has ended of itself; its exit code is in $status.
close_terminal() {
	wait_until 5 terminal_has_ended || kill "$terminal_pid"
	exec 7>&-
	status=0
	wait "$terminal_pid" || status=$?
}
