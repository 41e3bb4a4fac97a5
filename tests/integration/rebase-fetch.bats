#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Containers with packages that want the very version of a base's: they follow it with `rebase --fetch`. deb@1 has lib 1, deb@2
# has lib 2, and a repository in its own tree, which is what its apt knows.
load ../lib/common
load ../lib/rebase

setup_file() {
	local tree=$BATS_FILE_TMPDIR/tree
	export DEBS=$BATS_FILE_TMPDIR/debs KEPT
	common_setup_file
	KEPT=$LAYERBOX_ROOT/debs
	mkdir "$tree" "$DEBS"
	small_debian "$tree" apt
	make_packages
	lay_repository "$tree"
	chroot "$tree" dpkg -i /opt/debs/lib_1.deb > /dev/null 2>&1
	layerbox --quiet base import deb "$tree"
	rm -r "$tree"
	in_base deb /bin/sh -c 'dpkg -i /opt/debs/lib_2.deb && rm -f /var/log/dpkg.log'
}

# Those of setup_file go on being there; what was fetched does not.
teardown() {
	rm -rf "$KEPT"
	common_teardown
}

make_packages() {
	local v
	for v in 1 2 3; do
		make_deb lib $v -- "usr/lib/lib/text=lib $v"
		make_deb lib-dev $v 'Source: lib' "Depends: lib (= $v), lib-bin (= $v)" -- "usr/lib/lib-dev/text=lib-dev $v" \
			$'DEBIAN/postinst=#!/bin/sh -e\n! [ -d /layerbox-debs ] || touch /layerbox-debs/trace /layerbox-debs/lib-dev.deb\ngrep -o "[^ ]*:" /proc/net/dev > /usr/lib/lib-dev/network\n[ ! -e /opt/sick ]'
		make_deb lib-bin $v 'Source: lib (1)' -- "usr/lib/lib-bin/text=lib-bin $v" "usr/lib/lib-bin/only-$v=$v" \
			"etc/lib-bin.conf=lib-bin $v" 'etc/lib-bin.d/quiet=quiet'
	done
	for v in 1 2; do
		make_deb app $v "Depends: lib-dev (>= $v), lib-dev (<< $v.9)" -- "usr/lib/app/text=app $v"
		make_deb needs-more $v "Depends: lib (= $v)$([ $v = 1 ] || echo ', more')" -- "usr/lib/needs-more/text=$v"
	done
	make_deb rare 1 'Depends: lib (= 1)' -- 'usr/lib/rare/text=rare'
	make_deb loose 1 'Depends: lib' -- 'usr/lib/loose/text=loose'
}

# What was built once is still there in /opt/debs; the repository has neither rare nor lib itself.
lay_repository() {
	local tree=$1 deb
	mkdir -p "$tree/opt/debs" "$tree/opt/repository" "$tree/etc/apt/sources.list.d"
	cp "$DEBS"/*.deb "$tree/opt/debs/"
	for deb in lib-dev_2 lib-dev_3 lib-bin_2 lib-bin_3 app_2 needs-more_2; do
		deb=$deb.deb
		cp "$DEBS/$deb" "$tree/opt/repository/"
		dpkg-deb --field "$DEBS/$deb"
		printf '%s\n' "Filename: ./$deb" "Size: $(stat -c %s "$DEBS/$deb")" "SHA256: $(sha256sum < "$DEBS/$deb" | cut -d' ' -f1)" ''
	done > "$tree/opt/repository/Packages"
	echo 'deb [trusted=yes] file:/opt/repository ./' > "$tree/etc/apt/sources.list.d/repository.list"
}

# customer NAME PACKAGE...: on deb@1, with those installed, version 1.
customer() {
	local name=$1
	shift
	make "$name" --base deb@1
	changes "$name" <<< "cd /opt/debs && dpkg -i $(printf '%s_1.deb ' "$@")"
}

# versions NAME PACKAGE...: in a line.
versions() {
	local name=$1 package
	shift
	for package in "$@"; do
		version_of "$name" "$package"
		echo
	done | xargs
}

kept() {
	find "$KEPT/deb@2" -mindepth 1 -printf '%f\n' 2> /dev/null | sort | xargs
}

@test "what wants the base's very version is a conflict, which says what would help" {
	customer tiger lib-dev lib-bin
	conflicts tiger
	is "$(jq -r '.[0].items[] | select(.outcome == "conflict") | .text' <<< "$plan")" \
		'lib-dev 1 of the container depends on lib (= 1), but there would be lib 2; in the container, upgrade or remove it first, or let --fetch bring a version that fits'
	is "$(kept)" ''
}

@test "--fetch brings it along, with what was built from the same source, and an undo takes all of it back" {
	customer tiger lib-dev lib-bin loose
	changes tiger <<- 'END'
		echo mine > /etc/lib-bin.conf
		# The customer's apt has no part in it.
		rm /etc/apt/sources.list.d/repository.list
		echo 'APT::Update::Pre-Invoke { "touch /opt/pre-invoke"; };' > /etc/apt/apt.conf.d/99mine
	END
	there_and_back tiger --fetch
	is "$(versions tiger lib lib-dev lib-bin loose)" '2ii 2ii 2ii 1ii'
	database_is_fine tiger lib lib-dev loose
	is "$(item lib-dev) $(item lib-dev own) $(item lib-dev after) $(item lib-dev before)" 'done 1 2 null'
	is "$(item lib-dev text)" "lib-dev, the container's own, is brought from 1 to 2 with the base's"
	is "$(item lib-bin)" 'done'
	is "$(item loose)" stays
	sees tiger /usr/lib/lib-bin/text 'lib-bin 2'
	is_gone tiger /usr/lib/lib-bin/only-1
	sees tiger /etc/lib-bin.conf mine
	# No network, and nothing of how it came there.
	sees tiger /usr/lib/lib-dev/network lo:
	is_gone tiger /layerbox-debs
	not_in_top tiger layerbox-debs
	not_in_top tiger opt/pre-invoke
	not_in_top tiger var/cache/apt/pkgcache.bin
	[ ! -e "$CONTAINERS/tiger/rebase/finish" ]
}

@test "what is brought may break others, which are brought, too" {
	customer tiger lib-dev lib-bin app
	rebased tiger --fetch
	is "$(versions tiger lib-dev lib-bin app)" '2ii 2ii 2ii'
	is "$(item app)" 'done'
	database_is_fine tiger lib-dev lib-bin app
}

@test "a container's own directory and files of that name are not disturbed, nor trusted" {
	customer tiger lib-dev lib-bin
	changes tiger <<< 'mkdir /layerbox-debs && echo mine > /layerbox-debs/mine && cp /opt/debs/lib-dev_1.deb /layerbox-debs/lib-dev.deb'
	rebased tiger --fetch
	is "$(versions tiger lib-dev lib-bin)" '2ii 2ii'
	sees tiger /layerbox-debs/mine mine
	is "$(in_container tiger ls /layerbox-debs)" $'lib-dev.deb\nmine'
}

@test "all containers of a generation share what was fetched, which goes with it" {
	local before
	customer tiger lib-dev lib-bin
	customer pragmatic lib-dev lib-bin app
	rebased tiger --fetch
	is "$(kept)" 'lib-bin.control lib-bin.deb lib-dev.control lib-dev.deb'
	before=$(stat -c '%n %i %z' "$KEPT"/deb@2/lib-*)
	rebased pragmatic --fetch
	is "$(stat -c '%n %i %z' "$KEPT"/deb@2/lib-*.control)" "$(grep control <<< "$before")"
	is "$(kept)" 'app.control app.deb lib-bin.control lib-bin.deb lib-dev.control lib-dev.deb'
	is "$(versions pragmatic lib-dev app)" '2ii 2ii'
	# Containers have it as it was: a package's script has written to the name that it had there.
	is "$(sha256sum < "$KEPT/deb@2/lib-dev.deb")" "$(sha256sum < "$DEBS/lib-dev_2.deb")"
	mkdir "$KEPT/deb@7"
	succeeds layerbox base gc deb --keep 5
	is "$(ls "$KEPT")" deb@2
}

@test "what a killed fetch has left is no obstacle, and is not taken for a package" {
	customer tiger lib-dev lib-bin
	mkdir -p "$KEPT/deb@2/.new/upper" "$KEPT/deb@2/.new/work/work"
	echo junk | tee "$KEPT/deb@2/lib-dev.deb" > "$KEPT/deb@2/.new/upper/lib-dev_2_all.deb"
	rebased tiger --fetch
	is "$(versions tiger lib-dev lib-bin)" '2ii 2ii'
	is "$(kept)" 'lib-bin.control lib-bin.deb lib-dev.control lib-dev.deb'
}

@test "many at a time" {
	local names=(a1 a2 a3 a4) name
	for name in "${names[@]}"; do
		customer "$name" lib-dev lib-bin
	done
	rebase "${names[@]}" --fetch --jobs 4
	is "$status $(jq -r '[.[].result] | unique[]' <<< "$plan")" '0 done'
	for name in "${names[@]}"; do
		is "$(versions "$name" lib-dev)" 2ii
	done
}

@test "a plan says that they would be fetched, and fetches nothing" {
	customer tiger lib-dev lib-bin
	layer_dump tiger > "$BATS_TEST_TMPDIR/before"
	rebase tiger --fetch --dry-run
	is "$status $(jq -r '.[0] | "\(.result) \(.conflicts)"' <<< "$plan")" '0 planned 0'
	is "$(item lib-dev) $(item lib-bin) $(item lib-dev own)" 'done done 1'
	[[ $(item lib-dev text) == *'would be fetched' ]]
	[ ! -e "$KEPT" ]
	same_layer tiger "$BATS_TEST_TMPDIR/before"
	stands_on tiger deb@1
}

@test "what the base's sources do not have, or only in a version that does not fit either, stays a conflict" {
	customer tiger rare
	stays_as_it_is "$CONFLICT" tiger --fetch
	[[ $(jq -r '.[0].items[] | select(.outcome == "conflict") | .text' <<< "$plan") == *"sources have no version of it that fits"* ]]
	customer pragmatic needs-more
	stays_as_it_is "$CONFLICT" pragmatic --fetch
	[[ $(jq -r '.[0].error' <<< "$plan") == *"needs-more 2 of the new base's sources depends on more, but there would be no more"* ]]
}

@test "what its owner holds stays" {
	customer tiger lib-dev lib-bin
	changes tiger <<< 'echo lib-dev hold | dpkg --set-selections'
	stays_as_it_is "$CONFLICT" tiger --fetch
	[[ $(jq -r '.[0].error' <<< "$plan") != *fetch* ]]
	is "$(kept)" ''
}

@test "a package that cannot be installed undoes all of it" {
	customer tiger lib-dev lib-bin
	changes tiger <<< 'touch /opt/sick'
	stays_as_it_is "$PROGRAM_FAILED" tiger --fetch
	[[ $(jq -r '.[0].error' <<< "$plan") == *'dpkg'*"container 'tiger'"* ]]
	is "$(versions tiger lib lib-dev)" '1ii 1ii'
}

@test "one that runs has them fetched now, and its next start needs no network for it" {
	customer tiger lib-dev lib-bin
	layerbox --quiet start tiger
	rebase tiger --fetch
	is "$(jq -r '.[0].result' <<< "$plan")" pending
	is "$(kept)" 'lib-bin.control lib-bin.deb lib-dev.control lib-dev.deb'
	layerbox --quiet stop --kill tiger
	layerbox --quiet start tiger
	stands_on tiger deb@2
	is "$(versions tiger lib-dev lib-bin)" '2ii 2ii'
	is "$(grep -c rebase_fetch "$CONTAINERS/tiger/container.conf")" 0
}

@test "one that is restarted for it" {
	customer tiger lib-dev lib-bin
	layerbox --quiet start tiger
	rebased tiger --fetch --restart
	state_is tiger running
	is "$(versions tiger lib-dev lib-bin)" '2ii 2ii'
}
