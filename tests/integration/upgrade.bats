#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The next generation of a base: complete, cheap, sealed; and stacks, which follow their parent.
load ../lib/common

BASES=
setup() {
	BASES=$LAYERBOX_ROOT/os-bases
}

# A base of its own for each test, without a package manager.
fresh() {
	sed 's/^description.*/description = for a test/' "/usr/share/layerbox/bases/busybox.recipe" \
		> "$LAYERBOX_ROOT/bases/$1.recipe"
	layerbox --quiet base build "$1"
}

upgrade() {
	layerbox --quiet base upgrade "$@"
}

# generations BASE: their numbers, in a line.
generations() {
	ls -A "$BASES/$1" | sort -n | xargs
}

newest() {
	layerbox base show "$1" --json | jq .generation
}

inode() {
	stat -c %i "$1"
}

same_file() {
	[ "$(inode "$1")" = "$(inode "$2")" ]
}

# The content of a generation as nobody may change it; links to it are no change.
sealed_checksum() {
	tree_checksum "$BASES/$1/rootfs"
}

@test "a command makes the next generation: a complete tree in which only what changed is new" {
	local tree before
	fresh one
	before=$(sealed_checksum one/1)
	upgrade one -- /bin/sh -c '
		echo fresh > /etc/fresh; echo more >> /etc/hosts; rm /etc/init.d/dhcp; mkdir -p /srv/a/b
		touch /etc/inittab; cp -p /etc/passwd /etc/x; mv /etc/x /etc/passwd; chmod 700 /home; rm -r /mnt'
	is "$(generations one)" '1 2'
	is "$(sealed_checksum one/1)" "$before"
	tree=$BASES/one/2/rootfs
	is "$(cat "$tree/etc/fresh")" fresh
	grep -q more "$tree/etc/hosts"
	refute grep -q more "$BASES/one/1/rootfs/etc/hosts"
	refute test -e "$tree/etc/init.d/dhcp"
	refute test -e "$tree/mnt"
	is "$(stat -c %a "$tree/home" "$BASES/one/1/rootfs/home" | xargs)" '700 755'
	[ -d "$tree/srv/a/b" ]
	# What is as it was, also where it was written anew, is the same file.
	for file in bin/busybox etc/inittab etc/passwd bin/sh etc/init.d/halt; do
		same_file "$tree/$file" "$BASES/one/1/rootfs/$file" || fail "$file is another file"
	done
	# 24 directories and the files that changed, of 2 MiB.
	[ "$(du -sk "$BASES/one/1/rootfs" "$tree" | awk 'END { print $1 }')" -le 120 ]
	# Nothing of how it was made.
	is "$(find "$tree/run" "$tree/dev" "$tree/proc" "$tree/tmp" -mindepth 1)" ''
	refute test -e "$tree/etc/resolv.conf"
	refute test -e "$tree/usr/sbin/policy-rc.d"
	is "$(getfattr -R -m - -d "$tree" 2> /dev/null | grep overlay)" ''
	is "$(stat -c %a "$BASES/one/2")" 700
	succeeds layerbox base verify one@1 one@2
	succeeds layerbox base diff one@1 one@2 --files --json
	is "$(echo "$output" | jq -r '[.[].path] | sort | join(" ")')" \
		'/etc/fresh /etc/hosts /etc/init.d/dhcp /home /mnt /srv/a /srv/a/b'
}

@test "nothing to do is no generation, and times of directories in which nothing stays are kept" {
	local before
	fresh idle
	before=$(sealed_checksum idle/1)
	succeeds layerbox base upgrade idle -- /bin/sh -c 'touch /etc/x; rm /etc/x; echo > /tmp/y; echo > /run/z'
	says 'is as it was: generation 1'
	is "$(generations idle)" 1
	upgrade idle -- /bin/sh -c 'touch /etc/x; rm /etc/x; echo > /srv/new'
	is "$(stat -c %Y "$BASES/idle/2/rootfs/etc")" "$(stat -c %Y "$BASES/idle/1/rootfs/etc")"
	is "$(sealed_checksum idle/1)" "$before"
}

@test "a base without apt needs to be told what to do; a script is run in it" {
	fresh told
	refused "$FAILED" 'with a script or a command' layerbox base upgrade told
	printf '#!/bin/sh\necho "$0 $(id -u)" > /etc/script\n' > "$BATS_TEST_TMPDIR/some-script"
	ln -s some-script "$BATS_TEST_TMPDIR/link"
	(cd "$BATS_TEST_TMPDIR" && upgrade told --script link)
	is "$(cat "$BASES/told/2/rootfs/etc/script")" '/run/layerbox/script 0'
	refused "$FAILED" 'cannot read the script' layerbox --quiet base upgrade told --script /nowhere
	run layerbox base upgrade told --script "$BATS_TEST_TMPDIR/link" -- /bin/true
	is "$status" "$USAGE"
	run layerbox base upgrade told /bin/true
	is "$status" "$USAGE"
	refused "$NO_BASE" 'no base' layerbox base upgrade nowhere -- /bin/true
	is "$(generations told)" '1 2'
}

@test "a command that fails leaves nothing, and its last words are told" {
	fresh failing
	refused "$PROGRAM_FAILED" 'status 3: what a pity' \
		layerbox --quiet base upgrade failing -- /bin/sh -c 'echo x > /etc/x; echo first; echo what a pity; exit 3'
	refused "$PROGRAM_FAILED" 'status 127' layerbox --quiet base upgrade failing -- /no/program
	is "$(generations failing)" 1
}

@test "programs in it reach nothing of the host, and what they leave running ends" {
	local before
	fresh caged
	before=$(sealed_checksum caged/1)
	upgrade caged -- /bin/sh -c '
		exec > /etc/report 2>&1
		mount -t tmpfs none /mnt && echo REACHED mounted
		mount -o remount,rw / && echo REACHED remounted
		mknod /etc/disk b 8 0 && echo REACHED device
		ls /proc/1/root/ && echo REACHED host
		echo 1 > /proc/sys/kernel/sysrq && echo REACHED sysctl
		mkdir /srv/x; chroot /srv/x /../../../../bin/ls && echo REACHED escaped
		hostname changed
		(while :; do sleep 1; done) &
		for i in a b c; do cd ..; done; ls; true'
	grep -q 'not permitted' "$BASES/caged/2/rootfs/etc/report"
	refute grep -E 'REACHED|layerbox-test' "$BASES/caged/2/rootfs/etc/report"
	is "$(hostname)" private-host
	is "$(sealed_checksum caged/1)" "$before"
	refute pgrep -f layerbox-inside
}

@test "killed in the middle, nothing is left after the next command" {
	local pid
	fresh killed
	command layerbox --quiet base upgrade killed -- /bin/sh -c 'echo x > /etc/x; /bin/sleep 1234; true' 3>&- &
	pid=$!
	wait_until 5 pgrep -fx '/bin/sleep 1234'
	[ -d "$BASES/killed/.new-2" ]
	kill -9 "$pid"
	wait "$pid" || true
	wait_until 5 refute pgrep -fx '/bin/sleep 1234'
	upgrade killed -- /bin/sh -c 'echo y > /etc/y'
	is "$(generations killed)" '1 2'
	refute test -e "$BASES/killed/2/rootfs/etc/x"
	# Or by any other.
	command layerbox --quiet base upgrade killed -- /bin/sh -c '/bin/sleep 1234; true' 3>&- &
	pid=$!
	wait_until 5 pgrep -fx '/bin/sleep 1234'
	kill -9 "$pid"
	wait "$pid" || true
	wait_until 5 refute pgrep -fx '/bin/sleep 1234'
	layerbox --quiet doctor || true
	is "$(generations killed)" '1 2'
	no_mount_left
}

# What changes files, on the way from an upper layer to a generation.
@test "killed before any change on disk, the old generation is whole, and the next command clears up" {
	local call n status points=0 before
	fresh points
	before=$(sealed_checksum points/1)
	for call in linkat renameat renameat2 syncfs unlinkat; do
		for ((n = 1; ; n += n > 20 ? 37 : n > 3 ? 7 : 1)); do
			status=0
			# A sanitizer cannot look for leaks in who is traced.
			ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 timeout -s KILL 20 strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
				layerbox --quiet base upgrade points -- /bin/sh -c "echo $n > /etc/x; rm -f /etc/init.d/dhcp" \
				> /dev/null 2>&1 3>&- || status=$?
			echo "before call $n of $call: exit code $status"
			[ "$status" -eq 0 ] || [ "$status" -eq 137 ]
			[ "$status" -ne 0 ] || break
			points=$((points + 1))
			layerbox --quiet base gc --keep 100 || true
			refute ls -d "$BASES"/points/.* 2> /dev/null
			is "$(sealed_checksum points/1)" "$before"
			layerbox --quiet base verify points
		done
	done
	[ "$points" -ge 12 ]
}

@test "of two upgrades at once one is refused; a base that is upgraded cannot be deleted" {
	local pid
	fresh twice
	command layerbox --quiet base upgrade twice -- /bin/sh -c 'echo x > /etc/x; /bin/sleep 1235; true' 3>&- &
	pid=$!
	wait_until 5 pgrep -fx '/bin/sleep 1235'
	refused "$BUSY" 'just now' layerbox --quiet base upgrade twice -- /bin/true
	refused "$BUSY" 'another command' layerbox --quiet base delete twice
	kill "$pid"
	wait "$pid" || true
	wait_until 5 refute pgrep -fx '/bin/sleep 1235'
	upgrade twice -- /bin/sh -c 'echo y > /etc/y'
	is "$(generations twice)" '1 2'
}

@test "containers stay on their generation, new ones get the new one, and neither can write to either" {
	local one two n
	fresh shared
	make old --base shared
	layerbox --quiet start old
	one=$(sealed_checksum shared/1)
	upgrade shared -- /bin/sh -c 'echo two > /etc/two'
	two=$(sealed_checksum shared/2)
	make new --base shared
	make exact --base shared@1
	layerbox --quiet start new exact
	is "$(field old generation) $(field new generation) $(field exact generation)" '1 2 1'
	refute layerbox exec old -- test -e /etc/two
	refute layerbox exec exact -- test -e /etc/two
	is "$(layerbox exec new -- cat /etc/two)" two
	for n in old new; do
		layerbox exec "$n" -- sh -c '
			echo changed > /etc/hosts; chmod 4777 /bin/busybox; rm /etc/inittab; ln /etc/passwd /etc/linked
			echo more >> /etc/linked; touch -d 1970-01-01 /etc/group; chown 1:1 /etc/init.d/halt
			mv /etc/init.d /etc/init.x; : > /bin/busybox
			mkdir -p /mnt/x; mount -o bind / /mnt/x; echo x > /mnt/x/etc/group; mount -o remount,rw /
			mount -t overlay o -o lowerdir=/mnt,upperdir=/etc,workdir=/srv /mnt/x; true' || true
	done
	is "$(sealed_checksum shared/1)" "$one"
	is "$(sealed_checksum shared/2)" "$two"
	layerbox --quiet base verify shared@1 shared@2
	refused "$BASE_IN_USE" "'exact', 'new', 'old'" layerbox base delete shared
}

@test "an account that would get another number fails the upgrade" {
	fresh drifting
	refused "$DAMAGED" "'nobody' has the number 65534 in drifting@1 and would have 65533 now" \
		layerbox --quiet base upgrade drifting -- /bin/sed -i 's/65534/65533/' /etc/passwd
	refused "$DAMAGED" "the group 'tty'" layerbox --quiet base upgrade drifting -- /bin/sed -i 's/^tty:x:5/tty:x:55/' /etc/group
	is "$(generations drifting)" 1
	upgrade drifting -- /bin/sh -c 'echo service:x:700:700::/:/bin/false >> /etc/passwd'
	is "$(newest drifting)" 2
}

@test "system accounts get numbers of a range of their own" {
	fresh ranged
	upgrade ranged -- /bin/sh -c '
		for i in adduser addgroup useradd groupadd systemd-sysusers; do
			rm -f /bin/$i /sbin/$i /usr/sbin/$i
			printf "#!/bin/sh\necho $i \$* >> /etc/calls\n[ $i != adduser ] || cat /run/layerbox/adduser.conf >> /etc/calls\n" > /usr/sbin/$i
			chmod 755 /usr/sbin/$i
		done
		mkdir -p /usr/share/perl5/Debian; touch /usr/share/perl5/Debian/AdduserCommon.pm
		adduser --system a; useradd -r b; systemd-sysusers c.conf; systemd-sysusers; systemd-sysusers --inline "u d"
		cat /run/sysusers.d/layerbox.conf >> /etc/calls'
	run cat "$BASES/ranged/2/rootfs/etc/calls"
	is "${lines[0]}" 'adduser --conf /run/layerbox/adduser.conf --system a'
	is "${lines[1]} ${lines[2]}" 'FIRST_SYSTEM_UID=700 LAST_SYSTEM_UID=799'
	is "${lines[5]}" 'useradd -K SYS_UID_MIN=700 -K SYS_UID_MAX=799 -K SYS_GID_MIN=700 -K SYS_GID_MAX=799 -r b'
	is "${lines[6]}" 'systemd-sysusers c.conf /run/sysusers.d/layerbox.conf'
	is "${lines[7]}" 'systemd-sysusers'
	is "${lines[8]}" 'systemd-sysusers --inline u d r - 700-799'
	is "${lines[9]}" 'r - 700-799'
}

@test "a stack stands on its parent, follows it, and keeps its accounts" {
	local before
	fresh parent
	mkdir -p "$LAYERBOX_ROOT/bases/files/stack/etc"
	echo laid > "$LAYERBOX_ROOT/bases/files/stack/etc/laid"
	echo '# of the stack' > "$LAYERBOX_ROOT/bases/files/stack/etc/hosts"
	printf '%s\n' '#!/bin/sh' 'grep -q ^service: /etc/passwd || echo service:x:801:801::/:/bin/false >> /etc/passwd' \
		'cat /etc/laid > /etc/service' > "$LAYERBOX_ROOT/bases/files/stack/etc/install"
	chmod 755 "$LAYERBOX_ROOT/bases/files/stack/etc/install"
	printf '%s\n' 'parent = parent' 'files = stack' 'run = /etc/install' 'run = /bin/rm /etc/init.d/dhcp' \
		> "$LAYERBOX_ROOT/bases/shop.recipe"
	before=$(sealed_checksum parent/1)
	layerbox --quiet base build shop
	is "$(sealed_checksum parent/1)" "$before"
	is "$(cat "$BASES/shop/1/rootfs/etc/service" "$BASES/shop/1/rootfs/etc/hosts" | xargs)" 'laid # of the stack'
	refute test -e "$BASES/shop/1/rootfs/etc/init.d/dhcp"
	same_file "$BASES/shop/1/rootfs/bin/busybox" "$BASES/parent/1/rootfs/bin/busybox"
	grep -qx 'parent = parent@1' "$BASES/shop/1/generation.conf"
	grep -qx 'halt_signal = SIGINT' "$BASES/shop/1/generation.conf"
	refused "$BASE_IN_USE" "parent of the stack 'shop'" layerbox base delete parent
	# The parent is as it was: there is nothing to follow.
	refused "$FAILED" 'with a script or a command' layerbox base upgrade shop
	upgrade parent -- /bin/sh -c 'echo service2:x:701:701::/:/bin/false >> /etc/passwd; echo two > /etc/two'
	upgrade shop
	is "$(generations shop)" '1 2'
	is "$(cat "$BASES/shop/2/rootfs/etc/two" "$BASES/shop/2/rootfs/etc/service" | xargs)" 'two laid'
	is "$(grep -c service "$BASES/shop/2/rootfs/etc/passwd")" 2
	grep -qx 'parent = parent@2' "$BASES/shop/2/generation.conf"
	same_file "$BASES/shop/2/rootfs/etc/two" "$BASES/parent/2/rootfs/etc/two"
	same_file "$BASES/shop/2/rootfs/etc/service" "$BASES/shop/1/rootfs/etc/service"
	layerbox --quiet base verify shop@1 shop@2 parent@1 parent@2
	make in-shop --base shop
	layerbox --quiet start in-shop
	is "$(layerbox exec in-shop -- cat /etc/service)" laid
	layerbox --quiet delete --force in-shop
	# An account of the stack's whose number the parent has given to another.
	upgrade parent -- /bin/sh -c 'echo taken:x:801:801::/:/bin/false >> /etc/passwd'
	refused "$DAMAGED" "'service' has the number 801, and so has 'taken'" layerbox --quiet base upgrade shop
	is "$(generations shop)" '1 2'
	# A command works on the stack as it is.
	upgrade shop -- /bin/sh -c 'echo three > /etc/three'
	grep -qx 'parent = parent@2' "$BASES/shop/3/generation.conf"
	layerbox --quiet base delete shop
	layerbox --quiet base delete parent
}

@test "a stack without its parent, or with a mirror of its own, is refused" {
	printf '%s\n' 'parent = nowhere' > "$LAYERBOX_ROOT/bases/orphan.recipe"
	refused "$NO_BASE" "no base 'nowhere'" layerbox --quiet base build orphan
	printf '%s\n' 'parent = busybox' 'packages = hello' > "$LAYERBOX_ROOT/bases/orphan.recipe"
	refused "$BAD_CONFIG" 'has no apt-get' layerbox --quiet base build orphan
	refused "$BAD_VALUE" 'come from where those of its parent' layerbox --quiet base build orphan --mirror http://mirror.invalid/debian
	refute test -e "$BASES/orphan"
}
