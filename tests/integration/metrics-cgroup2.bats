#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Metrics on a host of pure cgroup 2, maybe without controllers; run-tests runs it with LAYERBOX_TEST_CGROUP=2.
load ../lib/common
load ../lib/metrics

has() {
	grep -qsw "$1" /sys/fs/cgroup/cgroup.subtree_control
}

@test "processors are counted without a controller, and what none counts is left out" {
	make busy --start
	scrape
	local before
	before=$(of busy cpu_seconds_total)
	burn busy
	scrape
	grew "$before" "$(of busy cpu_seconds_total)" 0.1
	[ -n "$(of busy network_receive_bytes_total)" ]
	has memory || is "$(of busy memory_bytes)" ""
	has pids || is "$(of busy processes)" ""
	has io || is "$(of busy io_read_bytes_total)" ""
	! has memory || [ "$(of busy memory_bytes)" -gt 100000 ]
	! has pids || [ "$(of busy processes)" -gt 0 ]
	succeeds layerbox top --once --interval 1
	has memory || [[ ${lines[1]} == *" - "* ]]
}
