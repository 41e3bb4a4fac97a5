#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The supervisor: health checks, restarts, alerts, and its own end.
load ../lib/common

setup_file() {
	common_setup_file
	export SAID=$BATS_FILE_TMPDIR/said MAILS=$BATS_FILE_TMPDIR/mails ALERTS=$BATS_FILE_TMPDIR/alerts
	mkdir "$BATS_FILE_TMPDIR/sbin"
	cat > "$BATS_FILE_TMPDIR/sbin/sendmail" <<-END
		#!/bin/sh
		{ echo "ARGUMENTS \$*"; cat; } >> $MAILS
	END
	cat > "$BATS_FILE_TMPDIR/tell" <<-END
		#!/bin/sh
		echo "\$1 \$LAYERBOX_EVENT \$LAYERBOX_CONTAINER: \$LAYERBOX_MESSAGE" >> $ALERTS
	END
	chmod 755 "$BATS_FILE_TMPDIR/sbin/sendmail" "$BATS_FILE_TMPDIR/tell"
	mount -t overlay overlay -o "lowerdir=$BATS_FILE_TMPDIR/sbin:/usr/sbin" /usr/sbin
	configure
}

# configure LINE...: layerbox.conf(5)
configure() {
	printf '%s\n' 'base = busybox' 'alert.mail = root admin@example.org' \
		"alert.command = $BATS_FILE_TMPDIR/tell host" "$@" > /etc/layerbox/layerbox.conf
}

setup() {
	: > "$SAID"
	: > "$MAILS"
	: > "$ALERTS"
	rm -rf /run/layerbox/health
}

teardown() {
	unwatch
	common_teardown
}

# A supervisor in the background, that is up.
watch() {
	local before
	before=$(count "$SAID" '^watching')
	command layerbox watch >> "$SAID" 2>&1 3>&- &
	watcher=$!
	wait_until 5 eval '[ "$(count "$SAID" "^watching")" -gt '"$before"' ]'
}

unwatch() {
	[ -z "${watcher:-}" ] || kill "$watcher" 2> /dev/null || true
	[ -z "${watcher:-}" ] || wait "$watcher" || true
	watcher=
}

kill_watcher() {
	kill -KILL "$watcher"
	wait "$watcher" 2> /dev/null || true
	watcher=
}

said() { grep -q -e "$1" "$SAID"; }
waits_for() { wait_until "${2:-8}" said "$1" || fail "it did not say '$1': $(cat "$SAID")"; }
# count FILE PATTERN
count() { grep -c -e "$2" "$1" || true; }
health() { field "$1" health; }
health_is() { [ "$(health "$1")" = "$2" ]; }
becomes() { wait_until "${3:-8}" health_is "$1" "$2" || fail "$1 is '$(health "$1")', not '$2': $(cat "$SAID")"; }
pid() { field "$1" pid; }
is_up() { state_is "$1" running; }

# init NAME COMMANDS: what its init does, instead of busybox's
init() {
	local top=$CONTAINERS/$1/rootfs-layer
	mkdir -p "$top/sbin"
	printf '#!/bin/sh\n%s\n' "$2" > "$top/sbin/init.new"
	chmod 755 "$top/sbin/init.new"
	mv "$top/sbin/init.new" "$top/sbin/init"
}

@test "what crashes is started again, later each time, and then has failed: told once, by mail and by a program" {
	make loop
	layerbox --quiet set loop restart.policy=on-failure restart.limit=2
	watch
	init loop 'exit 3'
	begin=${EPOCHREALTIME/./}
	layerbox --quiet start loop
	waits_for '^ended loop: .* ended with status 3; it is started again in 1 s$'
	wait_until 2 health_is loop starting
	waits_for '^ended loop: .* ended with status 3; it is started again in 2 s$'
	waits_for '^failed loop: '
	[ $((${EPOCHREALTIME/./} - begin)) -ge 3000000 ]
	is "$(count "$SAID" '^restarted loop: ')" 2
	is "$(count "$SAID" '^ended loop: ')" 3
	becomes loop failed
	state_is loop stopped
	wait_until 5 grep -q "^This is layerbox" "$MAILS"
	unwatch # which waits for what is to be told
	is "$(cat "$ALERTS")" "host failed loop: container 'loop' has failed and is not started again: it ended with status 3 after 2 restarts in a row"
	is "$(count "$MAILS" '^ARGUMENTS ')" 1
	grep -qx 'ARGUMENTS -oi -- root admin@example.org' "$MAILS"
	grep -qx 'To: root, admin@example.org' "$MAILS"
	grep -qx 'Subject: private-host: loop failed' "$MAILS"
	grep -qx 'Auto-Submitted: auto-generated' "$MAILS"
	grep -q '^Date: [SMTWF][a-z][a-z], ' "$MAILS"
	grep -q "^container 'loop' has failed and is not" "$MAILS"
	events=$(layerbox events loop --json | jq -r 'select(.action == "ended" or .action == "failed" or .action == "restarted") | .action' | tr '\n' ' ')
	is "$events" 'ended restarted ended restarted ended failed '
	layerbox events loop --json | jq -e 'select(.action == "failed") | .result == "runtime" and (.message | startswith("ended with status 3"))'
	# Somebody mends it: that is over after a minute, which is too long here; nothing else is told.
	health_is loop failed
	rm "$CONTAINERS/loop/rootfs-layer/sbin/init"
	watch
	layerbox --quiet start loop
	becomes loop ''
	is "$(count "$ALERTS" .)" 1
}

@test "an unhealthy one is restarted once, and told once; it recovers" {
	make sick --start
	layerbox --quiet set sick restart.policy=on-failure health.command='test -e /well' health.interval=1s health.retries=2
	layerbox exec sick -- touch /well
	watch
	becomes sick healthy
	first=$(pid sick)
	layerbox exec sick -- rm /well
	waits_for '^restarted sick: .* because it was unhealthy'
	becomes sick unhealthy
	second=$(pid sick)
	[ "$second" != "$first" ]
	sleep 2.2 # two more failures
	is "$(pid sick)" "$second"
	is "$(count "$SAID" '^restarted sick')" 1
	is "$(count "$SAID" '^unhealthy sick')" 1
	layerbox exec sick -- touch /well
	waits_for '^recovered sick'
	becomes sick healthy
	is "$(pid sick)" "$second"
	# It was healthy between: once more.
	layerbox exec sick -- rm /well
	wait_until 8 eval '[ "$(count "$SAID" "^restarted sick")" = 2 ]'
	unwatch
	is "$(grep -o '^host [a-z]*' "$ALERTS" | tr '\n' ' ')" 'host unhealthy host recovered host unhealthy '
	grep -q "sick: container 'sick' is unhealthy: .test -e /well. ended with status 1; it is restarted" "$ALERTS"
	is "$(count "$MAILS" '^ARGUMENTS ')" 3
	refute said '^ended' # by itself
}

@test "what the supervisor said of an earlier life is shown of no later one" {
	make one --start
	layerbox --quiet set one health.command=true health.interval=1s
	watch
	becomes one healthy
	is "$(layerbox list | awk '$1 == "one" { print $3 }')" healthy
	kill -STOP "$watcher"
	layerbox --quiet restart --kill one || true
	list=$(layerbox list | awk '$1 == "one" { print $3 }')
	info=$(health one)
	kill -CONT "$watcher"
	is "$list $info" 'starting starting'
	becomes one healthy
	unwatch
}

@test "a supervisor that is killed and comes back repeats nothing, and restarts nobody; containers run on" {
	make sick --start
	make well --start
	make loop
	layerbox --quiet set sick health.tcp=inside:99 health.interval=1s health.retries=1
	layerbox --quiet set well restart.policy=always health.command=true health.interval=1s
	layerbox --quiet set loop restart.policy=always restart.limit=1
	init loop 'exit 1'
	watch
	layerbox --quiet start loop
	waits_for '^unhealthy sick'
	waits_for '^failed loop'
	becomes well healthy
	wait_until 5 eval '[ "$(count "$MAILS" "^ARGUMENTS ")" = 2 ]'
	before="$(pid sick) $(pid well)"
	kill_watcher
	# Nobody looks: that is said, and nothing else.
	is "$(health sick) $(health well) $(health loop)" 'unknown unknown failed'
	is "$(pid sick) $(pid well)" "$before"
	watch
	is "$(health sick) $(health well) $(health loop)" 'unhealthy healthy failed'
	sleep 2.2 # checks by the new one
	is "$(health sick) $(health well) $(health loop)" 'unhealthy healthy failed'
	is "$(pid sick) $(pid well)" "$before"
	is "$(count "$SAID" '^unhealthy')" 1
	is "$(count "$SAID" '^failed')" 1
	# What ends while nobody is there is seen by the next one.
	kill_watcher
	kill -KILL "$(pid well)"
	wait_until 5 state_is well stopped
	watch
	waits_for '^restarted well'
	becomes well healthy
	unwatch
	is "$(count "$MAILS" '^ARGUMENTS ')" 2
}

@test "a supervisor that is killed while it restarts an unhealthy container: the next one does" {
	make sick --start
	make half --start
	layerbox --quiet set sick restart.policy=on-failure health.command=false health.interval=1h
	layerbox --quiet set half restart.policy=on-failure health.command=true health.interval=1s
	# As it leaves them: one has not begun to shut down, the other one has, and is through when the next one looks.
	watch
	sick=$(pid sick) half=$(pid half)
	becomes half healthy
	kill_watcher
	status=$(echo /run/layerbox/health/*[!k])
	sed -i "s/^sick .*/sick 3 $sick 1 1 3 0 1 1/; s/^half .*/half 3 $half 1 1 3 0 1 1/" "$status"
	layerbox exec half -- poweroff -f || true
	wait_until 5 state_is half stopped
	watch
	waits_for '^restarted sick: .* because it was unhealthy'
	waits_for '^restarted half: .* was started again'
	[ "$(pid sick)" != "$sick" ]
	is_up half
}

@test "who powers off stays down unless it is always to run; who is stopped stays down; a reboot is no end" {
	make once --start
	make forever --start
	make stopped --start
	make rebooted --start
	make killed --start
	layerbox --quiet set once restart.policy=on-failure
	for name in forever stopped rebooted; do
		layerbox --quiet set $name restart.policy=always
	done
	watch
	rebooted=$(pid rebooted)
	layerbox exec rebooted -- reboot -f || true
	layerbox --quiet stop stopped
	layerbox exec once -- poweroff -f || true
	layerbox exec forever -- poweroff -f || true
	kill -KILL "$(pid killed)"
	waits_for '^ended once: .* powered off$'
	waits_for '^restarted forever'
	waits_for '^failed killed: .* was ended by signal 9 (SIGKILL)$' # its policy is no
	wait_until 5 is_up forever
	wait_until 5 eval '[ "$(pid rebooted)" != "$rebooted" ]'
	sleep 1.5
	is_up rebooted
	state_is once stopped
	state_is stopped stopped
	refute said ' stopped:'
	refute said ' rebooted:'
	is "$(health once)$(health stopped)" ''
	# And one that waits for its restart is stopped in the meantime.
	init forever 'exit 1'
	layerbox --quiet stop forever
	layerbox --quiet start forever
	waits_for 'ended forever: .* with status 1'
	layerbox --quiet stop forever || true
	sleep 2
	state_is forever stopped
	is "$(count "$SAID" '^restarted forever')" 1
	# Or is not to be restarted any more.
	layerbox --quiet start forever
	wait_until 5 eval '[ "$(count "$SAID" "^ended forever: .* with status 1")" = 2 ]'
	layerbox --quiet set forever restart.policy=no
	waits_for '^failed forever: .* ended, and restart.policy is no by now'
}

@test "checks: ports and requests from the host and inside, programs inside and of the host" {
	make web --start
	wait_until 5 has_address web
	layerbox exec web -- sh -c 'mkdir /www; echo hi > /www/index.html; httpd -p 8080 -h /www; httpd -p 127.0.0.1:8081 -h /www'
	well() { succeeds layerbox check web && is "$stderr" "container 'web' is well"; }
	tells "container 'web' has no check; set health.tcp, health.http or health.command" layerbox check web
	for check in health.tcp=8080 health.tcp=inside:8081 health.http=8080 health.http=8080/index.html \
		health.http=inside:8081/ 'health.command=grep hi /www/index.html'; do
		layerbox --quiet set web "$check"
		well
		layerbox --quiet set web "${check%%=*}="
	done
	sick() { # sick KEY=VALUE PART
		layerbox --quiet set web "$1"
		refused $UNHEALTHY "$2" layerbox check web
		layerbox --quiet set web "${1%%=*}="
	}
	sick health.tcp=8081 "cannot connect to port 8081 of $(field web ipv4): Connection refused"
	sick health.tcp=inside:8082 'cannot connect to port 8082 of its loopback: Connection refused'
	sick health.http=8080/missing 'port 8080 answers GET /missing with status 404'
	sick 'health.command=false' 'ended with status 1'
	# One that speaks no HTTP, and one that says nothing.
	layerbox exec web -- sh -c 'nc -ll -p 25 -e echo 220 hello > /dev/null 2>&1 & nc -ll -p 26 -e sleep 60 > /dev/null 2>&1 &'
	sick health.http=25 'does not answer GET / as HTTP does'
	layerbox --quiet set web health.timeout=1s
	sick health.http=26 'within 1 s: no answer'
	sick 'health.command=sleep 1000' 'did not end in time'
	# What hangs is ended inside, too, and what is left behind is not waited for.
	printf '#!/bin/sh\nsleep 1001\n:\n' > "$CONTAINERS/web/rootfs-layer/hang"
	printf '#!/bin/sh\nsleep 1002 &\n' > "$CONTAINERS/web/rootfs-layer/leave"
	chmod 755 "$CONTAINERS"/web/rootfs-layer/{hang,leave}
	sick 'health.command=/hang' 'did not end in time'
	refute pgrep -xf 'sleep 100[01]|.*/hang'
	layerbox --quiet set web health.command=/leave
	well
	kill "$(pgrep -xf 'sleep 1002')"
	# Its own status, which is that of our helper where it could not enter the container, too.
	printf '#!/bin/sh\necho its own words; exit 125\n' > "$CONTAINERS/web/rootfs-layer/podman"
	chmod 755 "$CONTAINERS/web/rootfs-layer/podman"
	sick 'health.command=/podman' 'ended with status 125: its own words'
	layerbox --quiet set web health.command=
	# A program of the host knows whom it looks at; all checks must be well.
	printf '#!/bin/sh\necho "$LAYERBOX_CONTAINER $LAYERBOX_IPV4"; exit 5\n' > "$BATS_TEST_TMPDIR/look"
	chmod 755 "$BATS_TEST_TMPDIR/look"
	layerbox --quiet set web health.tcp=8080
	sick "health.command=host:$BATS_TEST_TMPDIR/look" "ended with status 5: web $(field web ipv4)"
	layerbox --quiet freeze web
	refused $NOT_RUNNING 'is frozen' layerbox check web
	layerbox --quiet thaw web
	well
	layerbox --quiet stop web
	refused $NOT_RUNNING 'is stopped' layerbox check web
}

@test "a frozen one is not unhealthy; settings are followed" {
	make ice --start
	layerbox --quiet set ice health.command=true health.interval=1s health.retries=1
	watch
	becomes ice healthy
	layerbox --quiet freeze ice
	sleep 2.2
	health_is ice healthy
	layerbox --quiet thaw ice
	layerbox --quiet set ice health.command=false
	becomes ice unhealthy
	# What cannot be checked is not healthy for ever.
	printf '#!/bin/sh\n' > "$BATS_TEST_TMPDIR/look"
	chmod 755 "$BATS_TEST_TMPDIR/look"
	layerbox --quiet set ice "health.command=host:$BATS_TEST_TMPDIR/look"
	becomes ice healthy
	rm "$BATS_TEST_TMPDIR/look"
	becomes ice unknown
	waits_for "^unknown ice: container 'ice' cannot be checked, so nobody knows how it is: .*$BATS_TEST_TMPDIR/look"
	layerbox --quiet set ice health.command=
	becomes ice ''
}

@test "beside lxc-monitord; and without it when that ends" {
	make one --start
	make two --start
	/usr/libexec/lxc/lxc-monitord "$CONTAINERS" 99 3>&- > /dev/null 2>&1 &
	monitord=$!
	wait_until 5 grep -q "@lxc/.*$CONTAINERS" /proc/net/unix
	watch
	refute said 'looked at every second'
	layerbox exec one -- poweroff -f || true
	waits_for '^ended one: .* powered off' 3
	kill "$monitord"
	wait "$monitord" || true
	# It takes its place.
	wait_until 5 eval 'lslocks -n -o PID,PATH 2> /dev/null | grep -q "^ *$watcher " || grep -q "POSIX .* $watcher " /proc/locks'
	layerbox exec two -- poweroff -f || true
	waits_for '^ended two: .* powered off' 3
}

@test "where nobody tells anything, it looks every second" {
	make one --start
	mkdir -p "/run/lxc$CONTAINERS"
	rm -f "/run/lxc$CONTAINERS/monitor-fifo"
	touch "/run/lxc$CONTAINERS/monitor-fifo"
	watch
	said 'all containers are looked at every second'
	kill -KILL "$(pid one)"
	waits_for '^failed one: .* ended, nobody saw how'
	rm "/run/lxc$CONTAINERS/monitor-fifo"
	layerbox --quiet start one
	waits_for 'LXC tells again' 5
	layerbox exec one -- poweroff -f || true
	waits_for '^ended one: .* powered off'
}

@test "a record that cannot be read is in nobody's way" {
	make bad --start
	make good --start
	layerbox --quiet set bad restart.policy=always restart.limit=1
	layerbox --quiet set good restart.policy=always
	cp "$CONTAINERS/bad/container.conf" "$BATS_TEST_TMPDIR/record"
	watch
	echo nonsense > "$CONTAINERS/bad/container.conf"
	kill -KILL "$(pid good)"
	kill -KILL "$(pgrep -P "$(monitor_of bad)")"
	waits_for '^restarted good'
	waits_for '^failed bad: ' 10
	said 'container.conf:1'
	cp "$BATS_TEST_TMPDIR/record" "$CONTAINERS/bad/container.conf"
	layerbox --quiet start bad
	wait_until 5 is_up bad
}

@test "a record that cannot be read when it is to be started again: that is why it has failed" {
	make torn
	layerbox --quiet set torn restart.policy=always restart.limit=2
	cp "$CONTAINERS/torn/container.conf" "$BATS_TEST_TMPDIR/record"
	watch
	init torn 'exit 3'
	layerbox --quiet start torn
	waits_for '^ended torn: .*; it is started again in 2 s$'
	echo nonsense > "$CONTAINERS/torn/container.conf"
	waits_for '^failed torn: .* could not be started: .*container.conf:1'
	cp "$BATS_TEST_TMPDIR/record" "$CONTAINERS/torn/container.conf"
}

@test "one that is deleted or renamed before it is started again has not failed" {
	make away old
	for name in away old; do
		layerbox --quiet set $name restart.policy=always restart.limit=2
		init $name 'exit 3'
	done
	watch
	layerbox --quiet start away old
	waits_for '^ended away: .*; it is started again in 2 s$'
	layerbox --quiet delete away
	waits_for '^ended old: .*; it is started again in 2 s$'
	rm "$CONTAINERS/old/rootfs-layer/sbin/init"
	layerbox --quiet rename old newer
	waits_for '^restarted newer'
	is "$(count "$SAID" '^restarted away')" 1
	is "$(count "$SAID" '^restarted old')" 1
	refute said '^failed'
	is "$(layerbox events --json | jq -r 'select(.result == "no-container") | .action')" ''
}

@test "a container that somebody works on is left to him" {
	make busy --start
	layerbox --quiet set busy restart.policy=always
	watch
	mkfifo "$BATS_TEST_TMPDIR/hold"
	flock "$CONTAINERS/busy" sh -c 'read x' < "$BATS_TEST_TMPDIR/hold" 3>&- &
	holder=$!
	exec 7> "$BATS_TEST_TMPDIR/hold"
	wait_until 5 eval '! flock -n "$CONTAINERS/busy" true'
	kill -KILL "$(pgrep -P "$(monitor_of busy)")"
	sleep 2
	refute said '^ended busy'
	exec 7>&-
	wait "$holder" || true
	waits_for '^restarted busy' 10
	# As is one that is deleted.
	layerbox --quiet delete busy --force
	sleep 1.5
	is "$(count "$SAID" busy)" 2
}

@test "what is thought of a container goes with it to another name, and not to another container of its name" {
	make old --start
	make new --start
	watch
	kill -KILL "$(pid old)"
	kill -KILL "$(pid new)"
	waits_for '^failed old'
	waits_for '^failed new'
	unwatch
	layerbox --quiet rename old older
	layerbox --quiet delete new --force
	make new
	watch
	becomes older failed
	becomes new ''
	is "$(count "$SAID" '^failed')" 2
}

@test "a stop that was given up does not end the supervision" {
	make on --start
	layerbox --quiet set on restart.policy=always
	touch -d '4 minutes ago' "$CONTAINERS/on/stopped"
	watch
	wait_until 5 test ! -e "$CONTAINERS/on/stopped"
	kill -KILL "$(pid on)"
	waits_for '^restarted on'
}

@test "who is asked to stop, and not waited for any more, may end later, and stays down" {
	make late --start
	layerbox --quiet set late restart.policy=always health.command=true
	touch "$CONTAINERS/late/stopped"
	watch
	becomes late healthy # it was looked at
	kill -KILL "$(pid late)"
	wait_until 5 state_is late stopped
	sleep 1.5
	refute said '^\(ended\|restarted\) late'
}

@test "a container that is being moved is left to its move, cut off as it may be" {
	make gone --start
	layerbox --quiet set gone restart.policy=always
	watch
	mkdir "$CONTAINERS/gone/move"
	printf 'stage = decided\ntoken = 0123456789abcdef0123456789abcdef\ntarget = there\nran = yes\n' > "$CONTAINERS/gone/move/state"
	kill -KILL "$(pgrep -P "$(monitor_of gone)")"
	wait_until 5 state_is gone stopped
	sleep 1.5
	refute said ' gone:'
	is "$(layerbox events gone --json | jq -r 'select(.result != "ok") | .action')" ''
	rm -r "$CONTAINERS/gone/move"
	waits_for '^restarted gone' 10
}

@test "a container's own recipients, and nobody" {
	make own --start
	make quiet --start
	layerbox --quiet set own "alert.command=$BATS_FILE_TMPDIR/tell own" alert.mail=customer@example.org
	layerbox --quiet set quiet alert.command=none alert.mail=none
	watch
	layerbox metrics | grep -qx 'layerbox_supervisor_running 1'
	kill -KILL "$(pid own)"
	kill -KILL "$(pid quiet)"
	waits_for '^failed own'
	waits_for '^failed quiet'
	unwatch
	is "$(count "$ALERTS" .)" 1
	grep -q '^own failed own: ' "$ALERTS"
	is "$(grep '^ARGUMENTS' "$MAILS")" 'ARGUMENTS -oi -- customer@example.org'
}

@test "an alert that fails is a warning" {
	make one --start
	configure 'alert.mail = root' 'alert.command = /bin/false'
	watch
	kill -KILL "$(pid one)"
	waits_for "warning: /bin/false, which was to tell of 'failed', ended with status 1"
	configure
}

@test "a disk that is nearly full is told once, and once when it is not any more" {
	configure 'alert.disk = 1'
	watch
	waits_for '^disk-full: the file system of the containers is nearly full: [0-9]* % of the space and'
	unwatch
	watch
	sleep 0.5
	unwatch
	configure 'alert.disk = 100'
	watch
	waits_for '^disk-ok: '
	unwatch
	is "$(cut -d: -f1 "$ALERTS" | tr '\n' ' ')" 'host disk-full  host disk-ok  '
	grep -qx 'Subject: private-host: disk-full' "$MAILS"
	configure
}

@test "where its output is the journal, which has each event already, it says none of them" {
	make quiet --start
	JOURNAL_STREAM=$(stat -c %d:%i "$SAID") watch
	layerbox exec quiet -- poweroff -f || true
	wait_until 8 eval 'layerbox events quiet --json | jq -e "select(.action == \"ended\")" > /dev/null'
	unwatch
	refute said '^ended'
	# Standard output is another one.
	JOURNAL_STREAM=1:1 watch
	layerbox --quiet start quiet
	layerbox exec quiet -- poweroff -f || true
	waits_for '^ended quiet: '
}

@test "doctor says that nobody looks after them, and that mail cannot be sent" {
	make plain
	watch
	layerbox --quiet doctor
	unwatch
	layerbox --quiet doctor
	layerbox --quiet set plain health.tcp=1
	run -1 --separate-stderr layerbox doctor
	is "$output" "host: no supervisor runs, and 1 container is to be checked or started again (health.*, restart.policy): nobody does that
    systemctl enable --now layerbox-watch.service"
	layerbox --quiet set plain health.tcp=
	mount --bind /dev/null /usr/sbin/sendmail
	run -1 --separate-stderr layerbox doctor
	[[ ${lines[0]} == "host: alert.mail is set, and there is no /usr/sbin/sendmail: no mail is sent" ]] || fail "$output"
	configure 'alert.mail = none'
	layerbox --quiet doctor
	layerbox --quiet set plain restart.policy=always alert.mail=root
	watch
	run -1 --separate-stderr layerbox doctor
	is "${#lines[@]}" 2
	umount /usr/sbin/sendmail
	layerbox --quiet doctor
	configure
}

@test "one for each root, which ends when it is told to" {
	watch
	refused $BUSY 'are watched already' layerbox watch
	kill -TERM "$watcher"
	code=0
	wait "$watcher" || code=$?
	watcher=
	is $code 0
	refused $USAGE 'it takes no arguments' layerbox watch one
}
