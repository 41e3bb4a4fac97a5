#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Snapshots made, restored, deleted and cloned are killed at every system call: what is there afterwards is the old state
# or the new one. LAYERBOX_TEST_EVERY_STOP=yes takes every call, else only some are.
load ../lib/common

setup_file() {
	common_setup_file
	# Hundreds of containers come and go; the addresses of deleted ones would rest.
	mkdir -p /etc/layerbox
	echo 'quarantine = 0' >> /etc/layerbox/layerbox.conf
	${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/kill-at" "$BATS_TEST_DIRNAME/kill-at.c"
	export step=1
	[ "${LAYERBOX_TEST_EVERY_STOP:-}" = yes ] || step=${LAYERBOX_TEST_STEP:-31}
}

# shows LAYERS TOP: what layers, topmost first, and a top layer above them have in root/, put together by hand.
shows() {
	local layer path
	declare -A seen=()
	for layer in $(printf '%s\n' $1 | tac | sed "s,.*,$LAYERBOX_ROOT/layers/&/rootfs-layer,") "$2"; do
		for path in "$layer"/root/*; do
			[ ! -c "$path" ] || unset "seen[${path##*/}]"
			[ ! -f "$path" ] || seen[${path##*/}]=$(cat "$path")
		done
	done
	for path in "${!seen[@]}"; do
		echo "$path:${seen[$path]}"
	done | sort
}

key() {
	sed -n "s/^$2 = //p" "$1"
}

now_shows() {
	shows "$(key "$CONTAINERS/$1/container.conf" layers)" "$CONTAINERS/$1/rootfs-layer"
}

label_shows() {
	shows "$(key "$CONTAINERS/$1/snapshots/$2" layers)" /nowhere
}

# A container whose files were written by hand, in three layers and a top: a stopped one.
make_victim() {
	layerbox --quiet delete --all --force
	layerbox --quiet create victim
	top=$CONTAINERS/victim/rootfs-layer
	for label in one two three; do
		mkdir -p "$CONTAINERS/victim/rootfs-layer/root"
		echo "$label" > "$CONTAINERS/victim/rootfs-layer/root/file"
		echo "$label" > "$CONTAINERS/victim/rootfs-layer/root/$label"
		layerbox --quiet snapshot create victim "$label"
	done
	mkdir -p "$CONTAINERS/victim/rootfs-layer/root"
	echo now > "$CONTAINERS/victim/rootfs-layer/root/file"
	mknod "$CONTAINERS/victim/rootfs-layer/root/one" c 0 0
}

nothing_half_made() {
	# Any command; doctor says what is not as it must be.
	succeeds layerbox --quiet doctor
	[ -z "$(find "$LAYERBOX_ROOT/layers" "$CONTAINERS" -mindepth 1 -maxdepth 2 \( -name '.*' -o -name next \))" ] ||
		fail "left: $(find "$LAYERBOX_ROOT/layers" "$CONTAINERS" -mindepth 1 -maxdepth 2 \( -name '.*' -o -name next \))"
	needed=$(cat "$CONTAINERS"/*/container.conf "$CONTAINERS"/*/snapshots/* 2> /dev/null | sed -n 's/^layers = //p' | tr ' ' '\n' | sort -u)
	is "$(ls "$LAYERBOX_ROOT/layers")" "$needed"
}

# kill_everywhere VERIFY COMMAND...: VERIFY is called with "old" or "new" allowed, after each kill.
kill_everywhere() {
	local verify=$1 n ended old=0 new=0
	shift
	for ((n = 1 + RANDOM % step; ; n += step)); do
		make_victim
		ended=0
		"$BATS_FILE_TMPDIR/kill-at" "$n" layerbox "$@" > "$BATS_TEST_TMPDIR/output" 2>&1 3>&- || ended=$?
		[ "$ended" -eq 0 ] || [ "$ended" -eq 137 ] || fail "call $n: status $ended: $(cat "$BATS_TEST_TMPDIR/output")"
		nothing_half_made || fail "call $n"
		state=$("$verify") || fail "call $n: $state"
		case $state in
		old) old=$((old + 1)) ;;
		new) new=$((new + 1)) ;;
		*) fail "call $n: $state" ;;
		esac
		[ "$ended" -ne 0 ] || break
	done
	echo "# $BATS_TEST_DESCRIPTION: $old times old, $new times new, last call $n" >&3
	[ "$state" = new ] && [ "$old" -ge 1 ]
}

present='file:now
three:three
two:two'

after_create() {
	[ "$(now_shows victim)" = "$present" ] || { now_shows victim; return 1; }
	[ -e "$CONTAINERS/victim/snapshots/four" ] || { echo old; return; }
	[ "$(label_shows victim four)" = "$present" ] || { label_shows victim four; return 1; }
	[ -z "$(ls "$CONTAINERS/victim/rootfs-layer")" ] || { echo "the top layer is still there"; return 1; }
	echo new
}

@test "snapshot create" {
	kill_everywhere after_create --quiet snapshot create victim four
}

after_restore() {
	local kept
	kept=$(ls "$CONTAINERS/victim/snapshots" | grep before-restore || true)
	if [ "$(now_shows victim)" = "$present" ] && [ -z "$kept" ]; then
		echo old
		return
	fi
	[ "$(now_shows victim)" = $'file:one\none:one' ] || { now_shows victim; return 1; }
	[ "$(label_shows victim "$kept")" = "$present" ] || { label_shows victim "$kept"; return 1; }
	echo new
}

@test "snapshot restore" {
	kill_everywhere after_restore --quiet snapshot restore victim one
}

after_delete() {
	[ "$(now_shows victim)" = "$present" ] || { now_shows victim; return 1; }
	[ "$(label_shows victim one)" = $'file:one\none:one' ] || return 1
	[ "$(label_shows victim three)" = $'file:three\none:one\nthree:three\ntwo:two' ] ||
		{ label_shows victim three; return 1; }
	if [ -e "$CONTAINERS/victim/snapshots/two" ]; then
		[ "$(label_shows victim two)" = $'file:two\none:one\ntwo:two' ] || return 1
		echo old
	else
		echo new
	fi
}

@test "snapshot delete in the middle" {
	kill_everywhere after_delete --quiet snapshot delete victim two
	# All of it was done the last time: the layer in the middle is merged into the next one.
	is "$(ls "$LAYERBOX_ROOT/layers" | wc -l)" 2
}

after_clone() {
	[ "$(now_shows victim)" = "$present" ] || { now_shows victim; return 1; }
	[ -d "$CONTAINERS/copy" ] || { echo old; return; }
	[ "$(shows "$(key "$CONTAINERS/copy/container.conf" layers)" /nowhere)" = "$present" ] || return 1
	layerbox --quiet delete copy
	echo new
}

@test "clone" {
	echo copy >> "$BATS_FILE_TMPDIR/names"
	kill_everywhere after_clone --quiet clone victim copy
}

# killed_at CALL N COMMAND...
killed_at() {
	local call=$1 n=$2 status=0
	shift 2
	timeout -s KILL 20 strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" layerbox "$@" \
		2> /dev/null 3>&- || status=$?
	is "$status" 137
}

# A restore of the victim that was killed when the old top layer was a layer already, and nothing else in its place.
half_restore() {
	local n
	for n in 1 2 3 4 5 6; do
		make_victim
		killed_at renameat "$n" --quiet snapshot restore victim one
		[ -d "$CONTAINERS/victim/next" ] && [ ! -e "$CONTAINERS/victim/rootfs-layer" ] || continue
		break
	done
	[ -f "$CONTAINERS/victim/next/snapshot" ]
	layer=$(key "$CONTAINERS/victim/next/switch" layer)
	[ -d "$LAYERBOX_ROOT/layers/$layer/rootfs-layer" ]
}

@test "what a killed restore keeps is not swept before it is finished" {
	half_restore
	layerbox --quiet create other
	echo other >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet snapshot create other old
	layerbox --quiet snapshot delete other old
	[ -d "$LAYERBOX_ROOT/layers/$layer/rootfs-layer" ]
	layerbox --quiet delete other
	nothing_half_made
	is "$(after_restore)" new
}

@test "the layer of a first snapshot that was killed goes with its container" {
	local n
	for n in 1 2 3 4 5 6; do
		layerbox --quiet delete --all --force
		layerbox --quiet create victim
		echo mine > "$CONTAINERS/victim/rootfs-layer/file"
		killed_at renameat "$n" --quiet snapshot create victim first
		[ -d "$CONTAINERS/victim/next" ] && [ ! -e "$CONTAINERS/victim/rootfs-layer" ] || continue
		break
	done
	[ -f "$CONTAINERS/victim/next/snapshot" ] && [ ! -e "$CONTAINERS/victim/snapshots" ]
	[ -f "$LAYERBOX_ROOT/layers/$(key "$CONTAINERS/victim/next/switch" layer)/rootfs-layer/file" ]
	succeeds layerbox --quiet delete victim
	is "$(ls -A "$LAYERBOX_ROOT/layers")" ''
}

@test "a change that cannot be read is not forgotten" {
	half_restore
	before=$(ls -R "$CONTAINERS/victim" "$LAYERBOX_ROOT/layers")
	# No descriptor for the switch, then for the record, then for the snapshot.
	for n in 1 2 3; do
		refused "$FAILED" "cannot read" strace -qq -o /dev/null -P "$CONTAINERS/victim/next" -e trace=openat \
			-e inject=openat:error=EMFILE:when="$n" layerbox snapshot create victim later
		is "$(ls -R "$CONTAINERS/victim" "$LAYERBOX_ROOT/layers")" "$before"
	done
	# An older version does not know every key.
	cp "$CONTAINERS/victim/next/container.conf" "$BATS_TEST_TMPDIR/record"
	echo 'key.of.later = yes' >> "$CONTAINERS/victim/next/container.conf"
	refused "$DAMAGED" "key.of.later" layerbox snapshot create victim later
	is "$(ls -R "$CONTAINERS/victim" "$LAYERBOX_ROOT/layers")" "$before"
	# And what a sweep cannot read keeps all layers.
	layerbox --quiet create other
	echo other >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet snapshot create other old
	run layerbox snapshot delete other old
	[ -d "$LAYERBOX_ROOT/layers/$layer/rootfs-layer" ]
	layerbox --quiet delete other
	cp "$BATS_TEST_TMPDIR/record" "$CONTAINERS/victim/next/container.conf"
	nothing_half_made
	is "$(after_restore)" new
}

@test "a change of which nothing has moved, and not all was written, is forgotten" {
	local n file
	for file in switch container.conf snapshot; do
		for n in 1 2 3 4; do
			make_victim
			killed_at renameat "$n" --quiet snapshot restore victim one
			[ ! -d "$CONTAINERS/victim/next" ] || break
		done
		[ -d "$CONTAINERS/victim/rootfs-layer" ]
		: > "$CONTAINERS/victim/next/$file"
		succeeds layerbox snapshot expire victim one never
		[[ "$stderr" == *"is forgotten"* ]] || fail "$stderr"
		nothing_half_made
		is "$(after_restore)" old
	done
}

@test "a change that is committed counts as made, whatever keeps it from being finished" {
	make_victim
	run --separate-stderr strace -qq -o /dev/null -P "$CONTAINERS/victim" -e trace=renameat \
		-e inject=renameat:error=EIO:when=1 layerbox snapshot create victim four
	[ "$status" -eq 0 ] || fail "$stderr"
	[[ "$stderr" == *"the next command tries again"* ]] || fail "$stderr"
	[ -d "$CONTAINERS/victim/next" ]
	layerbox --quiet snapshot expire victim four never
	nothing_half_made
	is "$(after_create)" new
}
