#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# layerbox-inside alone: programs of a tree, which may be hostile, run in an overlay of it.
load ../lib/common

setup() {
	work=$(mktemp -d "$LAYERBOX_ROOT/inside.XXXXXX")
	tree=$work/tree layers=$work/layers
	cp -a "$LAYERBOX_ROOT/os-bases/busybox/1/rootfs" "$tree"
	mkdir -p "$layers/upper" "$layers/work"
	chmod 755 "$work" "$layers/upper"
}

teardown() {
	no_mount_left
	rm -rf "$work"
	common_teardown
}

# inside [OPTION...] COMMAND...: as the library starts it.
inside() {
	local options=()
	while [[ $1 == --* ]]; do
		options+=("$1")
		shift
	done
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin GIVEN=value unshare --mount --pid --fork --propagation private \
		/usr/libexec/layerbox/layerbox-inside "${options[@]}" --layers="$layers" --upper=upper --work=work \
		--lower="$tree" -- "$@" 3>&-
}

container=--map=100000:65536

@test "a container's program is root of the container, without network, and what it writes is the container's" {
	succeeds inside $container /bin/sh -c 'id -u; cat /proc/self/uid_map; ip -o link; echo $GIVEN
		echo x > /etc/x; chown 5:6 /etc/x; echo y > /run/y; echo z > /dev/null; exit 0'
	[[ $output == *"0"*"100000      65536"*" lo: <LOOPBACK,UP"*value* ]]
	refute grep -q eth0 <<< "$output"
	is "$(stat -c %u:%g "$layers/upper/etc/x")" 5:6
	is "$(cd "$layers/upper" && find . -type f | xargs)" ./etc/x
	run inside $container /bin/sh -c 'exit 7'
	is "$status" 7
	run inside $container /bin/sh -c 'kill -9 $$'
	is "$status" 137
	run -127 inside $container /nowhere
}

@test "nobody inside gets out: no mount, no device, no way up, no hold of this program, no process that stays" {
	for who in $container --network; do
		run inside $who /bin/sh -c '
			mount -t tmpfs x /mnt && echo REACHED mount
			mknod /srv/disk b 8 0 && echo REACHED device
			mkdir -p /srv/a; chroot /srv/a /../../../../../bin/ls && echo REACHED up
			ls /proc/1/root/ /proc/1/cwd/ && echo REACHED root
			[ -r /proc/1/exe ] && echo REACHED exe
			cat /proc/1/environ && echo REACHED environment
			echo 1 > /proc/sys/kernel/panic && echo REACHED sysctl
			echo b > /proc/sysrq-trigger && echo REACHED sysrq
			(trap "" TERM HUP; while :; do sleep 1; done) &
			echo end'
		[[ $output == *end* ]]
		[[ $output != *REACHED* ]] || fail "$output"
		[ "$status" -eq 0 ]
	done
	refute pgrep -f 'trap "" TERM HUP'
}

@test "who only reads has little of the host's memory, processors and processes, and writes nothing" {
	local option
	for option in "$container" --reader; do # the second: of a container that has the host's ids
		succeeds inside --reader "$option" /bin/sh -c 'for limit in v d t f; do ulimit -$limit; done
			cat /proc/self/oom_score_adj; echo x > /etc/x || ulimit -t 61 || echo refused'
		is "$(xargs <<< "$output")" "1048576 262144 60 0 1000 refused"
	done
	succeeds inside --reader "$container" /bin/sh -c 'grep "^Max processes" /proc/self/limits'
	[[ $output == "Max processes "*" 5 "*" 5 "* ]]
}

@test "what a tree links to outside is not what is mounted on, or written to" {
	local host
	host=$(mktemp -d /var/tmp/layerbox-test.XXXXXX)
	mkdir "$host/dir"
	echo secret > "$host/file"
	rmdir "$tree/run" "$tree/tmp"
	ln -s "../../../../../../../../..$host/dir" "$tree/run"
	ln -s "$host/dir" "$tree/tmp"
	refused_by_tree=$(inside $container /bin/true) && fail "a /run that leads out was accepted"
	[[ $refused_by_tree == 'layerbox-inside: cannot mount its /run: '* ]] || fail "$refused_by_tree"
	# Where the way leads to something in the tree, that is taken.
	rm "$tree/tmp"
	mkdir -p "$tree/tmp" "$tree$host/dir"
	ln -sf "../../../../../../../../..$host/file" "$tree/etc/resolv.conf"
	rmdir "$tree/usr/sbin" 2> /dev/null || rm -r "$tree/usr/sbin"
	ln -s "../../../../../../../..$host/dir" "$tree/usr/sbin"
	succeeds inside --network /bin/sh -c 'cat /etc/resolv.conf; ls /run/layerbox; exit 0'
	[[ $output != *secret* ]]
	is "$(cat "$host/file")" secret
	is "$(ls "$host/dir")" ''
	rm -r "$host"
}

@test "resolv.conf is the host's, wherever the tree keeps it, and no trace of it is left" {
	local before
	before=$(stat -c %Y "$tree/etc")
	cat /etc/resolv.conf > "$work/expected"
	[ -s "$work/expected" ]
	for kind in none link file; do
		rm -f "$tree/etc/resolv.conf"
		case $kind in
			link) ln -s ../run/systemd/resolve/stub-resolv.conf "$tree/etc/resolv.conf" ;;
			file) echo nameserver 192.0.2.1 > "$tree/etc/resolv.conf" ;;
		esac
		touch -d @1000000 "$tree/etc"
		succeeds inside --network /bin/cat /etc/resolv.conf
		is "$output" "$(cat "$work/expected")"
		refute test -e "$layers/upper/etc/resolv.conf"
		[ ! -d "$layers/upper/etc" ] || is "$(stat -c %Y "$layers/upper/etc")" 1000000
		rm -rf "$layers/upper" "$layers/work"
		mkdir "$layers/upper" "$layers/work"
	done
	is "$(cat "$tree/etc/resolv.conf")" 'nameserver 192.0.2.1'
	# One that a program makes itself stays.
	rm "$tree/etc/resolv.conf"
	inside --network /bin/sh -c 'rm /etc/resolv.conf; echo own > /etc/resolv.conf'
	is "$(cat "$layers/upper/etc/resolv.conf")" own
}

@test "services are not started: policy-rc.d says so, while a program runs" {
	run inside $container /usr/sbin/policy-rc.d
	is "$status" 101
	refute test -e "$layers/upper/usr/sbin/policy-rc.d"
	printf '#!/bin/sh\nexit 0\n' > "$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"
	run inside $container /usr/sbin/policy-rc.d
	is "$status" 101
	refute test -e "$layers/upper/usr/sbin/policy-rc.d"
}
