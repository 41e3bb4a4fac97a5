#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits, set before a start and while it runs: written where the kernel reads them, and felt.
load ../lib/common

# control NAME CONTROLLER FILE-OF-1 FILE-OF-2: what the kernel holds for the container.
control() {
	local group
	group=/sys/fs/cgroup/$2$(sed -n "s/^[0-9]*:[^:]*\b$2\b[^:]*://p" "/proc/$(field "$1" pid)/cgroup")
	if [ -e "$group/$3" ]; then
		cat "$group/$3"
	else
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(field "$1" pid)/cgroup")/$4"
	fi
}

need() {
	grep -q "\b$1\b" /proc/cgroups && { [ -d "/sys/fs/cgroup/$1" ] || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers; } ||
		skip "this host has no controller $1"
}

memory_is() {
	[ "$(control "$1" memory memory.limit_in_bytes memory.max)" = "$2" ]
}

@test "memory: before a start, while it runs, taken away, and felt" {
	need memory
	make mem
	layerbox --quiet set mem memory=64M
	layerbox --quiet start mem
	memory_is mem 67108864
	layerbox --quiet set mem memory=32M
	memory_is mem 33554432
	run layerbox exec mem -- sh -c 'x=$(head -c 100000000 /dev/zero | tr "\0" x); echo ${#x}'
	[ "$status" -ne 0 ]
	state_is mem running
	layerbox --quiet set mem memory=
	refute memory_is mem 33554432
	is "$(layerbox exec mem -- sh -c 'x=$(head -c 50000000 /dev/zero | tr "\0" x); echo ${#x}')" 50000000
	layerbox --quiet set mem memory=16M
	layerbox --quiet restart --kill mem
	memory_is mem 16777216
}

@test "pids: a fork bomb stays inside" {
	need pids
	make forks --start
	layerbox --quiet set forks pids=20
	is "$(control forks pids pids.max pids.max)" 20
	run layerbox exec forks -- sh -c 'for i in $(seq 40); do sleep 1 & done; wait'
	[ "$status" -ne 0 ]
	[ "$(layerbox exec --uid 0 forks -- true; control forks pids pids.current pids.current)" -le 20 ]
	layerbox --quiet stop --kill forks
	layerbox --quiet start forks
	is "$(control forks pids pids.max pids.max)" 20
	layerbox --quiet set forks pids=
	is "$(control forks pids pids.max pids.max)" max
}

@test "cpus: the quota is written" {
	need cpu
	make slow --start
	layerbox --quiet set slow cpus=0.5
	[[ "$(control slow cpu cpu.cfs_quota_us cpu.max) $(control slow cpu cpu.cfs_period_us cpu.max)" =~ ^50000\ (100000$|50000) ]]
	layerbox --quiet restart --kill slow
	[[ "$(control slow cpu cpu.cfs_quota_us cpu.max)" == 50000* ]]
	layerbox --quiet set slow cpus=
	[[ "$(control slow cpu cpu.cfs_quota_us cpu.max)" =~ ^(-1|max) ]]
}

@test "one container's limits are not another's" {
	need pids
	make a a-1 --start
	layerbox --quiet set a pids=30
	layerbox --quiet set a-1 pids=40
	is "$(control a pids pids.max pids.max) $(control a-1 pids pids.max pids.max)" "30 40"
}

@test "a limit that the kernel refuses changes nothing" {
	need memory
	make stubborn --start
	layerbox --quiet set stubborn memory=64M
	layerbox exec stubborn -- sh -c 'head -c 30000000 /dev/zero > /dev/shm/x 2>/dev/null || head -c 30000000 /dev/zero > /run/x'
	run --separate-stderr layerbox set stubborn memory=4M
	if [ "$status" -ne 0 ]; then
		is "${#stderr_lines[@]}" 1
		is "$(layerbox get stubborn memory)" 64M
		memory_is stubborn 67108864
	fi
	state_is stubborn running
}
