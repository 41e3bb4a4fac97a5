#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Starting all and stopping all: in which order, and that nobody holds up the others.
load ../lib/common

# timed COMMAND...: runs it; each line that it says goes to $lines with the microsecond when it did; its exit code is in
# $status.
timed() {
	lines=$BATS_TEST_TMPDIR/lines
	{ "$@" 2>&1 && status=0 || status=$?; echo "$status" > "$BATS_TEST_TMPDIR/status"; } |
		while IFS= read -r line; do
			echo "${EPOCHREALTIME/./} $line"
		done > "$lines"
	status=$(cat "$BATS_TEST_TMPDIR/status")
}

# at LINE: when it was said, in ms since the epoch.
at() {
	local us
	us=$(sed -n "s/^\([0-9]*\) $1\$/\1/p" "$lines")
	[ -n "$us" ] || fail "nobody said '$1': $(cat "$lines")"
	echo $((us / 1000))
}

# follows LEAST MOST FIRST SECOND: the line SECOND came so many ms after FIRST.
follows() {
	local first second
	first=$(at "$3") second=$(at "$4")
	[ $((second - first)) -ge "$1" ] && [ $((second - first)) -le "$2" ] ||
		fail "'$4' came $((second - first)) ms after '$3': $(cat "$lines")"
}

said() {
	grep -q "^[0-9]* $1" "$lines" || fail "nobody said '$1': $(cat "$lines")"
}

# The names of those who were started or stopped, in this order.
order_of() {
	sed -n "s/^[0-9]* $1 //p" "$lines" | grep -v '^[0-9]' | xargs
}

last_line() { tail -n 1 "$lines" | cut -d' ' -f 2-; }

running() {
	layerbox list --json | jq -r '[.[] | select(.state == "running") | .name] | join(" ")'
}

# Never gets an address.
without_network() {
	mkdir -p "$CONTAINERS/$1/rootfs-layer/etc/init.d"
	printf '#!/bin/sh\nexec sleep 1000\n' > "$CONTAINERS/$1/rootfs-layer/etc/init.d/dhcp"
	chmod 755 "$CONTAINERS/$1/rootfs-layer/etc/init.d/dhcp"
}

# Does not follow when it is asked to stop.
deaf() {
	layerbox exec "$1" -- sh -c 'printf "#!/bin/sh\nexit 0\n" > /etc/init.d/halt'
}

@test "all that are meant to run are started, once, and named ones always" {
	succeeds layerbox start --all
	is "$stderr" "started 0"
	make c{1..5}
	layerbox set c5 autostart=no
	timed layerbox start --all
	is "$status" 0
	is "$(order_of started | tr ' ' '\n' | sort | xargs)" "c1 c2 c3 c4"
	is "$(last_line)" "started 4"
	layerbox --quiet stop --kill c2
	timed layerbox start --all
	is "$status" 0
	is "$(last_line)" "started 1, 3 ran already"
	tells "started c5" layerbox start c5
	is "$(running)" "c1 c2 c3 c4 c5"
}

@test "a chain: a, then a1 two seconds after a is ready, b meanwhile" {
	make a a1 b
	layerbox set a boot.wait=network
	layerbox set a1 boot.after=a boot.delay=2
	layerbox set b boot.priority=1
	timed layerbox start --all
	is "$status" 0
	is "$(last_line)" "started 3"
	address=$(field a ipv4)
	follows 0 1500 "started a" "ready a: $address"
	follows 1950 5000 "ready a: $address" "started a1"
	follows 500 9000 "started b" "started a1"
	is "$(order_of started | sed 's/^a b/b a/')" "b a a1"
}

@test "list answers while all are started, and a stop of one of them too" {
	make a b
	layerbox set b boot.after=a boot.delay=2
	layerbox --quiet start --all &
	starting=$!
	wait_until 5 state_is a running
	begin=${EPOCHREALTIME/./}
	is "$(layerbox list --json | jq -r '[.[].state] | join(" ")')" "running stopped"
	[ $((${EPOCHREALTIME/./} - begin)) -lt 1000000 ]
	tells "killed a" layerbox stop --kill a
	kill -0 "$starting"
	wait "$starting"
	is "$(running)" b
}

@test "higher priority first" {
	make p{1..5}
	layerbox set p4 boot.priority=1000
	layerbox set p2 boot.priority=20
	layerbox set p5 boot.priority=20
	timed layerbox start --all --jobs 1
	is "$(order_of started)" "p4 p2 p5 p1 p3"
	timed layerbox stop --all --kill --jobs 1
	is "$status:$(last_line)" "0:killed 5"
}

@test "who comes after one that cannot be started begins all the same, and all three are named" {
	layerbox --quiet base build busybox --name gone
	make nobase --base gone
	make badconfig norecord x y z well
	layerbox set x boot.after=nobase
	layerbox set y boot.after="badconfig norecord"
	layerbox set z boot.after="x y"
	mv "$LAYERBOX_ROOT/os-bases/gone" "$LAYERBOX_ROOT/gone"
	echo 'lxc.net.0.type = nonsense' > "$CONTAINERS/badconfig/config.local"
	cp "$CONTAINERS/norecord/container.conf" "$BATS_TEST_TMPDIR/record"
	echo 'nonsense' > "$CONTAINERS/norecord/container.conf"
	timed layerbox start --all
	cp "$BATS_TEST_TMPDIR/record" "$CONTAINERS/norecord/container.conf"
	is "$status" "$BAD_CONFIG"
	said "layerbox: .*norecord/container.conf:1: "
	said "layerbox: .*gone@1"
	said "layerbox: container 'badconfig': "
	is "$(last_line | sed 's/failed: .*//')" "started 4, 3 "
	is "$(last_line | sed 's/.*failed: //' | tr ' ' '\n' | sort | xargs)" "badconfig nobase norecord"
	is "$(running)" "well x y z"
	mv "$LAYERBOX_ROOT/gone" "$LAYERBOX_ROOT/os-bases/gone"
	layerbox --quiet delete nobase
	layerbox --quiet base delete gone
}

@test "one that hangs in boot: others go on, those after it when its time is over" {
	make hangs after well
	without_network hangs
	layerbox set hangs boot.wait=network boot.timeout=1s
	layerbox set after boot.after=hangs
	timed layerbox start --all
	is "$status" "$TIMEOUT"
	is "$(last_line)" "started 3, 1 not ready: hangs"
	follows 950 5000 "started hangs" "layerbox: container 'hangs' has not got its address $(field hangs ipv4) within 1 s"
	follows 0 1500 "layerbox: container 'hangs' has not got its .*" "started after"
	follows 500 6000 "started well" "started after"
	# It runs, and nobody is to be started who would wait for it.
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 0, 3 ran already"
	# Somebody is.
	layerbox --quiet stop --kill after
	timed layerbox start --all
	is "$status:$(last_line)" "$TIMEOUT:started 1, 2 ran already, 1 not ready: hangs"
}

@test "one that ends while it is waited for" {
	make ends after
	without_network ends
	layerbox set ends boot.wait=network boot.timeout=30s
	layerbox set after boot.after=ends
	(wait_until 5 state_is ends running && layerbox --quiet stop --kill ends) 3>&- &
	timed layerbox start --all
	is "$status" "$NOT_RUNNING"
	said "layerbox: container 'ends' has ended again before it was ready"
	is "$(last_line)" "started 2, 1 not ready: ends"
	wait
}

@test "a hook that never ends is given up with all that it has begun, and the others run" {
	make hook others1 others2
	printf '#!/bin/sh\nsetsid sleep 987 &\nsleep 986\n' > "$BATS_FILE_TMPDIR/hook"
	chmod 755 "$BATS_FILE_TMPDIR/hook"
	for when in pre-start start-host; do
		echo "lxc.hook.$when = $BATS_FILE_TMPDIR/hook" > "$CONTAINERS/hook/config.local"
		timed layerbox start --all --timeout 1
		is "$status" "$TIMEOUT"
		said "layerbox: container 'hook': it had not started after 1 s, and was given up"
		said "started others1"
		refute pgrep -f 'sleep 98[67]'
		refute monitor_of hook
		layerbox --quiet stop --kill others1 others2
	done
	rm "$CONTAINERS/hook/config.local"
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 3"
	# And one alone.
	layerbox --quiet stop --kill hook
	echo "lxc.hook.pre-start = $BATS_FILE_TMPDIR/hook" > "$CONTAINERS/hook/config.local"
	refused "$TIMEOUT" "was given up" layerbox start hook --timeout 1
}

# Monitors, which have come of them, are called otherwise.
helpers_are() { [ "$(pgrep -fc '^/[^ ]*/layerbox-lxc ')" -eq "$1" ]; }
no_hook() { ! pgrep -f 'sleep 98[67]' > /dev/null; }

@test "a command that is killed takes its helpers along: what hangs is given up, and nobody is killed later" {
	make hook other
	printf '#!/bin/sh\nsetsid sleep 987 &\nsleep 986\n' > "$BATS_FILE_TMPDIR/hook"
	chmod 755 "$BATS_FILE_TMPDIR/hook"
	for names in hook "hook other"; do
		echo "lxc.hook.start-host = $BATS_FILE_TMPDIR/hook" > "$CONTAINERS/hook/config.local"
		# shellcheck disable=SC2086
		command layerbox start $names > /dev/null 2>&1 3>&- &
		wait_until 10 pgrep -f 'sleep 986'
		kill -KILL $!
		wait_until 5 helpers_are 0
		wait_until 5 no_hook
		refute monitor_of hook
		rm "$CONTAINERS/hook/config.local"
		succeeds layerbox start hook other
		is "$(running)" "hook other"
		layerbox --quiet stop --kill hook other
	done
	# Ctrl-C goes to all of them.
	echo "lxc.hook.start-host = $BATS_FILE_TMPDIR/hook" > "$CONTAINERS/hook/config.local"
	command env --default-signal=INT setsid layerbox start hook > /dev/null 2>&1 3>&- &
	wait_until 10 pgrep -f 'sleep 986'
	kill -INT -- -$!
	wait_until 5 helpers_are 0
	wait_until 5 no_hook
	refute monitor_of hook
	rm "$CONTAINERS/hook/config.local"
	layerbox --quiet start hook other
	deaf hook
	deaf other
	command layerbox stop hook other --timeout 600 > /dev/null 2>&1 3>&- &
	wait_until 5 helpers_are 3
	kill -KILL $!
	wait_until 5 helpers_are 0
	is "$(running)" "hook other"
}

@test "boot.wait=system without systemd, and boot.wait=check" {
	make system check after1 after2
	layerbox set system boot.wait=system
	# What could not be checked now may be checked in a moment.
	printf '#!/bin/sh\ntest -e /run/well && exit\necho "layerbox: it could not be entered"; exit 125\n' > "$CONTAINERS/check/rootfs-layer/look"
	chmod 755 "$CONTAINERS/check/rootfs-layer/look"
	layerbox set check boot.wait=check health.command=/look boot.timeout=20s
	layerbox set after1 boot.after=system
	layerbox set after2 boot.after=check
	(wait_until 5 state_is check running && sleep 0.5 && layerbox exec check -- touch /run/well) 3>&- &
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 4"
	follows 950 5000 "started system" "ready system"
	follows 0 2000 "ready system" "started after1"
	follows 400 8000 "started check" "ready check"
	follows 0 2000 "ready check" "started after2"
	wait
}

@test "who is worked on by somebody else holds up nobody" {
	make held after well
	layerbox set after boot.after=held
	flock "$CONTAINERS/held" sleep 1.2 3>&- &
	sleep 0.2
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 3"
	follows 500 6000 "started well" "started held"
	follows 0 1500 "started held" "started after"
	is "$(layerbox events held --json | jq -rs '[.[] | select(.action == "start") | .result] | join(" ")')" ok
	flock "$CONTAINERS/held" sleep 1.2 3>&- &
	sleep 0.2
	timed layerbox stop --all --kill
	is "$status:$(last_line)" "0:killed 3"
	follows 500 6000 "killed well" "killed held"
	wait
}

@test "two at once, and one that is killed in the middle: each is started once" {
	make t{1..8}
	layerbox set t8 boot.after="t1 t2"
	layerbox start --all 2> "$BATS_TEST_TMPDIR/one" 3>&- &
	layerbox start --all 2> "$BATS_TEST_TMPDIR/other"
	wait $!
	is "$(sort "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/other" | grep -c '^started t')" 8
	is "$(running)" "t1 t2 t3 t4 t5 t6 t7 t8"
	for ms in 5 20 50 90; do
		layerbox --quiet stop --all --kill
		command layerbox start --all > /dev/null 2>&1 3>&- &
		sleep "0.0$ms"
		kill -KILL $! || true
		succeeds layerbox start --all
		is "$(running)" "t1 t2 t3 t4 t5 t6 t7 t8"
		for name in t{1..8}; do
			is "$(monitor_of "$name" | wc -l)" 1
		done
	done
}

@test "boot.after: cycles, itself and names that nobody has are refused" {
	make a b c
	layerbox set b boot.after=c
	layerbox set c boot.after=a
	refused "$BAD_VALUE" "a comes after b, b after c, c after a" layerbox set a boot.after=b
	refused "$BAD_VALUE" "a comes after c, c after a" layerbox set a boot.after="b c"
	refused "$BAD_VALUE" "cannot come after itself" layerbox set a boot.after=a
	refused "$BAD_VALUE" "there is no container 'nobody'" layerbox set a boot.after=nobody
	is "$(layerbox get a boot.after)" ""
	layerbox set c boot.after=
	layerbox set a boot.after="b c"
	is "$(layerbox get a boot.after)" "b c"
	# By hand.
	echo 'boot.after = a' >> "$CONTAINERS/c/container.conf"
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 3"
	said "layerbox: warning: boot.after leads in a circle: a comes after c, c after a; 'a' does not wait for that"
}

@test "boot.after follows a rename, also one that was killed, and doctor tells of names that nobody has" {
	make a b c
	layerbox set b boot.after=a
	layerbox set c boot.after="b a"
	layerbox --quiet rename a new
	is "$(layerbox get b boot.after)/$(layerbox get c boot.after)" "new/b new"
	# Killed behind the rename of its directory: the next start finishes it.
	echo 'renamed_from = new' >> "$CONTAINERS/new/container.conf"
	mv "$CONTAINERS/new" "$CONTAINERS/newer"
	rm "$HOSTS/new"
	echo newer >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet start newer
	is "$(layerbox get b boot.after)/$(layerbox get c boot.after)" "newer/b newer"
	# Somebody works on one of those that name it.
	layerbox --quiet stop --kill newer
	flock --no-fork "$CONTAINERS/b" sleep 30 3>&- &
	holder=$!
	sleep 0.2
	succeeds layerbox rename newer newest
	kill "$holder"
	wait "$holder" || true
	says "container 'b' comes after 'newer', which is 'newest' now, and boot.after still says so"
	is "$(layerbox get c boot.after)" "b newest"
	run layerbox doctor --dry-run
	[[ $output == *"its boot.after names 'newer', and there is no such container"* ]]
	layerbox set b boot.after=newest
	layerbox doctor --dry-run
}

@test "stop --all: those that come after others first, lower priority first, and who does not follow is killed in time" {
	make base1 base2 top deafone off
	layerbox set top boot.after="base1 base2" boot.wait=network
	layerbox set off autostart=no
	layerbox --quiet start base1 base2 top deafone off
	deaf deafone
	timed layerbox stop --all --timeout 1
	is "$status:$(last_line)" "0:stopped 5"
	follows 800 8000 "stopped off" "stopped deafone"
	is "$(order_of stopped | tr ' ' '\n' | grep -v 'off\|deaf' | head -n 1)" top
	is "$(running)" ""
	timed layerbox stop --all
	is "$status:$(last_line)" "0:stopped 0"
	# The one that is waited for is the one that others come after.
	layerbox --quiet start base1 top
	deaf top
	timed layerbox stop --all --timeout 1
	is "$(order_of stopped)" "top base1"
	layerbox set top boot.after=
	layerbox set top boot.priority=5
	layerbox set base2 boot.priority=7
	layerbox --quiet start --all
	timed layerbox stop --all --jobs 1 --timeout 1
	is "$(order_of stopped)" "base1 deafone top base2"
}

@test "stop --all --deadline: a chain of those that do not follow is through in time" {
	make one two three
	layerbox set two boot.after=one
	layerbox set three boot.after=two
	layerbox --quiet start --all
	for name in one two three; do
		deaf $name
	done
	timed timeout 60 "$(type -P layerbox)" stop --all --timeout 600 --deadline 4
	is "$status:$(last_line)" "0:stopped 3"
	is "$(running)" ""
}

@test "restart --all: what ran runs again, and what is meant to run" {
	make ran meant
	make off on --start
	layerbox set off autostart=no
	layerbox set on autostart=no
	layerbox --quiet stop --kill off
	layerbox --quiet start ran
	before=$(field on pid)
	timed layerbox restart --all --kill
	is "$status" 0
	said "killed 2"
	is "$(last_line)" "started 3"
	is "$(running)" "meant on ran"
	[ "$(field on pid)" != "$before" ]
}

@test "who was stopped by somebody is marked so until the next start" {
	make m --start
	mark=$CONTAINERS/m/stopped
	[ ! -e "$mark" ]
	layerbox --quiet restart m
	[ ! -e "$mark" ]
	layerbox --quiet snapshot create m one --stop
	[ ! -e "$mark" ]
	layerbox --quiet restart --all
	[ ! -e "$mark" ]
	layerbox --quiet stop m
	[ -e "$mark" ]
	layerbox --quiet start m
	[ ! -e "$mark" ]
	layerbox --quiet stop --all --kill
	[ -e "$mark" ]
	layerbox --quiet start --all
	[ ! -e "$mark" ]
	# It ended of itself, and is to stay so.
	pkill -KILL -f "^\[lxc monitor\] $CONTAINERS m\$"
	wait_until 5 state_is m stopped
	[ ! -e "$mark" ]
	layerbox --quiet stop m
	[ -e "$mark" ]
}

@test "a rebase that is pending is done by it" {
	make r1 --start
	make r2 r3
	layerbox --quiet base upgrade busybox -- sh -c 'echo > /new-file'
	layerbox --quiet rebase r1
	layerbox --quiet stop --kill r1
	layerbox set r2 boot.after=r1
	timed layerbox start --all
	is "$status:$(last_line)" "0:started 3"
	is "$(field r1 generation)" 2
	said "layerbox: container 'r1' is rebased from busybox@1 to busybox@2"
}

@test "at a terminal there is a progress instead of a line for each" {
	make v1 v2
	echo 'lxc.net.0.type = nonsense' > "$CONTAINERS/v2/config.local"
	open_terminal "layerbox start --all"
	shows "started 1, 1 failed: v2"
	close_terminal
	is "$status" "$RUNTIME"
	grep -q '100%.*starting containers' "$screen"
	grep -q "layerbox: container 'v2': " "$screen"
	refute grep -q '^started v1' "$screen"
}
