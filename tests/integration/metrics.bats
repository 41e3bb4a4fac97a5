#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What containers take: metrics, top. tests/integration/metrics-cgroup2.bats has what a pure cgroup 2 host counts.
load ../lib/common
load ../lib/metrics

need() {
	grep -q "\b$1\b" /proc/cgroups && { [ -d "/sys/fs/cgroup/$1" ] || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers; } ||
		skip "this host has no controller $1"
}

@test "processors: what a container computes is counted as its own, and as nobody else's" {
	make busy idle --start
	scrape
	is "$(value layerbox_containers 'state="running"')" 2
	[ "$(of busy start_time_seconds)" -ge $((EPOCHSECONDS - 60)) ]
	[ "$(of busy start_time_seconds)" -le $((EPOCHSECONDS + 1)) ]
	local before before_idle
	before=$(of busy cpu_seconds_total) before_idle=$(of idle cpu_seconds_total)
	burn busy
	scrape
	grew "$before" "$(of busy cpu_seconds_total)" 0.1
	refute grew "$before_idle" "$(of idle cpu_seconds_total)" 0.1
}

@test "network: what the host sends is what the container receives" {
	make net --start
	wait_until 5 has_address net
	local address received sent i
	address=$(field net ipv4)
	scrape
	received=$(of net network_receive_bytes_total) sent=$(of net network_transmit_bytes_total)
	for i in $(seq 60); do
		head -c 1000 /dev/zero > "/dev/udp/$address/9"
	done
	scrape
	grew "$received" "$(of net network_receive_bytes_total)" 60000
	refute grew "$sent" "$(of net network_transmit_bytes_total)" 60000
	[ "$(of net network_receive_packets_total)" -ge 60 ]
	[ -n "$(of net network_transmit_errors_total)" ]
	sent=$(of net network_transmit_bytes_total)
	layerbox exec net -- ping -q -c 2 -s 1400 10.0.3.1
	scrape
	grew "$sent" "$(of net network_transmit_bytes_total)" 2800
}

@test "limits: shown where they are set, and only there" {
	need memory
	need pids
	make tight loose
	layerbox --quiet set tight memory=64M pids=50 cpus=0.5
	layerbox --quiet start tight loose
	scrape
	is "$(of tight memory_limit_bytes)" 67108864
	is "$(of tight processes_limit)" 50
	is "$(of tight cpu_limit_cores)" 0.500000
	is "$(of loose memory_limit_bytes)$(of loose processes_limit)$(of loose cpu_limit_cores)" ""
	[ "$(of tight memory_bytes)" -gt 100000 ]
	[ "$(of tight memory_bytes)" -lt 67108864 ]
	[ "$(of tight memory_working_set_bytes)" -le "$(of tight memory_bytes)" ]
	[ "$(of tight memory_peak_bytes)" -ge 100000 ]
	# Its init, a shell and what waits for an address; while that comes, scripts come and go.
	processes_are() { scrape && is "$(of loose processes)" "$1"; }
	wait_until 10 processes_are 3
	layerbox exec loose -- sh -c 'for i in 1 2 3 4 5; do sleep 60 > /dev/null 2>&1 < /dev/null & done'
	wait_until 10 processes_are 8
	# A file's pages can be given up again: the working set is without those that nobody uses.
	layerbox exec loose -- sh -c 'head -c 20000000 /dev/zero > /file'
	scrape
	[ "$(of loose memory_bytes)" -ge 20000000 ]
	[ "$(of loose memory_working_set_bytes)" -lt 15000000 ]
}

@test "a stopped container has its states, its disk and nothing that runs" {
	make still cold --start
	layerbox --quiet set cold autostart=no
	layerbox --quiet stop --kill cold
	layerbox --quiet freeze still
	scrape
	is "$(value layerbox_container_state 'name="cold",state="stopped"')" 1
	is "$(value layerbox_container_state 'name="cold",state="running"')" 0
	is "$(value layerbox_container_state 'name="still",state="frozen"')" 1
	is "$(value layerbox_containers 'state="stopped"') $(value layerbox_containers 'state="frozen"')" "1 1"
	is "$(of cold cpu_seconds_total)$(of cold memory_bytes)$(of cold start_time_seconds)" ""
	is "$(of cold autostart) $(of still autostart)" "0 1"
	[ "$(of cold top_layer_bytes)" -gt 0 ]
	is "$(value layerbox_supervisor_running) $(value layerbox_containers_supervised)" "0 0"
	layerbox --quiet set cold health.tcp=80
	layerbox --quiet set still restart.policy=always
	scrape
	is "$(value layerbox_supervisor_running) $(value layerbox_containers_supervised)" "0 2"
	[ -n "$(of still cpu_seconds_total)" ]
}

@test "disk: measured with all that is in it, kept for an hour, and anew after a snapshot" {
	make disk --start
	layerbox exec disk -- sh -c 'head -c 3000000 /dev/zero > /file; ln -s / /link; mkdir /d; mknod /d/pipe p'
	scrape
	[ "$(of disk top_layer_bytes)" -ge 3000000 ]
	[ "$(of disk top_layer_bytes)" -lt 6000000 ]
	[ "$(of disk top_layer_measured_time_seconds)" -ge $((EPOCHSECONDS - 30)) ]
	local first
	first=$(of disk top_layer_bytes)
	layerbox exec disk -- sh -c 'head -c 3000000 /dev/zero > /other'
	scrape
	is "$(of disk top_layer_bytes)" "$first"
	rm -r /run/layerbox/layer-sizes
	# A walk takes as long as a customer makes it: nothing waits for one that was not asked for.
	is "$(layerbox metrics | grep -c layerbox_container_top_layer_bytes{)" 0
	scrape
	[ "$(of disk top_layer_bytes)" -ge 6000000 ]
	layerbox --quiet stop --kill disk
	layerbox --quiet snapshot create disk one
	scrape
	[ "$(of disk top_layer_bytes)" -lt 1000000 ]
	# What cannot be trusted is measured again.
	echo rubbish > "$(ls /run/layerbox/layer-sizes/*)"
	scrape
	[ "$(of disk top_layer_bytes)" -lt 1000000 ]
	[ "$(value layerbox_root_free_bytes)" -gt 0 ]
	[ "$(value layerbox_root_size_bytes)" -ge "$(value layerbox_root_free_bytes)" ]
}

@test "disk: who is killed while it measures one goes on with another" {
	make first second
	local measure=(timeout -s KILL 20 strace -qq -o /dev/null -P "$CONTAINERS/first/rootfs-layer" -e trace=getdents64
		-e inject=getdents64:signal=KILL layerbox metrics --measure)
	rm -rf /run/layerbox/layer-sizes
	run "${measure[@]}"
	is "$status" 137
	run "${measure[@]}"
	is "$status" 0
	scrape
	is "$(of first top_layer_bytes)" ''
	[ "$(of second top_layer_bytes)" -gt 0 ]
}

@test "disk: what is read and written is counted where the kernel does so" {
	# A disk of its own: setting a limit, with which version 1 begins to count, shall touch no other.
	truncate --size=48M "$BATS_TEST_TMPDIR/image"
	mkfs.ext4 -q "$BATS_TEST_TMPDIR/image"
	mkdir /run/disk
	mount -o loop "$BATS_TEST_TMPDIR/image" /run/disk
	chmod 755 /run/disk
	LAYERBOX_ROOT=/run/disk
	layerbox --quiet init
	layerbox --quiet base build busybox
	make io --start
	local group=/sys/fs/cgroup/blkio/lxc.payload.io before writes
	[ ! -e $group/blkio.throttle.write_bps_device ] ||
		echo "$(mountpoint -d /run/disk) 1000000000" > $group/blkio.throttle.write_bps_device
	layerbox exec io -- dd if=/dev/zero of=/first bs=4096 count=1 conv=fsync 2> /dev/null
	scrape
	before=$(of io io_written_bytes_total) writes=$(of io io_writes_total)
	[ -n "$before" ] || skip "this host does not count disk I/O by container"
	layerbox exec io -- dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2> /dev/null
	scrape
	grew "$before" "$(of io io_written_bytes_total)" 4000000
	grew "$writes" "$(of io io_writes_total)" 1
	[ -n "$(of io io_read_bytes_total)" ]
}

@test "snapshots, backups, generations" {
	make kept
	scrape
	is "$(of kept snapshots)" 0
	is "$(of kept snapshot_newest_time_seconds)$(of kept backup_success)" ""
	layerbox --quiet snapshot create kept one
	layerbox --quiet snapshot create kept two
	printf 'last_run = 1000\nlast_success = 900\nduration = 12\nresult = 5025\n' > "$CONTAINERS/kept/backup-outcome"
	scrape
	is "$(of kept snapshots)" 2
	[ "$(of kept snapshot_newest_time_seconds)" -ge $((EPOCHSECONDS - 60)) ]
	is "$(of kept backup_last_run_time_seconds) $(of kept backup_last_success_time_seconds)" "1000 900"
	is "$(of kept backup_success) $(of kept backup_duration_seconds)" "0 12"
	is "$(of kept generation) $(of kept generation_newest) $(of kept generations_behind)" "1 1 0"
	is "$(of kept behind_since_time_seconds)" ""
	layerbox --quiet base upgrade busybox -- sh -c 'echo 2 > /etc/two'
	make new
	scrape
	is "$(of kept generation) $(of kept generation_newest) $(of kept generations_behind)" "1 2 1"
	[ "$(of kept behind_since_time_seconds)" -ge $((EPOCHSECONDS - 60)) ]
	is "$(of new generation) $(of new generations_behind)" "2 0"
	is "$(value layerbox_base_generation 'base="busybox"')" 2
}

@test "addresses, and a record that nobody can read" {
	make a b
	scrape
	is "$(value layerbox_network_addresses_used 'network="lxcbr0"')" 2
	is "$(value layerbox_network_up 'network="lxcbr0"')" 1
	is "$(value layerbox_network_addresses 'network="lxcbr0"')" 253
	is "$(awk '/^layerbox_network_addresses_[a-z]*\{/ { sum += $NF } END { print sum }' "$scraped")" 253
	is "$(value layerbox_containers_unreadable)" 0
	echo rubbish > "$CONTAINERS/b/container.conf"
	succeeds layerbox metrics --prometheus
	says "container.conf:1"
	scrape
	is "$(value layerbox_containers_unreadable)" 1
	is "$(of a generations_behind)" 0
	is "$(value layerbox_containers 'state="stopped"')" 1
	layerbox --quiet delete b
}

@test "both formats say the same, each in its way; a file is replaced in one step" {
	make a
	scrape
	refute grep -qE '^# (UNIT|EOF)' "$scraped"
	# Every sample is of the family that was named last, and each is named once.
	awk '/^# TYPE/ { if (seen[$3]++) exit 1; family = $3; next } /^#/ { next }
		{ sub(/[{ ].*/, ""); if ($0 != family) exit 1 }' "$scraped"
	layerbox metrics > "$BATS_TEST_TMPDIR/open"
	is "$(tail -n 1 "$BATS_TEST_TMPDIR/open")" "# EOF"
	grep -qx '# TYPE layerbox_build info' "$BATS_TEST_TMPDIR/open"
	is "$(grep -v '^#' "$scraped" | sed 's/ [0-9.]*$//')" "$(grep -v '^#' "$BATS_TEST_TMPDIR/open" | sed 's/ [0-9.]*$//')"

	mkdir "$BATS_TEST_TMPDIR/textfile"
	echo old > "$BATS_TEST_TMPDIR/textfile/layerbox.prom"
	succeeds layerbox metrics --prometheus --output "$BATS_TEST_TMPDIR/textfile/layerbox.prom"
	is "$output" ""
	grep -q '^layerbox_build_info{version=' "$BATS_TEST_TMPDIR/textfile/layerbox.prom"
	is "$(stat -c %a "$BATS_TEST_TMPDIR/textfile/layerbox.prom")" 644
	is "$(ls -A "$BATS_TEST_TMPDIR/textfile")" layerbox.prom
	(cd "$BATS_TEST_TMPDIR/textfile" && layerbox metrics --output here.prom)
	is "$(tail -n 1 "$BATS_TEST_TMPDIR/textfile/here.prom")" "# EOF"
	refused "$FAILED" "cannot write /nowhere/layerbox.prom" layerbox metrics --output /nowhere/layerbox.prom
	mkdir "$BATS_TEST_TMPDIR/textfile/directory"
	refused "$FAILED" "cannot write" layerbox metrics --output "$BATS_TEST_TMPDIR/textfile/directory"
	is "$(ls -A "$BATS_TEST_TMPDIR/textfile" | tr '\n' ' ')" "directory here.prom layerbox.prom "
	refused "$USAGE" "takes no names" layerbox metrics a
}

@test "top: once, as a table or JSON, in the order that was asked for" {
	make quiet loud --start
	layerbox exec loud -- sh -c 'while :; do :; done > /dev/null 2>&1 < /dev/null &'
	succeeds layerbox top --json --interval 1
	is "$(jq -r '.[0].name' <<< "$output")" loud
	jq -e '.[0].cpu_percent > 5 and .[1].cpu_percent < 5 and .[0].started > 0' <<< "$output"
	jq -e 'all(has("memory_working_bytes") and has("processes") and has("sent_bytes_per_second"))' <<< "$output"
	layerbox --quiet stop --kill quiet
	succeeds layerbox top --interval 1 --sort name
	[[ ${lines[0]} == NAME*CPU%*MEMORY*PROCS*UP ]]
	[[ ${lines[1]} == loud* ]]
	is "${#lines[@]}" 2
	refused "$USAGE" "--interval 0" layerbox top --interval 0
	refused "$USAGE" "--sort age" layerbox top --sort age
	refused "$USAGE" "no names" layerbox top loud
}

@test "top: at a terminal it takes the screen and gives it back" {
	make seen --start
	open_terminal "stty rows 8 cols 70; layerbox top --interval 1; stty -a"
	shows "1 running"
	shows $'\033\\[?1049h'
	shows $'\033\\[?7l'
	type_in '\023a' # Ctrl-S does not hold it up
	shows "by name"
	type_in q
	close_terminal
	is "$status" 0
	grep -q $'\033\\[?7h.*\033\\[?1049l' "$screen"
	grep -qE '(^|[^-])icanon' "$screen"
	grep -qE '(^|[^-])ixon' "$screen"
	grep -qE '(^|[^-])echo ' "$screen"
	# Killed, and by Ctrl-C, which is a key.
	open_terminal 'layerbox top --interval 1; stty -a'
	shows "1 running"
	kill "$(pgrep -f '^layerbox top')"
	close_terminal
	grep -q $'\033\\[?1049l' "$screen"
	grep -qE '(^|[^-])icanon' "$screen"
	open_terminal 'layerbox top --interval 1; stty -a'
	shows "1 running"
	type_in '\003'
	close_terminal
	grep -q $'\033\\[?1049l' "$screen"
}
