#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Generations of bases: what was sealed is told from what is there, two are compared, and what nobody needs goes.
load ../lib/common

# Shows a base's tree, where a bit can be flipped that layerbox would never flip.
tree_of() {
	layerbox base show "$1" --json | jq -r .directory
}

# fabricate BASE N: generation N of a base, of hard links to generation N-1 and with the same manifest.
fabricate() {
	local base=$LAYERBOX_ROOT/os-bases/$1
	cp -al "$base/$(($2 - 1))" "$base/.made"
	chmod 700 "$base/.made"
	# A file of its own, where a link would change that of the generation before.
	cp --remove-destination "$base/$(($2 - 1))/generation.conf" "$base/$(($2 - 1))/manifest" "$base/.made"
	mv "$base/.made" "$base/$2"
}

setup() {
	layerbox --quiet base build busybox --name victim
	tree=$(tree_of victim)
}

teardown() {
	common_teardown
	rm -rf "$LAYERBOX_ROOT/os-bases/stack"
	layerbox --quiet base delete victim
	[ -z "$(find "$LAYERBOX_ROOT/os-bases" -maxdepth 2 -name '.*')" ]
}

# flip FILE OFFSET: the lowest bit of that byte; times stay.
flip() {
	python3 - "$1" "$2" <<-'END'
		import os, sys
		path, offset = sys.argv[1], int(sys.argv[2])
		times = os.stat(path)
		with open(path, "r+b") as file:
		    file.seek(offset)
		    byte = file.read(1)[0]
		    file.seek(offset)
		    file.write(bytes([byte ^ 1]))
		os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
	END
}

# differs PATH PART: verify of the victim names exactly that path, with PART in the line, and status 21.
differs() {
	run --separate-stderr layerbox base verify victim
	[ "$status" -eq "$DAMAGED" ] || fail "status $status: $output $stderr"
	[ "${#lines[@]}" -eq 1 ] || fail "not one line: $output"
	[[ ${lines[0]} == "${3:-~} $1: "*"$2"* ]] || fail "$output"
	[[ $stderr == *"victim@1 is not what it was when it was sealed: 1 path differs"* ]] || fail "$stderr"
}

@test "a base is as it was sealed" {
	succeeds layerbox base verify victim busybox victim@1
	[ -z "$output" ]
	[[ $stderr == *"victim is as it was sealed"*"busybox is as it was sealed"* ]]
	is "$(layerbox --quiet base verify victim --json)" "[]"
	is "$(stat -c %a "$LAYERBOX_ROOT/os-bases/victim/1/manifest")" 600
	is "$(head -n 1 "$LAYERBOX_ROOT/os-bases/victim/1/manifest")" "layerbox-manifest 1 $(find "$tree" | wc -l)"
}

@test "one bit that is flipped in a file is found, and found well when it is flipped back" {
	flip "$tree/bin/busybox" 100000
	differs /bin/busybox "SHA-256"
	is "$(layerbox base verify victim --json 2> /dev/null | jq -r '.[] | [.base, .path, .package] | @csv')" \
		'"victim","/bin/busybox",'
	flip "$tree/bin/busybox" 100000
	succeeds layerbox base verify victim
}

@test "a mode, an owner, an attribute, a target, a type: each is found" {
	chmod 4755 "$tree/bin/busybox"
	differs /bin/busybox "0755, root:root, "
	chmod 755 "$tree/bin/busybox"
	chown 0:7 "$tree/etc"
	differs /etc "-> directory, 0755, root:7"
	chown 0:0 "$tree/etc"
	setfattr_ trusted.x value "$tree/etc"
	differs /etc "attributes none -> directory, 0755, root:root, attributes trusted.x=76616c7565"
	setfattr_ trusted.x '' "$tree/etc"
	rm "$tree/bin/ash"
	ln -s /bin/false "$tree/bin/ash"
	differs /bin/ash "link to ../bin/busybox, root:root -> link to /bin/false"
	ln -sfn ../bin/busybox "$tree/bin/ash"
	succeeds layerbox base verify victim
}

# setfattr_ NAME VALUE FILE: sets it, or takes it away where the value is empty.
setfattr_() {
	python3 -c 'import os, sys
name, value, path = sys.argv[1:]
os.setxattr(path, name, value.encode()) if value else os.removexattr(path, name)' "$@"
}

@test "what is missing and what was added is found, whatever its name" {
	local odd=$'a \n\\\xff\e[1m'
	cp -a "$tree/etc/passwd" "$BATS_TEST_TMPDIR/passwd"
	rm "$tree/etc/passwd"
	differs /etc/passwd "file, 0644, root:root, " -
	cp -a "$BATS_TEST_TMPDIR/passwd" "$tree/etc/passwd"
	echo more > "$tree/$odd"
	differs '/a \012\134\377\033[1m' "file, 0644, root:root, 5 bytes" +
	is "$(layerbox base verify victim --json 2> /dev/null | jq -r '.[].path')" '/a \012\134\377\033[1m'
	rm "$tree/$odd"
	succeeds layerbox base verify victim
}

@test "no manifest, and a damaged one, are damages that say what to do" {
	local manifest=$LAYERBOX_ROOT/os-bases/victim/1/manifest
	cp "$manifest" "$BATS_TEST_TMPDIR/manifest"
	rm "$manifest"
	refused "$DAMAGED" "victim@1 has no manifest" layerbox base verify victim
	refused "$DAMAGED" "victim@1 has no manifest" layerbox base diff busybox victim
	head -n -1 "$BATS_TEST_TMPDIR/manifest" > "$manifest"
	refused "$DAMAGED" "damaged, at line $(wc -l < "$BATS_TEST_TMPDIR/manifest"): the end is missing" \
		layerbox base verify victim
	# Of several, the others are looked at all the same.
	run layerbox base verify victim busybox
	[ "$status" -eq "$DAMAGED" ]
	[[ $output == *"busybox is as it was sealed"* ]]
	refused "$NO_BASE" "generation 2" layerbox base verify victim@2
	refused "$NO_BASE" "no base 'nosuch'" layerbox base verify nosuch
}

@test "diff shows packages, then paths" {
	succeeds layerbox base diff victim busybox@1
	[ -z "$output" ]
	[[ $stderr == *"are the same"* ]]
	import_with victim2 one '1.0' '0'
	import_with victim3 two '1.1' '1'
	run --separate-stderr layerbox base diff victim2 victim3
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "+ added: 1" ]
	[ "${lines[1]}" = "~ changed: 1.0 -> 1.1" ]
	[ "${lines[2]}" = "- removed: 0" ]
	[[ ${lines[3]} == "~ /etc/motd: file, 0644, root:root, 4 bytes, SHA-256 "* ]]
	[[ ${lines[4]} == "~ /var/lib/dpkg/status: "* ]]
	[ "${#lines[@]}" -eq 5 ]
	run --separate-stderr layerbox base diff victim2 victim3 --packages
	[ "${#lines[@]}" -eq 3 ]
	run --separate-stderr layerbox base diff victim2 victim3 --files
	[ "${#lines[@]}" -eq 2 ]
	is "$(layerbox base diff victim2 victim3 --json --packages | jq -c '.[1]')" \
		'{"package":"changed","path":null,"before":"1.0","after":"1.1"}'
	refused "$USAGE" "not both" layerbox base diff --files --packages victim2 victim3
	refused "$USAGE" "two generations" layerbox base diff victim2
	layerbox --quiet base delete victim2 victim3
}

# import_with NAME WORD VERSION OTHER: a base with that in /etc/motd, and packages.
import_with() {
	local copy=$BATS_TEST_TMPDIR/$1
	cp -a "$tree" "$copy"
	echo "$2" > "$copy/etc/motd"
	mkdir -p "$copy/var/lib/dpkg"
	printf 'Package: changed\nStatus: install ok installed\nVersion: %s\n\n' "$3" > "$copy/var/lib/dpkg/status"
	printf 'Package: %s\nStatus: install ok installed\nVersion: %s\n' \
		"$([ "$4" = 0 ] && echo removed || echo added)" "$4" >> "$copy/var/lib/dpkg/status"
	layerbox --quiet base import "$1" "$copy"
}

@test "list shows every generation, its users, and what it has for itself" {
	fabricate victim 2
	fabricate victim 3
	cp --remove-destination "$tree/bin/busybox" "$LAYERBOX_ROOT/os-bases/victim/3/rootfs/bin/busybox"
	layerbox --quiet create old --base victim@1
	layerbox --quiet create new --base victim
	echo old >> "$BATS_FILE_TMPDIR/names"
	echo new >> "$BATS_FILE_TMPDIR/names"
	is "$(layerbox base list --json | jq -r '.[] | select(.name == "victim") | [.generation, .containers[]] | @csv')" \
		$'1,"old"\n2\n3,"new"'
	is "$(layerbox base show victim --json | jq -c '[.generation, .containers]')" '[3,["new","old"]]'
	is "$(layerbox base show victim@1 --json | jq -c '[.generation, .containers]')" '[1,["old"]]'
	# 3 has a busybox of its own, 1 and 2 share theirs; directories are everybody's own.
	own() { layerbox base list --json | jq ".[] | select(.name == \"victim\" and .generation == $1) | .own_bytes"; }
	is "$(own 1)" "$(own 2)"
	is $(($(own 3) - $(own 1))) $(($(stat -c %b "$tree/bin/busybox") * 512))
	is "$(own 2)" "$(layerbox base show victim@2 --json | jq .own_bytes)"
	is "$(layerbox base list --json | jq '.[] | select(.name == "busybox") | .own_bytes == .bytes')" true
	[ "$(own 1)" -lt "$(layerbox base show victim@1 --json | jq .bytes)" ]
	layerbox base list | grep -E '^NAME +GEN +OS +SIZE +OWN +CONTAINERS +CREATED +RECIPE'
	is "$(layerbox base list | grep -c '^victim ')" 3
}

@test "gc removes what nobody needs, and nothing else" {
	local generation
	for generation in 2 3 4 5 6; do
		fabricate victim "$generation"
	done
	layerbox --quiet create old --base victim@1
	layerbox --quiet create undoable --base victim@6
	echo old >> "$BATS_FILE_TMPDIR/names"
	echo undoable >> "$BATS_FILE_TMPDIR/names"
	echo 'rebased_from = victim@2' >> "$CONTAINERS/undoable/container.conf"
	mkdir "$LAYERBOX_ROOT/os-bases/stack"
	cp -al "$LAYERBOX_ROOT/os-bases/victim/1" "$LAYERBOX_ROOT/os-bases/stack/1"
	cp --remove-destination "$LAYERBOX_ROOT/os-bases/victim/2/generation.conf" "$LAYERBOX_ROOT/os-bases/stack/1/"
	echo 'parent = victim@3' >> "$LAYERBOX_ROOT/os-bases/stack/1/generation.conf"
	is "$(layerbox base show stack --json | jq -r .parent)" victim@3

	refused "$USAGE" "--keep" layerbox base gc
	refused "$USAGE" "from 1" layerbox base gc --keep 0
	refused "$NO_BASE" "nosuch" layerbox base gc nosuch --keep 1
	succeeds layerbox base gc --keep 3
	[ -z "$stderr" ] || is "$stderr" "every generation is needed, or one of the newest"
	run layerbox base gc victim --keep 1
	is "$output" $'removed victim@4\nremoved victim@5'
	is "$(ls "$LAYERBOX_ROOT/os-bases/victim")" $'1\n2\n3\n6'
	[ -z "$(find "$LAYERBOX_ROOT/os-bases" -maxdepth 2 -name '.*')" ]
	succeeds layerbox base verify victim@1 victim@2 victim@3 victim

	layerbox --quiet delete old undoable
	rm -rf "$LAYERBOX_ROOT/os-bases/stack"
	run layerbox base gc --keep 1
	is "$output" $'removed victim@1\nremoved victim@2\nremoved victim@3'
	succeeds layerbox base verify victim
}

@test "gc passes by what another command reads, and removes nothing where a record cannot be read" {
	fabricate victim 2
	exec {lock}< "$LAYERBOX_ROOT/os-bases/victim"
	flock -s "$lock"
	refused "$BUSY" "victim@1 stays for now" layerbox base gc victim --keep 1
	succeeds layerbox base verify victim
	exec {lock}<&-
	layerbox --quiet create broken
	echo broken >> "$BATS_FILE_TMPDIR/names"
	echo nonsense >> "$CONTAINERS/broken/container.conf"
	refused "$BAD_CONFIG" "container.conf" layerbox base gc victim --keep 1
	layerbox --quiet delete broken
	run layerbox base gc victim --keep 1
	is "$output" "removed victim@1"
}

@test "a gc that is killed leaves nothing that the next command does not remove" {
	local call n status points=0
	for call in renameat2 unlinkat fsync; do
		for n in 1 2 3; do
			[ -e "$LAYERBOX_ROOT/os-bases/victim/2" ] || fabricate victim 2
			[ -e "$LAYERBOX_ROOT/os-bases/victim/1" ] || { mv "$LAYERBOX_ROOT"/os-bases/victim/{2,1}; fabricate victim 2; }
			status=0
			timeout -s KILL 20 strace -qq -f -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
				layerbox base gc victim --keep 1 > /dev/null 2>&1 3>&- || status=$?
			[ "$status" -eq 0 ] || points=$((points + 1))
			layerbox --quiet base list > /dev/null
			[ -z "$(find "$LAYERBOX_ROOT/os-bases" -maxdepth 2 -name '.*')" ] || fail "left: $call $n"
			succeeds layerbox base verify victim
			[ ! -e "$LAYERBOX_ROOT/os-bases/victim/1" ] || succeeds layerbox base verify victim@1
		done
	done
	[ "$points" -ge 5 ]
}

@test "gc keeps what a snapshot stands on while another one of the container is deleted" {
	fabricate victim 2
	layerbox --quiet create user --base victim
	echo user >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet snapshot create user a
	layerbox --quiet snapshot create user b
	sed -i 's/^base = .*/base = victim@1/' "$CONTAINERS/user/snapshots/b"
	# It has listed both labels, and is held up where it reads the first.
	strace -qq -o /dev/null -P "$CONTAINERS/user/snapshots" -e trace=openat \
		-e inject=openat:delay_enter=1000000:when=2 layerbox --quiet base gc victim --keep 1 > /dev/null 3>&- &
	sleep 0.4
	rm "$CONTAINERS/user/snapshots/a"
	wait $! || true
	succeeds layerbox base verify victim@1
	layerbox --quiet delete user
}

@test "gc keeps what a change stands on that was committed and not finished" {
	fabricate victim 2
	layerbox --quiet create user --base victim
	echo user >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet snapshot create user old
	sed -i 's/^base = .*/base = victim@1/' "$CONTAINERS/user/snapshots/old"
	# Killed in a restore behind its commit; the snapshot that it goes back to is not there any more.
	for n in 1 2 3 4; do
		timeout -s KILL 20 strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when="$n" \
			layerbox --quiet snapshot restore user old 2> /dev/null 3>&- || true
		[ ! -d "$CONTAINERS/user/next" ] || break
	done
	rm "$CONTAINERS/user/snapshots/old"
	grep -q 'base = victim@1' "$CONTAINERS/user/next/container.conf"
	grep -q 'base = victim@2' "$CONTAINERS/user/container.conf"
	run layerbox base gc victim --keep 1
	succeeds layerbox base verify victim@1
	layerbox --quiet delete user
}
