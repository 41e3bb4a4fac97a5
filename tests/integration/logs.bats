#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Logs of containers: their consoles, on the host; and their journals, asked from a journalctl that may mean harm.
load ../lib/common

lxc=/usr/libexec/layerbox/layerbox-lxc

teardown() {
	[ -z "${follower:-}" ] || kill "$follower" 2> /dev/null || true
	umount "$lxc" 2> /dev/null || true
	common_teardown
	is "$(ls "$LAYERBOX_ROOT/logs")" events.log
}

# prints NAME TEXT...: a line on its console.
prints() {
	local name=$1
	shift
	layerbox exec "$name" -- sh -c 'printf "\n%s\n" "$0" > /dev/console' "$*"
}

console() { echo "$LAYERBOX_ROOT/logs/$1/console.log"; }

# has_journal NAME: a program in journalctl's place, which says how it was called; the rest of it is standard input.
has_journal() {
	local program=$CONTAINERS/$1/rootfs-layer/usr/local/bin/journalctl
	mkdir -p "${program%/*}"
	{
		printf '#!/bin/sh\n{ echo "$*" > /called; } 2> /dev/null\n'
		cat
	} > "$program"
	chmod 755 "$program"
}

# called: what is not the same in each call of it.
called() {
	layerbox exec wolf -- sed 's/^--no-pager --quiet --no-hostname --output=short-iso\(-precise\)\? *//' /called
}

# follow ARGUMENTS...: `layerbox logs -f`, into $out.
follow() {
	out=$BATS_TEST_TMPDIR/out
	command layerbox logs -f "$@" >> "$out" 2>&1 3>&- &
	follower=$!
}

@test "a console is logged where the container cannot reach it, for root and adm; it goes with its container" {
	make wolf
	make fox --privileged
	layerbox --quiet start wolf fox
	prints wolf one
	prints fox two
	wait_until 5 grep -q one "$(console wolf)"
	wait_until 5 grep -q two "$(console fox)"
	is "$(stat -c '%a %U %G' "$LAYERBOX_ROOT/logs/wolf" "$(console wolf)" "$(console fox)")" "2750 root adm
640 root adm
640 root adm"
	refute grep -rq console.log "$CONTAINERS/wolf/rootfs-layer"
	layerbox --quiet stop --kill wolf fox
	layerbox --quiet rename wolf bear
	grep -q one "$(console bear)"
	layerbox --quiet delete bear fox
	is "$(ls "$LAYERBOX_ROOT/logs")" events.log
	mkdir -p "$LAYERBOX_ROOT/logs/wolf"
	echo secret > "$(console wolf)"
	run -1 --separate-stderr layerbox doctor
	is "$output" "$LAYERBOX_ROOT/logs/wolf: is the log of a container that is not there any more
    remove it when nobody wants it any more: rm -r $LAYERBOX_ROOT/logs/wolf"
	grep -q secret "$(console wolf)"
	make wolf
	layerbox --quiet doctor
	[ ! -e "$(console wolf)" ]
	lxc-start -P "$CONTAINERS" -n wolf 3>&-
	wait_until 5 grep -q activate "$(console wolf)"
	is "$(stat -c %a "$(console wolf)")" 640
}

@test "a console that is full begins anew, and whoever may read logs may read that" {
	make wolf --start
	layerbox exec wolf -- sh -c 'yes "all work and no play" | head -n 70000 > /dev/console; echo last > /dev/console'
	wait_until 5 eval 'tail -n 1 "$(console wolf)" | grep -q last'
	is "$(stat -c %s "$(console wolf).1")" 1048576
	[ "$(stat -c %s "$(console wolf)")" -lt 1048576 ]
	layerbox list > /dev/null
	is "$(stat -c %a "$(console wolf)" "$(console wolf).1" | uniq)" 640
	succeeds layerbox logs -n 3 wolf
	is "$output" "all work and no play
all work and no play
last"
	[ "$(layerbox logs wolf | wc -l)" -gt 69900 ] # LXC loses the seam
}

@test "what a container prints does nothing to a terminal" {
	make wolf --start
	layerbox exec wolf -- sh -c 'printf "\na\033]0;x\007\302\233b\xff\tc\n" > /dev/console'
	wait_until 5 grep -q b "$(console wolf)"
	succeeds layerbox logs -n 1 wolf
	is "$output" "a?]0;x???b?	c"
	says "container 'wolf' has no journal: this is its console"
}

@test "without a journal, of one that is stopped: its console; and what cannot be asked for" {
	make wolf
	succeeds layerbox logs wolf
	is "$output" ''
	says "has not been started"
	layerbox --quiet start wolf
	prints wolf hello
	layerbox --quiet stop --kill wolf
	succeeds layerbox logs wolf
	[[ $output == *hello* ]]
	says "container 'wolf' has no journal on disk: this is its console"
	is_empty "$LAYERBOX_ROOT/layers"
	refused $NO_CONTAINER "no container 'fox'" layerbox logs fox
	refused $USAGE 'does not say when' layerbox logs wolf --console --boot
	refused $USAGE 'number from 1' layerbox logs wolf -n 0
	refused $USAGE 'is no time' layerbox logs wolf --since now
	refused $BAD_VALUE 'give a number of lines, or a time' layerbox logs wolf -f -n 3 --since 1h
	local filter
	for filter in --since=1h --boot --unit=nginx; do
		succeeds layerbox logs wolf "$filter"
		is "$output" ''
		says "its console does not say when, or by which unit, and is not shown"
	done
}

@test "several: each line says whose it is; who follows has them as they come, over rotation, stop and start" {
	make wolf
	make pragmatic
	layerbox --quiet start wolf pragmatic
	prints wolf one
	prints pragmatic two
	wait_until 5 grep -q two "$(console pragmatic)"
	succeeds layerbox logs --all --console
	[[ $output == *$'\nwolf       one'* && $output == *$'\npragmatic  two'* ]]
	follow wolf pragmatic
	wait_until 5 grep -q '^pragmatic  two' "$out"
	prints wolf three
	wait_until 5 grep -q '^wolf       three' "$out"
	layerbox exec wolf -- sh -c 'yes "all work and no play" | head -n 50000 > /dev/console; echo four > /dev/console'
	wait_until 10 grep -q '^wolf       four' "$out"
	layerbox --quiet stop --kill wolf
	layerbox --quiet start wolf
	prints wolf five
	wait_until 5 grep -q '^wolf       five' "$out"
	layerbox --quiet delete --force wolf pragmatic
	wait_until 5 eval '! kill -0 $follower 2> /dev/null'
	wait "$follower"
}

@test "who follows several ends when nobody reads that any more" {
	make wolf pragmatic --start
	layerbox exec wolf -- sh -c 'while sleep 0.1; do echo one > /dev/console; done' 3>&- &
	succeeds timeout 10 sh -c 'layerbox logs --console -f wolf pragmatic | head -n 1 > /dev/null'
	layerbox --quiet stop --kill --all
	wait
}

@test "a journal is asked for by arguments; in one that is stopped, it changes nothing of it" {
	make wolf
	has_journal wolf <<< 'echo "2026-11-21T20:11:05+0000 sshd[7]: a	b"; touch /changed'
	layerbox --quiet start wolf
	succeeds layerbox logs wolf --unit 'a;b $(c)' --boot -n 5
	is "$output" "2026-11-21T20:11:05+0000 sshd[7]: a	b"
	is "$stderr" ''
	is "$(called)" "--boot=0 --unit=a;b \$(c) --lines=5"
	succeeds layerbox logs wolf --since 2026-11-21T00:00
	is "$(called)" "--since=@$(date -d 2026-11-21 +%s)"
	has_journal wolf <<< 'i=0; while [ $i -lt 1000 ]; do echo $i; i=$((i + 1)); done; touch /changed'
	succeeds layerbox logs wolf --since 1h -n 3
	is "$output" $'997\n998\n999'
	[[ $(called) != *lines* ]]
	layerbox --quiet stop --kill wolf
	rm "$CONTAINERS"/wolf/rootfs-layer/{called,changed}
	succeeds layerbox logs wolf --boot -n 2
	is "${lines[999]}" 999
	has_journal wolf <<< 'ulimit -f'
	succeeds layerbox logs wolf
	is "$output" 0
	says "container 'wolf' is stopped: this was its journal as it is on disk"
	[ ! -e "$CONTAINERS/wolf/rootfs-layer/called" ]
	is_empty "$LAYERBOX_ROOT/layers"
}

@test "an empty journal is none; one without such lines is there, and who could not enter has not read it" {
	make wolf
	has_journal wolf <<< 'exit 0' # as journalctl --quiet ends, that has found no file
	layerbox --quiet start wolf
	prints wolf hello
	wait_until 5 grep -q hello "$(console wolf)"
	succeeds layerbox logs wolf
	[[ $output == *hello* ]]
	says "has no journal"
	tells '' layerbox logs wolf --unit nginx
	is "$(called)" "--unit=nginx"
	has_journal wolf <<< 'echo "Data from the specified boot (+0) is not available: No such boot ID in journal"; exit 1'
	succeeds layerbox logs wolf
	[[ $output == *hello* ]]
	has_journal wolf <<< 'echo one; kill -KILL $$'
	run --separate-stderr layerbox logs wolf
	is "$status $output" "$PROGRAM_FAILED one"
	says "ended with status 137"
	printf '#!/bin/sh\necho "layerbox: LXC could not enter container wolf"\nexit 125\n' > "$BATS_TEST_TMPDIR/lxc"
	chmod 755 "$BATS_TEST_TMPDIR/lxc"
	mount --bind "$BATS_TEST_TMPDIR/lxc" "$lxc"
	refused $RUNTIME "could not enter container wolf" layerbox logs wolf
	umount "$lxc"
}

@test "who follows a quiet journal and is told to end has not failed" {
	local input=$BATS_TEST_TMPDIR/input
	make wolf
	has_journal wolf <<< 'exec sleep 1234'
	layerbox --quiet start wolf
	mkfifo "$input"
	"${LAYERBOX_TEST_BUILD:-$BATS_TEST_DIRNAME/../../build}"/tests/integration/follow wolf < "$input" 3>&- &
	follower=$!
	exec 7> "$input"
	wait_until 5 eval '[ -n "$(layerbox exec wolf -- pidof sleep)" ]'
	exec 7>&-
	wait "$follower"
}

@test "a journalctl that lies, or never ends: it ends with who follows" {
	make wolf
	has_journal wolf <<< 'echo "No journal files were found."; exit 1'
	layerbox --quiet start wolf
	prints wolf hello
	wait_until 5 grep -q hello "$(console wolf)"
	succeeds layerbox logs wolf
	[[ $output == *hello* ]]
	has_journal wolf <<< 'exit 3'
	refused $PROGRAM_FAILED 'ended with status 3' layerbox logs wolf
	has_journal wolf <<< 'echo begin; exec sleep 1234'
	follow wolf
	wait_until 5 grep -q begin "$out"
	kill -KILL "$follower"
	wait_until 5 eval '! layerbox exec wolf -- pidof sleep'
	: > "$out"
	follow wolf
	wait_until 5 grep -q begin "$out"
	layerbox --quiet stop --kill wolf
	wait_until 5 grep -q "container 'wolf' has stopped" "$out"
	layerbox --quiet delete wolf
	wait_until 5 eval '! kill -0 $follower 2> /dev/null'
	wait "$follower"
}

@test "a journal is followed on when its reader is killed, and when its container is started again" {
	make wolf
	has_journal wolf <<< 'case $* in *--directory*) echo old; exit ;; esac; echo begin; exec sleep 1234'
	follow wolf # while it is stopped
	wait_until 5 grep -q "is stopped: this was its journal" "$out"
	layerbox --quiet start wolf
	wait_until 5 eval '[ "$(layerbox exec wolf -- pidof sleep | wc -w)" = 1 ]'
	[[ $(called) == --follow\ --since=@*.??????\ --no-tail ]]
	: > "$out"
	layerbox exec wolf -- killall sleep
	wait_until 5 grep -q "journal of container 'wolf' is not followed at this moment: its journalctl has ended" "$out"
	wait_until 5 grep -q begin "$out"
	layerbox --quiet stop --kill wolf
	wait_until 5 grep -q "container 'wolf' has stopped" "$out"
	: > "$out"
	layerbox --quiet start wolf
	wait_until 5 grep -q begin "$out"
	layerbox --quiet delete --force wolf
	wait_until 5 eval '! kill -0 $follower 2> /dev/null'
	wait "$follower"
}

@test "who follows one that has logged nothing yet has what it logs then" {
	make wolf fox
	has_journal fox <<< 'echo "No journal files were found."; exit 1'
	layerbox --quiet start fox
	follow fox --unit nginx
	wait_until 5 grep -q "is not shown" "$out"
	has_journal fox <<< 'echo begin; exec sleep 1234'
	wait_until 5 grep -q begin "$out"
	layerbox --quiet delete --force fox
	wait_until 5 eval '! kill -0 $follower 2> /dev/null'
	wait "$follower"
	follow wolf
	wait_until 5 grep -q "container 'wolf' has no log of its console" "$out"
	layerbox --quiet start wolf
	prints wolf hello
	wait_until 5 grep -q hello "$out"
	layerbox --quiet delete --force wolf
	wait_until 5 eval '! kill -0 $follower 2> /dev/null'
	wait "$follower"
}

@test "who goes on does so behind the last line that was shown, however late that was" {
	make wolf
	has_journal wolf <<- 'END'
		case $* in
		*--since=@1704164645.123456*)
			echo "2024-01-02T03:04:05.123455+0000 wolf[1]: zero"
			echo "2024-01-02T03:04:05.123456+0000 wolf[1]: one"
			echo "    of two lines"
			echo "2024-01-02T03:04:05.000001+0000 wolf[1]: late"
			echo "2024-01-02T03:04:06.000001+0000 wolf[1]: two"
			exec sleep 1234 ;;
		*)
			echo "2024-01-02T03:04:05.123455+0000 wolf[1]: zero"
			echo "2024-01-02T03:04:05.123456+0000 wolf[1]: one"
			echo "    of two lines" ;;
		esac
	END
	layerbox --quiet start wolf
	follow wolf
	wait_until 5 grep -q '1\]: two' "$out"
	is "$(grep -v '^layerbox: ' "$out")" "2024-01-02T03:04:05+0000 wolf[1]: zero
2024-01-02T03:04:05+0000 wolf[1]: one
    of two lines
2024-01-02T03:04:05+0000 wolf[1]: late
2024-01-02T03:04:06+0000 wolf[1]: two"
}

@test "of one that is stopped, the console does not go on behind half a journal" {
	make wolf --start
	prints wolf hello
	has_journal wolf <<< 'case $* in *--directory*) echo one; exit 3 ;; esac; echo two; exec sleep 1234'
	layerbox --quiet stop --kill wolf
	run --separate-stderr layerbox logs wolf
	is "$status $output" "$PROGRAM_FAILED one"
	says "ended with status 3"
	follow wolf
	wait_until 5 grep -q one "$out"
	layerbox --quiet start wolf
	wait_until 5 grep -q two "$out"
	refute grep -q hello "$out"
}
