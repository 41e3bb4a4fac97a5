#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# push and pull, with containers that mean no good among them.
load ../lib/common

setup() {
	cd "$BATS_TEST_TMPDIR"
	make box
}

teardown() {
	cd /
	common_teardown
}

# The host's own files that a hostile container is after.
secret() {
	mkdir -p "$LAYERBOX_ROOT/secret"
	echo secret > "$LAYERBOX_ROOT/secret/file"
}

copies() {
	mkdir -p tree/sub
	echo one > tree/one
	echo two > tree/sub/two
	ln -s sub/two tree/link
	chmod 640 tree/one
	chmod 2750 tree/sub
	head -c 300000 /dev/urandom > data
	chmod 755 data
	chown 65534:65534 data
	succeeds layerbox push box data /root/data
	succeeds layerbox push box data /tmp
	refused "$PROGRAM_FAILED" "No such file" layerbox push box data /root/other/
	succeeds layerbox push box tree /root/tree
	succeeds layerbox push box tree/ /home
	succeeds layerbox pull box /root/data back
	cmp data back
	is "$(stat -c %a:%u:%g back)" 755:0:0
	is "$(stat -c %a:%u:%g "$CONTAINERS/box/rootfs-layer/root/data")" 755:0:0
	[ -e "$CONTAINERS/box/rootfs-layer/tmp/data" ]
	[ -e "$CONTAINERS/box/rootfs-layer/home/tree/sub/two" ]
	is "$(stat -c %a "$CONTAINERS/box/rootfs-layer/root/tree/one")" 640
	succeeds layerbox pull box /root/tree pulled
	diff -r tree pulled
	is "$(readlink pulled/link)" sub/two
	mkdir into
	succeeds layerbox pull box /root/tree into
	diff -r tree into/tree
	succeeds layerbox pull box /root/data ./
	is "$(find "$CONTAINERS/box/rootfs-layer" . -name '.layerbox*')" ""
}

@test "push and pull of files and directories, while it is stopped" {
	copies
	layerbox --quiet start box
	is "$(layerbox exec box -- stat -c %u:%g /root/data /root/tree/sub/two | xargs)" "0:0 0:0"
}

@test "push and pull of files and directories, while it runs" {
	layerbox --quiet start box
	copies
	is "$(layerbox exec box -- stat -c %u:%g /root/data /root/tree/sub/two | xargs)" "0:0 0:0"
}

@test "what is not there, has no parent or is not absolute is refused in one sentence" {
	echo x > file
	for state in stopped running; do
		refused "$PROGRAM_FAILED" "No such file" layerbox push box nosuch /root/
		refused "$PROGRAM_FAILED" "No such file" layerbox push box file /no/such/dir/file
		refused "$PROGRAM_FAILED" "No such file" layerbox pull box /no/such/file .
		refused "$PROGRAM_FAILED" "No such file" layerbox pull box /etc/passwd no/such/dir/file
		refused "$PROGRAM_FAILED" "Not a directory" layerbox push box file /etc/passwd/file
		refused "$BAD_VALUE" "must be absolute" layerbox push box file root/file
		refused "$BAD_VALUE" "must be absolute" layerbox pull box etc/passwd .
		refused "$USAGE" "usage" layerbox push box file
		layerbox --quiet start box
	done
	is "$(find "$CONTAINERS/box/rootfs-layer" . -name '.layerbox*')" ""
}

@test "names with spaces, newlines, bytes that are no text, and a dash in front" {
	layerbox --quiet start box
	for name in 'a b' $'new\nline' $'\xff\xfe' '*' '"' "it's" '$HOME' '.layerbox'; do
		echo "$name" > "$name"
		succeeds layerbox push box "$name" /root/
		succeeds layerbox pull box "/root/$name" "back"
		cmp "$name" back
	done
	echo dash > ./-dash
	succeeds layerbox push box -- -dash /root/
	succeeds layerbox pull -- box /root/-dash -back
	cmp ./-dash ./-back
}

# Makes the container's own tree hostile, as its root can.
make_hostile() {
	secret
	layerbox --quiet start box
	layerbox exec box -- sh -c "
		ln -s $LAYERBOX_ROOT/secret /root/absolute
		ln -s ../../../../../../../../../../../..$LAYERBOX_ROOT/secret /root/up
		ln -s $LAYERBOX_ROOT/secret/file /root/file
		ln -s /proc/1/root /root/proc
		mkdir -p /root/dir
		ln -s / /root/dir/slash"
	[ "$1" = running ] || layerbox --quiet stop --kill box
}

@test "links of a container lead nowhere but into the container" {
	for state in running stopped; do
		make_hostile $state
		echo attack > attack
		for way in absolute up; do
			run layerbox push box attack /root/$way/file
			run layerbox push box attack /root/$way/new
			run layerbox pull box /root/$way/file "stolen-$way"
			[ "$status" -ne 0 ]
			[ ! -e "stolen-$way" ]
		done
		run layerbox push box attack /root/file
		is "$(cat "$LAYERBOX_ROOT/secret/file")" secret
		is "$(ls "$LAYERBOX_ROOT/secret")" file
		# A pulled link stays a link; nobody follows it on the way.
		run layerbox pull box /root/file link
		[ -L link ] || refute grep -q secret link
		rm -f link
		succeeds layerbox pull box /root/dir dir
		is "$(readlink dir/slash)" /
		rm -r dir
		layerbox --quiet delete --force box
		make box
	done
}

@test "a pull through a link on the host's side is the operator's wish, a link that was pulled is not written through" {
	secret
	layerbox --quiet start box
	layerbox exec box -- sh -c "mkdir /root/t; ln -s $LAYERBOX_ROOT/secret /root/t/x; echo bad > /root/file"
	succeeds layerbox pull box /root/t t
	[ -L t/x ]
	ln -s "$LAYERBOX_ROOT/secret/file" here
	run layerbox pull box /root/file here
	is "$(cat "$LAYERBOX_ROOT/secret/file")" secret
}

@test "a pulled setuid file is no setuid file of the host, and has no capabilities" {
	layerbox --quiet start box
	layerbox exec box -- sh -c 'cp /bin/busybox /root/su; chmod 6755 /root/su; mkdir /root/d; cp -p /root/su /root/d/su; chmod 2777 /root/d'
	for state in running stopped; do
		succeeds layerbox pull box /root/su su
		is "$(stat -c %a su)" 755
		succeeds layerbox pull box /root/d d
		is "$(stat -c %a d/su)" 755
		rm -r su d
		layerbox --quiet stop --kill box
	done
	cp /bin/true suid
	chmod 4755 suid
	succeeds layerbox push box suid /root/
	is "$(stat -c %a "$CONTAINERS/box/rootfs-layer/root/suid")" 755
}

@test "pipes, sockets and devices do not make it wait" {
	layerbox --quiet start box
	layerbox exec box -- sh -c 'mkdir /root/odd; mkfifo /root/odd/pipe /root/pipe; echo x > /root/odd/file'
	for what in /root/pipe /dev/zero /dev/console /proc/kmsg; do
		run timeout 10 layerbox pull box "$what" got
		[ "$status" -ne 124 ] || fail "pull of $what hangs"
		rm -rf got
	done
	run timeout 10 layerbox pull box /root/odd odd
	is "$status" 0
	is "$(cat odd/file)" x
	mkfifo pipe
	run timeout 10 layerbox push box pipe /root/
	[ "$status" -ne 124 ]
	run timeout 10 layerbox push box data /root/pipe
	[ "$status" -ne 124 ]
}

@test "a copy that fails leaves what was there" {
	layerbox --quiet start box
	echo old > file
	succeeds layerbox push box file /root/file
	head -c 100000000 /dev/zero > large
	layerbox exec box -- mount -t tmpfs -o size=1m tmpfs /mnt
	refused "$PROGRAM_FAILED" "No space left" layerbox push box large /mnt/
	is "$(layerbox exec box -- ls -A /mnt)" ""
	layerbox exec box -- mkdir -p /root/d/file/full
	refused "$PROGRAM_FAILED" "an existing directory is not replaced" layerbox push box file /root/d
	is "$(layerbox exec box -- cat /root/file)" old
}

@test "a base and another container do not change by a push" {
	make other
	tree=$(layerbox base show busybox --json | jq -r .directory)
	before=$(tree_checksum "$tree")
	echo changed > passwd
	succeeds layerbox push box passwd /etc/passwd
	is "$(tree_checksum "$tree")" "$before"
	succeeds layerbox pull other /etc/passwd theirs
	refute cmp -s passwd theirs
}
