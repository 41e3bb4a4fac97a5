#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What happened to containers: told to a file and to the journal, read and followed.
load ../lib/common

setup() {
	rm -f "$LAYERBOX_ROOT"/logs/events*
}

# told: "ACTION CONTAINER RESULT" of all events, one in a line.
told() {
	layerbox events --json | jq -r '"\(.action) \(.container) \(.result)"'
}

@test "what commands change is told, and what they fail to change; what was done already is not" {
	make wolf
	layerbox --quiet start wolf
	layerbox --quiet start wolf
	layerbox --quiet set wolf memory=64M
	layerbox --quiet set wolf memory=64M
	layerbox --quiet freeze wolf
	layerbox --quiet thaw wolf
	layerbox --quiet snapshot create wolf one
	refused $EXISTS 'has a snapshot' layerbox snapshot create wolf one
	refused $RUNNING 'is running' layerbox rename wolf fox
	layerbox --quiet stop wolf --kill
	layerbox --quiet snapshot restore wolf one
	layerbox --quiet rename wolf fox
	layerbox --quiet clone fox bear
	layerbox --quiet snapshot delete fox one
	layerbox --quiet delete fox
	refused $NO_CONTAINER 'no container' layerbox start fox
	refused $BAD_NAME 'cannot be the name' layerbox start 'a"b'
	is "$(told)" "create wolf ok
start wolf ok
set wolf ok
freeze wolf ok
thaw wolf ok
snapshot wolf ok
snapshot wolf exists
rename wolf running
kill wolf ok
restore wolf ok
rename fox ok
snapshot fox ok
snapshot-delete fox ok
clone bear ok
snapshot-delete fox ok
delete fox ok
start fox no-container"
	is "$(stat -c '%a %G' "$LAYERBOX_ROOT/logs")" '2750 adm'
	is "$(stat -c '%a %G' "$LAYERBOX_ROOT/logs/events.log")" '640 adm'
	succeeds setpriv --reuid=65534 --regid=65534 --groups=adm --inh-caps=-all layerbox events fox
	[[ $output == *fox*renamed* ]] || fail "$output"
}

@test "people see lines, of the containers and the time that they name" {
	make wolf
	make fox
	echo '{"time":"2001-01-01T00:00:00.000000Z","action":"start","container":"wolf","result":"ok","message":""}' \
		> "$LAYERBOX_ROOT/logs/events.log.1"
	printf 'no event\n{"time":"2001\n\0\n' >> "$LAYERBOX_ROOT/logs/events.log"
	make bear
	TZ=UTC succeeds layerbox events
	[[ ${lines[0]} == '2001-01-01 00:00:00  wolf              started' ]]
	[[ ${lines[1]} =~ ^20..-..-..\ ..:..:..\ \ wolf\ +created:\ busybox$ ]]
	[[ ${lines[3]} =~ bear\ +created ]]
	is "${#lines[@]}" 4
	succeeds layerbox events --since 1h wolf
	is "${#lines[@]}" 1
	succeeds layerbox events nobody
	is "$output" ''
	refused $USAGE 'is no time' layerbox events --since yesterday
}

@test "who follows has each event as it comes, over rotations" {
	local out=$BATS_TEST_TMPDIR/out i
	make wolf
	command layerbox events --json -f > "$out" 3>&- &
	follower=$!
	wait_until 5 eval 'grep -q inotify <(ls -l /proc/$follower/fd)'
	layerbox --quiet start wolf
	wait_until 5 grep -q '"start"' "$out"
	refute grep -q create "$out"
	# The clock was set back.
	tail -n 1 "$LAYERBOX_ROOT/logs/events.log" | sed 's/"20[0-9]*-/"2001-/; s/"start"/"thaw"/' > "$BATS_TEST_TMPDIR/line"
	grep -q '"2001-.*"thaw"' "$BATS_TEST_TMPDIR/line"
	cat "$BATS_TEST_TMPDIR/line" >> "$LAYERBOX_ROOT/logs/events.log"
	wait_until 5 grep -q '"thaw"' "$out"
	for i in 1 2; do
		# Full to the brim, so that the next event is the last of its file.
		head -c 1048576 /dev/zero | tr '\0' '\n' >> "$LAYERBOX_ROOT/logs/events.log"
		layerbox --quiet set wolf "memory=6${i}M"
		layerbox --quiet set wolf "memory=7${i}M"
	done
	wait_until 5 eval '[ "$(grep -c "\"set\"" "$out")" -eq 4 ]'
	kill "$follower"
	wait "$follower" || true
	is "$(stat -c %s "$LAYERBOX_ROOT/logs/events.log.1" | cut -c 1-4)" 1048
	[ "$(stat -c %s "$LAYERBOX_ROOT/logs/events.log")" -lt 1000 ]
}

@test "the journal has each event, with fields; without a journal, or with one that hangs, nothing is waited for" {
	local socket=/run/systemd/journal/socket got=$BATS_TEST_TMPDIR/got i
	make wolf
	mkdir -p "${socket%/*}"
	# After two it reads no more.
	python3 -c '
import socket, sys, time
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind(sys.argv[1])
for _ in range(2):
	sys.stdout.buffer.write(journal.recv(65536) + b"--\n")
	sys.stdout.flush()
time.sleep(60)' "$socket" > "$got" 3>&- &
	wait_until 5 test -S "$socket"
	layerbox --quiet start wolf
	refused $RUNNING 'is running' layerbox delete wolf
	wait_until 5 eval '[ "$(grep -cx -e -- "$got")" -eq 2 ]'
	is "$(sed -n '1,/^--/p' "$got")" "MESSAGE=wolf: started
PRIORITY=6
SYSLOG_IDENTIFIER=layerbox
CONTAINER_NAME=wolf
LAYERBOX_ACTION=start
LAYERBOX_RESULT=ok
LAYERBOX_ROOT=$LAYERBOX_ROOT
--"
	grep -qx 'PRIORITY=3' "$got"
	grep -qx 'LAYERBOX_RESULT=running' "$got"
	grep -q "^MESSAGE=wolf: delete failed: container 'wolf' is running" "$got"
	for i in $(seq 1 50); do
		layerbox --quiet set wolf description="$i"
	done
	is "$(told | grep -c '^set wolf ok')" 50
	kill %%
	rm "$socket"
}

@test "a disk that is full fails no command for its log" {
	make wolf
	mount -t tmpfs -o size=4k,mode=750 tmpfs "$LAYERBOX_ROOT/logs"
	head -c 4096 /dev/zero > "$LAYERBOX_ROOT/logs/fill" 2> /dev/null || true
	succeeds layerbox set wolf memory=64M
	succeeds layerbox start wolf
	layerbox --quiet stop --kill wolf
	umount "$LAYERBOX_ROOT/logs"
	refute grep -q set "$LAYERBOX_ROOT/logs/events.log"
}
