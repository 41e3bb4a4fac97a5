# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2015,SC2016,SC2034,SC2154
#
# What the tests of generations and rebase share: packages that are made on the spot, a small Debian to install them in,
# and what is asked of containers and plans again and again.
CONFLICT=23 UNHEALTHY=24
rebase_lib=$BATS_TEST_DIRNAME/../lib

# ------------------------------------------------------------------------------------------------------ packages

# make_deb NAME VERSION [CONTROL LINE]... -- [PATH=CONTENT | PATH->TARGET]...: $DEBS/NAME_VERSION.deb, with md5sums. What
# is below etc/ is a conffile; below DEBIAN/ are maintainer scripts, triggers and the like.
make_deb() {
	local name=$1 version=$2 tree
	tree=$(mktemp -d)
	shift 2
	mkdir "$tree/DEBIAN"
	printf '%s\n' "Package: $name" "Version: $version" "Maintainer: Nobody <nobody@localhost>" \
		"Description: for tests" > "$tree/DEBIAN/control"
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		echo "$1" >> "$tree/DEBIAN/control"
		shift
	done
	grep -q ^Architecture: "$tree/DEBIAN/control" || echo 'Architecture: all' >> "$tree/DEBIAN/control"
	shift
	fill_tree "$tree" "$@"
	(
		cd "$tree" || exit
		[ ! -d etc ] || find etc -type f -printf '/%p\n' > DEBIAN/conffiles
		find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\n' | sort | xargs -r md5sum > DEBIAN/md5sums
	)
	# As old as packages are: what is newer than its package was changed by somebody.
	find "$tree" -exec touch -h -d @1700000000 {} +
	dpkg-deb --root-owner-group -Znone --build "$tree" "$DEBS/${name}_$version.deb" > /dev/null
	rm -r "$tree"
}

# fill_tree TREE [PATH=CONTENT | PATH->TARGET]...
fill_tree() {
	local tree=$1 file path
	shift
	for file in "$@"; do
		case $file in
			*'->'*) path=${file%%->*} ;;
			*) path=${file%%=*} ;;
		esac
		mkdir -p "$tree/$(dirname "$path")"
		case $file in
			"$path->"*) ln -s "${file#*->}" "$tree/$path" ;;
			*) printf '%s\n' "${file#*=}" > "$tree/$path" ;;
		esac
		case $path in
			DEBIAN/p*) chmod 755 "$tree/$path" ;;
		esac
	done
}

# small_debian TREE [PACKAGE]...: dpkg and what its packages need, with an init that starts at once and ends at once.
small_debian() {
	"$rebase_lib/small-debian" "$@" dpkg adduser dash coreutils perl-base libc-bin sed grep diffutils base-files base-passwd \
		hostname busybox-static
	cat > "$1/usr/sbin/init" <<- 'END'
		#!/bin/sh
		trap 'exit 0' PWR INT TERM
		while :; do
			sleep 1000 &
			wait $!
		done
	END
	chmod 755 "$1/usr/sbin/init"
}

# --------------------------------------------------------------------------------------------------------- bases

# in_base BASE COMMAND...: its next generation, by that command.
in_base() {
	local base=$1
	shift
	layerbox --quiet base upgrade "$base" -- "$@"
}

# next_generation BASE: its next generation, by the script that comes from standard input.
next_generation() {
	local script
	script=$(mktemp "$BATS_FILE_TMPDIR/script.XXXXXX")
	cat > "$script"
	chmod 755 "$script"
	layerbox --quiet base upgrade "$1" --script "$script" < /dev/null
}

# tree_of BASE[@GENERATION]: where its files are.
tree_of() {
	layerbox base show "$1" --json | jq -r .directory
}

# ---------------------------------------------------------------------------------------------------- containers

# in_container NAME COMMAND...: in NAME, which is started where it does not run.
in_container() {
	local name=$1
	shift
	state_is "$name" running || layerbox --quiet start "$name"
	layerbox exec "$name" -- "$@"
}

# changes NAME: what its owner does, as the script that comes from standard input; then it is stopped.
changes() {
	in_container "$1" sh -eu > "$BATS_TEST_TMPDIR/changes.log" 2>&1 ||
		fail "$(tail -n 20 "$BATS_TEST_TMPDIR/changes.log")"
	layerbox --quiet stop --kill "$1"
}

# sees NAME PATH CONTENT: that is what a program of the container reads.
sees() {
	is "$(in_container "$1" cat "$2")" "$3"
}

# is_gone NAME PATH: a program of the container finds nothing there.
is_gone() {
	in_container "$1" sh -c "[ ! -e '$2' ] && [ ! -L '$2' ]" || fail "$2 is there"
}

version_of() {
	in_container "$1" dpkg-query --show --showformat='${Version} ${db:Status-Abbrev}' "$2" 2> /dev/null | tr -d ' '
}

# database_is_fine NAME PACKAGE...: dpkg has nothing to say about it, and the packages' files are theirs.
database_is_fine() {
	local name=$1
	shift
	is "$(in_container "$name" dpkg --audit 2>&1)" ''
	is "$(in_container "$name" dpkg --verify "$@" 2>&1)" ''
	is "$(in_container "$name" ls /var/lib/dpkg/updates)" ''
}

# in_top NAME PATH: the top layer has something of that name, be it a whiteout.
in_top() {
	[ -e "$CONTAINERS/$1/rootfs-layer/$2" ] || [ -L "$CONTAINERS/$1/rootfs-layer/$2" ] || fail "$2 is not in the top layer"
}

not_in_top() {
	[ ! -e "$CONTAINERS/$1/rootfs-layer/$2" ] && [ ! -L "$CONTAINERS/$1/rootfs-layer/$2" ] ||
		fail "the top layer has $2: $(ls -ld "$CONTAINERS/$1/rootfs-layer/$2")"
}

is_whiteout() {
	is "$(stat -c '%F %t:%T' "$CONTAINERS/$1/rootfs-layer/$2")" 'character special file 0:0'
}

# layer_dump NAME: all that its top layer is.
layer_dump() {
	"$rebase_lib/layer-dump" "$CONTAINERS/$1/rootfs-layer"
}

# same_layer NAME DUMP: its top layer is as it was when DUMP, a file, was made of it.
same_layer() {
	layer_dump "$1" | diff "$2" - > "$BATS_TEST_TMPDIR/diff" ||
		fail "the top layer of $1 is another: $(head -n 40 "$BATS_TEST_TMPDIR/diff")"
}

# stands_on NAME BASE@GENERATION
stands_on() {
	is "$(layerbox info "$1" --json | jq -r '"\(.base)@\(.generation)"')" "$2"
}

# -------------------------------------------------------------------------------------------------------- plans

# rebase ARGUMENT...: leaves its exit code in $status, what it printed in $output, and the plans in $plan.
rebase() {
	run --separate-stderr layerbox rebase "$@" --json
	plan=$output
	[ -n "$plan" ] && jq -e 'type == "array"' <<< "$plan" > /dev/null ||
		fail "rebase $* printed no array but '$output', and $stderr"
}

# rebased NAME [OPTION]...: it is done, and NAME is on the new generation.
rebased() {
	rebase "$@"
	[ "$status" -eq 0 ] || fail "rebase $* ended with $status: $output $stderr"
	is "$(jq -r '.[0] | "\(.name) \(.result) \(.conflicts)"' <<< "$plan")" "$1 done 0"
	is "$(jq -r '.[0].to' <<< "$plan")" "$(layerbox info "$1" --json | jq -r '"\(.base)@\(.generation)"')"
}

# item SUBJECT [FIELD]: the outcome, or another field, of what the plan says about a package, an account or a path.
item() {
	jq -r --arg subject "$1" ".[0].items | map(select(.subject == \$subject)) | .[0].${2:-outcome}" <<< "$plan"
}

# stays_as_it_is CODES NAME [OPTION]...: the rebase is refused with one of those codes and a sentence; nothing changes.
stays_as_it_is() {
	local codes=$1 name=$2 generation
	shift
	generation=$(layerbox info "$name" --json | jq -r '"\(.base)@\(.generation)"')
	layer_dump "$name" > "$BATS_TEST_TMPDIR/unchanged"
	rebase "$@"
	[[ " $codes " == *" $status "* ]] || fail "rebase $* ended with $status instead of $codes: $output $stderr"
	is "$(jq -r '.[0] | "\(.name) \(.result)"' <<< "$plan")" "$name failed"
	[ -n "$(jq -r '.[0].error // ""' <<< "$plan")" ] || fail "it does not say why: $plan"
	stands_on "$name" "$generation"
	same_layer "$name" "$BATS_TEST_TMPDIR/unchanged"
}

# conflicts NAME [SUBJECT]: it is refused for a conflict (about SUBJECT), and nothing has changed.
conflicts() {
	stays_as_it_is "$CONFLICT" "$1"
	[ "$(jq '.[0].conflicts' <<< "$plan")" -ge 1 ] || fail "no conflict is counted: $plan"
	[ $# -lt 2 ] || is "$(item "$2")" conflict
}

# no_way_back NAME: its rebase is confirmed, and takes no disk space any more.
no_way_back() {
	is "$(field "$1" rebased_from)" ''
	is "$(layerbox status --json | jq -r --arg name "$1" '.[] | select(.container == $name) | .unconfirmed')" false
	[ ! -e "$CONTAINERS/$1/rebase/undo" ] && [ ! -e "$CONTAINERS/$1/rebase/journal" ] ||
		fail "the way back is there: $(ls -R "$CONTAINERS/$1/rebase")"
}

# there_and_back NAME [OPTION]...: a rebase, its undo, byte for byte, and the rebase once more.
there_and_back() {
	local name=$1 before
	before=$(layerbox info "$name" --json | jq -r '"\(.base)@\(.generation)"')
	layer_dump "$name" > "$BATS_TEST_TMPDIR/before"
	rebased "$@"
	is "$(field "$name" rebased_from)" "$before"
	succeeds layerbox rebase --undo "$name"
	stands_on "$name" "$before"
	same_layer "$name" "$BATS_TEST_TMPDIR/before"
	rebased "$@"
}

# ------------------------------------------------------------------------------------------------- real packages

# way_out: the private host, and through it its containers, reach the machine's network; no_way_out ends that.
way_out() {
	mkfifo "$BATS_FILE_TMPDIR/ready"
	"$rebase_lib/outside" slirp4netns --configure --mtu=65520 --ready-fd=4 --netns-type=path /proc/$$/ns/net tap0 \
		4> "$BATS_FILE_TMPDIR/ready" > /dev/null 2>&1 3>&- < /dev/null &
	echo $! > "$BATS_FILE_TMPDIR/slirp.pid"
	read -r -n 1 _ < "$BATS_FILE_TMPDIR/ready" || fail "slirp4netns did not start"
	rm -f /etc/resolv.conf # systemd-resolved makes it a link
	echo 'nameserver 10.0.2.3' > /etc/resolv.conf
}

no_way_out() {
	kill "$(cat "$BATS_FILE_TMPDIR/slirp.pid")"
}

# installs NAME PACKAGE...: with apt, in a running container.
installs() {
	local name=$1
	shift
	layerbox exec --env DEBIAN_FRONTEND=noninteractive "$name" -- sh -c \
		'apt-get -q update && apt-get -q -y --no-install-recommends install "$@" && apt-get -q clean' sh "$@" \
		> "$BATS_FILE_TMPDIR/install-$name.log" 2>&1 < /dev/null ||
		fail "$(tail -n 20 "$BATS_FILE_TMPDIR/install-$name.log")"
}

# seconds COMMAND...: how long it takes, in $seconds.
seconds() {
	local began=${EPOCHREALTIME/./}
	"$@"
	seconds=$(awk -v us=$((${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.2f", us / 1000000 }')
}
