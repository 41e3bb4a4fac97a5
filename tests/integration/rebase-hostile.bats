#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Rebases of containers whose owner means harm, or has done what few do: directories that were replaced as a whole,
# traps of every type, databases that were made to be read for ever, programs that never end.
load ../lib/common
load ../lib/rebase

setup_file() {
	local tree=$BATS_FILE_TMPDIR/tree v
	export DEBS=$BATS_FILE_TMPDIR/debs
	common_setup_file
	mkdir "$tree" "$DEBS"
	small_debian "$tree"
	for v in 1 1.5 2; do
		make_deb pack $v -- "usr/share/pack/text=pack $v" "usr/share/pack/only-$v=only $v" "usr/share/pack/sub/text=sub $v" \
			"etc/pack.conf=pack $v"
	done
	make_deb fresh 1 -- 'usr/share/fresh/text=fresh' 'usr/share/pack/of-fresh=fresh'
	mkdir -p "$tree/opt/debs" "$tree"/opt/t/{moved/sub,kept,whole/sub} "$tree/etc/t"
	cp "$DEBS"/*.deb "$tree/opt/debs/"
	for v in moved/file moved/sub/file kept/file whole/file whole/sub/file; do
		echo "$v 1" > "$tree/opt/t/$v"
	done
	echo 1 > "$tree/etc/t/conf"
	chroot "$tree" sh -ec 'dpkg -i /opt/debs/pack_1.deb && rm -f /var/log/dpkg.log' > /dev/null
	layerbox --quiet base import deb "$tree"
	rm -r "$tree"
	next_generation deb <<- 'END'
		#!/bin/sh -eu
		dpkg -i /opt/debs/pack_2.deb /opt/debs/fresh_1.deb
		useradd --uid 4242 --no-create-home fixed
		cd /opt/t
		mkdir elsewhere
		mv moved elsewhere/
		ln -s elsewhere/moved moved
		echo 2 > /etc/t/conf
		echo 'whole 2' > whole/file
	END
}

teardown() {
	layerbox --quiet delete --all --force
	common_teardown
}

# is_opaque NAME PATH: the top layer's directory hides the base's.
is_opaque() {
	is "$(python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "trusted.overlay.opaque").decode())' \
		"$CONTAINERS/$1/rootfs-layer/$2")" y
}

# ------------------------------------------------------------------------------- directories that were replaced

@test "a directory that became a link in the base: what the container has in it is not lost" {
	local question
	make tiger --base deb@1
	changes tiger <<< 'echo precious > /opt/t/moved/sub/mine'
	in_top tiger opt/t/moved/sub/mine
	conflicts tiger /opt/t/moved
	question=$(item /opt/t/moved question)
	succeeds layerbox rebase --answer "$question=keep"
	there_and_back tiger
	sees tiger /opt/t/moved/sub/mine precious
	succeeds layerbox rebase --answer "$question=forget"
}

@test "a directory that became a link in the base: it follows where the container only visited it" {
	make tiger --base deb@1
	changes tiger <<< 'touch /opt/t/moved/file /opt/t/moved/sub/file; touch /opt/t/moved/sub/x; rm /opt/t/moved/sub/x'
	in_top tiger opt/t/moved/sub/file
	there_and_back tiger
	sees tiger /opt/t/moved/file 'moved/file 1'
	is "$(in_container tiger readlink /opt/t/moved)" elsewhere/moved
}

@test "dpkg's own directory was replaced as a whole: its databases are there afterwards, and true" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /var/lib
		cp -a dpkg copy && rm -r dpkg && mkdir dpkg && cp -a copy/. dpkg/ && rm -r copy
	END
	is_opaque tiger var/lib/dpkg
	there_and_back tiger
	is "$(version_of tiger pack)" 2ii
	is "$(version_of tiger fresh)" 1ii
	is "$(in_container tiger dpkg --search /usr/share/fresh/text)" 'fresh: /usr/share/fresh/text'
	is_gone tiger /usr/share/pack/only-1
	database_is_fine tiger pack fresh
}

@test "/etc was replaced as a whole: accounts are merged, and nothing is missing" {
	make tiger --base deb@1
	changes tiger <<< 'cp -a /etc /copy && rm -r /etc && cp -a /copy /etc && rm -r /copy'
	is_opaque tiger etc
	there_and_back tiger
	is "$(in_container tiger id -u fixed)" 4242
	is "$(in_container tiger cat /etc/passwd | wc -l)" "$(wc -l < "$(tree_of deb@2)/etc/passwd")"
	in_container tiger test -e /etc/t/conf
}

@test "a package's directory was replaced as a whole: the package is the base's all the same" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg --purge pack
		dpkg -i /opt/debs/pack_1.deb
		echo own > /usr/share/pack/own
	END
	is_opaque tiger usr/share/pack
	there_and_back tiger
	is "$(version_of tiger pack)" 2ii
	sees tiger /usr/share/pack/text 'pack 2'
	sees tiger /usr/share/pack/sub/text 'sub 2'
	sees tiger /usr/share/pack/only-2 'only 2'
	is_gone tiger /usr/share/pack/only-1
	sees tiger /usr/share/pack/own own
	sees tiger /usr/share/pack/of-fresh fresh
	database_is_fine tiger pack fresh
}

# ------------------------------------------------------------------------------------------------------- traps

# ends_soon NAME: done, or refused with a sentence; in any case it ends, and the container starts.
ends_soon() {
	run --separate-stderr timeout 60 layerbox --quiet rebase "$1"
	[ "$status" -eq 0 ] || [ -n "$stderr" ] || fail "it ended with $status and said nothing"
	[ "$status" -lt 124 ] || fail "it ended with $status: $stderr"
	in_container "$1" true
}

# with_layer NAME SCRIPT: what only the container's own root can do, done to its top layer by the host's.
with_layer() {
	(cd "$CONTAINERS/$1/rootfs-layer" && eval "$2")
}

@test "fifos, sockets, links, devices and directories in the place of files: nothing hangs, nothing is followed" {
	local trap path secret=$BATS_TEST_TMPDIR/secret
	echo secret > "$secret"
	make tiger --base deb@1
	changes tiger <<< 'for f in etc/t/conf usr/share/pack/text var/lib/dpkg/info/pack.list; do touch /$f; done; mkdir -p /var/lib/dpkg/triggers'
	cp -a "$CONTAINERS/tiger/rootfs-layer" "$BATS_TEST_TMPDIR/layer"
	for trap in 'mkfifo $path' 'ln -s $secret $path' 'mkdir $path' 'mknod $path c 1 5' 'ln -s $path $path'; do
		for path in etc/t/conf etc/passwd etc/ld.so.cache usr/share/pack/text var/lib/dpkg/info/pack.list var/lib/dpkg/diversions \
			var/lib/dpkg/info/pack.md5sums var/lib/dpkg/triggers/File var/lib/dpkg/alternatives/x var/lib/dpkg/updates; do
			export path secret
			with_layer tiger "mkdir -p \"\$(dirname $path)\"; rm -rf $path; $trap"
		done
		run --separate-stderr timeout 60 layerbox --quiet rebase tiger
		[ "$status" -lt 124 ] || fail "$trap: it ended with $status: $stderr"
		[ "$status" -eq 0 ] || [ -n "$stderr" ] || fail "$trap: it ended with $status and said nothing"
		! grep -rqs --devices=skip secret "$CONTAINERS/tiger/rootfs-layer" || fail "$trap: it was followed"
		[ "$status" -ne 0 ] || layerbox --quiet rebase --undo tiger
		rm -r "$CONTAINERS/tiger/rootfs-layer"
		cp -a "$BATS_TEST_TMPDIR/layer" "$CONTAINERS/tiger/rootfs-layer"
	done
	is "$(cat "$secret")" secret
}

@test "each of these traps alone" {
	local trap path
	make tiger --base deb@1
	changes tiger <<< 'for f in etc/t/conf usr/share/pack/text var/lib/dpkg/info/pack.list; do touch /$f; done'
	cp -a "$CONTAINERS/tiger/rootfs-layer" "$BATS_TEST_TMPDIR/layer"
	for path in etc/t/conf etc/passwd etc/ld.so.cache usr/share/pack/text var/lib/dpkg/info/pack.list var/lib/dpkg/diversions \
		var/lib/dpkg/triggers/File var/lib/dpkg/updates var/lib/dpkg/status; do
		with_layer tiger "mkdir -p \"\$(dirname $path)\"; rm -rf $path; mkfifo $path"
		run --separate-stderr timeout 60 layerbox --quiet rebase tiger
		[ "$status" -lt 124 ] || fail "$path: it ended with $status: $stderr"
		[ "$status" -ne 0 ] || layerbox --quiet rebase --undo tiger
		rm -r "$CONTAINERS/tiger/rootfs-layer"
		cp -a "$BATS_TEST_TMPDIR/layer" "$CONTAINERS/tiger/rootfs-layer"
	done
}

@test "a package's list that names the way out, or what no tree can have, is read as if that were not there" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg --purge pack
		dpkg -i /opt/debs/fresh_1.deb
		printf '%s\n' /.. /usr/../../x //etc///t/conf /./ /etc/t/../../.. / /usr/share/fresh/text/below >> /var/lib/dpkg/info/fresh.list
		printf '%s\n' /etc/../../out /etc/../../elsewhere : /opt//t /opt/t2 : >> /var/lib/dpkg/diversions
	END
	there_and_back tiger
	is "$(version_of tiger pack)" ''
	is_gone tiger /usr/share/pack/text
}

@test "a package's list that is as long as a file can be does not take the host's memory" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/fresh_1.deb
		sed -i 's/^Version: 1$/Version: 9/' /var/lib/dpkg/status
		yes /a | head -c 15000000 > /var/lib/dpkg/info/fresh.list
		ln -f /var/lib/dpkg/info/fresh.list /var/lib/dpkg/info/pack.list
	END
	run --separate-stderr bash -c 'ulimit -v 1500000; exec timeout 60 layerbox --quiet rebase tiger'
	[[ $stderr == *'name more files than'* ]] || fail "it ended with $status: $stderr"
	stands_on tiger deb@1
}

@test "a file that is larger than the disk is not read from its beginning to its end" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/pack_1.5.deb
		echo own > /etc/t/conf
		truncate -s 4T /usr/share/pack/text /etc/t/conf
	END
	run --separate-stderr timeout 60 layerbox --quiet rebase tiger
	[ "$status" -eq 0 ] || fail "it ended with $status: $stderr"
	is "$(stat -c %s "$CONTAINERS/tiger/rootfs-layer/usr/share/pack/text")" $((4 << 40))
	succeeds layerbox rebase --undo tiger
	truncate -s 0 "$CONTAINERS/tiger/rootfs-layer"/{usr/share/pack/text,etc/t/conf}
}

@test "deep directories, and names that no terminal should see" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /opt/t/kept
		n=0
		while [ $n -lt 300 ]; do
			mkdir deep && cd deep
			n=$((n + 1))
		done
		cd /opt/t && mkdir "$(printf 'new\nline\033[31m')" && echo x > "$(printf 'new\nline\033[31m')/file"
		touch "/var/lib/dpkg/alternatives/$(printf 'a\033b\n--all')"
	END
	there_and_back tiger
}

@test "a program of the container's that never ends: a kill ends it, and nothing is left of what it worked in" {
	local directory=$CONTAINERS/tiger
	make tiger --base deb@1
	changes tiger <<- 'END'
		mkdir -p /usr/local/lib && cp -L /usr/lib/*/libzstd.so.1 /usr/local/lib/ && ldconfig
		printf '#!/bin/sh\ntrap "" TERM INT\nwhile :; do sleep 1; done\n' > /usr/sbin/ldconfig
	END
	layer_dump tiger > "$BATS_TEST_TMPDIR/before"
	command layerbox --quiet rebase tiger > /dev/null 2>&1 3>&- &
	wait_until 10 test -d "$directory/rebase/finish/upper"
	kill -9 $!
	wait $! || true
	succeeds layerbox --quiet start tiger
	layerbox --quiet stop --kill tiger
	stands_on tiger deb@1
	same_layer tiger "$BATS_TEST_TMPDIR/before"
	[ ! -e "$directory/rebase" ] || fail "$(find "$directory/rebase" | head)"
}

@test "a program of the container's that multiplies does not take the host's processes" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		mkdir -p /usr/local/lib && cp -L /usr/lib/*/libzstd.so.1 /usr/local/lib/ && ldconfig
		printf '#!/bin/sh\ni=0\nwhile [ $i -lt 1500 ]; do sleep 20 & i=$((i + 1)); done\n' > /usr/sbin/ldconfig
	END
	run --separate-stderr timeout 60 layerbox --quiet rebase tiger
	is "$status" "$PROGRAM_FAILED"
	[[ $stderr == *fork* ]] || fail "$stderr"
	stands_on tiger deb@1
}

@test "what the container's programs only visited does not come into its top layer" {
	make tiger --base deb@1
	changes tiger <<< 'mkdir -p /usr/local/lib && cp -L /usr/lib/*/libzstd.so.1 /usr/local/lib/ && ldconfig'
	not_in_top tiger usr/sbin
	there_and_back tiger
	not_in_top tiger usr/sbin
	in_container tiger sh -c 'ldconfig -p' | grep -q /usr/local/lib/libzstd
}

@test "a check that never ends, whatever the container's timeout(1) is, ends in time" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		mkdir -p /usr/local/bin
		printf '#!/bin/sh\ntrap "" TERM\nwhile :; do echo x; sleep 1; done\n' > /usr/local/bin/check
		printf '#!/bin/sh\nshift\nexec "$@"\n' > /usr/local/bin/timeout
		chmod 755 /usr/local/bin/check /usr/local/bin/timeout
	END
	layerbox --quiet set tiger health.command=/usr/local/bin/check
	run --separate-stderr timeout 60 layerbox --quiet rebase tiger --health-timeout 3
	is "$status" "$UNHEALTHY"
	stands_on tiger deb@1
}
