#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016
# A container's life as an operator types it, from create to delete.
load ../lib/common

# ------------------------------------------------------------------------------------------------- create

@test "init, base build and net up can be repeated" {
	succeeds layerbox init
	says "was prepared already"
	succeeds layerbox net up
	says "was up already"
	refused "$EXISTS" "there is a base 'busybox' already" layerbox base build busybox
}

@test "create makes several containers, with all that list and info show" {
	succeeds layerbox create one two --description 'Reifen & "Räder", 100 % = gut'
	[ -z "$output" ]
	says "created one: 10.0.3."
	says "created two: 10.0.3."
	is "$(names)" "one two"
	is "$(layerbox list --json | jq -r '.[0] | keys | join(" ")')" "autostart backup base generation health ipv4 mac name network pid privileged state"
	is "$(layerbox list --json | jq -c '.[0] | [.name, .state, .base, .generation, .pid, .privileged, .autostart]')" \
		'["one","stopped","busybox",1,null,false,true]'
	[[ $(field one ipv4) =~ ^10\.0\.3\.[0-9]+$ ]]
	[[ $(field one mac) =~ ^00:16:3e(:[0-9a-f]{2}){3}$ ]]
	is "$(field one description)" 'Reifen & "Räder", 100 % = gut'
	is "$(field one id_count)" 65536
	is "$(field one directory)" "$CONTAINERS/one"
	for key in memory cpus pids isolated '"net.ingress"' '"net.egress"'; do
		is "$(field one "$key")" ""
	done
	[ "$(field one created)" -gt $((EPOCHSECONDS - 60)) ]
	[ "$(field one ipv4)" != "$(field two ipv4)" ]
	[ "$(field one mac)" != "$(field two mac)" ]
	echo one two >> "$BATS_FILE_TMPDIR/names"
}

@test "create goes on behind a name that is taken, and its exit code says so" {
	make there
	run --separate-stderr layerbox create new there newer
	is "$status" "$EXISTS"
	says "there is a container 'there' already"
	is "$(names)" "new newer there"
}

@test "a top layer is small, plain on disk and for root alone before its first start" {
	make small
	is "$(stat -c %a:%U "$CONTAINERS/small")" 700:root
	is "$(stat -c %a "$LAYERBOX_ROOT/os-bases/busybox/1")" 700
	is "$(stat -c %a "$CONTAINERS/small/config")" 600
	is "$(stat -c %a "$CONTAINERS/small/container.conf")" 600
	[ "$(du -sk "$CONTAINERS/small" | cut -f1)" -lt 200 ]
	is "$(find "$CONTAINERS/small" ! -user root -o ! -group root)" ""
}

@test "a running container's files are plain on disk, whatever ids it has" {
	make plain --start
	layerbox exec plain -- sh -c 'touch /root/of-root /root/of-daemon; chown 1:2 /root/of-daemon; chmod 4755 /root/of-root'
	is "$(stat -c %u:%g:%a "$CONTAINERS/plain/rootfs-layer/root/of-root")" 0:0:4755
	is "$(stat -c %u:%g "$CONTAINERS/plain/rootfs-layer/root/of-daemon")" 1:2
	is "$(layerbox exec plain -- stat -c %u:%g /root/of-daemon)" 1:2
	# Another user of the host must not reach the setuid file.
	run setpriv --reuid=65534 --clear-groups test -e "$CONTAINERS/plain/rootfs-layer/root/of-root"
	[ "$status" -ne 0 ]
}

@test "id ranges do not overlap, and are not handed out again after a delete" {
	make r1 r2
	first=$(field r1 id_start) second=$(field r2 id_start)
	[ "$first" -ge 100000 ]
	is "$second" $((first + 65536))
	layerbox --quiet delete r2
	make r2
	is "$(field r2 id_start)" $((second + 65536))
}

@test "each container has its own machine-id, hostname and hosts" {
	make id1 id2 --start
	for name in id1 id2; do
		is "$(layerbox exec $name -- hostname)" $name
		is "$(layerbox exec $name -- cat /etc/hostname)" $name
		layerbox exec $name -- grep -qw $name /etc/hosts
		layerbox exec $name -- cat /etc/machine-id > "$BATS_TEST_TMPDIR/$name"
		grep -Exq '[0-9a-f]{32}' "$BATS_TEST_TMPDIR/$name"
	done
	refute cmp -s "$BATS_TEST_TMPDIR/id1" "$BATS_TEST_TMPDIR/id2"
}

@test "a container is unprivileged, unless it was asked for" {
	make plain --start
	make trusted --privileged --start
	is "$(layerbox exec plain -- cat /proc/self/uid_map | xargs)" "0 $(field plain id_start) 65536"
	is "$(layerbox exec trusted -- cat /proc/self/uid_map | xargs)" "0 0 4294967295"
	is "$(field trusted privileged)" true
	is "$(field trusted id_start)/$(field trusted id_count)" 0/0
	is "$(layerbox exec trusted -- id -u)" 0
	layerbox exec trusted -- touch /root/here
	# The capabilities that also a privileged one must not have: the kernel's modules (16), memory (17) and clock (25).
	bounding=$(layerbox exec trusted -- sed -n 's/^CapBnd:\t//p' /proc/self/status)
	is $((0x$bounding & (1 << 16 | 1 << 17 | 1 << 25))) 0
	is "$(stat -c %u "/proc/$(field plain pid)")" "$(field plain id_start)"
}

@test "the base is not changed by all that containers do" {
	tree=$(layerbox base show busybox --json | jq -r .directory)
	before=$(tree_checksum "$tree")
	make c1 c2 --start
	make c3 --privileged --start
	for name in c1 c2 c3; do
		layerbox exec $name -- sh -c 'rm /etc/inittab; echo x >> /etc/passwd; chmod 600 /etc/group; mv /etc/init.d /etc/moved
			ln -sf busybox /bin/ls; touch /new; chown 5:5 /etc/os-release; rm -rf /etc/udhcpc'
	done
	layerbox --quiet stop --all --kill
	is "$(tree_checksum "$tree")" "$before"
	layerbox --quiet delete --all
	is "$(tree_checksum "$tree")" "$before"
}

# -------------------------------------------------------------------------------------- start, stop and others

@test "start, stop, restart: what is so already is said, and is no error" {
	make s1
	tells "not running: s1" layerbox stop s1
	tells "started s1" layerbox start s1
	is "$(field s1 state)" running
	[ "$(field s1 pid)" -gt 1 ]
	tells "running already: s1" layerbox start s1
	before=$(field s1 pid)
	succeeds layerbox restart s1
	state_is s1 running
	[ "$(field s1 pid)" != "$before" ]
	tells "stopped s1" layerbox stop s1
	is "$(field s1 state)/$(field s1 pid)" stopped/null
	succeeds layerbox restart s1
	state_is s1 running
	tells "killed s1" layerbox stop --kill s1
}

@test "restart: one that fails keeps none of the others down" {
	make s2 s3 --start
	before=$(field s2 pid)
	run --separate-stderr layerbox restart --kill s2 gone s3
	is "$status" "$NO_CONTAINER"
	says "there is no container 'gone'"
	state_is s2 running
	state_is s3 running
	[ "$(field s2 pid)" != "$before" ]
}

@test "of several containers the others go on where one fails, and the exit code says so" {
	make g1 g2 g3
	run --separate-stderr layerbox start g1 gone g2
	is "$status" "$NO_CONTAINER"
	says "there is no container 'gone'"
	says "started g1"
	says "started g2"
	rm "$CONTAINERS/g3/container.conf"
	run --separate-stderr layerbox start --all
	[ "$status" -ne 0 ] || is "$(names)" "g1 g2"
	run --separate-stderr layerbox stop --all --kill
	says "killed g1"
	says "killed g2"
	rm -r "$CONTAINERS/g3" "$HOSTS/g3"
}

@test "start --all and stop --all work on all, and on none" {
	succeeds layerbox start --all
	succeeds layerbox stop --all
	succeeds layerbox delete --all
	make n{1..6}
	succeeds layerbox start --all --jobs 3
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "running")] | length')" 6
	is "$(layerbox list --json | jq -r '.[].pid')" "$(for i in {1..6}; do field "n$i" pid; done)"
	succeeds layerbox stop --all
	is "$(layerbox list --json | jq -r '[.[] | select(.state == "stopped")] | length')" 6
	refused "$RUNNING" "container 'n1' is running" layerbox_start_then n1 delete n1
	run --separate-stderr layerbox delete --all
	is "$status" "$RUNNING"
	is "$(names)" n1
	succeeds layerbox delete --all --force
	is "$(names)" ""
}

layerbox_start_then() {
	layerbox --quiet start "$1"
	shift
	layerbox "$@"
}

@test "a container that does not follow is killed after the timeout" {
	make deaf --start
	layerbox exec deaf -- sh -c 'printf "#!/bin/sh\nexit 0\n" > /etc/init.d/halt'
	before=$EPOCHSECONDS
	succeeds layerbox stop --timeout 1 deaf
	[ $((EPOCHSECONDS - before)) -le 20 ]
	state_is deaf stopped
}

@test "a start of one that is just ending waits for that" {
	make short --start
	for round in 1 2 3; do
		kill -KILL "$(field short pid)"
		tells "started short" layerbox start short
		state_is short running
	done
}

@test "one whose stop hook takes its time is waited for, and one whose stop hook hangs is given up" {
	make slow --start
	printf '#!/bin/sh\nexec sleep "$(cat %s/seconds)"\n' "$BATS_FILE_TMPDIR" > "$BATS_FILE_TMPDIR/hook"
	chmod 755 "$BATS_FILE_TMPDIR/hook"
	echo "lxc.hook.stop = $BATS_FILE_TMPDIR/hook" > "$CONTAINERS/slow/config.local"
	echo 0 > "$BATS_FILE_TMPDIR/seconds"
	layerbox --quiet restart --kill slow
	echo 3.2 > "$BATS_FILE_TMPDIR/seconds"
	succeeds layerbox stop --kill slow
	no_monitor_left
	layerbox --quiet start slow
	succeeds layerbox stop --timeout 1 slow
	no_monitor_left
	layerbox --quiet start slow
	# It answers nobody for longer than a question has time.
	kill -KILL "$(field slow pid)"
	tells "started slow" layerbox start slow
	echo 987 > "$BATS_FILE_TMPDIR/seconds"
	refused "$TIMEOUT" "container 'slow': it was killed, but its LXC monitor does not end" timeout 60 layerbox stop --timeout 1 slow
	pkill -fx 'sleep 987'
	wait_until 5 no_monitor_left
	echo 0 > "$BATS_FILE_TMPDIR/seconds"
	layerbox --quiet start slow
}

@test "freeze halts all, list says so, exec refuses, stop works on a frozen one" {
	make ice --start
	layerbox exec ice -- sh -c '(while :; do usleep 10000; echo >> /count; done) > /dev/null 2>&1 &'
	count=$CONTAINERS/ice/rootfs-layer/count
	wait_until 5 test -s "$count"
	tells "froze ice" layerbox freeze ice
	is "$(field ice state)" frozen
	tells "frozen already: ice" layerbox freeze ice
	refused 125 "container 'ice' is frozen" layerbox exec ice -- true
	refused 125 "is frozen" layerbox shell ice
	size=$(stat -c %s "$count")
	tells "thawed ice" layerbox thaw ice
	wait_until 5 eval '[ $(stat -c %s "$count") -gt "$size" ]'
	tells "not frozen: ice" layerbox thaw ice
	layerbox --quiet freeze ice
	tells "running already: ice" layerbox start ice
	succeeds layerbox stop ice
	state_is ice stopped
	refused "$NOT_RUNNING" "is not running" layerbox freeze ice
	refused "$NOT_RUNNING" "is not running" layerbox thaw ice
}

@test "a reboot from inside comes back with the same address and files" {
	make again --start
	wait_until 10 has_address again
	layerbox exec again -- touch /root/kept
	address=$(field again ipv4) before=$(field again pid)
	layerbox exec again -- reboot || true
	wait_until 10 eval '[ "$(field again state)" = running ] && [ "$(field again pid)" != "$before" ]'
	wait_until 10 has_address again
	is "$(field again ipv4)" "$address"
	succeeds layerbox exec again -- test -e /root/kept
	no_mount_left
	before=$(field again pid)
	layerbox exec again -- reboot -f || true
	wait_until 10 eval '[ "$(field again state)" = running ] && [ "$(field again pid)" != "$before" ]'
	succeeds layerbox stop again
}

@test "a stop in the middle of a reboot is a stop" {
	make torn --start
	for delay in 1.0 1.04; do
		layerbox exec torn -- reboot || true
		sleep "$delay"
		succeeds layerbox stop --timeout 5 torn
		state_is torn stopped
		no_monitor_left
		layerbox --quiet start torn
	done
}

@test "a container that powers itself off is stopped, and nothing of it is left" {
	make tired --start
	layerbox exec tired -- poweroff || true
	wait_until 10 state_is tired stopped
	wait_until 5 no_monitor_left
	layerbox --quiet list > "$BATS_TEST_TMPDIR/list"
	no_cgroup_left
	wait_until 5 no_interface_left
	succeeds layerbox start tired
}

# --------------------------------------------------------------------------------------- exec, shell, console

@test "exec gives back exit codes" {
	make code --start
	for code in 0 1 3 126 127 255; do
		run "-$code" layerbox exec code -- sh -c "exit $code"
	done
	run layerbox exec code -- sh -c 'kill -9 $$'
	is "$status" 137
	run layerbox exec code -- sh -c 'kill -TERM $$'
	is "$status" 143
	refused 127 "no-such-program" layerbox exec code -- no-such-program
	refused 126 "/etc" layerbox exec code -- /etc
	refused 126 "/etc/passwd" layerbox exec code -- /etc/passwd
	refused 125 "there is no container 'nobody'" layerbox exec nobody -- true
	refused "$USAGE" "usage: layerbox exec" layerbox exec code
	refused "$USAGE" "usage: layerbox exec" layerbox exec
	refused "$USAGE" "usage: layerbox exec" layerbox exec --nonsense code -- true
}

@test "exec passes stdin, stdout and stderr through, byte by byte" {
	make pipe --start
	head -c 3000000 /dev/urandom > "$BATS_TEST_TMPDIR/data"
	layerbox exec pipe -- cat < "$BATS_TEST_TMPDIR/data" > "$BATS_TEST_TMPDIR/back"
	cmp "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/back"
	succeeds layerbox exec pipe -- sh -c 'echo out; echo err >&2'
	is "$output" out
	is "$stderr" err
	# The words behind NAME are the program's, whether `--` stands there or not.
	is "$(layerbox exec pipe echo --help -q --json)" "--help -q --json"
	is "$(layerbox exec pipe -- echo "a  b" '$HOME' "c'd" '')" "a  b \$HOME c'd "
	is "$(layerbox exec pipe -- echo -- x)" "-- x"
}

@test "exec sets environment, directory and ids, and takes nothing of the host's environment along" {
	make envy --start
	is "$(SECRET=host layerbox exec --env A=1 --env 'B=x y=z' envy -- sh -c 'echo "$A,$B,$SECRET,$HOME,$container"')" \
		"1,x y=z,,/root,lxc"
	is "$(layerbox exec --cwd /etc envy -- pwd)" /etc
	is "$(layerbox exec --uid 1000 --gid 1001 envy -- sh -c 'echo $(id -u):$(id -g):$(id -G)')" 1000:1001:1001
	run layerbox exec --uid 1000 envy -- touch /etc/no
	[ "$status" -eq 1 ]
	for options in '--uid -1' '--uid x' '--uid 4294967295' '--env NOVALUE' '--gid 1x'; do
		# shellcheck disable=SC2086
		refused "$USAGE" "usage" layerbox exec $options envy -- true
	done
}

@test "exec ends with its program when layerbox is killed, and a signal reaches neither the container" {
	make sig --start
	layerbox exec sig -- sleep 77 &
	pid=$!
	wait_until 5 pgrep -f '^sleep 77$'
	pkill -KILL -P "$pid" -x layerbox || kill -KILL "$pid"
	wait "$pid" || true
	wait_until 5 eval '! pgrep -f "layerbox-lxc exec .* sleep 77"'
	state_is sig running
	layerbox exec sig -- pkill sleep || true
}

@test "shell gives a terminal where there is one, as the user's own shell" {
	make shelly --start
	open_terminal "layerbox shell shelly"
	shows '~ #'
	type_in 'tty; pwd; echo home is $HOME; exit 7\n'
	close_terminal
	is "$status" 7
	shows /dev/pts/
	shows 'home is /root'
	run layerbox shell shelly <<< 'tty; exit 5'
	is "$status" 5
	[[ $output == *"not a tty"* ]]
	layerbox exec shelly -- sh -c 'echo kim:x:1000:1000::/tmp:/bin/sh >> /etc/passwd'
	is "$(echo 'id -u; pwd; echo $USER' | layerbox shell shelly --user kim | xargs)" "1000 /tmp kim"
	refused 125 "has no user 'nosuch'" layerbox shell shelly --user nosuch
	open_terminal "layerbox exec shelly -- tty"
	close_terminal
	shows /dev/pts/
	open_terminal "layerbox exec --no-tty shelly -- sh -c 'tty; exit 3'"
	close_terminal
	is "$status" 3
}

@test "a program without a terminal has none of the host's: not as a stream, and not as its session's" {
	make alone --start
	cat > "$BATS_TEST_TMPDIR/look" <<- 'END'
		for i in 0 1 2; do echo "$i is $(readlink /proc/$$/fd/$i)"; done
		(: < /dev/tty) 2> /dev/null && echo REACHED terminal
		echo error >&2
		echo end
	END
	layerbox push alone "$BATS_TEST_TMPDIR/look" /look
	open_terminal 'layerbox exec --no-tty alone -- sh /look'
	close_terminal
	shows '^end'
	for i in 0 1 2; do shows "^$i is pipe:"; done
	shows '^error'
	refute grep -q REACHED "$screen"
	# One of them is a terminal, and what is typed there comes to the program, until Ctrl-D.
	open_terminal "layerbox exec alone -- sh -c 'readlink /proc/self/fd/0; cat; exit 5' > '$BATS_TEST_TMPDIR/out'"
	type_in 'a line\n'
	wait_until 5 grep -q 'a line' "$BATS_TEST_TMPDIR/out"
	type_in '\004'
	close_terminal
	is "$status" 5
	grep -q '^pipe:' "$BATS_TEST_TMPDIR/out"
	# Output that nobody has asked for yet is not lost, nor what comes from behind a pipe.
	open_terminal 'head -c 300000 /dev/zero | tr "\0" x | layerbox exec alone -- sh -c "cat; echo; echo last"'
	close_terminal
	is "$(tr -d '\r\n' < "$screen" | grep -o 'xx*last' | wc -c)" 300005
}

@test "Ctrl-C ends a program that runs without a terminal, and so does the end of layerbox" {
	make alone --start
	open_terminal 'env --default-signal=INT layerbox exec alone -- sleep 78 > /dev/null'
	wait_until 5 pgrep -f '^sleep 78$' > /dev/null
	type_in '\003'
	close_terminal
	wait_until 5 eval "! pgrep -f '^sleep 78$' > /dev/null"
	command layerbox exec alone -- sleep 79 3>&- &
	wait_until 5 pgrep -f '^sleep 79$' > /dev/null
	kill -KILL $!
	wait_until 5 eval "! pgrep -f '^sleep 79$' > /dev/null"
}

press_enter() {
	type_in '\n'
	grep -q '#' "$screen"
}

@test "console joins the container's console until Ctrl-a q" {
	make con --start
	open_terminal "layerbox console con"
	shows 'leave it with Ctrl-a q'
	wait_until 5 press_enter
	type_in 'echo $((6 * 7))-$(hostname)\n'
	shows '42-con'
	type_in '\001q'
	close_terminal
	is "$status" 0
	state_is con running
	refused "$NO_CONTAINER" "there is no container" layerbox console nobody
	layerbox --quiet stop --kill con
	refused "$NOT_RUNNING" "is stopped" layerbox console con
}

# ------------------------------------------------------------------------------------------ set, get, rename

@test "set and get know every key, and take it away again" {
	[ -d /sys/fs/cgroup/memory ] || grep -qsw memory /sys/fs/cgroup/cgroup.controllers || skip "no controllers here"
	make keys other
	is "$(layerbox get keys autostart)" yes
	while read -r key value; do
		succeeds layerbox set keys "$key=$value"
		is "$(layerbox get keys "$key")" "$value"
		is "$(layerbox info keys --json | jq -r ".\"$key\" | tostring" | sed 's/^false$/no/')" "$value"
		succeeds layerbox set keys "$key=$value"
	done <<-'END'
		description a text = with # signs
		autostart no
		memory 512M
		cpus 0.5
		pids 100
		net.rules allow 10.0.0.0/8, deny 192.0.2.1
		isolated yes
		net.ingress 100Mbit
		net.egress 512kbit
		boot.priority 10
		boot.after other
		boot.delay 30s
		boot.wait network
		boot.timeout 2m
		health.command /bin/true --quietly
		health.http 3000/api/health
		health.tcp inside:1883
		health.interval 1m
		health.timeout 5s
		health.retries 2
		health.start_period 20s
		restart.policy on-failure
		restart.limit 3
		alert.command /bin/alert me
		alert.mail admin@example.org
		refresh.base yes
		snapshot.schedule daily
		snapshot.keep 24h,7d
		backup.pre /bin/pre
		backup.post /bin/post
	END
	is "$(layerbox get keys | xargs -d '\n' | tr -s ' ')" \
		"description=a text = with # signs autostart=no memory=512M cpus=0.5 pids=100 net.rules=allow 10.0.0.0/8, deny 192.0.2.1 isolated=yes net.ingress=100Mbit net.egress=512kbit boot.priority=10 boot.after=other boot.delay=30s boot.wait=network boot.timeout=2m health.command=/bin/true --quietly health.http=3000/api/health health.tcp=inside:1883 health.interval=1m health.timeout=5s health.retries=2 health.start_period=20s restart.policy=on-failure restart.limit=3 alert.command=/bin/alert me alert.mail=admin@example.org refresh.base=yes snapshot.schedule=daily snapshot.keep=24h,7d backup.pre=/bin/pre backup.post=/bin/post"
	succeeds layerbox set keys memory= cpus= pids= net.rules= description= isolated= net.ingress= net.egress= \
		boot.priority= boot.after= boot.delay= boot.wait= boot.timeout= health.command= health.http= health.tcp= health.interval= health.timeout= health.retries= health.start_period= restart.policy= restart.limit= alert.command= alert.mail= refresh.base= \
		snapshot.schedule= snapshot.keep= backup.pre= backup.post=
	is "$(layerbox get keys | xargs)" \
		"description= autostart=no memory= cpus= pids= net.rules= isolated= net.ingress= net.egress= boot.priority= boot.after= boot.delay= boot.wait= boot.timeout= health.command= health.http= health.tcp= health.interval= health.timeout= health.retries= health.start_period= restart.policy= restart.limit= alert.command= alert.mail= refresh.base= snapshot.schedule= snapshot.keep= backup.pre= backup.post="
	refused "$BAD_VALUE" "there is no key \"colour\"" layerbox set keys colour=red
	refused "$BAD_VALUE" "there is no key \"colour\"" layerbox get keys colour
	for wrong in memory=lots memory=-1 memory=1K cpus=0 cpus=x pids=0 pids=-5 autostart=maybe description=$'a\nb' autostart=; do
		refused "$BAD_VALUE" "cannot be" layerbox set keys "$wrong"
	done
	refused "$USAGE" "is not KEY=VALUE" layerbox set keys memory
	refused "$NO_CONTAINER" "there is no container" layerbox set nobody memory=64M
}

@test "rename changes the name outside, inside and in DNS, and keeps the rest" {
	make old --start
	address=$(field old ipv4) mac=$(field old mac) ids=$(field old id_start)
	layerbox exec old -- touch /root/mine
	refused "$RUNNING" "container 'old' is running" layerbox rename old new
	layerbox --quiet stop --kill old
	make other
	refused "$EXISTS" "there is a container 'other' already" layerbox rename old other
	refused "$NO_CONTAINER" "there is no container 'nobody'" layerbox rename nobody new
	tells "renamed old to new" layerbox rename old new
	echo new >> "$BATS_FILE_TMPDIR/names"
	is "$(names)" "new other"
	is "$(field new ipv4) $(field new mac) $(field new id_start)" "$address $mac $ids"
	refused "$NO_CONTAINER" "there is no container 'old'" layerbox info old
	layerbox --quiet start new
	is "$(layerbox exec new -- sh -c 'hostname; cat /etc/hostname; grep -c old /etc/hosts; ls /root' | xargs)" "new new 0 mine"
	wait_until 10 has_address new
	# The old name is free again.
	make old --start
	[ "$(field old ipv4)" != "$address" ]
}

@test "rename leaves alone what the customer has made of hostname and hosts" {
	make was --start
	layerbox exec was -- sh -c 'echo 10.1.2.3 elsewhere >> /etc/hosts'
	layerbox --quiet stop --kill was
	run --separate-stderr layerbox rename was is
	is "$status" 0
	says "/etc/hosts in the container was changed there"
	echo is >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet start is
	layerbox exec is -- grep -q elsewhere /etc/hosts
	is "$(layerbox exec is -- cat /etc/hostname)" is
}

# ------------------------------------------------------------------------------------------------- its files

@test "config.local is included, and a config changed by hand is kept" {
	make conf
	echo 'lxc.environment = FROM=local' > "$CONTAINERS/conf/config.local"
	echo '# by hand' >> "$CONTAINERS/conf/config"
	succeeds layerbox start conf
	says "changed by hand"
	grep -q '# by hand' "$CONTAINERS/conf/config.edited"
	refute grep -q '# by hand' "$CONTAINERS/conf/config"
	tr '\0' '\n' < "/proc/$(field conf pid)/environ" | grep -qx FROM=local
	succeeds layerbox restart --kill conf
	[[ $stderr != *hand* ]]
}

@test "tables are aligned, without colour in a pipe and with it on a terminal" {
	make table
	run layerbox list
	[[ ${lines[0]} =~ ^NAME\ +STATE ]]
	[[ $output != *$'\e['* ]]
	run script -qec "layerbox list" /dev/null < /dev/null
	[[ $output == *$'\e['* ]]
	run layerbox info table
	[[ ${lines[0]} =~ ^Name:\ +table$ ]]
}

@test "help is there for every command, and an unknown one is refused" {
	for command in create start stop restart delete rename list info exec shell console freeze thaw push pull set get init \
		doctor 'base build' 'base import' 'base list' 'base show' 'base delete' 'net up' 'net down' 'net status'; do
		# shellcheck disable=SC2086
		succeeds layerbox $command --help
		[[ ${lines[0]} == "Usage: layerbox $command"* ]]
		layerbox help | grep -q "^  $command "
	done
	refused "$USAGE" "there is no command \`creat\`" layerbox creat x
	refused "$USAGE" "needs a word" layerbox net
	refused "$USAGE" "--nonsense is not an option" layerbox create --nonsense x
	refused "$USAGE" "give the new container a name" layerbox create
	refused "$USAGE" "not both" layerbox start --all x
	refused "$USAGE" "--force is not an option" layerbox start --force x
	refused "$USAGE" "\"0\" is not a number" layerbox stop --timeout 0 x
	refused "$USAGE" "--root needs a value" layerbox list --root
}

@test "a container that is named twice is started and stopped once" {
	make twice
	run layerbox start twice twice
	is "$status" 0
	is "$output" "started twice"
	run layerbox stop --kill twice twice
	is "$status" 0
	is "$output" "killed twice"
}
