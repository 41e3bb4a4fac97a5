#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Snapshots looked at: what differs between two of them or one and the present, and mounted to be read.
load ../lib/common

teardown() {
	umount "$BATS_FILE_TMPDIR/place" 2> /dev/null || true
	common_teardown
}

# inside NAME SCRIPT: a shell script in a container that is started for it and killed afterwards.
inside() {
	layerbox --quiet start "$1"
	layerbox exec "$1" -- sh -e -c "$2"
	layerbox --quiet stop --kill "$1"
}

# differs NAME LABEL [LABEL]: lines "PATH BEFORE AFTER" in $differences, with 0 and 1 for what is there; packages as they
# are.
differs() {
	succeeds layerbox snapshot diff "$@" --json
	differences=$(jq -r '.[] | select(.path) | "\(.path) \(if .before then 1 else 0 end)\(if .after then 1 else 0 end)"' \
		<<< "$output")
	packages=$(jq -r '.[] | select(.package) | "\(.package) \(.before) \(.after)"' <<< "$output")
	json=$output
}

@test "nothing differs from itself, nor right behind a snapshot" {
	make a
	inside a 'echo one > /root/file'
	succeeds layerbox snapshot create a first
	succeeds layerbox snapshot diff a first
	says 'nothing differs'
	is "$output" ''
	succeeds layerbox snapshot diff a first first --json
	is "$output" '[]'
}

@test "files, links, directories, devices, owners and attributes, in both directions" {
	make a
	inside a '
		mkdir -p /root/d/sub /root/gone
		echo 1 > /root/d/sub/file
		echo 1 > /root/gone/file
		echo same > /root/same
		echo aaaa > /root/content
		echo aaaa > /root/mode
		echo aaaa > /root/owner
		ln -s here /root/link
		mkfifo /root/kind'
	layerbox --quiet snapshot create a first
	inside a '
		rm -r /root/gone /root/d
		mkdir /root/d
		echo new > /root/d/new
		echo same > /root/copy
		mv /root/copy /root/same
		echo bbbb > /root/content
		chmod 4755 /root/mode
		chown 7:8 /root/owner
		ln -sf there /root/link
		rm /root/kind
		mkdir /root/kind
		rm /etc/hosts'
	layerbox --quiet snapshot create a second
	differs a first second
	is "$differences" '/etc/hosts 10
/root/content 11
/root/d/new 01
/root/d/sub 10
/root/d/sub/file 10
/root/gone 10
/root/gone/file 10
/root/kind 11
/root/link 11
/root/mode 11
/root/owner 11'
	is "$(jq -r '.[] | select(.path == "/root/mode") | .before, .after' <<< "$json")" \
		$'file, 0644, root:root, 5 bytes\nfile, 4755, root:root, 5 bytes'
	is "$(jq -r '.[] | select(.path == "/root/owner") | .after' <<< "$json")" 'file, 0644, 7:8, 5 bytes'
	is "$(jq -r '.[] | select(.path == "/root/link") | .after' <<< "$json")" 'link to there, root:root'
	[[ $(jq -r '.[] | select(.path == "/root/content") | .after' <<< "$json") == *'5 bytes, SHA-256 '* ]]
	differs a second first
	is "$(grep -c ' 01$' <<< "$differences")" 5
	grep -qx '/etc/hosts 01' <<< "$differences"
	# What it is now, while it is stopped, and while it runs.
	differs a second
	is "$differences" ''
	inside a 'echo more > /root/more'
	differs a second
	is "$differences" '/root/more 01'
	differs a first
	grep -qx '/root/more 01' <<< "$differences"
	grep -qx '/etc/hosts 10' <<< "$differences"
	layerbox --quiet start a
	layerbox exec a -- sh -c 'echo now > /root/now'
	differs a second
	grep -qx '/root/now 01' <<< "$differences"
}

@test "a container that runs, and the live snapshot of it" {
	make a --start
	layerbox exec a -- sh -e -c '
		mkdir /root/d
		for i in $(seq 100); do echo "$i" > "/root/d/$i"; done
		echo 1 > /root/late'
	layerbox --quiet snapshot create a first
	differs a first
	is "$(grep /root/ <<< "$differences")" ''
	layerbox exec a -- sh -e -c '
		echo x > /root/d/1
		echo 22 > /root/d/22
		chmod 600 /root/d/33
		rm /root/d/44
		mv /root/d/55 /root/d/new
		touch /root/d/66'
	differs a first
	is "$(grep /root/ <<< "$differences")" $'/root/d/1 11\n/root/d/33 11\n/root/d/44 10\n/root/d/55 10\n/root/d/new 01'
	layerbox --quiet snapshot create a second
	differs a second
	is "$(grep /root/ <<< "$differences")" ''
	differs a first second
	is "$(grep /root/ <<< "$differences")" $'/root/d/1 11\n/root/d/33 11\n/root/d/44 10\n/root/d/55 10\n/root/d/new 01'
}

@test "packages first, by what dpkg has installed" {
	make a
	inside a '
		mkdir -p /var/lib/dpkg
		printf "Package: %s\nStatus: install ok installed\nVersion: 1\n\n" one two three > /var/lib/dpkg/status'
	layerbox --quiet snapshot create a first
	inside a '
		printf "Package: %s\nStatus: install ok installed\nVersion: 1\n\n" one four > /var/lib/dpkg/status
		printf "Package: %s\nStatus: install ok installed\nVersion: 2\n\n" two >> /var/lib/dpkg/status'
	differs a first
	is "$packages" $'four null 1\nthree 1 null\ntwo 1 2'
	is "$(jq -r 'map(has("package") and .package != null) | join(" ")' <<< "$json")" 'true true true false'
	# A database that is none harms nobody.
	inside a 'rm /var/lib/dpkg/status; ln -s /etc/shadow /var/lib/dpkg/status'
	differs a first
	is "$packages" $'one 1 null\nthree 1 null\ntwo 1 null'
}

@test "after a restore: between what was and what is again" {
	make a
	inside a 'echo one > /root/file'
	layerbox --quiet snapshot create a first
	inside a 'echo longer > /root/file; echo two > /root/two'
	layerbox --quiet snapshot create a second
	layerbox --quiet snapshot restore a first
	differs a first
	is "$differences" ''
	differs a second
	is "$differences" $'/root/file 11\n/root/two 10'
}

@test "names may be anything, and no link leads out" {
	local before
	make a
	layerbox --quiet snapshot create a first
	echo secret > "$LAYERBOX_ROOT/secret"
	inside a '
		touch "$(printf "/root/a\nb \033[31m\377")"
		mkdir "$(printf "/root/d\nd")"
		touch "$(printf "/root/d\nd/x")"
		mkdir /root/etc
		touch /root/etc/x'
	# What a container cannot do while it runs under root of its own.
	ln -s "$LAYERBOX_ROOT" "$CONTAINERS/a/rootfs-layer/root/out"
	differs a first
	is "$(jq -r '[.[].path] | map(select(test("secret"))) | length' <<< "$json")" 0
	is "$(jq -r '[.[].path] | length' <<< "$json")" 6
	grep -qx '/root/out 01' <<< "$differences"
	succeeds layerbox snapshot diff a first
	is "${#lines[@]}" 6
	refute grep -q $'\033' <<< "$output"
}

@test "refused: what is not there" {
	make a
	refused $NO_SNAPSHOT "'nothing'" layerbox snapshot diff a nothing
	layerbox --quiet snapshot create a first
	refused $NO_SNAPSHOT first layerbox snapshot diff a first nothing
	refused $NO_CONTAINER "'b'" layerbox snapshot diff b first
	refused $BAD_NAME '' layerbox snapshot diff ../a first
	run -"$BAD_NAME" layerbox snapshot diff a ../first
}

# ------------------------------------------------------------------------------------------------------ mounted

@test "a snapshot is mounted with its base, read-only, and cannot be deleted meanwhile" {
	local place=$BATS_FILE_TMPDIR/place
	mkdir -p "$place"
	make a
	inside a 'echo one > /root/file; chmod 4755 /root/file; rm /etc/hosts'
	layerbox --quiet snapshot create a first
	inside a 'echo two > /root/file'
	layerbox --quiet snapshot create a second
	succeeds layerbox snapshot mount a first "$place"
	is "$(cat "$place/root/file")" one
	[ ! -e "$place/etc/hosts" ]
	[ -f "$place/bin/busybox" ]
	refute touch "$place/root/file" 2> /dev/null
	is "$(findmnt -n -o SOURCE "$place")" layerbox:a/first
	findmnt -n -o OPTIONS "$place" | tr , '\n' | sort | grep -xE 'ro|nosuid|nodev|noexec' | tr '\n' ' ' |
		grep -qx 'nodev noexec nosuid ro '
	refused $BUSY mounted layerbox snapshot delete a first
	# Nor anything else by which it would not be known any more.
	refused $BUSY mounted layerbox snapshot rename a first other
	refused $BUSY mounted layerbox rename a b
	refused $BUSY mounted layerbox delete a
	# Others go, and it stays whole.
	layerbox --quiet snapshot delete a second
	is "$(cat "$place/root/file")" one
	umount "$place"
	succeeds layerbox snapshot delete a first
}

@test "a mounted snapshot stays whole when layers below and above are merged" {
	local place=$BATS_FILE_TMPDIR/place i
	mkdir -p "$place"
	make a
	for i in 1 2 3 4; do
		inside a "echo $i > /root/file-$i"
		layerbox --quiet snapshot create a "s$i"
	done
	layerbox --quiet snapshot mount a s3 "$place"
	layerbox --quiet snapshot delete a s1
	layerbox --quiet snapshot delete a s2
	layerbox --quiet snapshot delete a s4
	is "$(cat "$place"/root/file-*)" $'1\n2\n3'
	umount "$place"
	layerbox --quiet snapshot mount a s3 "$place"
	is "$(cat "$place"/root/file-*)" $'1\n2\n3'
	umount "$place"
}

@test "an empty container's snapshot is its base" {
	local place=$BATS_FILE_TMPDIR/place
	mkdir -p "$place"
	make a
	layerbox --quiet snapshot create a first
	succeeds layerbox snapshot mount a first "$place"
	[ -f "$place/bin/busybox" ]
	is "$(findmnt -n -o SOURCE "$place")" layerbox:a/first
	umount "$place"
}

@test "refused: a place that is no directory, a snapshot that is not there" {
	make a
	layerbox --quiet snapshot create a first
	touch "$BATS_TEST_TMPDIR/file"
	refused $FAILED 'Not a directory' layerbox snapshot mount a first "$BATS_TEST_TMPDIR/file"
	refused $FAILED 'No such file' layerbox snapshot mount a first "$BATS_TEST_TMPDIR/nothing"
	refused $NO_SNAPSHOT "'nothing'" layerbox snapshot mount a nothing "$BATS_TEST_TMPDIR"
	no_mount_left
}
