#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Killed at any moment: the next command, or doctor, puts it right.
load ../lib/common

setup_file() {
	common_setup_file
	echo victim >> "$BATS_FILE_TMPDIR/names"
	echo other >> "$BATS_FILE_TMPDIR/names"
}

# What changes files. A state is seen by whoever comes next in this list, so a kill before each sees every state.
changing=(mkdirat renameat2 renameat unlinkat write ftruncate)

# kill_everywhere PREPARE VERIFY COMMAND...: kills COMMAND before its first, second, third ... call of each of $changing.
kill_everywhere() {
	local prepare=$1 verify=$2 call n status points=0
	shift 2
	for call in "${changing[@]}"; do
		for ((n = 1; ; n++)); do
			"$prepare"
			status=0
			timeout -s KILL 20 strace -qq -f -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" layerbox "$@" \
				> /dev/null 2>&1 3>&- || status=$?
			echo "before call $n of $call: exit code $status"
			[ "$status" -eq 0 ] || [ "$status" -eq 137 ]
			"$verify"
			[ "$status" -ne 0 ] || break
			points=$((points + 1))
		done
	done
	[ "$points" -ge 2 ]
}

nothing_hidden() {
	[ -z "$(find "$CONTAINERS" -maxdepth 1 -name '.*' ! -path "$CONTAINERS")" ] || fail "hidden: $(ls -A "$CONTAINERS")"
}

# No range twice, none overlapping. Before the first container got that far there is no file.
ranges_are_fine() {
	[ -e "$LAYERBOX_ROOT/id-ranges" ] || is "$(ls -A "$CONTAINERS")" ""
	[ -e "$LAYERBOX_ROOT/id-ranges" ] || return 0
	awk '/^[0-9]/ { if ($1 < end || NF != 3) exit 1; end = $1 + $2 }' "$LAYERBOX_ROOT/id-ranges" ||
		fail "ranges: $(cat "$LAYERBOX_ROOT/id-ranges")"
}

is_whole() {
	layerbox --quiet start "$1"
	layerbox exec "$1" -- sh -c "[ \$(hostname)/\$(cat /etc/hostname) = $1/$1 ] && grep -qw $1 /etc/hosts"
	grep -qF "$(field "$1" ipv4),$1" "$HOSTS/$1"
	layerbox --quiet delete --force "$1"
}

nothing() {
	:
}

# Doctor, when a minute has passed: before, what is half-written may be somebody's who is alive.
doctor_later() {
	find "$HOSTS" -name '.*' -type f -exec touch -d '2 minutes ago' {} +
	layerbox --quiet doctor > /dev/null
}

after_create() {
	local listed
	listed=$(names 2> /dev/null)
	nothing_hidden
	ranges_are_fine
	[ -n "$listed" ] || make victim
	doctor_later
	is "$(ls -A "$HOSTS")" victim
	is_whole victim
}

@test "create, killed anywhere: the container is whole or was never there" {
	kill_everywhere nothing after_create create victim
}

after_delete() {
	local listed
	listed=$(names 2> /dev/null)
	nothing_hidden
	ranges_are_fine
	doctor_later
	is "$(ls -A "$HOSTS")" "$listed"
	[ -z "$listed" ] || is_whole "$listed"
}

prepare_victim() {
	make victim
}

@test "delete, killed anywhere: the container is whole or gone" {
	kill_everywhere prepare_victim after_delete delete victim
}

# And somebody who comes after it.
prepare_renamed() {
	make victim
	[ -e "$CONTAINERS/follower" ] || make follower
	layerbox set follower boot.after=victim
}

after_rename() {
	local listed
	doctor_later
	listed=$(names 2> /dev/null)
	listed=${listed#follower }
	[[ $listed = victim || $listed = other ]] || fail "it has the names '$listed'"
	is "$(ls -A "$HOSTS" | xargs)" "follower $listed"
	is "$(field "$listed" ipv4)" "$(cut -d, -f3 "$HOSTS/$listed")"
	is "$(layerbox get follower boot.after)" "$listed"
	is_whole "$listed"
}

@test "rename, killed anywhere: it has one name, everywhere, after doctor" {
	kill_everywhere prepare_renamed after_rename rename victim other
}

# Until doctor comes, its record has the new address or the old; then all else follows.
after_readdress() {
	local before=$(field victim ipv4)
	doctor_later
	is "$(field victim ipv4)" "$before"
	refute grep -q ipv4_before "$CONTAINERS/victim/container.conf"
	is "$(cut -d, -f3 "$HOSTS/victim")" "$before"
	is "$(cat "$CONTAINERS/victim/rootfs-layer/etc/address")" "$before"
	is_whole victim
}

@test "lease reserve, killed anywhere: the old address or the new, everywhere, after doctor" {
	mkdir -p "$LAYERBOX_ROOT/templates/rootfs/etc"
	echo '{{ipv4}}' > "$LAYERBOX_ROOT/templates/rootfs/etc/address"
	kill_everywhere prepare_victim after_readdress lease reserve victim 10.0.3.250
	rm -r "$LAYERBOX_ROOT/templates/rootfs"
}

after_set() {
	is "$(names)" victim
	[[ $(layerbox get victim memory) =~ ^(64M)?$ ]]
	is_whole victim
}

@test "set, killed anywhere: the old value or the new" {
	kill_everywhere prepare_victim after_set set victim memory=64M
}

after_build() {
	layerbox base list > /dev/null 2>&1
	is "$(find "$LAYERBOX_ROOT/os-bases" -maxdepth 1 -name '.*')" ""
	if layerbox base show second > /dev/null 2>&1; then
		layerbox --quiet create victim --base second
		is_whole victim
		layerbox --quiet base delete second
	fi
}

@test "base build, killed anywhere: the base is whole or was never there" {
	changing=(renameat2 mkdirat linkat)
	kill_everywhere nothing after_build base build busybox --name second
}

@test "kill -9 of a monitor: stopped, nothing is left after the next command, and start works at once" {
	make victim --start
	pid=$(field victim pid)
	kill -9 "$(monitor_of victim)"
	# At once, while the kernel still takes the old one apart.
	succeeds layerbox start victim
	[ "$(field victim pid)" != "$pid" ]
	layerbox exec victim -- true
	kill -9 "$(monitor_of victim)"
	wait_until 5 state_is victim stopped
	wait_until 5 no_interface_left
	layerbox --quiet list > /dev/null
	no_cgroup_left
	no_mount_left
	succeeds layerbox delete victim
}

@test "kill -9 of a container's init: it is stopped, and nothing is left" {
	make victim --start
	kill -9 "$(field victim pid)"
	wait_until 5 state_is victim stopped
	wait_until 5 no_monitor_left
	layerbox --quiet list > /dev/null
	no_cgroup_left
	succeeds layerbox start victim
}

@test "kill -9 of layerbox and its helper while it starts and stops containers" {
	make victim other
	for delay in 0 0.002 0.004 0.008 0.012 0.016 0.02 0.03 0.05; do
		command layerbox --quiet start victim other 3>&- &
		sleep "$delay"
		kill -9 $! 2> /dev/null || true
		wait $! || true
		succeeds layerbox start victim other
		layerbox exec victim -- true
		layerbox exec other -- true
		command layerbox --quiet stop victim other 3>&- &
		sleep "$delay"
		kill -9 $! 2> /dev/null || true
		wait $! || true
		succeeds layerbox stop --timeout 5 victim other
		no_mount_left
	done
}

@test "doctor finds what is wrong, says so with --dry-run only, repairs it, and is content then" {
	make victim
	address=$(field victim ipv4)
	chmod 755 "$CONTAINERS/victim"
	rmdir "$CONTAINERS/victim/rootfs"
	rm "$HOSTS/victim"
	echo '00:16:3e:01:02:03,id:*,10.0.3.99,ghost' > "$HOSTS/ghost"
	run layerbox doctor --dry-run
	is "$status" "$FAILED"
	for part in "was open to others" "rootfs is missing" "not reserved" "'ghost'"; do
		[[ $output == *"$part"* ]] || fail "doctor does not say '$part': $output"
	done
	is "$(stat -c %a "$CONTAINERS/victim")" 755
	succeeds layerbox doctor
	is "$(stat -c %a "$CONTAINERS/victim")" 700
	is "$(ls "$HOSTS")" victim
	grep -qF "$address,victim" "$HOSTS/victim"
	succeeds layerbox doctor
	is "$output" ""
	is_whole victim
}

# Of ROOT, twice: to pass through it, and to lock it.
waits_for_root() {
	[ "$(readlink "/proc/$1/fd/"* | grep -cFx "$LAYERBOX_ROOT")" -ge 2 ]
}

@test "doctor leaves a reservation to who works on its container, and a file that is just being written" {
	rm -f "$HOSTS"/.*.* # of tests before that killed somebody
	make victim
	rm "$HOSTS/victim"
	touch "$HOSTS/.victim.0badcafe"
	touch -d '2 minutes ago' "$HOSTS/.victim.deadcafe"
	# As a delete does that comes when doctor has looked at the container, and not at its reservation yet.
	coproc root { flock "$LAYERBOX_ROOT" sh -c 'echo locked; read -r _'; } 3>&-
	read -r _ <&"${root[0]}"
	command layerbox doctor > "$BATS_TEST_TMPDIR/doctor" 2>&1 3>&- &
	doctor=$!
	wait_until 10 waits_for_root "$doctor"
	exec 4< "$CONTAINERS/victim"
	flock --nonblock 4
	echo >&"${root[1]}"
	wait "$doctor"
	exec 4<&-
	is "$(ls -A "$HOSTS")" .victim.0badcafe
	refute grep -q 'not reserved' "$BATS_TEST_TMPDIR/doctor"
	touch -d '2 minutes ago' "$HOSTS/.victim.0badcafe"
	succeeds layerbox doctor
	is "$(ls -A "$HOSTS")" victim
	is_whole victim
}
