#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Containers follow their base: what becomes of packages, accounts and files, by rule, on a small Debian with packages
# made for it. deb@1 is what containers stand on, deb@2 what they go to; later generations are for single tests.
load ../lib/common
load ../lib/rebase

setup_file() {
	local tree=$BATS_FILE_TMPDIR/tree
	export DEBS=$BATS_FILE_TMPDIR/debs
	common_setup_file
	mkdir "$tree" "$DEBS"
	small_debian "$tree"
	make_packages
	lay_files "$tree"
	install_packages_in "$tree"
	layerbox --quiet base import deb "$tree"
	rm -r "$tree"
	second_generation
}

# One test has the containers on a disk of their own.
teardown() {
	layerbox --quiet delete --all --force
	! mountpoint -q "$CONTAINERS" || umount "$CONTAINERS"
	common_teardown
}

# ------------------------------------------------------------------------------------------------- the two bases

lines() {
	printf 'line %s\n' 1 2 3 4 5 6 7 8 9
}

make_packages() {
	local v
	for v in 1 2 3; do
		make_deb newer $v -- "usr/lib/newer/text=newer $v" "usr/lib/newer/only-$v=only $v"
		make_deb older $v -- "usr/lib/older/text=older $v" "usr/lib/older/only-$v=only $v"
	done
	for v in 1 2; do
		make_deb equal $v -- "usr/lib/equal/text=equal $v" "usr/lib/equal/only-$v=only $v" "etc/equal.conf=equal $v"
		make_deb removed $v -- "usr/lib/removed/text=removed $v" "usr/lib/removed/only-$v/file=only $v"
		make_deb held $v -- "usr/lib/held/text=held $v" "usr/lib/held/only-$v=only $v" 'usr/lib/held/same=same'
		make_deb dual $v "Architecture: $(dpkg --print-architecture)" 'Multi-Arch: same' -- "usr/lib/dual/text=dual $v"
	done
	make_deb follow 1 -- 'usr/lib/follow/text=follow 1' 'usr/lib/follow/same=same' 'usr/lib/follow/gone=gone' \
		'usr/lib/follow/mode=mode 1' 'usr/lib/follow/link->text' "etc/follow.conf=$(lines)" 'etc/follow.d/quiet=1'
	make_deb follow 2 -- 'usr/lib/follow/text=follow 2' 'usr/lib/follow/same=same' 'usr/lib/follow/fresh=fresh' \
		'usr/lib/follow/mode=mode 2' 'usr/lib/follow/link->same' "etc/follow.conf=$(lines | sed '2s/.*/of the base/')" \
		'etc/follow.d/quiet=2'
	make_deb dropped 1 -- 'usr/lib/dropped/text=dropped 1'
	make_deb dropped 2 -- 'usr/lib/dropped/text=dropped 2'
	make_deb arrived 1 -- 'usr/lib/arrived/text=arrived 1' 'usr/share/watched/arrived=1' \
		$'DEBIAN/postinst=#!/bin/sh -e\nuseradd --system basesvc' $'DEBIAN/triggers=interest-noawait /usr/share/of-the-base'
	make_deb own 1 'Depends: follow (>= 1)' -- 'usr/lib/own/text=own 1' 'usr/lib/own/link->text' 'etc/own.conf=own' \
		$'DEBIAN/postinst=#!/bin/sh -e\ngrep -q ^ownsvc: /etc/passwd || useradd --system ownsvc'
	make_deb needy 1 'Depends: dropped' -- 'usr/lib/needy/text=needy'
	make_deb strict 1 'Depends: follow (<< 2)' -- 'usr/lib/strict/text=strict'
	make_deb either 1 'Depends: dropped | follow (>= 2~)' -- 'usr/lib/either/text=either'
	make_deb enemy 1 'Breaks: follow (>= 2)' -- 'usr/lib/enemy/text=enemy'
	make_deb watcher 1 -- 'usr/lib/watcher/text=watcher' $'DEBIAN/triggers=interest-noawait /usr/share/watched' \
		$'DEBIAN/postinst=#!/bin/sh -e\n[ "$1" != triggered ] || ls /usr/share/watched > /usr/lib/watcher/seen'
	make_deb event 1 -- 'usr/share/watched/event=1'
	make_deb broken 1 -- 'usr/lib/broken/text=broken' $'DEBIAN/postinst=#!/bin/sh\nexit 1'
}

# Files that belong to no package, and the packages for whoever installs them.
lay_files() {
	local tree=$1 name
	mkdir -p "$tree/opt/debs" "$tree/opt/t" "$tree/etc/t"
	cp "$DEBS"/*.deb "$tree/opt/debs/"
	for name in touched both-same theirs ours merged clash deleted; do
		lines > "$tree/etc/t/$name"
	done
	mkdir "$tree"/opt/t/{visited,emptied,opaque,shut,dir-to-file}
	for name in touched chmodded mode theirs ours both both-same deleted vanished vanished-changed turned turned-quietly \
		emptied/file opaque/old shut/file dir-to-file/file; do
		echo "$name 1" > "$tree/opt/t/$name"
	done
	for name in pick-a pick-b pick-c auto-a auto-own auto-c; do
		echo "$name" > "$tree/opt/t/$name"
	done
	ln -s old "$tree/opt/t/link"
	mkdir -p "$tree/var/lib/apt"
	printf 'Package: follow\nArchitecture: amd64\nAuto-Installed: 1\n\n' > "$tree/var/lib/apt/extended_states"
}

install_packages_in() {
	chroot "$1" sh -eu > "$BATS_FILE_TMPDIR/install.log" 2>&1 <<- 'END' || fail "$(cat "$BATS_FILE_TMPDIR/install.log")"
		cd /opt/debs
		dpkg -i follow_1.deb newer_1.deb older_1.deb equal_1.deb removed_1.deb held_1.deb dual_1.deb dropped_1.deb
		update-alternatives --install /usr/bin/pick pick /opt/t/pick-a 10
		update-alternatives --install /usr/bin/pick pick /opt/t/pick-b 5
		update-alternatives --install /usr/bin/auto auto /opt/t/auto-a 10
		rm -f /var/log/dpkg.log /var/log/alternatives.log
	END
}

second_generation() {
	next_generation deb <<- 'END'
		#!/bin/sh -eu
		cd /opt/debs
		dpkg -i follow_2.deb newer_2.deb older_3.deb equal_2.deb removed_2.deb held_2.deb dual_2.deb arrived_1.deb
		dpkg --purge dropped
		update-alternatives --install /usr/bin/pick pick /opt/t/pick-c 20
		update-alternatives --install /usr/bin/auto auto /opt/t/auto-c 20
		dpkg-divert --local --no-rename --divert /opt/t/base.diverted --add /opt/t/base
		dpkg-statoverride --update --add root root 0711 /opt/t/theirs
		printf 'Package: arrived\nArchitecture: amd64\nAuto-Installed: 1\n\n' >> /var/lib/apt/extended_states
		useradd --uid 4242 --no-create-home fixed
		groupadd --gid 4300 team
		usermod --append --groups team nobody
		echo /opt/lib > /etc/ld.so.conf.d/base.conf
		mkdir /opt/lib
		cp -L /usr/lib/*/libmd.so.0 /opt/lib/
		ldconfig
		cd /etc/t
		sed -i '2s/.*/of the base/' touched theirs merged clash deleted
		sed -i '2s/.*/of both/' both-same
		cd /opt/t
		for name in touched chmodded mode theirs both deleted emptied/file shut/file opaque/old; do
			echo "$name 2" > $name
		done
		echo "of both" > both-same
		rm vanished vanished-changed turned turned-quietly
		mkdir turned turned-quietly
		echo inside | tee turned/file > turned-quietly/file
		echo new > opaque/new
		rm -r dir-to-file
		echo file > dir-to-file
		ln -sfn new link
	END
}

@test "the fixtures: two generations as they are meant" {
	is "$(ls "$(tree_of deb@1)/opt/t/opaque")" old
	is "$(ls "$(tree_of deb@2)/opt/t/opaque")" $'new\nold'
	is "$(layerbox base show deb --json | jq .generation)" 2
	# Ids that packages of the base allocate are never those that a container's take.
	[ "$(awk -F: '$1 == "basesvc" { print $3 }' "$(tree_of deb@2)/etc/passwd")" -ge 700 ]
	[ "$(awk -F: '$1 == "basesvc" { print $3 }' "$(tree_of deb@2)/etc/passwd")" -le 899 ]
	make tiger --base deb@1 --start
	is "$(in_container tiger dpkg --audit)" ''
	is "$(version_of tiger follow)" 1ii
	make pragmatic --base deb --start
	is "$(version_of pragmatic follow)" 2ii
}

# ------------------------------------------------------------------------------------------------------ packages

@test "a container that changed nothing follows, and its top layer holds nothing of the base" {
	make tiger --base deb@1
	there_and_back tiger
	stands_on tiger deb@2
	sees tiger /usr/lib/follow/text 'follow 2'
	is_gone tiger /usr/lib/dropped
	is "$(version_of tiger arrived)" 1ii
	not_in_top tiger var/lib/dpkg/status
	not_in_top tiger etc/passwd
	is "$(du -s --block-size=1 "$CONTAINERS/tiger/rootfs-layer" | cut -f1 | awk '{ print ($1 < 100000) }')" 1
	rebase tiger
	is "$status $(jq -r '.[0].result' <<< "$plan")" '0 nothing'
}

@test "package by package: equal, newer and older ones, its own, removed and held ones" {
	local name
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /opt/debs
		dpkg -i newer_3.deb older_2.deb equal_2.deb own_1.deb
		dpkg --purge removed
		echo held hold | dpkg --set-selections
		dpkg-query --show --showformat='${Status}' held
	END
	in_top tiger usr/lib/older/text
	there_and_back tiger

	# The customer's is newer: its files stay, and nothing of the base's version shows through.
	is "$(version_of tiger newer)" 3ii
	is "$(item newer) $(item newer before) $(item newer after) $(item newer own)" 'stays 1 2 3'
	sees tiger /usr/lib/newer/text 'newer 3'
	is "$(in_container tiger ls /usr/lib/newer)" $'only-3\ntext'

	# The base's is newer: it shows, and the copies in the top layer are dropped.
	is "$(version_of tiger older)" 3ii
	is "$(item older) $(item older before) $(item older after) $(item older own)" 'follows 1 3 2'
	sees tiger /usr/lib/older/text 'older 3'
	is "$(in_container tiger ls /usr/lib/older)" $'only-3\ntext'
	for name in text only-2 only-3; do
		not_in_top tiger usr/lib/older/$name
	done

	# Both the same: one of them.
	is "$(version_of tiger equal)" 2ii
	is "$(in_container tiger ls /usr/lib/equal)" $'only-2\ntext'
	not_in_top tiger usr/lib/equal
	not_in_top tiger etc/equal.conf

	# Only the container has it.
	is "$(version_of tiger own)" 1ii
	is "$(item own)" stays
	in_top tiger usr/lib/own/text
	in_top tiger usr/lib/own/link

	# Removed is removed, and so is what its new version brings.
	is "$(version_of tiger removed)" ''
	is_gone tiger /usr/lib/removed/text
	is_gone tiger /usr/lib/removed/only-2/file
	in_container tiger sh -c '! ls /var/lib/dpkg/info/removed.*'

	# Held: as it was, whatever the base's version changed, brought or took away.
	is "$(version_of tiger held)" 1hi
	is "$(item held)" stays
	is "$(in_container tiger ls /usr/lib/held)" $'only-1\nsame\ntext'
	sees tiger /usr/lib/held/text 'held 1'
	sees tiger /usr/lib/held/only-1 'only 1'
	not_in_top tiger usr/lib/held/same

	# Untouched: the base's.
	is "$(version_of tiger follow)" 2ii
	is "$(version_of tiger dual)" 2ii
	is_gone tiger /usr/lib/follow/gone
	sees tiger /usr/lib/follow/fresh fresh
	is "$(in_container tiger readlink /usr/lib/follow/link)" same
	is_gone tiger /var/lib/dpkg/info/dropped.list
	database_is_fine tiger follow newer older equal own held dual arrived
}

@test "files in info/ go with their package" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/newer_3.deb /opt/debs/older_2.deb /opt/debs/own_1.deb
	END
	rebased tiger
	is "$(in_container tiger sh -c 'grep -h only /var/lib/dpkg/info/newer.list /var/lib/dpkg/info/older.list')" \
		$'/usr/lib/newer/only-3\n/usr/lib/older/only-3'
	in_top tiger var/lib/dpkg/info/newer.list
	in_top tiger var/lib/dpkg/info/own.postinst
	not_in_top tiger var/lib/dpkg/info/older.list
	not_in_top tiger var/lib/dpkg/info/older.md5sums
	is "$(in_container tiger sh -c 'cat /var/lib/dpkg/info/dual:*.list | grep text')" /usr/lib/dual/text
	# dpkg can go on from there.
	in_container tiger dpkg --purge own
	in_container tiger dpkg -i /opt/debs/own_1.deb /opt/debs/newer_3.deb
	database_is_fine tiger newer older own
}

@test "a dependency on a package that the new base lacks is a conflict" {
	make tiger --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/needy_1.deb'
	conflicts tiger
	[[ $(jq -r '.[0].items[] | select(.outcome == "conflict") | .subject + " " + .text' <<< "$plan") == *needy*dropped* ]] ||
		fail "it does not say who needs what: $plan"
	# Once it is gone, nothing is in the way.
	changes tiger <<< 'dpkg --purge needy'
	rebased tiger
	is_gone tiger /usr/lib/dropped
}

@test "a dependency on another version than the new base's is a conflict; an alternative that holds is none" {
	make strict either enemy --base deb@1
	changes strict <<< 'dpkg -i /opt/debs/strict_1.deb'
	conflicts strict
	changes enemy <<< 'dpkg -i /opt/debs/enemy_1.deb'
	conflicts enemy
	changes either <<< 'dpkg -i /opt/debs/either_1.deb'
	rebased either
	is "$(version_of either either)" 1ii
}

@test "a package that the new base lacks stays where the container has upgraded it itself" {
	make tiger --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/dropped_2.deb /opt/debs/needy_1.deb'
	there_and_back tiger
	is "$(version_of tiger dropped)" 2ii
	sees tiger /usr/lib/dropped/text 'dropped 2'
	database_is_fine tiger dropped needy
}

@test "diversions, overrides, alternatives, triggers and apt's marks are merged by entry" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg-divert --local --no-rename --divert /opt/t/own.diverted --add /opt/t/own
		dpkg-statoverride --update --add root root 0700 /usr/lib/follow/mode
		update-alternatives --set pick /opt/t/pick-b
		update-alternatives --install /usr/bin/auto auto /opt/t/auto-own 15
		printf 'Package: own\nArchitecture: amd64\nAuto-Installed: 1\n\n' >> /var/lib/apt/extended_states
		dpkg -i /opt/debs/watcher_1.deb
	END
	there_and_back tiger
	is "$(in_container tiger dpkg-divert --list '/opt/t/*' | sort)" \
		$'local diversion of /opt/t/base to /opt/t/base.diverted\nlocal diversion of /opt/t/own to /opt/t/own.diverted'
	is "$(in_container tiger sh -c 'dpkg-statoverride --list | sort')" \
		$'root root 700 /usr/lib/follow/mode\nroot root 711 /opt/t/theirs'
	sees tiger /usr/lib/follow/mode 'mode 2'
	is "$(in_container tiger stat -c %a /usr/lib/follow/mode)" 700
	is "$(in_container tiger readlink -f /usr/bin/pick)" /opt/t/pick-b
	is "$(in_container tiger update-alternatives --query pick | grep -E '^(Status|Alternative)' | sort)" \
		$'Alternative: /opt/t/pick-a\nAlternative: /opt/t/pick-b\nAlternative: /opt/t/pick-c\nStatus: manual'
	is "$(in_container tiger readlink -f /usr/bin/auto)" /opt/t/auto-c
	is "$(in_container tiger update-alternatives --query auto | grep -E '^(Status|Alternative)' | sort)" \
		$'Alternative: /opt/t/auto-a\nAlternative: /opt/t/auto-c\nAlternative: /opt/t/auto-own\nStatus: auto'
	is "$(in_container tiger sh -c 'sort /var/lib/dpkg/triggers/File | grep -E "of-the-base|watched"')" \
		$'/usr/share/of-the-base arrived/noawait\n/usr/share/watched watcher/noawait'
	is "$(in_container tiger grep ^Package /var/lib/apt/extended_states | sort)" \
		$'Package: arrived\nPackage: follow\nPackage: own'
	database_is_fine tiger follow watcher arrived
}

@test "pending triggers are finished" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/watcher_1.deb
		dpkg --no-triggers -i /opt/debs/event_1.deb
		dpkg-query --show --showformat='${db:Status-Status}' watcher | grep triggers-pending
		! test -e /usr/lib/watcher/seen
	END
	there_and_back tiger
	is "$(version_of tiger watcher)" 1ii
	is "$(in_container tiger cat /usr/lib/watcher/seen)" $'arrived\nevent'
	database_is_fine tiger watcher event
}

@test "half-configured, half-installed, damaged: a rebase is refused, and nothing is touched" {
	make half unpacked damaged --base deb@1
	changes half <<< '! dpkg -i /opt/debs/broken_1.deb'
	stays_as_it_is "$CONFLICT $DAMAGED" half
	[[ $(jq -r '.[0] | .error, .items[]?.text' <<< "$plan") == *broken* ]] || fail "it does not name the package: $plan"
	changes unpacked <<< 'dpkg --unpack /opt/debs/own_1.deb'
	stays_as_it_is "$CONFLICT $DAMAGED" unpacked
	changes damaged <<< 'dpkg -i /opt/debs/own_1.deb; head -c 5000 /dev/urandom > /var/lib/dpkg/status'
	stays_as_it_is "$CONFLICT $DAMAGED" damaged
	in_container damaged sh -c ': > /var/lib/dpkg/status'
	layerbox --quiet stop --kill damaged
	stays_as_it_is "$CONFLICT $DAMAGED" damaged
	make marks --base deb@1
	changes marks <<< 'printf "Package: own" >> /var/lib/apt/extended_states'
	stays_as_it_is "$DAMAGED" marks
	[[ $(jq -r '.[0].error' <<< "$plan") == */var/lib/apt/extended_states* ]] || fail "it does not name it: $plan"
}

# ------------------------------------------------------------------------------------------------------ accounts

@test "accounts are merged by entry, and nobody gets another number" {
	local id
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/own_1.deb
		useradd --uid 1000 --create-home --shell /bin/sh mia
		echo 'mia:secret' | chpasswd --crypt-method SHA256
		usermod --append --groups staff mia
		usermod --append --groups staff nobody
		usermod --comment 'Who owns it' root
		echo /usr/bin/own-shell >> /etc/shells
	END
	id=$(in_container tiger id mia)
	layerbox --quiet stop --kill tiger
	there_and_back tiger
	is "$(in_container tiger id mia)" "$id"
	is "$(in_container tiger id -u fixed)" 4242
	is "$(in_container tiger getent group team)" team:x:4300:nobody
	is "$(in_container tiger getent group staff)" staff:x:50:mia,nobody
	is "$(in_container tiger getent passwd root | cut -d: -f5)" 'Who owns it'
	is "$(in_container tiger sh -c 'grep "^basesvc:" /etc/passwd')" "$(grep '^basesvc:' "$(tree_of deb@2)/etc/passwd")"
	in_container tiger sh -c 'grep -q "^mia:\$5" /etc/shadow && grep -q "^fixed:" /etc/shadow'
	in_container tiger sh -c 'grep -q "^staff:.*mia" /etc/gshadow && grep -q "^team:" /etc/gshadow'
	in_container tiger grep -qx /usr/bin/own-shell /etc/shells
	is "$(in_container tiger pwck --read-only --quiet 2>&1 | grep -v 'directory' || true)" ''
	is "$(in_container tiger sh -c 'stat -c "%a %U:%G" /etc/passwd /etc/shadow')" $'644 root:root\n640 root:shadow'
	is "$(in_container tiger stat -c %U /home/mia)" mia
}

@test "a number for two accounts, or an account with two numbers, is a conflict" {
	make number name --base deb@1
	changes number <<< 'useradd --uid 4242 --no-create-home mia'
	conflicts number
	[[ $(jq -r '.[0].items[] | select(.outcome == "conflict") | .kind + .subject + .text' <<< "$plan") == account*4242* ]] ||
		fail "it does not say which number: $plan"
	changes name <<< 'useradd --uid 4243 --no-create-home fixed'
	conflicts name
	# The same account on both sides is none.
	changes name <<< 'userdel fixed; groupdel fixed || true; useradd --uid 4242 --no-create-home fixed'
	rebased name
	is "$(in_container name grep -c '^fixed:' /etc/passwd)" 1
}

# --------------------------------------------------------------------------------------------------------- files

@test "files below /etc: unchanged copies go, one side's change is taken, both are merged, or laid beside" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /etc/t
		touch touched
		cp -p touched t && mv t touched
		sed -i '2s/.*/of both/' both-same
		sed -i '8s/.*/of the container/' ours merged
		sed -i '2s/.*/of the container/' clash
		chmod 600 clash
		rm deleted
		sed -i '9s/.*/of the container/' /etc/follow.conf
		echo mine > mine
	END
	in_top tiger etc/t/touched
	there_and_back tiger
	not_in_top tiger etc/t/touched
	is "$(in_container tiger sed -n 2p /etc/t/touched)" 'of the base'
	not_in_top tiger etc/t/both-same
	is "$(in_container tiger sed -n 2p /etc/t/theirs)" 'of the base'
	is "$(in_container tiger sed -n 8p /etc/t/ours)" 'of the container'
	is "$(item /etc/t/merged)" merged
	sees tiger /etc/t/merged "$(lines | sed -e '2s/.*/of the base/' -e '8s/.*/of the container/')"
	is_gone tiger /etc/t/merged.layerbox-new
	is "$(item /etc/t/clash)" beside
	sees tiger /etc/t/clash "$(lines | sed '2s/.*/of the container/')"
	sees tiger /etc/t/clash.layerbox-new "$(lines | sed '2s/.*/of the base/')"
	is "$(in_container tiger stat -c %a /etc/t/clash)" 600
	[ -n "$(item /etc/t/clash question)" ] && [ "$(item /etc/t/clash question)" != null ]
	is_gone tiger /etc/t/deleted
	sees tiger /etc/t/mine mine
	# Conffiles of packages as well.
	sees tiger /etc/follow.conf "$(lines | sed -e '2s/.*/of the base/' -e '9s/.*/of the container/')"
	sees tiger /etc/follow.d/quiet 2
	is "$(in_container tiger dpkg --verify follow)" '??5?????? c /etc/follow.conf'
}

@test "an answer holds for all containers that have the same question, until it is forgotten" {
	local name question
	make one two three four --base deb@1
	for name in one two three four; do
		changes $name <<< "sed -i '2s/.*/of the container/' /etc/t/clash"
	done
	rebased one
	question=$(item /etc/t/clash question)
	in_top one etc/t/clash.layerbox-new

	succeeds layerbox rebase --answer "$question=base"
	rebased two
	is "$(item /etc/t/clash)" follows
	not_in_top two etc/t/clash
	not_in_top two etc/t/clash.layerbox-new
	is "$(in_container two sed -n 2p /etc/t/clash)" 'of the base'

	succeeds layerbox rebase --answer "$question=keep"
	rebased three
	is "$(item /etc/t/clash)" stays
	is_gone three /etc/t/clash.layerbox-new
	is "$(in_container three sed -n 2p /etc/t/clash)" 'of the container'

	succeeds layerbox rebase --answer "$question=forget"
	rebased four
	is "$(item /etc/t/clash) $(item /etc/t/clash question)" "beside $question"
	refused "$BAD_VALUE" '' layerbox rebase --answer "$question=perhaps"
}

@test "other files: copies go, changes stay and are told, a mode is kept with new content" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /opt/t
		touch touched
		chmod 700 chmodded && chmod 644 chmodded
		chmod 600 mode
		chmod 755 /usr/lib/follow/text && chmod 644 /usr/lib/follow/text
		chown 1000:1000 /usr/lib/follow/mode
		echo 'of the container' | tee ours > both
		echo 'of both' > both-same
		echo mine > mine
	END
	in_top tiger opt/t/touched
	in_top tiger usr/lib/follow/text
	there_and_back tiger
	not_in_top tiger opt/t/touched
	sees tiger /opt/t/touched 'touched 2'
	not_in_top tiger opt/t/chmodded
	sees tiger /opt/t/chmodded 'chmodded 2'
	not_in_top tiger usr/lib/follow/text
	sees tiger /opt/t/mode 'mode 2'
	is "$(in_container tiger stat -c %a /opt/t/mode)" 600
	sees tiger /usr/lib/follow/mode 'mode 2'
	is "$(in_container tiger stat -c %u:%g /usr/lib/follow/mode)" 1000:1000
	sees tiger /opt/t/ours 'of the container'
	sees tiger /opt/t/both 'of the container'
	[[ $(item /opt/t/both) =~ ^(stays|reported)$ ]] || fail "nothing is said of it: $plan"
	is_gone tiger /opt/t/both.layerbox-new
	not_in_top tiger opt/t/both-same
	sees tiger /opt/t/mine mine
	is "$(in_container tiger readlink /opt/t/link)" new
}

@test "deleted stays deleted, an emptied directory stays empty of what was in it, and a vanished file needs no whiteout" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /opt/t
		rm deleted vanished
		rm -r opaque && mkdir opaque && echo own > opaque/own
		rm emptied/file
		touch visited/new && rm visited/new
		chmod 700 shut
		touch -d @1600000000 emptied
		rm /usr/lib/follow/same
	END
	is_whiteout tiger opt/t/vanished
	there_and_back tiger
	is_gone tiger /opt/t/deleted
	is_whiteout tiger opt/t/deleted
	is_gone tiger /opt/t/vanished
	not_in_top tiger opt/t/vanished
	is "$(in_container tiger ls /opt/t/opaque)" own
	is "$(in_container tiger ls /opt/t/emptied)" ''
	not_in_top tiger opt/t/visited
	is_gone tiger /usr/lib/follow/same
	is "$(in_container tiger stat -c %a /opt/t/shut)" 700
	sees tiger /opt/t/shut/file 'shut/file 2'
	[[ $(item /opt/t/opaque) =~ ^(stays|reported)$ ]] || fail "nothing is said of what is hidden: $plan"
}

@test "hard links, extended attributes, sparse files, odd names and times survive, and their undo" {
	local before
	make tiger --base deb@1
	changes tiger <<- 'END'
		cd /opt/t
		echo mine > a && ln a b
		truncate -s 10M sparse
		printf x > "$(printf 'new\nline \377')"
		mkfifo fifo
		ln -s ../../../../etc/shadow escape
		echo 'of the container' > ours
		touch -d @1500000000.123456789 ours
		mkdir -m 2775 d && touch d/f && chmod 4755 d/f && touch -d @1500000000 d
	END
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"hello")' \
		"$CONTAINERS/tiger/rootfs-layer/opt/t/ours"
	before=$(layer_dump tiger | grep -E "/opt/t/(a|b|sparse|new|fifo|escape|ours|d|d/f)\b")
	there_and_back tiger
	is "$(layer_dump tiger | grep -E "/opt/t/(a|b|sparse|new|fifo|escape|ours|d|d/f)\b")" "$before"
	[ "$(stat -c %b "$CONTAINERS/tiger/rootfs-layer/opt/t/sparse")" -lt 100 ]
}

@test "in a directory that the container and the new base have both made, both show" {
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/event_1.deb
		mkdir /opt/lib
		echo own > /opt/lib/own
	END
	# For overlayfs a directory is opaque that was made where the base had none.
	there_and_back tiger
	is "$(in_container tiger ls /usr/share/watched)" $'arrived\nevent'
	is "$(in_container tiger ls /opt/lib)" $'libmd.so.0\nown'
	database_is_fine tiger arrived event
}

@test "a file that turned directory is a conflict with a question, and an answer settles it" {
	local question
	make keep base --base deb@1
	changes keep <<< "echo changed > /opt/t/turned"
	changes base <<< "echo changed > /opt/t/turned"
	conflicts keep /opt/t/turned
	question=$(item /opt/t/turned question)
	conflicts base /opt/t/turned
	is "$(item /opt/t/turned question)" "$question"
	succeeds layerbox rebase --answer "$question=base"
	there_and_back base
	sees base /opt/t/turned/file inside
	succeeds layerbox rebase --answer "$question=keep"
	rebased keep
	sees keep /opt/t/turned changed
	succeeds layerbox rebase --answer "$question=forget"
}

@test "a file that turned directory is none where the container did not change it" {
	make tiger --base deb@1
	changes tiger <<< 'touch /opt/t/turned-quietly /opt/t/dir-to-file/file'
	in_top tiger opt/t/turned-quietly
	there_and_back tiger
	sees tiger /opt/t/turned-quietly/file inside
	sees tiger /opt/t/dir-to-file file
}

@test "the linker's cache is made anew of what both have" {
	make tiger untouched --base deb@1
	changes tiger <<- 'END'
		mkdir -p /usr/local/lib
		cp -L /usr/lib/*/libzstd.so.1 /usr/local/lib/
		ldconfig
	END
	changes untouched <<< ldconfig
	there_and_back tiger
	is "$(in_container tiger ldconfig -p | grep -cE '=> (/opt/lib/libmd|/usr/local/lib/libzstd)')" 2
	rebased untouched
	not_in_top untouched etc/ld.so.cache
}

# ------------------------------------------------------------------------------------------------ what is running

@test "a running container: left pending for its next start, which does it" {
	local pid
	make tiger --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/own_1.deb'
	layerbox --quiet start tiger
	pid=$(field tiger pid)
	rebase tiger
	is "$status $(jq -r '.[0].result' <<< "$plan")" '0 pending'
	is "$(field tiger rebase_to)" deb@2
	stands_on tiger deb@1
	is "$(field tiger pid)" "$pid"
	sees tiger /usr/lib/follow/text 'follow 1'
	is "$(layerbox status --json | jq -r '.[] | select(.container == "tiger") | .pending')" true
	layerbox --quiet stop --kill tiger
	stands_on tiger deb@1
	layerbox --quiet start tiger
	stands_on tiger deb@2
	[[ $(field tiger rebase_to) =~ ^(null)?$ ]]
	sees tiger /usr/lib/follow/text 'follow 2'
	sees tiger /usr/lib/own/text 'own 1'
}

@test "a running container with --restart: stopped, rebased, started; one that cannot be keeps running as it was" {
	local pid
	make tiger stubborn --base deb@1 --start
	pid=$(field tiger pid)
	rebased tiger --restart
	is "$(field tiger state)" running
	[ "$(field tiger pid)" != "$pid" ]
	sees tiger /usr/lib/follow/text 'follow 2'
	in_container stubborn dpkg -i /opt/debs/strict_1.deb > /dev/null 2>&1
	rebase stubborn --restart
	is "$status" "$CONFLICT"
	is "$(field stubborn state)" running
	stands_on stubborn deb@1
	refused "$RUNNING" '' layerbox rebase --undo tiger
}

@test "one that cannot be rebased after it was stopped, and does not start any more: both are said" {
	make tiger --base deb@1
	mkdir -p "$CONTAINERS/tiger/rootfs-layer/usr/sbin"
	cat > "$CONTAINERS/tiger/rootfs-layer/usr/sbin/init" <<- 'END'
		#!/bin/sh
		trap 'echo damaged > /var/lib/dpkg/status; rm /usr/sbin/init; exit 0' PWR INT TERM
		: > /run/ready || : > /opt/ready
		while :; do
			sleep 1000 &
			wait $!
		done
	END
	chmod 755 "$CONTAINERS/tiger/rootfs-layer/usr/sbin/init"
	layerbox --quiet start tiger
	wait_until 5 layerbox exec tiger -- sh -c 'test -e /run/ready || test -e /opt/ready'
	rebase tiger --restart
	is "$(jq -r '.[0].result' <<< "$plan")" failed
	[[ $(jq -r '.[0].error' <<< "$plan") == *dpkg/status*'could not be started again: '* ]] || fail "$plan"
	is "$(field tiger state)" stopped
	stands_on tiger deb@1
}

@test "while a program inside holds dpkg's lock, nothing is planned away from under it" {
	make tiger --base deb@1 --start
	layerbox exec tiger -- perl -e '
		use Fcntl;
		open my $file, ">", "/var/lib/dpkg/lock-frontend" or die;
		fcntl $file, F_SETLK, pack("s s l! l! i", F_WRLCK, SEEK_SET, 0, 0, 0) or die;
		open my $ready, ">", "/run/locked" or open $ready, ">", "/opt/locked" or die;
		close $ready;
		sleep 60;' > /dev/null 2>&1 3>&- &
	wait_until 5 layerbox exec tiger -- sh -c 'test -e /run/locked || test -e /opt/locked'
	rebase tiger --restart
	[ "$status" -ne 0 ] || fail "it was rebased all the same: $plan"
	is "$(jq -r '.[0].result' <<< "$plan")" failed
	is "$(field tiger state)" running
	stands_on tiger deb@1
	layerbox --quiet stop --kill tiger
	wait $! || true
	# A lock file without a holder is no lock.
	rebased tiger
}

@test "a privileged container is rebased as well" {
	make tiger --base deb@1 --privileged
	changes tiger <<- 'END'
		dpkg -i /opt/debs/own_1.deb /opt/debs/newer_3.deb
		rm -r /opt/t/opaque && mkdir /opt/t/opaque && rm /opt/t/vanished
		update-alternatives --install /usr/bin/auto auto /opt/t/auto-own 15
	END
	there_and_back tiger
	sees tiger /usr/lib/follow/text 'follow 2'
	sees tiger /usr/lib/newer/text 'newer 3'
	is "$(in_container tiger ls /opt/t/opaque)" ''
	database_is_fine tiger follow own newer
}

# --------------------------------------------------------------------------------------------- plans and the way back

@test "--dry-run plans, and writes nothing" {
	local before
	make tiger --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/own_1.deb; sed -i 2s/.*/x/ /etc/t/clash; sed -i 8s/.*/x/ /etc/t/merged'
	before=$("$rebase_lib/layer-dump" "$CONTAINERS/tiger")
	rebase tiger --dry-run
	is "$status $(jq -r '.[0] | "\(.name) \(.from) \(.to) \(.result) \(.conflicts)"' <<< "$plan")" \
		'0 tiger deb@1 deb@2 planned 0'
	is "$(item /etc/t/clash) $(item /etc/t/merged) $(item follow) $(item own)" 'beside merged follows stays'
	is "$("$rebase_lib/layer-dump" "$CONTAINERS/tiger")" "$before"
	[ ! -e "$CONTAINERS/tiger/rebase" ]
	stands_on tiger deb@1
	# With a conflict it is a plan as well.
	changes tiger <<< 'dpkg -i /opt/debs/strict_1.deb'
	rebase tiger --dry-run
	is "$(jq -r '.[0] | "\(.result) \(.conflicts >= 1)"' <<< "$plan")" 'planned true'
	# And for people, a sentence for each item.
	run --separate-stderr layerbox rebase tiger --dry-run
	[[ $output == *strict* && $output == */etc/t/clash* ]] || fail "it shows '$output'"
}

@test "--json has the same fields, of the same types, for each container and item" {
	make tiger pragmatic --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/own_1.deb; sed -i 2s/.*/x/ /etc/t/clash; useradd mia'
	rebase --all --dry-run
	is "$(jq -r 'map(.name) | sort | join(" ")' <<< "$plan")" 'pragmatic tiger'
	jq -e 'all(.[]; (.name, .from, .to, .result | type) == "string" and (.conflicts | type) == "number"
		and (.error | type | . == "string" or . == "null") and (.items | type) == "array")' <<< "$plan" > /dev/null ||
		fail "$plan"
	jq -e 'all(.[].items[];
		(.kind | IN("release", "package", "account", "file", "task"))
		and (.outcome | IN("follows", "stays", "merged", "beside", "done", "reported", "conflict"))
		and (.subject, .text | type) == "string" and (.bytes | type) == "number"
		and all(.question, .before, .after, .own; type | . == "string" or . == "null"))' <<< "$plan" > /dev/null ||
		fail "$plan"
	is "$(jq -r '[.[].items[] | keys | join(" ")] | unique | length' <<< "$plan")" 1
	# The same plan twice is the same text.
	is "$(layerbox rebase --all --dry-run --json | jq -S 'sort_by(.name)')" "$(jq -S 'sort_by(.name)' <<< "$plan")"
}

@test "undo is refused after packages were changed, and while it runs; what else was changed is kept aside" {
	make tiger pragmatic --base deb@1
	changes tiger <<< 'echo before > /opt/t/mine'
	changes pragmatic <<< 'echo before > /opt/t/mine'
	layer_dump pragmatic > "$BATS_TEST_TMPDIR/before"
	rebased tiger
	rebased pragmatic
	changes tiger <<< 'dpkg -i /opt/debs/own_1.deb'
	layer_dump tiger > "$BATS_TEST_TMPDIR/after"
	refused "$CONFLICT" '' layerbox rebase --undo tiger
	same_layer tiger "$BATS_TEST_TMPDIR/after"
	stands_on tiger deb@2
	layerbox --quiet start pragmatic
	refused "$RUNNING" '' layerbox rebase --undo pragmatic
	layerbox --quiet stop --kill pragmatic
	succeeds layerbox rebase --undo pragmatic
	stands_on pragmatic deb@1
	same_layer pragmatic "$BATS_TEST_TMPDIR/before"
	# There is nothing more to undo.
	run --separate-stderr layerbox rebase --undo pragmatic
	is "$status" 0
	stands_on pragmatic deb@1
}

@test "confirm gives up the way back and its disk space" {
	make tiger --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/older_2.deb; head -c 3000000 /dev/urandom > /usr/lib/older/text'
	changes tiger <<< 'dpkg -i /opt/debs/older_2.deb; sed -i s/1/x/ /etc/follow.conf'
	rebased tiger
	[ -e "$CONTAINERS/tiger/rebase/undo" ]
	is "$(layerbox status --json | jq -r '.[] | select(.container == "tiger") | .unconfirmed')" true
	succeeds layerbox rebase --confirm tiger
	no_way_back tiger
	run --separate-stderr layerbox rebase --undo tiger
	stands_on tiger deb@2
	succeeds layerbox rebase --confirm tiger
	sees tiger /usr/lib/older/text 'older 3'
}

@test "a container goes by an older generation's name, and to the next one from there" {
	make tiger --base deb@1
	rebased tiger --to deb@2
	refused "$NO_BASE" '' layerbox rebase tiger --to deb@99
	refused "$NO_CONTAINER" '' layerbox rebase nobody
	refused "$USAGE" '' layerbox rebase
	changes tiger <<< 'rm /opt/t/theirs'
	rebase tiger --to deb@1
	[[ $(jq -r '.[0].result' <<< "$plan") =~ ^(done|failed)$ ]]
	if [ "$status" -eq 0 ]; then
		sees tiger /usr/lib/follow/text 'follow 1'
		is_gone tiger /opt/t/theirs
	fi
}

@test "killed at any moment, the next start gives the old one whole, or the new one whole" {
	local delay round generation old=0 new=0
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/own_1.deb /opt/debs/older_2.deb /opt/debs/newer_3.deb
		rm -r /opt/t/opaque && mkdir /opt/t/opaque && rm /opt/t/vanished
		useradd mia
		sed -i '2s/.*/of the container/' /etc/t/clash
		mkdir -p /usr/local/lib && cp -L /usr/lib/*/libzstd.so.1 /usr/local/lib/ && ldconfig
	END
	layer_dump tiger > "$BATS_TEST_TMPDIR/old"
	after_kill() {
		layerbox --quiet start tiger
		generation=$(field tiger generation)
		layerbox --quiet stop --kill tiger
		if [ "$generation" = 1 ]; then
			old=$((old + 1))
		else
			new=$((new + 1))
			succeeds layerbox rebase --undo tiger
		fi
		stands_on tiger deb@1
		same_layer tiger "$BATS_TEST_TMPDIR/old"
	}
	# At calls that change what is on disk: the first ones, and then further and further apart.
	for ((round = 1; ; round += 1 + round / 2)); do
		status=0
		timeout -s KILL 30 strace -qq -o /dev/null -e trace=renameat2 -e inject="renameat2:signal=KILL:when=$round" \
			"$(type -P layerbox)" --quiet rebase tiger > /dev/null 2>&1 3>&- || status=$?
		after_kill
		[ "$status" -ne 0 ] || break
	done
	# And at moments that nobody chose.
	for delay in 0.03 0.08 0.15 0.25; do
		command layerbox --quiet rebase tiger > /dev/null 2>&1 3>&- &
		sleep "$delay"
		kill -9 $! 2> /dev/null || true
		wait $! || true
		after_kill
	done
	echo "old: $old, new: $new"
	[ "$old" -ge 3 ] && [ "$new" -ge 1 ]
	rebased tiger
	database_is_fine tiger own older newer follow
	sees tiger /usr/lib/older/text 'older 3'
}

@test "a full disk: it is as it was, and goes on with room" {
	truncate -s 16M "$BATS_FILE_TMPDIR/disk"
	mkfs.ext4 -q "$BATS_FILE_TMPDIR/disk"
	mount "$BATS_FILE_TMPDIR/disk" "$CONTAINERS"
	rmdir "$CONTAINERS/lost+found"
	chmod 755 "$CONTAINERS"
	make tiger --base deb@1
	changes tiger <<- 'END'
		dpkg -i /opt/debs/own_1.deb /opt/debs/older_2.deb
		useradd mia
		sed -i '8s/.*/of the container/' /etc/t/merged
	END
	layer_dump tiger > "$BATS_TEST_TMPDIR/before"
	# Directories also fill what ext4 keeps back for delayed writes.
	mkdir "$CONTAINERS/tiger/filler"
	cat /dev/zero > "$CONTAINERS/tiger/filler/zeros" 2> /dev/null || true
	mkdir "$CONTAINERS"/tiger/filler/{1..5000} 2> /dev/null || true
	rebase tiger
	is "$status $(jq -r '.[0].result' <<< "$plan")" "$NO_SPACE failed"
	stands_on tiger deb@1
	same_layer tiger "$BATS_TEST_TMPDIR/before"
	rm -r "$CONTAINERS/tiger/filler"
	there_and_back tiger
	sees tiger /usr/lib/older/text 'older 3'
}

@test "the old generation is used while a rebase can be undone, and goes when it is confirmed" {
	layerbox --quiet base import small "$(tree_of busybox)"
	make tiger --base small
	in_base small sh -c 'echo new > /etc/new'
	rebased tiger
	sees tiger /etc/new new
	layerbox --quiet stop --kill tiger
	succeeds layerbox base gc small --keep 1
	[ -d "$LAYERBOX_ROOT/os-bases/small/1/rootfs" ]
	refused "$BASE_IN_USE" '' layerbox base delete small
	succeeds layerbox rebase --undo tiger
	is_gone tiger /etc/new
	layerbox --quiet stop --kill tiger
	rebased tiger
	succeeds layerbox rebase --confirm tiger
	succeeds layerbox base gc small --keep 1
	[ ! -e "$LAYERBOX_ROOT/os-bases/small/1" ]
	sees tiger /etc/new new
}

@test "fifty containers with packages of their own: each takes less than 1 MiB more" {
	local names before after name size
	names=$(printf 'many-%s ' {1..50})
	make many-1 --base deb@1
	changes many-1 <<- 'END'
		dpkg -i /opt/debs/own_1.deb /opt/debs/newer_3.deb /opt/debs/older_2.deb
		useradd mia
		head -c 2000000 /dev/urandom > /opt/data
		sed -i '2s/.*/of the container/' /etc/t/clash
	END
	# shellcheck disable=SC2086
	make ${names#* } --base deb@1
	for name in ${names#* }; do
		cp -a "$CONTAINERS/many-1/rootfs-layer/." "$CONTAINERS/$name/rootfs-layer/"
	done
	before=$(cd "$CONTAINERS" && du -s --block-size=1 -- *)
	rebase --all
	[ "$status" -eq 0 ] || fail "$output"
	is "$(jq -r 'map(.result) | unique | join(" ")' <<< "$plan")" 'done'
	after=$(cd "$CONTAINERS" && du -s --block-size=1 -- *)
	while read -r size name; do
		[ "$size" -lt $((1 << 20)) ] || fail "$name takes $size bytes more"
	done < <(paste <(echo "$after") <(echo "$before") | awk '{ print $1 - $3, $2 }')
	sees many-37 /usr/lib/older/text 'older 3'
	is "$(version_of many-37 own)" 1ii
}

# -------------------------------------------------------------------------------------------- what lags, what hides

@test "status tells who is behind, and --outdated them alone" {
	make tiger --base deb@1
	make pragmatic --base deb
	is "$(layerbox status --json | jq -r 'map(.container) | sort | join(" ")')" 'pragmatic tiger'
	is "$(layerbox status --outdated --json | jq -r 'map(.container) | join(" ")')" tiger
	is "$(layerbox status --outdated --json | jq -r '.[0] | "\(.base) \(.generation) \(.newest) \(.pending) \(.unconfirmed)"')" \
		'deb 1 2 false false'
	# follow, newer, older, equal, removed, held, dual; dropped and arrived.
	is "$(layerbox status --outdated --json | jq -r '.[0].packages')" 9
	succeeds layerbox status --outdated
	[[ $output == *tiger* && $output != *pragmatic* ]]
	rebased tiger
	is "$(layerbox status --outdated --json)" '[]'
	is "$(layerbox info tiger --json | jq -r '"\(.base) \(.generation) \(.rebased_from)"')" 'deb 2 deb@1'
}

@test "audit finds copies that hide the base's files and those that waste space" {
	make tiger clean --base deb@1
	changes tiger <<- 'END'
		cd /opt/t
		chmod 600 chmodded && chmod 644 chmodded
		echo changed > theirs
		dpkg -i /opt/debs/newer_3.deb
		echo mine > mine
	END
	succeeds layerbox audit tiger --json
	plan=$output
	is "$(jq -r '.[] | select(.subject == "/opt/t/theirs") | "\(.container) \(.kind)"' <<< "$plan")" 'tiger frozen'
	jq -e 'any(.[]; .container == "tiger" and .kind == "wasted" and .bytes > 0)' <<< "$plan" > /dev/null || fail "$plan"
	is "$(jq -r '.[] | select(.subject == "/opt/t/mine")' <<< "$plan")" ''
	jq -e 'all(.[]; (.kind, .subject, .text | type) == "string" and (.bytes | type) == "number")' <<< "$plan" > /dev/null
	succeeds layerbox audit clean --json
	is "$output" '[]'
	succeeds layerbox audit --all
	[[ $output == */opt/t/theirs* ]]
}

@test "audit leaves out the one that cannot be planned, shows the others, and fails in the end" {
	make ill tiger --base deb@1
	changes ill <<< 'mkdir -p /var/lib/dpkg/updates && touch /var/lib/dpkg/updates/0001'
	changes tiger <<< 'echo changed > /opt/t/theirs'
	run --separate-stderr layerbox audit --all --json
	is "$status" "$CONFLICT"
	is "$(jq -r '.[] | "\(.container) \(.subject)"' <<< "$output")" 'tiger /opt/t/theirs'
	[[ $stderr == *"container 'ill' is left out: dpkg was interrupted"* ]] || fail "$stderr"
	run --separate-stderr layerbox audit nobody tiger --json
	is "$status $(jq -r '.[].container' <<< "$output")" "$NO_CONTAINER tiger"
	run --separate-stderr layerbox audit ill --json
	is "$status" "$CONFLICT"
	is "$output" ''
	[[ $stderr != *'left out'* ]] || fail "$stderr"
}

@test "a package that many carry in their own layers is a candidate for a stack" {
	local name
	make one two three --base deb@1
	for name in one two three; do
		changes $name <<< 'dpkg -i /opt/debs/own_1.deb'
	done
	succeeds layerbox audit --all --json
	is "$(jq -r '.[] | select(.kind == "stack" and .subject == "own") | .containers' <<< "$output")" 3
}

# ------------------------------------------------------------------------------------ generations that are not well

@test "another release of the distribution is refused without a word for it, and planned" {
	local generation
	next_generation deb <<- 'END'
		#!/bin/sh -eu
		rm /usr/lib/os-release
		printf 'PRETTY_NAME="Debian GNU/Linux 99 (next)"\nNAME="Debian GNU/Linux"\nVERSION_ID="99"\nVERSION_CODENAME=next\nID=debian\n' \
			> /usr/lib/os-release
	END
	generation=deb@$(layerbox base show deb --json | jq .generation)
	make tiger --base deb@2
	stays_as_it_is "$CONFLICT" tiger
	[[ $(jq -r '.[0].items[] | select(.kind == "release") | .text' <<< "$plan") == *99* ]] || fail "$plan"
	rebase tiger --dry-run
	is "$(jq -r '.[0] | "\(.result) \(.to)"' <<< "$plan")" "planned $generation"
	there_and_back tiger --allow-release-change
	stands_on tiger "$generation"
	in_container tiger grep -q 'VERSION_ID="99"' /etc/os-release
}

@test "the check of its own decides as well" {
	in_base deb sh -c 'rm /opt/t/theirs'
	make tiger --base deb@1
	layerbox --quiet set tiger 'health.command=test -e /opt/t/theirs'
	layer_dump tiger > "$BATS_TEST_TMPDIR/before"
	rebase tiger --to "deb@$(layerbox base show deb --json | jq .generation)" --allow-release-change --health-timeout 3
	is "$status $(jq -r '.[0].result' <<< "$plan")" "$UNHEALTHY failed"
	stands_on tiger deb@1
	same_layer tiger "$BATS_TEST_TMPDIR/before"
	# What could not be checked once is checked again.
	printf '#!/bin/sh\ntest -e /run/once && exit\n: > /run/once\necho "layerbox: it could not be entered"; exit 125\n' \
		> "$CONTAINERS/tiger/rootfs-layer/look"
	chmod 755 "$CONTAINERS/tiger/rootfs-layer/look"
	layerbox --quiet set tiger health.command=/look
	rebased tiger --to deb@2 --health-timeout 20
	no_way_back tiger
}

# A generation whose init ends at once, unless it is there already.
sick_generation() {
	local newest
	newest=$(layerbox base show deb --json | jq .generation)
	grep -qs 'exit 1' "$(tree_of "deb@$newest")/usr/sbin/init" && return
	in_base deb sh -c 'rm /usr/sbin/init; printf "#!/bin/sh\nexit 1\n" > /usr/sbin/init; chmod 755 /usr/sbin/init'
}

@test "a container that is not well afterwards is undone, and the canary keeps others from it" {
	local name sick
	sick_generation
	sick=deb@$(layerbox base show deb --json | jq .generation)
	make tiger pragmatic third --base deb@1
	changes tiger <<< 'dpkg -i /opt/debs/own_1.deb'
	layer_dump tiger > "$BATS_TEST_TMPDIR/before"
	rebase tiger --to "$sick" --allow-release-change --health-timeout 3
	is "$status $(jq -r '.[0].result' <<< "$plan")" "$UNHEALTHY failed"
	stands_on tiger deb@1
	wait_until 5 state_is tiger stopped
	same_layer tiger "$BATS_TEST_TMPDIR/before"

	rebase --all --to "$sick" --allow-release-change --health-timeout 3 --canary pragmatic
	is "$status" "$UNHEALTHY"
	for name in tiger pragmatic third; do
		stands_on $name deb@1
		[[ $(field $name rebased_from) =~ ^(null)?$ ]]
	done
	[ ! -e "$CONTAINERS/third/rebase" ]
}

@test "a container that is not well and cannot go back runs all the same, on the new generation" {
	make tiger --base deb@1
	cat > "$CONTAINERS/tiger/rootfs-layer/look" <<- 'END'
		#!/bin/sh
		test -e /usr/lib/own/text || dpkg -i /opt/debs/own_1.deb > /dev/null 2>&1
		echo ill
		exit 1
	END
	chmod 755 "$CONTAINERS/tiger/rootfs-layer/look"
	layerbox --quiet set tiger health.command=/look
	layerbox --quiet start tiger
	rebase tiger --to deb@2 --restart --health-timeout 5
	is "$status $(jq -r '.[0].result' <<< "$plan")" "$UNHEALTHY failed"
	[[ $(jq -r '.[0].error' <<< "$plan") == *ill*'not be brought back'*'started again on the new generation' ]] ||
		fail "$plan"
	is "$(field tiger state)" running
	stands_on tiger deb@2
	sees tiger /usr/lib/own/text 'own 1'
}

@test "a container that is well is confirmed; after the canary come the others" {
	make tiger pragmatic --base deb@1
	rebase --all --to deb@2 --health-timeout 20 --canary pragmatic
	is "$status" 0
	is "$(jq -r '.[0].name' <<< "$plan")" pragmatic
	is "$(jq -r 'map(.result) | join(" ")' <<< "$plan")" 'done done'
	stands_on tiger deb@2
	no_way_back tiger
}
