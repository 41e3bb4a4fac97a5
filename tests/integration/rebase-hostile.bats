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
	for v in 1 2; do
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
