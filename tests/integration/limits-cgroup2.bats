#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits on a host of pure cgroup 2 that lacks controllers; run-tests runs it with LAYERBOX_TEST_CGROUP=2.
load ../lib/common

@test "a host without the controller refuses the limit in one sentence, and starts what has one" {
	grep -qsw memory /sys/fs/cgroup/cgroup.controllers && skip "this machine's cgroup 2 has the controller"
	make none
	refused "$KERNEL" "no cgroup controller \`memory\`" layerbox set none memory=64M
	is "$(layerbox get none memory)" ""
	echo 'memory = 64M' >> "$CONTAINERS/none/container.conf"
	run --separate-stderr layerbox start none
	is "$status" 0
	says "cannot enforce"
	state_is none running
	succeeds layerbox set none memory=
}
