#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
# Snapshots and clones as an operator types them: made, looked at, gone back to, deleted; by hand and by schedules.
load ../lib/common

teardown() {
	local directory
	for directory in "$BATS_TEST_TMPDIR"/mnt*; do
		! mountpoint -q "$directory" || umount "$directory"
	done
	echo 'base = busybox' > /etc/layerbox/layerbox.conf
	common_teardown
	is_empty "$LAYERBOX_ROOT/layers"
}

# put NAME PATH TEXT: a file in a container, running or not.
put() {
	printf '%s\n' "$3" > "$BATS_TEST_TMPDIR/put"
	layerbox --quiet push "$1" "$BATS_TEST_TMPDIR/put" "$2"
}

# text NAME PATH: what a file in a container holds.
text() {
	rm -f "$BATS_TEST_TMPDIR/text"
	layerbox --quiet pull "$1" "$2" "$BATS_TEST_TMPDIR/text" && cat "$BATS_TEST_TMPDIR/text"
}

# has NAME PATH..., lacks NAME PATH...: whether files are there in a container.
has() {
	local name=$1 path
	shift
	for path in "$@"; do
		text "$name" "$path" > /dev/null 2>&1 || fail "$name has no $path"
	done
}

lacks() {
	local name=$1 path
	shift
	for path in "$@"; do
		refute text "$name" "$path" 2> /dev/null
	done
}

snapshot() {
	layerbox --quiet snapshot create "$@"
}

# labels [NAME]: the labels of a container's snapshots, sorted, in a line; those of one second have no other order.
labels() {
	layerbox snapshot list "$@" --json | jq -r '[.[].label] | sort | join(" ")'
}

# of NAME LABEL FIELD: a field of `layerbox snapshot show --json`.
of() {
	layerbox snapshot show "$1" "$2" --json | jq -r ".$3"
}

layer_count() {
	find "$LAYERBOX_ROOT/layers" -mindepth 1 -maxdepth 1 -type d ! -name '.*' | wc -l
}

set_host() {
	printf '%s\n' 'base = busybox' "$@" > /etc/layerbox/layerbox.conf
}

# The clock shows another second than this one.
is_over() {
	[ "$(date +%s)" != "$1" ]
}

# ------------------------------------------------------------------------------------------------- create

@test "a snapshot of a stopped container renames its top layer and copies nothing" {
	make cold
	put cold /root/file here
	inode=$(stat -c %i "$CONTAINERS/cold/rootfs-layer/root/file")
	tells "snapshot one of cold: nothing was copied" layerbox snapshot create cold one
	layer=$(of cold one layer)
	[[ $layer =~ ^[0-9a-f]{32}$ ]] || fail "layer '$layer'"
	is "$(stat -c %i "$LAYERBOX_ROOT/layers/$layer/rootfs-layer/root/file")" "$inode"
	is_empty "$CONTAINERS/cold/rootfs-layer"
	is "$(text cold /root/file)" here
	is "$(of cold one '| [.live, .frozen_us, .layers, .expires, .scheduled] | join(" ")')" "false 0 1 0 false"
	is "$(of cold one base)" busybox@1
	layerbox --quiet start cold
	is "$(layerbox exec cold -- cat /root/file)" here
}

@test "a snapshot of a running container is of one moment, and tells how long it was frozen" {
	make warm --start
	layerbox exec warm -- sh -c 'echo before > /root/file; mkdir /root/dir; echo x > /root/dir/x'
	pid=$(field warm pid)
	succeeds layerbox snapshot create warm one --live --comment 'Öl & "Wasser"'
	[[ $stderr =~ snapshot\ one\ of\ warm:\ copied\ while\ it\ ran,\ frozen\ for\ [0-9.]+\ ms$ ]] || fail "$stderr"
	is "$(field warm state)" running
	is "$(field warm pid)" "$pid"
	is "$(of warm one live)" true
	[ "$(of warm one frozen_us)" -gt 0 ]
	[ "$(of warm one bytes)" -gt 0 ]
	is "$(of warm one comment)" 'Öl & "Wasser"'
	layerbox exec warm -- sh -c 'echo after > /root/file; rm -r /root/dir'
	layerbox --quiet stop warm
	is "$(text warm /root/file)" after
	layerbox --quiet snapshot restore warm one
	is "$(text warm /root/file)" before
	is "$(text warm /root/dir/x)" x
}

@test "a second live snapshot shares with the first what has not changed" {
	make again --start
	layerbox exec again -- sh -c 'echo same > /root/same; echo a > /root/other'
	# What was written at the moment of a snapshot is not trusted to be the same.
	wait_until 3 is_over "$(date +%s)"
	snapshot again one
	layerbox exec again -- sh -c 'echo b > /root/other'
	snapshot again two
	first=$LAYERBOX_ROOT/layers/$(of again one layer)/rootfs-layer second=$LAYERBOX_ROOT/layers/$(of again two layer)/rootfs-layer
	is "$(stat -c %i "$first/root/same")" "$(stat -c %i "$second/root/same")"
	is "$(cat "$first/root/other") $(cat "$second/root/other")" "a b"
}

@test "with --stop a running container is stopped for it and started again" {
	make halt --start
	layerbox exec halt -- sh -c 'echo x > /root/file'
	pid=$(field halt pid)
	tells "snapshot one of halt: nothing was copied" layerbox snapshot create halt one --stop
	is "$(field halt state)" running
	[ "$(field halt pid)" != "$pid" ]
	is "$(of halt one live)" false
	is "$(layerbox exec halt -- cat /root/file)" x
	make still
	tells "snapshot one of still: nothing was copied" layerbox snapshot create still one --stop
	is "$(field still state)" stopped
}

@test "with --stop, killed while it is stopped: the next command starts it again" {
	make halt --start
	pid=$(field halt pid)
	run strace -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL "$(type -P layerbox)" -q snapshot create halt one --stop
	[ "$status" -ne 0 ]
	[ -n "$(ls /run/layerbox/stopped)" ]
	is "$(field halt state)" running
	[ "$(field halt pid)" != "$pid" ]
	is "$(ls /run/layerbox/stopped)" ""
	is "$(layerbox snapshot list halt --json | jq length)" 0
	# Who wants it stopped has the last word.
	layerbox -q stop halt
	is "$(field halt state)" stopped
}

@test "without a label it is the time, and two of one second are two" {
	make when
	succeeds layerbox snapshot create when
	[[ $stderr =~ ^snapshot\ $(date -u +%Y%m%d)-[0-9]{6}\ of\ when ]] || fail "$stderr"
	snapshot when
	snapshot when
	is "$(layerbox snapshot list when --json | jq '[.[].label] | unique | length')" 3
}

# ------------------------------------------------------------------------------------------------- looking

@test "list shows one container's or all, oldest first, as a table and as JSON" {
	make a b
	tells "there are no snapshots; make one with \`layerbox snapshot create NAME\`" layerbox snapshot list
	snapshot b one
	snapshot a x --comment 'of a' --expires 30d
	wait_until 3 is_over "$(date +%s)"
	snapshot b another
	is "$(layerbox snapshot list --json | jq -c '[.[].label]')" '["x","one","another"]'
	is "$(layerbox snapshot list b --json | jq -c '[.[].label]')" '["one","another"]'
	is "$(layerbox snapshot list a --json | jq -r '.[0] | keys | join(" ")')" \
		"base comment container created expires frozen_us label layer layers live scheduled"
	is "$(layerbox snapshot list a --json | jq -c '.[0] | [.container, .label, .comment]')" '["a","x","of a"]'
	expires=$(layerbox snapshot list a --json | jq '.[0] | .expires - .created')
	[ "$expires" -ge $((30 * 86400 - 5)) ] && [ "$expires" -le $((30 * 86400 + 5)) ]
	succeeds layerbox snapshot list a
	[[ ${lines[0]} == NAME*LABEL*CREATED*BASE*LIVE*SCHEDULED*EXPIRES*COMMENT* ]] || fail "$output"
	[[ ${lines[1]} == *a*x*busybox@1*no*no*"of a"* ]] || fail "$output"
	is "$(layerbox snapshot show a x --json | jq -r 'keys | join(" ")')" \
		"base bytes comment container created expires frozen_us label layer layers live scheduled"
	succeeds layerbox snapshot show b one
	[[ $output == *"Label:"*one*"Expires:"*never* ]] || fail "$output"
}

@test "diff tells what came, went and changed, between two snapshots and since one" {
	make d
	put d /root/stays same
	put d /root/goes x
	put d /root/changes 1
	snapshot d one
	tells "nothing differs" layerbox snapshot diff d one
	is "$(layerbox snapshot diff d one --json)" '[]'
	layerbox --quiet start d
	layerbox exec d -- sh -c 'rm /root/goes; echo 22 > /root/changes; echo x > /root/comes'
	layerbox --quiet stop d
	snapshot d two
	for present in two ''; do
		succeeds layerbox snapshot diff d one ${present:+"$present"}
		grep -q '^- /root/goes: file' <<< "$output" || fail "$output"
		grep -q '^+ /root/comes: file' <<< "$output" || fail "$output"
		grep -q '^~ /root/changes: ' <<< "$output" || fail "$output"
		refute grep -q /root/stays <<< "$output"
	done
	is "$(layerbox snapshot diff d one two --json | jq -r '.[] | select(.path == "/root/goes") | [.package, .after] | @json')" \
		'[null,null]'
	succeeds layerbox snapshot diff d two one
	grep -q '^+ /root/goes: file' <<< "$output" || fail "$output"
}

@test "mount shows a snapshot with its base, to read only, and keeps it from being deleted" {
	make m
	put m /root/file was
	snapshot m one
	put m /root/file is
	mkdir "$BATS_TEST_TMPDIR/mnt"
	tells "mounted at $BATS_TEST_TMPDIR/mnt; \`umount $BATS_TEST_TMPDIR/mnt\` ends it" \
		layerbox snapshot mount m one "$BATS_TEST_TMPDIR/mnt"
	is "$(cat "$BATS_TEST_TMPDIR/mnt/root/file")" was
	[ -e "$BATS_TEST_TMPDIR/mnt/etc/inittab" ]
	refute touch "$BATS_TEST_TMPDIR/mnt/root/file" 2> /dev/null
	options=,$(findmnt -no OPTIONS "$BATS_TEST_TMPDIR/mnt"),
	for option in ro nosuid nodev noexec; do
		[[ $options == *,$option,* ]] || fail "$options"
	done
	refused "$BUSY" "mounted" layerbox snapshot delete m one
	umount "$BATS_TEST_TMPDIR/mnt"
	tells "deleted snapshot one of m" layerbox snapshot delete m one
	snapshot m two
	refused "$FAILED" "$BATS_TEST_TMPDIR/put" layerbox snapshot mount m two "$BATS_TEST_TMPDIR/put"
}

# ------------------------------------------------------------------------------------------------- going back

@test "restore brings files back, and keeps what was there as another snapshot" {
	make r
	put r /root/file first
	snapshot r one
	put r /root/file second
	put r /root/new new
	succeeds layerbox snapshot restore r one
	[[ $stderr =~ ^r\ is\ back\ at\ one\;\ what\ it\ was\ is\ kept\ as\ snapshot\ ([^ ]+)$ ]] || fail "$stderr"
	kept=${BASH_REMATCH[1]}
	is "$(text r /root/file)" first
	lacks r /root/new
	is "$(labels r)" "$kept one"
	layerbox --quiet start r
	is "$(layerbox exec r -- cat /root/file)" first
	refused "$RUNNING" "running" layerbox snapshot restore r "$kept"
	layerbox --quiet stop r
	layerbox --quiet snapshot restore r "$kept"
	is "$(text r /root/file)" second
	has r /root/new
}

@test "settings, address and description stay what they are at a restore" {
	make keep --description now
	snapshot keep one
	ipv4=$(field keep ipv4)
	layerbox --quiet set keep memory=64M description=later
	layerbox --quiet snapshot restore keep one
	is "$(field keep memory)/$(field keep description)/$(field keep ipv4)" "64M/later/$ipv4"
}

@test "restore --as makes another container of a snapshot, while the first one runs" {
	make orig
	put orig /root/file old
	snapshot orig one
	layerbox --quiet start orig
	layerbox exec orig -- sh -c 'echo young > /root/file'
	succeeds layerbox snapshot restore orig one --as copy
	echo copy >> "$BATS_FILE_TMPDIR/names"
	[[ $stderr == "made copy of orig as it was at one: 10.0.3."* ]] || fail "$stderr"
	is "$(field orig state)" running
	is "$(text copy /root/file)" old
	[ "$(field copy ipv4)" != "$(field orig ipv4)" ]
	[ "$(field copy mac)" != "$(field orig mac)" ]
	is "$(labels copy)" ""
}

# ------------------------------------------------------------------------------------- delete, rename, expire

@test "any snapshot can be deleted: what others need of it stays, and chains do not grow" {
	make del
	for i in 1 2 3 4; do
		put del "/root/file$i" "$i"
		put del /root/last "$i"
		snapshot del "s$i"
	done
	is "$(layer_count)" 4
	tells "deleted snapshot s2 of del" layerbox snapshot delete del s2
	is "$(labels del)" "s1 s3 s4"
	is "$(layer_count)" 3
	succeeds layerbox snapshot restore del s3
	has del /root/file1 /root/file2 /root/file3
	lacks del /root/file4
	is "$(text del /root/last)" 3
	layerbox --quiet snapshot restore del s1
	has del /root/file1
	lacks del /root/file2 /root/file3 /root/file4
	is "$(text del /root/last)" 1
	layerbox --quiet snapshot restore del s4
	is "$(text del /root/last)" 4
	# shellcheck disable=SC2046
	layerbox --quiet snapshot delete del $(labels del)
	is "$(labels del)" ""
	has del /root/file1 /root/file2 /root/file3 /root/file4
	[ "$(layer_count)" -le 1 ]
	layerbox --quiet start del
	is "$(layerbox exec del -- cat /root/last)" 4
}

@test "a snapshot of a running container can be deleted, and it does not notice" {
	make live --start
	layerbox exec live -- sh -c 'echo x > /root/file'
	snapshot live one
	snapshot live two
	layerbox --quiet snapshot delete live one two
	is "$(layerbox exec live -- cat /root/file)" x
	is "$(layer_count)" 0
}

@test "delete goes on behind a label that is not there" {
	make gone
	snapshot gone one
	run --separate-stderr layerbox snapshot delete gone none one
	is "$status" "$NO_SNAPSHOT"
	says "none"
	says "deleted snapshot one of gone"
	is "$(labels gone)" ""
}

@test "rename and expire change what they say, and nothing else" {
	make re
	snapshot re one --comment text
	created=$(of re one created) layer=$(of re one layer)
	tells "renamed snapshot one of re to two.2" layerbox snapshot rename re one two.2
	is "$(labels re)" two.2
	succeeds layerbox snapshot expire re two.2 2099-12-31
	is "$(of re two.2 expires)" "$(date -d 2099-12-31 +%s)"
	succeeds layerbox snapshot expire re two.2 2099-12-31T18:30
	is "$(of re two.2 expires)" "$(date -d '2099-12-31 18:30' +%s)"
	succeeds layerbox snapshot expire re two.2 never
	is "$(of re two.2 '| [.expires, .created, .layer, .comment] | join(" ")')" "0 $created $layer text"
	snapshot re one
	refused "$EXISTS" "one" layerbox snapshot rename re two.2 one
}

# ------------------------------------------------------------------------------------------- by themselves

expired() {
	[ "$(of "$1" "$2" expires)" -le "$(date +%s)" ]
}

@test "prune takes away what has expired, and nothing else" {
	make p q
	snapshot p soon --expires 1s
	snapshot p later --expires 1h
	snapshot p ever
	snapshot q soon --expires 1s
	wait_until 3 expired q soon
	tells "removed snapshot p/soon" layerbox snapshot prune p
	is "$(labels p)" "ever later"
	is "$(labels q)" soon
	tells "removed snapshot q/soon" layerbox snapshot prune
	tells "every snapshot is to be kept" layerbox snapshot prune
	is "$(labels)" "ever later"
}

a_snapshot_is_due() {
	run --separate-stderr layerbox snapshot run
	[ "$status" -eq 0 ] && [[ $stderr == *"made a snapshot of "* ]]
}

@test "run makes what is due, and prunes by the policy what a schedule made" {
	make every never
	snapshot every by-hand
	layerbox --quiet set every 'snapshot.schedule=*:*:0/1' snapshot.keep=2
	for i in 1 2 3; do
		put every "/root/file$i" "$i"
		wait_until 3 a_snapshot_is_due
	done
	is "$(layerbox snapshot list every --json | jq -c '[.[].scheduled]')" '[false,true,true]'
	[[ $(labels every) =~ ^auto-[0-9]{8}-[0-9]{6}\ auto-[0-9]{8}-[0-9]{6}\ by-hand$ ]] || fail "$(labels every)"
	says "removed every/auto-"
	is "$(labels never)" ""
	has every /root/file1 /root/file2 /root/file3
}

@test "without a schedule of its own a container has the host's, unless it says none" {
	set_host 'snapshot.schedule = *:*:0/1' 'snapshot.keep = 1'
	make host own
	layerbox --quiet set own snapshot.schedule=none
	wait_until 3 a_snapshot_is_due
	wait_until 3 a_snapshot_is_due
	is "$(layerbox snapshot list host --json | jq length)" 1
	is "$(labels own)" ""
	layerbox --quiet set host snapshot.keep=none snapshot.schedule=yearly
	tells "no snapshot is due" layerbox snapshot run
	layerbox --quiet set host snapshot.schedule=
	wait_until 3 a_snapshot_is_due
	is "$(layerbox snapshot list host --json | jq length)" 2
}

@test "run carries on past a container that it fails with, and says so" {
	make bad good
	for name in bad good; do
		layerbox --quiet set $name 'snapshot.schedule=*:*:0/1'
	done
	echo 'in the way' > "$CONTAINERS/bad/snapshots"
	wait_until 3 is_over "$(date +%s)"
	run --separate-stderr layerbox snapshot run
	[ "$status" -ne 0 ]
	says "'bad'"
	says "made a snapshot of good"
	rm "$CONTAINERS/bad/snapshots"
	wait_until 3 a_snapshot_is_due
	[[ $(labels bad) == auto-* ]]
}

# held_up NAME COMMAND...: the command waits for a second before it locks that container.
held_up() {
	local name=$1
	shift
	strace -qq -o /dev/null -P "$CONTAINERS/$name" -e trace=flock -e inject=flock:delay_enter=1000000:when=1 layerbox "$@"
}

@test "two runs at once make one snapshot" {
	make once
	layerbox --quiet set once snapshot.schedule=yearly
	sed -i 's/^created = .*/created = 1/' "$CONTAINERS/once/container.conf"
	held_up once snapshot run 2> "$BATS_TEST_TMPDIR/first" 3>&- &
	sleep 0.3
	succeeds layerbox snapshot run
	wait $! || fail "$(cat "$BATS_TEST_TMPDIR/first")"
	is "$(layerbox snapshot list once --json | jq length)" 1
	tells "no snapshot is due" layerbox snapshot run
}

@test "prune leaves a snapshot that is not to expire any more" {
	make spared
	snapshot spared s --expires 1s
	wait_until 3 expired spared s
	held_up spared snapshot prune spared 2> "$BATS_TEST_TMPDIR/prune" 3>&- &
	sleep 0.3
	layerbox --quiet snapshot expire spared s never
	wait $! || fail "$(cat "$BATS_TEST_TMPDIR/prune")"
	is "$(labels spared)" s
}

@test "keys are shown as they were set, and what is not understood is refused" {
	make keys
	layerbox --quiet set keys snapshot.schedule='Mon..Fri 22:30' snapshot.keep=24h,7d,4w,12m,2y backup.pre='/bin/sync now'
	is "$(layerbox get keys snapshot.schedule)" 'Mon..Fri 22:30'
	is "$(field keys '"snapshot.keep"')" 24h,7d,4w,12m,2y
	is "$(layerbox get keys backup.pre)" '/bin/sync now'
	refused "$BAD_VALUE" "minutes from 0 to 59" layerbox set keys 'snapshot.schedule=*:*/15'
	refused "$BAD_VALUE" "must be none, hourly" layerbox set keys snapshot.schedule=often
	refused "$BAD_VALUE" "must be none, or how many" layerbox set keys snapshot.keep=7x
	is "$(layerbox get keys snapshot.schedule)" 'Mon..Fri 22:30'
	set_host 'snapshot.schedule = often'
	refused "$BAD_CONFIG" "layerbox.conf:2: snapshot.schedule must be" layerbox snapshot run
}

# ------------------------------------------------------------------------------------------------- clones

@test "a clone has the files and settings of another, and an identity of its own" {
	make source --description 'the first'
	layerbox --quiet set source memory=64M
	put source /root/file data
	layerbox --quiet start source
	layerbox exec source -- sh -c 'mkdir -p /etc/ssh; echo secret > /etc/ssh/ssh_host_ed25519_key'
	layerbox --quiet forward add source 8883
	layerbox exec source -- cat /etc/machine-id > "$BATS_TEST_TMPDIR/machine-id"
	succeeds layerbox clone source twin --start
	echo twin >> "$BATS_FILE_TMPDIR/names"
	[[ $stderr == *"cloned source to twin: 10.0.3."*", base busybox@1"*"started twin" ]] || fail "$stderr"
	is "$(layerbox exec twin -- cat /root/file)" data
	is "$(field twin memory)" 64M
	is "$(layerbox exec twin -- hostname)/$(layerbox exec twin -- cat /etc/hostname)" twin/twin
	layerbox exec twin -- grep -qw twin /etc/hosts
	refute layerbox exec twin -- grep -qw source /etc/hosts
	layerbox exec twin -- cat /etc/machine-id > "$BATS_TEST_TMPDIR/its-id"
	grep -Exq '[0-9a-f]{32}' "$BATS_TEST_TMPDIR/its-id"
	refute cmp -s "$BATS_TEST_TMPDIR/machine-id" "$BATS_TEST_TMPDIR/its-id"
	refute layerbox exec twin -- grep -qs secret /etc/ssh/ssh_host_ed25519_key
	for field in ipv4 mac id_start; do
		[ "$(field twin $field)" != "$(field source $field)" ] || fail "both have $field $(field twin $field)"
	done
	wait_until 5 has_address twin
	is "$(layerbox forward list twin --json)" '[]'
	is "$(labels twin)" ""
	# Neither sees what the other writes.
	layerbox exec twin -- sh -c 'echo changed > /root/file'
	is "$(layerbox exec source -- cat /root/file)" data
	layerbox exec source -- sh -c 'echo source > /root/file'
	is "$(layerbox exec twin -- cat /root/file)" changed
}

@test "a clone outlives what it was cloned from" {
	make parent
	put parent /root/file data
	layerbox --quiet clone parent child
	echo child >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet delete parent
	layerbox --quiet start child
	is "$(layerbox exec child -- cat /root/file)" data
}

@test "a clone's / has the owner, mode and time of the other's" {
	make parent
	layerbox --quiet start parent
	layerbox exec parent -- sh -c 'chown 7:8 / && chmod 1711 / && touch -d "2001-02-03 04:05:06" /'
	layerbox --quiet stop parent
	layerbox --quiet clone parent child
	echo child >> "$BATS_FILE_TMPDIR/names"
	is "$(stat -c '%a %u:%g %y' "$CONTAINERS/child/rootfs-layer")" "$(stat -c '%a %u:%g %y' "$CONTAINERS/parent/rootfs-layer")"
	[[ $(stat -c '%a %y' "$CONTAINERS/child/rootfs-layer") = '1711 2001-02-03 '* ]]
}

@test "a clone of a snapshot is as the other was then, and shares its layer" {
	make was
	put was /root/file old
	snapshot was one
	put was /root/file now
	layerbox --quiet clone was early --snapshot one
	layerbox --quiet clone was late
	printf 'early\nlate\n' >> "$BATS_FILE_TMPDIR/names"
	is "$(text early /root/file)/$(text late /root/file)/$(text was /root/file)" old/now/now
	layerbox --quiet snapshot delete was one
	layerbox --quiet start early
	is "$(layerbox exec early -- cat /root/file)" old
}

# ------------------------------------------------------------------------------------------------- refused

@test "what cannot be is refused, each with its exit code and one sentence" {
	make x
	snapshot x one
	refused "$NO_CONTAINER" "nobody" layerbox snapshot create nobody
	refused "$NO_CONTAINER" "nobody" layerbox snapshot list nobody
	refused "$NO_CONTAINER" "nobody" layerbox snapshot prune nobody
	refused "$NO_CONTAINER" "nobody" layerbox clone nobody new
	refused "$BAD_NAME" "" layerbox snapshot create Nobody
	refused "$EXISTS" "'one'" layerbox snapshot create x one
	refused "$EXISTS" "'x'" layerbox clone x x
	for label in ../x .hidden 'a b' a/b "$(printf 'a%.0s' {1..64})"; do
		refused "$BAD_NAME" "label" layerbox snapshot create x "$label"
	done
	for command in 'show x none' 'diff x none' 'diff x one none' 'restore x none' 'restore x none --as y' 'delete x none' \
		'rename x none two' 'expire x none 1d' "mount x none $BATS_TEST_TMPDIR"; do
		# shellcheck disable=SC2086
		refused "$NO_SNAPSHOT" "none" layerbox snapshot $command
	done
	refused "$NO_SNAPSHOT" "none" layerbox clone x y --snapshot none
	refused "$BAD_NAME" "" layerbox clone x Y
	refused "$BAD_NAME" "label" layerbox snapshot rename x one ../two
	refused "$USAGE" "not both" layerbox snapshot create x --live --stop
	refused "$USAGE" "is no time" layerbox snapshot create x --expires tomorrow
	refused "$USAGE" "is no time" layerbox snapshot create x --expires 30
	refused "$USAGE" "is no time" layerbox snapshot expire x one 2099-02-30
	refused "$USAGE" "lies in the past" layerbox snapshot expire x one 2020-01-01
	refused "$USAGE" "" layerbox snapshot create
	refused "$USAGE" "" layerbox snapshot delete x
	refused "$USAGE" "" layerbox snapshot restore x
	refused "$USAGE" "" layerbox snapshot run x
	refused "$USAGE" "needs a word behind it" layerbox snapshot
	is "$(labels)" one
	is "$(names)" x
}
