#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# A container goes to another host: another root here, with a network of its own, reached by a program in ssh's place.
load ../lib/common

BASE_DIFFERS=27

setup_file() {
	common_setup_file
	OTHER=$(mktemp -d "${TMPDIR:-/tmp}/layerbox-other.XXXXXX")
	chmod 755 "$OTHER"
	mkdir "$BATS_FILE_TMPDIR/bin"
	export OTHER SSH_STATE=$BATS_FILE_TMPDIR
	printf '%s\n' "root = $OTHER" 'base = busybox' 'bridge = lbother' 'subnet = 10.0.9.0/24' > /etc/layerbox/other.conf
	# What ssh does with its words, as far as they are used; $SSH_STATE/fail is sourced before the command runs.
	cat > "$BATS_FILE_TMPDIR/bin/ssh" <<-'END'
		#!/bin/bash
		echo "$@" >> "$SSH_STATE/calls"
		while [ "$1" != -- ]; do shift; done
		[ "$2" = there ] || { echo "ssh: Could not resolve hostname $2" >&2; exit 255; }
		shift 2
		run() { env -u LAYERBOX_ROOT bash -c "$(printf '%s ' "$@" | sed 's,^layerbox,layerbox --config /etc/layerbox/other.conf,')"; }
		[ ! -e "$SSH_STATE/fail" ] || . "$SSH_STATE/fail"
		run "$@"
	END
	chmod 755 "$BATS_FILE_TMPDIR/bin/ssh"
	printf '%s\n' 'base = busybox' "ssh = $BATS_FILE_TMPDIR/bin/ssh" > /etc/layerbox/layerbox.conf
	other --quiet init
	other --quiet base build busybox
	other --quiet net up
	ls -d /sys/class/net/* > "$BATS_FILE_TMPDIR/interfaces"
	echo tiger >> "$BATS_FILE_TMPDIR/names"
}

teardown_file() {
	other --quiet net down
	rm -rf "$OTHER"
	common_teardown_file
}

teardown() {
	rm -f "$SSH_STATE/fail"
	layerbox --quiet list > /dev/null
	other --quiet delete --all --force
	is_empty "$OTHER/containers"
	is_empty "$OTHER/layers"
	common_teardown
	is_empty "$LAYERBOX_ROOT/layers"
	refute pgrep -af "^\[lxc monitor\] $OTHER/"
}

other() {
	env -u LAYERBOX_ROOT layerbox --config /etc/layerbox/other.conf "$@" 3>&-
}

make_tiger() {
	make tiger
	layerbox --quiet start tiger
	layerbox exec tiger -- sh -c 'echo mine > /file; head -c 200000 /dev/urandom > /random; rm /etc/group'
	sum=$(layerbox exec tiger -- sha256sum /random)
}

# fail_at WORDS SCRIPT: what ssh does instead when its words have these in them.
fail_at() {
	printf 'case "$*" in\n*"%s"*)\n%s\n;;\nesac\n' "$1" "$2" > "$SSH_STATE/fail"
}

runs_here() {
	is "$(names)" tiger
	state_is tiger running
	[ "$(layerbox exec tiger -- sha256sum /random)" = "$sum" ] && [ "$(layerbox exec tiger -- cat /file)" = mine ]
	[ ! -e "$CONTAINERS/tiger/move" ]
}

runs_there() {
	is "$(names)" ""
	is "$(other info tiger --json | jq -r .state)" running
	[ "$(other exec tiger -- sha256sum /random)" = "$sum" ] && [ "$(other exec tiger -- cat /file)" = mine ]
	other exec tiger -- sh -c '[ ! -e /etc/group ]'
}

nothing_there() {
	is_empty "$OTHER/containers"
	is_empty "$OTHER/layers"
}

@test "a running container goes on there, with its files, settings and name" {
	make_tiger
	layerbox --quiet set tiger memory=64M description=moved
	id=$(layerbox exec tiger -- cat /etc/machine-id)
	: > "$SSH_STATE/calls"
	succeeds layerbox move tiger ssh://admin@there:2222
	says "moved tiger to ssh://admin@there:2222"
	grep -q '^-p 2222 -l admin -- there layerbox ' "$SSH_STATE/calls"
	runs_there
	is "$(other exec tiger -- hostname)" tiger
	is "$(other exec tiger -- cat /etc/machine-id)" "$id"
	is "$(other get tiger memory)" 64M
	is "$(other info tiger --json | jq -r .description)" moved
	[[ $(other info tiger --json | jq -r .ipv4) == 10.0.9.* ]]
	is "$(other snapshot list tiger --json | jq length)" 0
	is_empty "$LAYERBOX_ROOT/layers"
	is_empty "$CONTAINERS"
	other --quiet restart tiger
	runs_there
}

@test "one with a static address gets one of the other network, in its files, too" {
	make tiger --static
	before=$(field tiger ipv4)
	layerbox --quiet move tiger ssh://there
	address=$(other info tiger --json | jq -r .ipv4)
	[[ $address == 10.0.9.* ]]
	other --quiet start tiger
	has_address() { other exec tiger -- ip -4 -o address show eth0 | grep -qF " $address/24"; }
	wait_until 10 has_address
	other exec tiger -- ip route | grep -qF 'default via 10.0.9.1'
	refute other exec tiger -- grep -rqF "$before" /etc
}

@test "what is sent while it is stopped is what changed meanwhile" {
	make_tiger
	layerbox exec tiger -- sh -c 'head -c 3000000 /dev/urandom > /big'
	# What changed at the very moment of the copy is sent once more.
	changed=$(date +%s%N -r "$CONTAINERS/tiger/rootfs-layer/big")
	wait_until 2 eval '[ $(($(date +%s%N) - changed)) -gt 300000000 ]'
	fail_at "receive --as tiger" 'tee >(wc -c >> "$SSH_STATE/sizes") | run "$@"; exit'
	rm -f "$SSH_STATE/sizes"
	layerbox --quiet move tiger ssh://there
	runs_there
	wait_until 5 test "$(wc -l < "$SSH_STATE/sizes")" = 2
	[ "$(head -n 1 "$SSH_STATE/sizes")" -gt 3000000 ]
	[ "$(tail -n 1 "$SSH_STATE/sizes")" -lt 100000 ] || fail "$(cat "$SSH_STATE/sizes")"
}

@test "a stopped container stays stopped, and its snapshots go along" {
	make_tiger
	layerbox --quiet snapshot create tiger live
	layerbox --quiet stop tiger
	layerbox --quiet snapshot create tiger monday
	echo later > "$BATS_TEST_TMPDIR/file"
	layerbox --quiet push tiger "$BATS_TEST_TMPDIR/file" /later
	layerbox --quiet snapshot create tiger tuesday
	layerbox --quiet move tiger ssh://there
	is "$(other info tiger --json | jq -r .state)" stopped
	is "$(other snapshot list tiger --json | jq -r '[.[].label] | sort | join(" ")')" "live monday tuesday"
	other --quiet start tiger
	is "$(other exec tiger -- cat /later)" later
	other --quiet stop tiger
	other --quiet snapshot restore tiger monday
	other --quiet start tiger
	runs_there
	refute other exec tiger -- cat /later
}

@test "clones that share layers go one after the other" {
	make tiger
	echo lion >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet snapshot create tiger monday
	layerbox --quiet clone tiger lion
	layerbox --quiet snapshot create lion monday
	layerbox --quiet move tiger ssh://there
	layerbox --quiet move lion ssh://there
	is "$(other list --json | jq -r '[.[].name] | join(" ")')" "lion tiger"
	other --quiet start lion tiger
	is "$(other exec lion -- hostname)" lion
}

@test "a base that is not there goes along; one that is another is refused before anything is sent" {
	make_tiger
	mv "$OTHER/os-bases/busybox" "$BATS_TEST_TMPDIR/"
	layerbox --quiet move tiger ssh://there
	runs_there
	succeeds other base verify busybox@1
	other --quiet delete tiger --force
	make_tiger
	echo changed >> "$OTHER/os-bases/busybox/1/manifest"
	refused "$BASE_DIFFERS" "busybox@1" layerbox -q move tiger ssh://there
	runs_here
	nothing_there
	other --quiet base delete busybox
	mv "$BATS_TEST_TMPDIR/busybox" "$OTHER/os-bases/"
}

@test "a host that cannot be reached, a name that is taken there, words that are none: nothing has changed" {
	make_tiger
	refused "$PROGRAM_FAILED" "Could not resolve" layerbox -q move tiger ssh://elsewhere
	refused "$BAD_VALUE" "no place to move to" layerbox -q move tiger there
	refused "$BAD_VALUE" "no place to move to" layerbox -q move tiger ssh://-oProxyCommand=x
	refused "$NO_CONTAINER" "lion" layerbox -q move lion ssh://there
	other --quiet create tiger
	refused "$EXISTS" "already" layerbox -q move tiger ssh://there
	other --quiet delete tiger
	tells "tiger is here and nowhere else" layerbox move tiger --back
	runs_here
	nothing_there
}

@test "whatever fails before the other side has it: it runs here, and nothing is there" {
	make_tiger
	for step in "--probe" "receive --as tiger" "--replace" "--commit"; do
		for way in 'exit 255' 'kill -9 $$' 'head -c 500 > /dev/null; exit 255' 'head -c 500 | run "$@"; exit'; do
			[[ $step != --[pc]* || $way != head* ]] || continue
			echo "at $step: $way"
			fail_at "$step" "$way"
			run layerbox -q move tiger ssh://there
			[ "$status" -ne 0 ]
			rm -f "$SSH_STATE/fail"
			runs_here
			nothing_there
			is "$(layerbox snapshot list tiger --json | jq length)" 0
		done
	done
}

@test "a container that does not start there runs on here" {
	make_tiger
	helper=/usr/libexec/layerbox/layerbox-lxc
	fail_at "--commit" "mount --bind /bin/false $helper; run \"\$@\"; r=\$?; umount $helper; exit \$r"
	run layerbox -q move tiger ssh://there
	[ "$status" -ne 0 ]
	[[ $output == *"ssh://there: layerbox: "*"helper program"* ]] || fail "$output"
	runs_here
	nothing_there
}

@test "the other side took over, and the word of it is lost: asked again, it is there" {
	make_tiger
	# Both the answer and the question whether it can be taken back are lost.
	fail_at "--commit" 'run "$@" > /dev/null; echo "exit 255" > "$SSH_STATE/fail"; exit 255'
	run layerbox -q move tiger ssh://there
	is "$status" "$PROGRAM_FAILED"
	[[ $output == *"asks again"* ]] || fail "$output"
	state_is tiger stopped
	refused "$BUSY" "may run on ssh://there" layerbox -q start tiger
	run lxc-start -P "$CONTAINERS" -n tiger
	[ "$status" -ne 0 ]
	refused "$PROGRAM_FAILED" "" layerbox -q move tiger --back
	refused "$BUSY" "name that host" layerbox -q move tiger ssh://elsewhere
	rm "$SSH_STATE/fail"
	refused "$EXISTS" "lives on" layerbox -q move tiger --back
	state_is tiger stopped
	succeeds layerbox -q move tiger ssh://there
	runs_there
}

@test "it took over, and was renamed or deleted there since: it is not brought to life here again" {
	for since in rename delete; do
		make_tiger
		fail_at "--commit" 'run "$@" > /dev/null; echo "exit 255" > "$SSH_STATE/fail"; exit 255'
		run layerbox -q move tiger ssh://there
		is "$status" "$PROGRAM_FAILED"
		rm "$SSH_STATE/fail"
		if [ "$since" = rename ]; then
			other --quiet stop tiger
			other --quiet rename tiger lion
		else
			other --quiet delete --force tiger
		fi
		refused "$EXISTS" "lives on" layerbox -q move tiger --back
		succeeds layerbox -q move tiger ssh://there
		is "$(names)" ""
	done
}

@test "the other side did not take over, and cannot be asked: it can be taken back, asked or not" {
	make_tiger
	fail_at "--commit" 'echo "exit 255" > "$SSH_STATE/fail"; exit 255'
	run layerbox -q move tiger ssh://there
	is "$status" "$PROGRAM_FAILED"
	state_is tiger stopped
	rm "$SSH_STATE/fail"
	refused "$BUSY" "is being moved here" other -q start tiger
	tells "tiger is here again" layerbox move tiger --back
	runs_here
	nothing_there
	fail_at "--commit" 'echo "exit 255" > "$SSH_STATE/fail"; exit 255'
	run layerbox -q move tiger ssh://there
	state_is tiger stopped
	tells "tiger is here again" layerbox move tiger --back --unasked
	rm "$SSH_STATE/fail"
	runs_here
	# What is left there does not stand in the way of the next try.
	succeeds layerbox -q move tiger ssh://there
	runs_there
}

@test "a container that was started there is not taken away again, though that could not be written down" {
	make_tiger
	touch "$OTHER/arrived"
	mount --bind "$OTHER/arrived" "$OTHER/arrived"
	mount -o remount,bind,ro "$OTHER/arrived"
	run layerbox -q move tiger ssh://there
	is "$status" "$PROGRAM_FAILED"
	is "$(other info tiger --json | jq -r .state)" running
	other exec tiger -- sh -c 'echo new > /new'
	refused "$PROGRAM_FAILED" "" layerbox -q move tiger --back
	umount "$OTHER/arrived"
	is "$(other info tiger --json | jq -r .state)" running
	refused "$EXISTS" "lives on" layerbox -q move tiger --back
	succeeds layerbox -q move tiger ssh://there
	runs_there
	is "$(other exec tiger -- cat /new)" new
}

@test "a stream of another move does not take the place of what is being started" {
	make_tiger
	fail_at "--commit" 'echo "exit 255" > "$SSH_STATE/fail"; exit 255'
	run layerbox -q move tiger ssh://there
	rm "$SSH_STATE/fail"
	sed -i 's/^stage = .*/stage = starting/' "$OTHER/containers/tiger/move/state"
	refused "$EXISTS" "already" other -q receive --as tiger --incoming 0123456789abcdef0123456789abcdef < <(layerbox -q export tiger --snapshot "$(layerbox snapshot list tiger --json | jq -r '.[0].label')")
	refused "$BUSY" "just being moved here" other -q rename tiger lion
	succeeds layerbox -q move tiger ssh://there
	runs_there
}

@test "what others make and delete while a container is moved is there, or gone, afterwards" {
	make_tiger
	layerbox --quiet snapshot create tiger one
	layerbox --quiet snapshot create tiger two
	# Behind the last of what is there at the beginning.
	fail_at "receive --as tiger" 'run "$@"; r=$?
		[ -e "$SSH_STATE/once" ] || { touch "$SSH_STATE/once"
			layerbox -q snapshot create tiger three; layerbox -q snapshot delete tiger one; layerbox -q snapshot rename tiger two deux; }
		exit $r'
	rm -f "$SSH_STATE/once"
	succeeds layerbox -q move tiger ssh://there
	runs_there
	is "$(other snapshot list tiger --json | jq -r '[.[].label] | sort | join(" ")')" "deux three"
}

@test "what was decided is not changed any more" {
	make_tiger
	layerbox --quiet snapshot create tiger one
	fail_at "--commit" 'echo "exit 255" > "$SSH_STATE/fail"; exit 255'
	run layerbox -q move tiger ssh://there
	is "$status" "$PROGRAM_FAILED"
	echo x > "$BATS_TEST_TMPDIR/file"
	for words in "snapshot create tiger" "snapshot restore tiger one" "snapshot delete tiger one" "snapshot rename tiger one two" \
		"rename tiger lion" "set tiger memory=64M" "forward add tiger 8883:1883" "push tiger $BATS_TEST_TMPDIR/file /file"; do
		refused "$BUSY" "may run on ssh://there" layerbox -q $words
	done
	rm "$SSH_STATE/fail"
	succeeds layerbox -q move tiger ssh://there
	runs_there
	is "$(other snapshot list tiger --json | jq -r '[.[].label] | join(" ")')" one
}

# On one of both sides, whole; never on both.
is_somewhere() {
	local here there
	layerbox --quiet list > /dev/null 2>&1
	here=$(layerbox info tiger --json 2> /dev/null | jq -r .state)
	there=$(other info tiger --json 2> /dev/null | jq -r .state)
	echo "here: ${here:-gone}, there: ${there:-gone}"
	[ "$here/$there" != running/running ]
	if [ "$here" != running ]; then
		# In doubt, or done.
		[ -z "$here" ] || layerbox --quiet move tiger ssh://there || layerbox --quiet start tiger
	fi
	here=$(layerbox info tiger --json 2> /dev/null | jq -r .state)
	there=$(other info tiger --json 2> /dev/null | jq -r .state)
	if [ "$here" = running ]; then
		[ "$there" != running ]
		runs_here
	else
		runs_there
	fi
}

@test "kill -9 of move at any moment: it is on one side, whole, and runs" {
	make_tiger
	for call in renameat2,renameat mkdirat clone,clone3,fork,vfork fsync,fdatasync; do
		for ((n = 1, status = 1; status != 0; n += 3)); do
			status=0
			# Only of the program itself: those that it runs end with it.
			timeout -s KILL 60 strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" layerbox -q move tiger \
				ssh://there > "$BATS_TEST_TMPDIR/out" 2>&1 3>&- || status=$?
			echo "before call $n of $call: exit code $status"
			sleep 0.2
			is_somewhere
			other --quiet delete --all --force
			nothing_there
			[ "$(names)" = tiger ] || make_tiger
		done
	done
}

@test "kill -9 of the receiver at any moment: it runs here, or there" {
	make_tiger
	for step in "receive --as tiger" "--replace" "--commit"; do
		for n in 1 2 3 5 8; do
			fail_at "$step" "run strace -qq -f -o /dev/null -e trace=renameat2,renameat,mkdirat -e inject=renameat2,renameat,mkdirat:signal=KILL:when=$n \"\$@\"; exit"
			run layerbox -q move tiger ssh://there
			rm -f "$SSH_STATE/fail"
			echo "at $step, call $n: exit code $status"
			is_somewhere
			other --quiet delete --all --force
			nothing_there
			[ "$(names)" = tiger ] || make_tiger
		done
	done
}
