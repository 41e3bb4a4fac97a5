#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# mount.NAME: what containers see of the host's files, with which ids, and what they cannot do with that.
load ../lib/common

# $open: everybody on the host can walk to it. $closed: root only, as it has to be for what containers write.
setup() {
	open=$(mktemp -d "${TMPDIR:-/tmp}/layerbox-binds.XXXXXX")
	closed=$open/closed
	chmod 755 "$open"
	mkdir -m 700 "$closed"
	mkdir "$open/certs" "$closed/data"
	echo secret > "$open/certs/key"
	chmod 600 "$open/certs/key"
}

teardown() {
	common_teardown
	! grep -F "$open" /proc/self/mountinfo || fail "the host has mounts of it"
	rm -rf "$open"
}

inside() {
	local name=$1
	shift
	layerbox exec "$name" -- "$@"
}

# set_mount NAME KEY=VALUE...
set_mount() {
	layerbox --quiet set "$@"
}

# does_not_start NAME PART: and starts again when the setting is away.
does_not_start() {
	refused "$BAD_VALUE" "$2" layerbox start "$1"
	state_is "$1" stopped
	! grep -F "$CONTAINERS" /proc/self/mountinfo || fail "something stays mounted"
}

# runs_secure PROGRAM: 1 where somebody without rights in container a gets more by running it, and with that AT_SECURE of
# getauxval(3). A busybox, which gives up what it got at once.
runs_secure() {
	local pid
	layerbox exec --uid 1000 a -- "$1" sleep 1000 < /dev/null > /dev/null 2>&1 &
	wait_until 5 pgrep -f "^$1 sleep 1000" > /dev/null
	pid=$(pgrep -f "^$1 sleep 1000")
	python3 -c 'import struct, sys; print(dict(struct.iter_unpack("@LL", open(sys.argv[1], "rb").read()))[23])' "/proc/$pid/auxv"
	kill "$pid"
}

# link NAME TARGET PATH: a symbolic link in a container's own files, as its root would make it.
link() {
	mkdir -p "$(dirname "$CONTAINERS/$1/rootfs-layer$3")"
	ln -sfn "$2" "$CONTAINERS/$1/rootfs-layer$3"
}

@test "a directory for reading: the ids are the container's, and nobody writes to it" {
	make a
	set_mount a "mount.certs=$open/certs:/etc/broker/certs:ro"
	chown 7:8 "$open/certs/key"
	layerbox --quiet start a
	is "$(inside a cat /etc/broker/certs/key)" secret
	is "$(inside a stat -c '%u:%g %a' /etc/broker/certs/key)" "7:8 600"
	is "$(inside a stat -c '%u:%g %a' /etc/broker)" "0:0 755"
	refute inside a sh -c 'echo x > /etc/broker/certs/new'
	refute inside a chmod 644 /etc/broker/certs/key
	refute inside a mount -o remount,rw,bind /etc/broker/certs
	refute inside a umount /etc/broker/certs
	is "$(stat -c '%u:%g %a' "$open/certs/key")" "7:8 600"
	is "$(ls "$open/certs")" key
	# Somebody else in the container has no more rights than on the host.
	refute layerbox exec --uid 1000 a -- cat /etc/broker/certs/key
	is "$(layerbox exec --uid 7 a -- cat /etc/broker/certs/key)" secret
	is "$(field a '"mount.certs"')" "$open/certs:/etc/broker/certs:ro"
}

@test "a directory for writing: who writes there has the same ids on both sides, and no setuid" {
	make a
	set_mount a "mount.data=$closed/data:/srv/data"
	layerbox --quiet start a
	inside a sh -c 'echo hello > /srv/data/hello; chown 1000:1001 /srv/data/hello; cp /bin/busybox /srv/data/; chmod 4755 /srv/data/busybox; cp -p /srv/data/busybox /'
	is "$(stat -c '%u:%g' "$closed/data/hello")" 1000:1001
	is "$(stat -c '%u:%g %a' "$closed/data/busybox")" "0:0 4755"
	is "$(cat "$closed/data/hello")" hello
	[[ $(inside a cat /proc/self/mountinfo) == *" /srv/data rw,nosuid,nodev,"* ]]
	is "$(runs_secure /busybox)" 1
	is "$(runs_secure /srv/data/busybox)" 0
	echo back > "$closed/data/back"
	chown 1000 "$closed/data/back"
	is "$(inside a stat -c %u /srv/data/back)" 1000
	# What the container has no id for is nobody's there.
	chown 3000000 "$closed/data/back"
	is "$(inside a stat -c %u /srv/data/back)" 65534
}

@test "a file, over one that is there and where there is none" {
	make a
	echo of the host > "$closed/motd"
	set_mount a "mount.motd=$closed/motd:/etc/hostname" "mount.key=$open/certs/key:/opt/deep/key:ro"
	layerbox --quiet start a
	is "$(inside a cat /etc/hostname)" "of the host"
	is "$(inside a cat /opt/deep/key)" secret
	inside a sh -c 'echo changed > /etc/hostname'
	is "$(cat "$closed/motd")" changed
	is "$(cat "$CONTAINERS/a/rootfs-layer/etc/hostname")" a
	[ ! -s "$CONTAINERS/a/rootfs-layer/opt/deep/key" ]
	is "$(stat -c '%u:%g' "$CONTAINERS/a/rootfs-layer/opt/deep/key")" 0:0
}

@test "what lies in another one is found in it, whatever their names" {
	make a
	mkdir "$closed/data/in"
	set_mount a "mount.a=$open/certs:/data/in:ro" "mount.z=$closed/data:/data"
	layerbox --quiet start a
	is "$(inside a cat /data/in/key)" secret
	inside a touch /data/here
	[ -e "$closed/data/here" ]
	is "$(layerbox get a | grep ^mount)" "mount.z=$closed/data:/data
mount.a=$open/certs:/data/in:ro"
}

@test "what is written must be somewhere that others on the host cannot walk to" {
	make a
	mkdir -m 700 "$open/own"
	refused "$BAD_VALUE" 'chmod 700' layerbox set a "mount.data=$open/certs:/data"
	# The container's root could open it: it is its owner.
	refused "$BAD_VALUE" 'chmod 700' layerbox set a "mount.data=$open/own:/data"
	refused "$BAD_VALUE" 'chmod 700' layerbox set a "mount.data=$open/certs/key:/data"
	chmod 710 "$closed"
	refused "$BAD_VALUE" 'chmod 700' layerbox set a "mount.data=$closed/data:/data"
	chmod 700 "$closed"
	chown 1000 "$closed"
	refused "$BAD_VALUE" 'chmod 700' layerbox set a "mount.data=$closed/data:/data"
	chown 0 "$closed"
	set_mount a "mount.data=$closed/data:/data"
	chmod 755 "$closed"
	does_not_start a 'mount.data: no directory above'
	succeeds layerbox set a "mount.data=$closed/data:/data:ro"
	layerbox --quiet start a
}

@test "what cannot be bound is refused when it is set" {
	make a
	refused "$BAD_VALUE" "mount.x: there is no $open/none on this host" layerbox set a "mount.x=$open/none:/x:ro"
	ln -s certs "$open/link"
	refused "$BAD_VALUE" 'symbolic link' layerbox set a "mount.x=$open/link:/x:ro"
	refused "$BAD_VALUE" 'symbolic link' layerbox set a "mount.x=$open/link/key:/x:ro"
	mkfifo "$open/fifo"
	refused "$BAD_VALUE" 'neither a directory' layerbox set a "mount.x=$open/fifo:/x:ro"
	refused "$BAD_VALUE" 'the files of all containers' layerbox set a "mount.x=$LAYERBOX_ROOT:/x:ro"
	refused "$BAD_VALUE" 'the files of all containers' layerbox set a "mount.x=$CONTAINERS/a/rootfs-layer:/x:ro"
	refused "$BAD_VALUE" 'the files of all containers' layerbox set a "mount.x=$CONTAINERS/a/container.conf:/x:ro"
	refused "$BAD_VALUE" 'the files of all containers' layerbox set a "mount.x=$(dirname "$LAYERBOX_ROOT"):/x:ro"
	# The same by another way.
	mkdir "$open/alias"
	mount --bind "$LAYERBOX_ROOT" "$open/alias"
	run layerbox set a "mount.x=$open/alias/containers:/x:ro"
	umount "$open/alias"
	[ "$status" -eq "$BAD_VALUE" ] || fail "$output"
	refused "$BAD_VALUE" 'must be SRC:DST' layerbox set a "mount.x=$open/certs"
	refused "$BAD_VALUE" 'must be SRC:DST' layerbox set a "mount.x=$open/certs/../..:/x"
	refused "$BAD_VALUE" 'covers or empties' layerbox set a "mount.x=$open/certs:/run/x"
	refused "$BAD_VALUE" 'there is no key' layerbox set a "mount.X=$open/certs:/x:ro"
	set_mount a "mount.x=$open/certs:/x:ro"
	refused "$BAD_VALUE" 'another mount' layerbox set a "mount.y=$closed/data:/x:ro"
	is "$(layerbox get a mount.x)" "$open/certs:/x:ro"
	set_mount a mount.x=
	is "$(layerbox get a mount.x)" ""
	is "$(layerbox get a | grep -c ^mount)" 0
}

@test "links in the container's tree lead nowhere else" {
	make a
	mkdir "$open/victim"
	link a "$open/victim" /absolute
	set_mount a "mount.x=$open/certs:/absolute/certs:ro"
	does_not_start a 'a link that leads nowhere'
	link a "$open/victim/new" /file
	set_mount a mount.x= "mount.y=$open/certs/key:/file:ro"
	does_not_start a 'a link that leads nowhere'
	link a ../../../../../../../../etc /relative
	link a relative /chain
	set_mount a mount.y= "mount.x=$open/certs:/chain/layerbox-test:ro"
	layerbox --quiet start a
	is "$(inside a cat /etc/layerbox-test/key)" secret
	[ ! -e /etc/layerbox-test ]
	is "$(ls "$open/victim")" ""
	layerbox --quiet stop --kill a
	link a loop2 /loop1
	link a loop1 /loop2
	set_mount a "mount.x=$open/certs:/loop1/x:ro"
	does_not_start a 'a link that leads nowhere'
	link a / /back
	set_mount a "mount.x=$open/certs:/back:ro"
	does_not_start a 'leads back to /'
	link a /proc/self/root /magic
	set_mount a "mount.x=$open/certs:/magic/x:ro"
	does_not_start a 'a link that leads nowhere'
	# A file in the way, and a directory where a file shall be.
	set_mount a "mount.x=$open/certs:/bin/busybox/x:ro"
	does_not_start a 'is no directory'
	set_mount a "mount.x=$open/certs:/bin/busybox:ro"
	does_not_start a 'is a directory, and /bin/busybox in the container is not'
	set_mount a "mount.x=$open/certs/key:/etc:ro"
	does_not_start a 'is a file, and /etc in the container is not'
	set_mount a mount.x=
	layerbox --quiet start a
}

# One container shares a directory for writing, and turns what another one is mounted on while that is started.
@test "a mount point that is swapped while it is mounted on leads nowhere else either" {
	make a
	make b
	mkdir "$closed/data/x"
	set_mount a "mount.shared=$closed/data:/data" "mount.x=$open/certs:/data/x/certs:ro"
	set_mount b "mount.shared=$closed/data:/data"
	layerbox --quiet start b
	inside b sh -c 'cd /data; ln -s ../../../../../../../etc link; while :; do mv x y; mv link x; mv x link; mv y x; done' 3>&- &
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		layerbox --quiet start a 2> "$BATS_TEST_TMPDIR/error" || grep -q 'mount.x: ' "$BATS_TEST_TMPDIR/error" ||
			fail "$(cat "$BATS_TEST_TMPDIR/error")"
		! grep -E "$open|$CONTAINERS" /proc/self/mountinfo || fail "the host has mounts"
		layerbox --quiet stop --kill a
	done
	layerbox --quiet stop --kill b
	wait
	[ ! -e /etc/certs ]
	is "$(ls "$open/certs")" key
}

@test "what is missing keeps a container from starting, with a sentence, and doctor finds it" {
	make a
	set_mount a "mount.certs=$open/certs:/certs:ro"
	mv "$open/certs" "$open/away"
	does_not_start a "container 'a': mount.certs: there is no $open/certs on this host"
	run -1 --separate-stderr layerbox doctor
	[[ $output == *"mount.certs: there is no $open/certs on this host"* ]] || fail "$output"
	refute lxc-start -P "$CONTAINERS" -n a 3>&-
	grep -q 'layerbox-hook a ERROR - mount.certs: there is no' "$CONTAINERS/a/lxc.log"
	# Turned to somewhere else.
	ln -s /etc "$open/certs"
	does_not_start a 'symbolic link'
	rm "$open/certs"
	mv "$open/away" "$open/certs"
	layerbox --quiet start a
	is "$(inside a cat /certs/key)" secret
}

@test "two containers share a directory" {
	make a
	make b
	set_mount a "mount.shared=$closed/data:/shared"
	set_mount b "mount.shared=$closed/data:/elsewhere"
	layerbox --quiet start a b
	inside a sh -c 'echo from a > /shared/file; chown 5 /shared/file'
	is "$(inside b cat /elsewhere/file)" "from a"
	is "$(inside b stat -c %u /elsewhere/file)" 5
	inside b sh -c 'echo from b >> /elsewhere/file'
	is "$(cat "$closed/data/file")" "from a
from b"
}

@test "a snapshot, an export and an import know nothing of what is mounted" {
	make a
	set_mount a "mount.data=$closed/data:/data" "mount.certs=$open/certs:/certs:ro"
	layerbox --quiet start a
	layerbox exec a -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i > /data/file$((i % 100)); echo $i > /own; done' 3>&- &
	wait_until 5 test -s "$closed/data/file50"
	layerbox --quiet snapshot create a one --live
	layerbox --quiet snapshot create a two --live
	is "$(find "$LAYERBOX_ROOT/layers" -path '*/data/*' -o -path '*/certs/*')" ""
	[ -n "$(find "$LAYERBOX_ROOT/layers" -path '*/rootfs-layer/own')" ]
	refute grep -q ' /data/' <(layerbox snapshot diff a one two 2>&1)
	layerbox --quiet stop --kill a
	wait
	layerbox --quiet clone a twin
	is "$(layerbox get twin mount.data)" "$closed/data:/data"
	layerbox --quiet start twin
	is "$(inside twin cat /certs/key)" secret
	layerbox export a > "$BATS_TEST_TMPDIR/stream" 2> /dev/null
	refute grep -q secret "$BATS_TEST_TMPDIR/stream"
	succeeds layerbox import --as other < "$BATS_TEST_TMPDIR/stream"
	says "warning: the container came with a setting that this host's operator has to make: \`layerbox set "
	says "mount.certs=$open/certs:/certs:ro"
	says "mount.data=$closed/data:/data"
	is "$(layerbox get other | grep -c ^mount)" 0
	layerbox --quiet start other
	is "$(inside other ls /data /certs)" "/certs:

/data:"
}

rebooted() {
	state_is "$1" running && [ "$(field "$1" pid)" != "$2" ]
}

reboot_inside() {
	local before
	before=$(field "$1" pid)
	inside "$1" reboot -f || true
	wait_until 10 rebooted "$1" "$before"
}

@test "they hold after a restart, a reboot from inside and lxc-start, and are nowhere on the host" {
	make a
	layerbox --quiet start a
	tells "layerbox: container 'a' runs as it was started: mount.certs takes effect with \`layerbox restart a\`" \
		layerbox set a "mount.certs=$open/certs:/certs:ro"
	refute inside a test -e /certs
	layerbox --quiet restart --kill a
	is "$(inside a cat /certs/key)" secret
	reboot_inside a
	is "$(inside a cat /certs/key)" secret
	! grep -F "$open" /proc/self/mountinfo || fail "the host has it mounted"
	layerbox --quiet stop --kill a
	lxc-start -P "$CONTAINERS" -n a 3>&-
	is "$(inside a cat /certs/key)" secret
	reboot_inside a
	is "$(inside a cat /certs/key)" secret
	! grep -F "$open" /proc/self/mountinfo || fail "the host has it mounted"
}

@test "a privileged container has them without setuid as well" {
	make a --privileged
	set_mount a "mount.data=$closed/data:/data" "mount.certs=$open/certs:/certs:ro"
	layerbox --quiet start a
	is "$(inside a cat /certs/key)" secret
	[[ $(inside a cat /proc/self/mountinfo) == *" /data rw,nosuid,nodev,"* ]]
	[[ $(inside a cat /proc/self/mountinfo) == *" /certs ro,nosuid,nodev,"* ]]
	inside a touch /data/file
	is "$(stat -c %u "$closed/data/file")" 0
}

@test "a file system that knows no idmapped mounts is refused with a sentence" {
	make a
	mount -t ramfs ramfs "$closed/data"
	set_mount a "mount.data=$closed/data:/data:ro"
	run --separate-stderr layerbox start a
	layerbox --quiet set a mount.data=
	umount "$closed/data"
	[ "$status" -eq "$KERNEL" ] || fail "$status: $stderr"
	says 'no idmapped mounts'
}

@test "push and pull go where the container would write, running or not" {
	make a
	set_mount a "mount.data=$closed/data:/data" "mount.certs=$open/certs:/certs:ro"
	layerbox --quiet pull a /certs/key "$BATS_TEST_TMPDIR/key"
	is "$(cat "$BATS_TEST_TMPDIR/key")" secret
	layerbox --quiet push a "$BATS_TEST_TMPDIR/key" /data/
	is "$(cat "$closed/data/key")" secret
	refute layerbox --quiet push a "$BATS_TEST_TMPDIR/key" /certs/other
	layerbox --quiet start a
	layerbox --quiet push a "$BATS_TEST_TMPDIR/key" /data/running
	is "$(cat "$closed/data/running")" secret
}
