#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers written as streams and made of them again, here and under other roots.
load ../lib/common

NO_SNAPSHOT=25 BAD_STREAM=26 BASE_DIFFERS=27
helper=/usr/libexec/layerbox/layerbox-stream

setup_file() {
	common_setup_file
	OTHER=$(mktemp -d "${TMPDIR:-/tmp}/layerbox-other.XXXXXX")
	chmod 755 "$OTHER"
	export OTHER
	other --quiet init
	other --quiet base build busybox
}

teardown_file() {
	rm -rf "$OTHER"
	common_teardown_file
}

setup() {
	stream=$BATS_TEST_TMPDIR/stream
}

teardown() {
	other --quiet delete --all --force
	is_empty "$OTHER/containers"
	is_empty "$OTHER/layers"
	common_teardown
	is_empty "$LAYERBOX_ROOT/layers"
	is "$(layerbox base list --json | jq -r '.[].name')" busybox
	is "$(other base list --json | jq -r '.[].name')" busybox
}

# Another root on this host: another host, to whom nothing of this one's is known.
other() {
	command layerbox --root "$OTHER" "$@" 3>&-
}

# A stopped container with files of all kinds in its layer.
make_tiger() {
	make tiger
	layerbox --quiet start tiger
	layerbox exec tiger -- sh -c '
		echo first > /etc/first; ln /etc/first /etc/second; ln -s ../etc/first /link; mkfifo /pipe
		mkdir -p /data/deep; echo text > "/data/deep/a name"; chown 1000:1000 /data/deep; chmod 2750 /data/deep
		dd if=/dev/zero of=/sparse bs=1 count=1 seek=10000000 2> /dev/null
		cp /bin/busybox /data/tool; chmod 4755 /data/tool; rm /etc/group; head -c 300000 /dev/urandom > /data/random'
	layerbox --quiet stop tiger
}

# mount_state ROOT NAME [LABEL]: at /mnt, what a container is now or what a snapshot of it has.
mount_state() {
	local root=$1 directory=$1/containers/$2 file=container.conf lowers= id base
	[ -z "${3:-}" ] && lowers=$directory/rootfs-layer: || file=snapshots/$3
	for id in $(sed -n 's/^layers = //p' "$directory/$file"); do
		lowers+=$root/layers/$id/rootfs-layer:
	done
	base=$(sed -n 's/^base = //p' "$directory/$file")
	mount -t overlay overlay -o "ro,lowerdir=$lowers$root/os-bases/${base%@*}/${base#*@}/rootfs" /mnt
}

# All that a container has but what is its own by its name: paths, modes, owners, links, contents.
files_of() {
	mount_state "$@"
	(cd /mnt && find . ! -path './etc/host*' ! -path ./etc/machine-id ! -path ./etc/resolv.conf -printf '%p %y %m %U:%G %s %l\n' |
		grep -vE '^\./?(etc)? d' | sort
		find . -type f ! -path './etc/host*' ! -path ./etc/machine-id ! -path ./etc/resolv.conf -print0 | sort -z | xargs -0 sha256sum)
	umount /mnt
}

# What there is under a root.
inventory() {
	(cd "$1" && find os-bases containers layers -maxdepth 2 | sort)
}

@test "export and import under another name: the same files, another identity" {
	make_tiger
	layerbox --quiet set tiger description='of a customer' memory=64M
	layerbox export tiger > "$stream"
	succeeds layerbox import --as lion < "$stream"
	files_of "$LAYERBOX_ROOT" tiger > "$BATS_TEST_TMPDIR/tiger"
	files_of "$LAYERBOX_ROOT" lion > "$BATS_TEST_TMPDIR/lion"
	diff "$BATS_TEST_TMPDIR/tiger" "$BATS_TEST_TMPDIR/lion"
	[ "$(wc -l < "$BATS_TEST_TMPDIR/tiger")" -gt 50 ]
	is "$(layerbox get lion memory)" 64M
	is "$(field lion description)" 'of a customer'
	[ "$(field tiger mac)" != "$(field lion mac)" ]
	[ "$(field tiger ipv4)" != "$(field lion ipv4)" ]
	layerbox --quiet start lion
	echo lion >> "$BATS_FILE_TMPDIR/names"
	layerbox exec lion -- sh -c '[ "$(hostname)/$(cat /etc/hostname)" = lion/lion ] && grep -qw lion /etc/hosts && [ ! -e /etc/group ]'
	layerbox exec lion -- sh -c '[ "$(stat -c %h /etc/first)" = 2 ] && [ "$(du -k /sparse | cut -f1)" -lt 1000 ]'
	[ "$(layerbox exec lion -- cat /etc/machine-id)" != "$(cat "$CONTAINERS/tiger/rootfs-layer/etc/machine-id" 2> /dev/null || true)" ]
}

@test "a directory that hides files can be listed and deleted after layers were merged and an import" {
	make tiger
	layerbox --quiet start tiger
	layerbox exec tiger -- sh -c 'mkdir /d && touch /d/f /d/g'
	layerbox --quiet snapshot create tiger one --stop
	layerbox exec tiger -- rm /d/f
	layerbox --quiet snapshot create tiger two --stop
	layerbox --quiet snapshot delete tiger one
	layerbox export tiger | layerbox --quiet import --as lion
	layerbox --quiet start lion
	echo lion >> "$BATS_FILE_TMPDIR/names"
	is "$(layerbox exec lion -- ls -A /d 2>&1)" g
	succeeds layerbox exec lion -- rm -r /d
}

@test "under another root it keeps its name, MAC and address" {
	make_tiger
	layerbox forward add tiger 8883:1883
	layerbox export tiger | other import
	is "$(other info tiger --json | jq -r .mac)" "$(field tiger mac)"
	is "$(other info tiger --json | jq -r .ipv4)" "$(field tiger ipv4)"
	is "$(other forward list tiger --json | jq -r '.[0].port')" 8883
	files_of "$LAYERBOX_ROOT" tiger > "$BATS_TEST_TMPDIR/here"
	files_of "$OTHER" tiger > "$BATS_TEST_TMPDIR/there"
	diff "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
	refused "$EXISTS" "there is a container 'tiger' already" other -q import < <(layerbox -q export tiger)
}

@test "an export of a snapshot brings the snapshot along" {
	make_tiger
	layerbox --quiet snapshot create tiger monday --comment 'as it was'
	layerbox --quiet push tiger /etc/hostname /later
	layerbox export tiger --snapshot monday | other import
	is "$(other snapshot list tiger --json | jq -r '[.[].label] | join(" ")')" monday
	is "$(other snapshot list tiger --json | jq -r '.[0].comment')" 'as it was'
	mount_state "$OTHER" tiger monday
	[ -e /mnt/etc/first ] && [ ! -e /mnt/later ]
	umount /mnt
	refused "$NO_SNAPSHOT" "nothing" layerbox -q export tiger --snapshot nothing
}

@test "at a terminal, and for what is not there, export and import refuse" {
	make tiger
	refused "$NO_CONTAINER" "lion" layerbox -q export lion
	refused "$USAGE" "give the name" layerbox export
	refused "$USAGE" "is no format" layerbox export tiger --format tar
	refused "$USAGE" "--format oci" layerbox export tiger --tag x
	run script -qec 'layerbox export tiger' /dev/null
	[[ $output == *"nothing for a terminal"* ]]
	run script -qec 'layerbox import' /dev/null
	[[ $output == *"does not come from a terminal"* ]]
	refused "$BAD_NAME" "cannot be the name" layerbox import --as Lion < /dev/null
	refused "$BAD_NAME" "cannot be the name of a base" layerbox import --base-as ../x < /dev/null
}

@test "a stream that is cut off, changed, or none at all leaves nothing" {
	make_tiger
	layerbox export tiger --with-base > "$stream"
	before=$(inventory "$OTHER")
	size=$(stat -c %s "$stream")
	for length in 0 1 100 1000 5000 $((size / 3)) $((size / 2)) $((size - 400)) $((size - 4)) $((size - 1)); do
		head -c "$length" "$stream" > "$stream.cut"
		refused "$BAD_STREAM" "cannot import the stream" other -q import < "$stream.cut"
		is "$(inventory "$OTHER")" "$before"
	done
	for at in 3 40 300 $((size / 5)) $((size / 2)) $((size - 600)) $((size - 20)) $((size - 2)); do
		cp "$stream" "$stream.bad"
		printf "\\x$(printf %x $((0x$(xxd -s "$at" -l 1 -p "$stream") ^ 0x10)))" | dd of="$stream.bad" bs=1 seek="$at" conv=notrunc status=none
		refused "$BAD_STREAM" "cannot import the stream" other -q import < "$stream.bad"
		is "$(inventory "$OTHER")" "$before"
	done
	cat "$stream" "$stream" > "$stream.two"
	refused "$BAD_STREAM" "cannot import the stream" other -q import < "$stream.two"
	refused "$BAD_STREAM" "cannot import the stream" other -q import < /bin/busybox
	refused "$BAD_STREAM" "cannot import the stream" other -q import < /dev/null
	is "$(inventory "$OTHER")" "$before"
}

# member NAME TEXT: a small file of a plan for the helper.
member() {
	printf 'file %s %d\n%s\n' "$1" "$(printf %s "$2" | wc -c)" "$2"
}

# header LINES...: the lines that every header has, and more.
header() {
	printf '%s\n' 'format = 1' 'container = evil' 'files_name = evil' 'files_ipv4 = 10.0.3.77' 'base = busybox@1' \
		"base_manifest = $(sha256sum < "$LAYERBOX_ROOT/os-bases/busybox/1/manifest" | cut -d' ' -f1)" 'base_included = no' "$@"
}

record() {
	printf '%s\n' 'base = busybox@1' 'privileged = no' 'id_range = 100000:65536' 'mac = 00:16:3e:00:00:01' 'ipv4 = 10.0.3.77' \
		'created = 1' "$@"
}

# forged HEADER RECORD [LINES]: a stream that is as it should be but for what is in it.
forged() {
	{ member layerbox-stream "$1" && member container.conf "$2" && printf '%s' "${3:-}" && echo end; } | "$helper" pack
}

@test "what a stream says of itself is not believed" {
	make tiger
	layerbox --quiet snapshot create tiger x
	theirs=$(ls "$LAYERBOX_ROOT/layers")
	before=$(inventory "$LAYERBOX_ROOT")
	id=00000000000000000000000000000001
	tree="tree layers/1 $LAYERBOX_ROOT/layers/$theirs/rootfs-layer"$'\n'

	refused "$NO_SNAPSHOT" "only what changed" layerbox -q import < <(forged "$(header "layers = $theirs" "have = $theirs")" "$(record)")
	refused "$NO_SNAPSHOT" "only what changed" layerbox -q import < <(forged "$(header "layers = $id" "differs = $id:$theirs")" "$(record)")
	refused "$BAD_STREAM" "container.conf" layerbox -q import < <(forged "$(header "layers = $id" "whole = $id")" "$(record 'hook = /bin/sh')" "$tree")
	refused "$BAD_STREAM" "network" layerbox -q import < <(forged "$(header "layers = $id" "whole = $id")" "$(record 'network = ../../x')" "$tree")
	refused "$BAD_STREAM" "layer" layerbox -q import < <(forged "$(header "layers = $id" "whole = $id")" "$(record)")
	refused "$BAD_STREAM" "" layerbox -q import < <(forged "$(header "layers =")" "$(record)" "$tree")
	refused "$BAD_STREAM" "" layerbox -q import < <(forged "$(header "layers = $id" "whole = $id" 'snapshot = ../x')" "$(record)" "$tree")
	# A moment that no clock shows.
	for time in created expires; do
		refused "$BAD_STREAM" "year 9999" layerbox -q import < <({
			member layerbox-stream "$(header "layers = $id" "whole = $id" 'snapshot = x')"
			member container.conf "$(record)"
			member snapshots/x "$(printf '%s\n' "layers = $id" 'base = busybox@1' 'name = evil' 'ipv4 = 10.0.3.77' "$time = 9223372036854775807")"
			printf '%s' "$tree"
			echo end
		} | "$helper" pack)
	done
	refused "$BAD_STREAM" "container.conf" layerbox -q import < <({ member layerbox-stream "$(header "layers =")"; echo end; } | "$helper" pack)
	# Another's layer, as one's own to be replaced by: also where the container is there.
	make evil
	before=$(inventory "$LAYERBOX_ROOT")
	refused "$NO_SNAPSHOT" "has not here" layerbox -q receive --replace < <(forged "$(header "layers = $theirs" "have = $theirs")" "$(record)")
	refused "$NO_SNAPSHOT" "has not here" layerbox -q receive --replace < <(forged "$(header "layers = $id" "differs = $id:$theirs")" "$(record)")
	is "$(inventory "$LAYERBOX_ROOT")" "$before"
	# What it calls its layer is taken here: it gets another name, and the other one stays what it is.
	checksum=$(tree_checksum "$LAYERBOX_ROOT/layers/$theirs")
	forged "$(header "layers = $theirs" "whole = $theirs")" "$(record 'rebase_to = other' 'rebased_from = busybox@1' 'renamed_from = tiger')" \
		"tree layers/1 $CONTAINERS/evil/rootfs-layer"$'\n' | layerbox --quiet import --as second
	is "$(tree_checksum "$LAYERBOX_ROOT/layers/$theirs")" "$checksum"
	refute grep -q "$theirs" "$CONTAINERS/second/container.conf"
	refute grep -qE 'rebase|renamed' "$CONTAINERS/second/container.conf"
}

@test "a privileged container is imported only where that is allowed" {
	make tiger --privileged
	layerbox export tiger > "$stream"
	refused "$BAD_STREAM" "--allow-privileged" other -q import < "$stream"
	other --quiet import --allow-privileged < "$stream"
	is "$(other info tiger --json | jq -r .privileged)" true
}

@test "a base that is missing, another one, or comes along" {
	make_tiger
	layerbox export tiger > "$stream"
	layerbox export tiger --with-base > "$stream.base"
	mkdir "$BATS_TEST_TMPDIR/empty"
	third() { command layerbox --root "$BATS_TEST_TMPDIR/empty" "$@" 3>&-; }
	chmod 755 "$BATS_TEST_TMPDIR/empty"
	third --quiet init
	refused "$NO_BASE" "--with-base" third -q import < "$stream"
	succeeds third import < "$stream.base"
	succeeds third base verify busybox@1
	# It is known by what it is, whatever it is called.
	third --quiet delete tiger
	mv "$BATS_TEST_TMPDIR/empty/os-bases/busybox" "$BATS_TEST_TMPDIR/empty/os-bases/renamed"
	succeeds third import < "$stream"
	is "$(third info tiger --json | jq -r .base)" renamed
	third --quiet delete tiger
	third --quiet base delete renamed
	is_empty "$BATS_TEST_TMPDIR/empty/layers"
	# One of that name that is another.
	cp -a "$OTHER/os-bases/busybox/1/rootfs" "$BATS_TEST_TMPDIR/tree"
	echo changed > "$BATS_TEST_TMPDIR/tree/etc/motd"
	third --quiet base import busybox "$BATS_TEST_TMPDIR/tree"
	refused "$BASE_DIFFERS" "busybox@1" third -q import < "$stream"
	refused "$BASE_DIFFERS" "--base-as" third -q import < "$stream.base"
	is_empty "$BATS_TEST_TMPDIR/empty/containers"
	succeeds third import --base-as elsewhere < "$stream.base"
	is "$(third info tiger --json | jq -r .base)" elsewhere
	is "$(third base list --json | jq -r '[.[].name] | join(" ")')" "busybox elsewhere"
	# A base whose files are not those of its manifest, with a manifest that is well.
	third --quiet delete tiger
	third --quiet base delete elsewhere
	{
		member layerbox-stream "$(header 'layers =' | sed 's/included = no/included = yes/')"
		member container.conf "$(record)"
		member base/generation.conf "$(cat "$LAYERBOX_ROOT/os-bases/busybox/1/generation.conf")"
		printf 'file base/manifest %d\n' "$(stat -c %s "$LAYERBOX_ROOT/os-bases/busybox/1/manifest")"
		cat "$LAYERBOX_ROOT/os-bases/busybox/1/manifest"
		printf '\ntree base/rootfs %s\nend\n' "$BATS_TEST_TMPDIR/tree"
	} | "$helper" pack > "$stream.wrong"
	refused "$BAD_STREAM" "not what its manifest says" third -q import --base-as elsewhere < "$stream.wrong"
	is_empty "$BATS_TEST_TMPDIR/empty/containers"
	is "$(third base list --json | jq -r '[.[].name] | join(" ")')" busybox
}

@test "a stream does not bring others a newer generation unless that is said" {
	local root
	third() { command layerbox --root "$BATS_TEST_TMPDIR/third" "$@" 3>&-; }
	fourth() { command layerbox --root "$BATS_TEST_TMPDIR/fourth" "$@" 3>&-; }
	for root in third fourth; do
		mkdir "$BATS_TEST_TMPDIR/$root"
		chmod 755 "$BATS_TEST_TMPDIR/$root"
		"$root" --quiet init
	done
	cp -a "$OTHER/os-bases/busybox/1/rootfs" "$BATS_TEST_TMPDIR/tree"
	echo changed > "$BATS_TEST_TMPDIR/tree/etc/motd"
	third --quiet base import busybox "$BATS_TEST_TMPDIR/tree"
	fourth --quiet base build busybox
	mv "$BATS_TEST_TMPDIR/fourth/os-bases/busybox/1" "$BATS_TEST_TMPDIR/fourth/os-bases/busybox/7"
	fourth --quiet create tiger
	fourth -q export tiger --with-base > "$stream"
	refused "$BASE_DIFFERS" "--base-as busybox" third -q import < "$stream"
	is "$(ls "$BATS_TEST_TMPDIR/third/os-bases/busybox")" 1
	succeeds third import --base-as busybox < "$stream"
	is "$(third info tiger --json | jq -r .generation)" 7
	third --quiet delete tiger
	# An older one is nobody's but the container's.
	mv "$BATS_TEST_TMPDIR/third/os-bases/busybox/1" "$BATS_TEST_TMPDIR/third/os-bases/busybox/9"
	rm -r "$BATS_TEST_TMPDIR/third/os-bases/busybox/7"
	succeeds third import < "$stream"
	is "$(third info tiger --json | jq -r .generation)" 7
}

@test "send --since and receive --replace: only what changed goes" {
	make_tiger
	layerbox --quiet snapshot create tiger monday
	layerbox send tiger --snapshot monday | other receive > "$BATS_TEST_TMPDIR/said"
	is "$(cat "$BATS_TEST_TMPDIR/said")" "received tiger"
	echo changed > "$BATS_TEST_TMPDIR/file"
	layerbox --quiet push tiger "$BATS_TEST_TMPDIR/file" /changed
	layerbox --quiet snapshot create tiger tuesday
	layerbox send tiger --snapshot tuesday --since monday > "$stream"
	[ "$(stat -c %s "$stream")" -lt 10000 ] || fail "$(stat -c %s "$stream") bytes for a small change"
	other --quiet push tiger "$BATS_TEST_TMPDIR/file" /own
	refused "$EXISTS" "already" other -q receive < "$stream"
	succeeds other -q receive --replace < "$stream"
	is "$output" "received tiger"
	files_of "$LAYERBOX_ROOT" tiger > "$BATS_TEST_TMPDIR/here"
	files_of "$OTHER" tiger > "$BATS_TEST_TMPDIR/there"
	diff "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
	labels=$(other snapshot list tiger --json | jq -r '[.[].label] | sort | join(" ")')
	[[ $labels == "before-receive-"*" monday tuesday" ]] || fail "snapshots: $labels"
	# What it was is still there.
	other --quiet snapshot restore tiger "${labels%% *}"
	other --quiet pull tiger /own "$BATS_TEST_TMPDIR/own"
	# Who has not the snapshot cannot use it.
	other --quiet delete tiger
	refused "$NO_SNAPSHOT" "only what changed" other -q receive < "$stream"
	refused "$NO_CONTAINER" "tiger" other -q receive --replace < "$stream"
}

@test "receive --replace does not replace another container than the one that it began with" {
	make_tiger
	other --quiet create tiger
	layerbox -q export tiger > "$stream"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	other -q receive --replace < "$BATS_TEST_TMPDIR/pipe" > "$BATS_TEST_TMPDIR/said" 2>&1 &
	receiver=$!
	exec 7> "$BATS_TEST_TMPDIR/pipe"
	head -c $(($(stat -c %s "$stream") - 4)) "$stream" >&7
	# It has judged what is there, when it unpacks.
	wait_until 10 eval '[ -n "$(find "$OTHER/containers" -path "*/.new-import.*/layers/*" 2> /dev/null)" ]'
	other --quiet delete tiger
	other --quiet create tiger --privileged
	tail -c 4 "$stream" >&7
	exec 7>&-
	status=0
	wait "$receiver" || status=$?
	[ "$status" -ne 0 ] || fail "it was replaced"
	grep -q "is another one than when" "$BATS_TEST_TMPDIR/said" || fail "$(cat "$BATS_TEST_TMPDIR/said")"
	is "$(other info tiger --json | jq -r .privileged)" true
	refute grep -q "^layers = ." "$OTHER/containers/tiger/container.conf"
}

@test "a difference between two snapshots of a running container" {
	make_tiger
	layerbox --quiet start tiger
	layerbox --quiet snapshot create tiger monday
	layerbox -q send tiger --snapshot monday | other -q receive
	layerbox exec tiger -- sh -c 'echo more > /data/more; rm /data/deep/a*; chmod 700 /data; echo changed > /etc/first'
	layerbox --quiet snapshot create tiger tuesday
	layerbox -q send tiger --snapshot tuesday --since monday > "$stream"
	[ "$(stat -c %s "$stream")" -lt 100000 ] || fail "$(stat -c %s "$stream") bytes for a small change"
	zstd -dqc "$stream" | tar -xOf - layerbox-stream 2> /dev/null | grep -q '^differs = '
	other -q receive --replace < "$stream"
	# And what it is when it is stopped, which was copied for tuesday.
	layerbox --quiet stop tiger
	layerbox -q send tiger --since tuesday > "$stream"
	[ "$(stat -c %s "$stream")" -lt 100000 ] || fail "$(stat -c %s "$stream") bytes for no change"
	other -q receive --replace < "$stream"
	files_of "$LAYERBOX_ROOT" tiger > "$BATS_TEST_TMPDIR/here"
	files_of "$OTHER" tiger > "$BATS_TEST_TMPDIR/there"
	diff "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/there"
}

@test "no space is left: refused, and nothing is left" {
	make_tiger
	layerbox --quiet start tiger
	layerbox exec tiger -- sh -c 'head -c 20000000 /dev/urandom > /data/big'
	layerbox --quiet stop tiger
	layerbox export tiger --with-base > "$stream"
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=12M,mode=755 tmpfs "$BATS_TEST_TMPDIR/small"
	third() { command layerbox --root "$BATS_TEST_TMPDIR/small" "$@" 3>&-; }
	third --quiet init
	before=$(inventory "$BATS_TEST_TMPDIR/small")
	refused "$NO_SPACE" "cannot import the stream" third -q import < "$stream"
	is "$(inventory "$BATS_TEST_TMPDIR/small")" "$before"
	umount "$BATS_TEST_TMPDIR/small"
}

# killed_everywhere CALL STEP PREPARE VERIFY COMMAND...: kills COMMAND, reading $stream, before every STEP-th CALL.
killed_everywhere() {
	local call=$1 step=$2 prepare=$3 verify=$4 n status points=0
	shift 4
	for ((n = 1; ; n += step)); do
		"$prepare"
		status=0
		timeout -s KILL 20 strace -qq -f -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" layerbox \
			--root "$OTHER" "$@" < "$stream" > "$BATS_TEST_TMPDIR/out" 2>&1 3>&- || status=$?
		echo "before call $n of $call: exit code $status"
		"$verify"
		[ "$status" -ne 0 ] || break
		points=$((points + 1))
	done
	[ "$points" -ge 1 ]
}

# killed_at_every_call PREPARE VERIFY COMMAND...: the same before each call of each of its processes, where
# LAYERBOX_TEST_EVERY_STOP=yes asks for that.
killed_at_every_call() {
	local prepare=$1 verify=$2 n status
	shift 2
	[ "${LAYERBOX_TEST_EVERY_STOP:-}" = yes ] || return 0
	${CC:-cc} -std=gnu11 -o "$BATS_TEST_TMPDIR/kill-at" "$BATS_TEST_DIRNAME/kill-at.c"
	for ((n = 1; ; n++)); do
		"$prepare"
		status=0
		"$BATS_TEST_TMPDIR/kill-at" "$n" layerbox --root "$OTHER" "$@" < "$stream" > "$BATS_TEST_TMPDIR/out" 2>&1 3>&- ||
			status=$?
		echo "call $n: exit code $status"
		"$verify"
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ]
	done
	echo "# $*: killed at each of $n calls" >&3
}

gone_or_whole() {
	local names
	names=$(other list --json 2> /dev/null | jq -r '[.[].name] | join(" ")')
	is "$(find "$OTHER/containers" "$OTHER/layers" "$OTHER/os-bases" -maxdepth 1 -name '.new*')" ""
	if [ -z "$names" ]; then
		is_empty "$OTHER/layers"
	else
		is "$names" tiger
		mount_state "$OTHER" tiger monday
		[ -e /mnt/etc/first ]
		umount /mnt
	fi
	other --quiet delete --all --force
	is_empty "$OTHER/layers"
}

nothing() {
	:
}

@test "import, killed anywhere: the container is whole or was never there" {
	make_tiger
	layerbox --quiet snapshot create tiger monday
	layerbox -q send tiger --snapshot monday > "$stream"
	killed_everywhere renameat2 1 nothing gone_or_whole import
	killed_everywhere mkdirat 2 nothing gone_or_whole import
	killed_everywhere renameat 1 nothing gone_or_whole import
	killed_everywhere write 5 nothing gone_or_whole import
	killed_everywhere fsync,syncfs 1 nothing gone_or_whole import
	killed_at_every_call nothing gone_or_whole import
}

prepare_monday() {
	layerbox -q send tiger --snapshot monday | other -q receive > /dev/null
}

old_or_new() {
	other --quiet set tiger description=finished
	is "$(find "$OTHER/containers" "$OTHER/layers" -maxdepth 1 -name '.new*')" ""
	is "$(other list --json | jq -r '[.[].name] | join(" ")')" tiger
	mount_state "$OTHER" tiger monday
	[ -e /mnt/etc/first ] && [ ! -e /mnt/changed ]
	umount /mnt
	mount_state "$OTHER" tiger
	[ -e /mnt/etc/first ] && { [ ! -e /mnt/changed ] || [ "$(cat /mnt/changed)" = changed ]; }
	# The stream's snapshot is there with its files, and not without.
	local changed=no label=no
	[ ! -e /mnt/changed ] || changed=yes
	umount /mnt
	[ ! -e "$OTHER/containers/tiger/snapshots/tuesday" ] || label=yes
	is "$label" "$changed"
	[ ! -e "$OTHER/containers/tiger/snapshots/tuesday.2" ]
	other --quiet delete --all --force
	is_empty "$OTHER/layers"
}

@test "receive --replace, killed anywhere: the old files or the new" {
	make_tiger
	layerbox --quiet snapshot create tiger monday
	echo changed > "$BATS_TEST_TMPDIR/file"
	layerbox --quiet push tiger "$BATS_TEST_TMPDIR/file" /changed
	layerbox --quiet snapshot create tiger tuesday
	layerbox -q send tiger --snapshot tuesday --since monday > "$stream"
	killed_everywhere renameat2 1 prepare_monday old_or_new receive --replace
	killed_everywhere renameat 1 prepare_monday old_or_new receive --replace
	killed_everywhere mkdirat 2 prepare_monday old_or_new receive --replace
	killed_everywhere fsync,syncfs 1 prepare_monday old_or_new receive --replace
	killed_at_every_call prepare_monday old_or_new receive --replace
}
