#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bad luck: each case has one sentence, an exit code of its own, and leaves nothing half-made.
load ../lib/common

teardown() {
	put_back
	common_teardown
}

# hide PATH [REPLACEMENT]: covers PATH until the end of the test.
hide() {
	mount --bind "${2:-/dev/null}" "$1"
	hidden+=("$1")
}

put_back() {
	local path
	refute mountpoint -q "$BATS_TEST_TMPDIR/small" || umount "$BATS_TEST_TMPDIR/small"
	for path in "${hidden[@]}"; do
		umount "$path"
	done
	hidden=()
}

ranges() {
	grep -c '^[0-9]' "$LAYERBOX_ROOT/id-ranges" || true
}

@test "an unknown base, generation or recipe" {
	refused "$NO_BASE" "no base 'nosuch'" layerbox create --base nosuch x
	refused "$NO_BASE" "nosuch" layerbox base show nosuch
	refused "$NO_BASE" "nosuch" layerbox base delete nosuch
	refused "$NO_BASE" "nosuch" layerbox base build nosuch
	refused "$NO_BASE" "busybox" layerbox create --base busybox@7 x
	refused "$BAD_NAME" "a generation is a number" layerbox create --base busybox@x x
	refused "$BAD_NAME" "1 to 63" layerbox create --base ../x x
}

@test "a base that is in use is not deleted, and stays" {
	make user
	refused "$BASE_IN_USE" "user" layerbox base delete busybox
	succeeds layerbox start user
}

@test "a name that is taken, and a container that is not there" {
	make taken
	refused "$EXISTS" "there is a container 'taken' already" layerbox create taken
	for command in start stop restart delete freeze thaw info get; do
		refused "$NO_CONTAINER" "there is no container 'nobody'" layerbox $command nobody
	done
	refused "$NO_CONTAINER" "there is no container 'nobody'" layerbox push nobody /etc/passwd /
	refused "$NO_CONTAINER" "there is no container 'nobody'" layerbox pull nobody /etc/passwd /tmp/x
}

@test "a running container is not deleted without --force" {
	make busy --start
	refused "$RUNNING" "container 'busy' is running" layerbox delete busy
	state_is busy running
	layerbox exec busy -- true
	layerbox --quiet freeze busy
	refused "$RUNNING" "container 'busy' is running" layerbox delete busy
	succeeds layerbox delete --force busy
}

@test "without root's rights everything that changes something is refused" {
	make mine
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all layerbox)
	for command in 'create x' 'start mine' 'stop mine' 'delete mine' 'rename mine x' 'set mine memory=64M' 'freeze mine' \
		'push mine /etc/passwd /' 'pull mine /etc/passwd /tmp' 'base build busybox --name x' 'base delete busybox' \
		'net up' 'net down' doctor; do
		# shellcheck disable=SC2086
		refused "$NOT_ROOT" "; run it again with sudo" "${as_nobody[@]}" $command
	done
	for command in list 'net list' 'info mine'; do
		# shellcheck disable=SC2086
		refused "$NOT_ROOT" "; run it again with sudo" "${as_nobody[@]}" $command
	done
	is "$(names)" mine
	is "$(field mine memory)" ""
}

@test "nobody but root can hold a lock that everybody needs" {
	make mine --start
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
	for directory in "$LAYERBOX_ROOT" "$LAYERBOX_ROOT"/*/ "$CONTAINERS/mine" "$LAYERBOX_ROOT"/os-bases/*/; do
		case $directory in
		*/include/ | */templates/ | */bases/) continue ;; # without a lock
		esac
		run "${as_nobody[@]}" flock --nonblock --conflict-exit-code 9 "$directory" true
		is "$status: $output" "66: flock: cannot open lock file $directory: Permission denied"
	done
	# dnsmasq passes through to what it reads.
	layerbox --quiet delete --force mine
	make mine --start
	wait_until 10 has_address mine
	# As older versions left them.
	chmod 755 "$LAYERBOX_ROOT" "$LAYERBOX_ROOT/network"
	run layerbox doctor --dry-run
	[[ $output == *"hold a lock that all commands need"* ]] || fail "$output"
	is "$(stat -c %a "$LAYERBOX_ROOT" "$LAYERBOX_ROOT/network" | xargs)" "755 755"
	layerbox --quiet doctor || true
	is "$(stat -c %a "$LAYERBOX_ROOT" "$LAYERBOX_ROOT/network" | xargs)" "711 711"
	chmod 755 "$LAYERBOX_ROOT" "$LAYERBOX_ROOT/network"
	succeeds layerbox init
	is "$(stat -c %a "$LAYERBOX_ROOT" "$LAYERBOX_ROOT/network" | xargs)" "711 711"
}

@test "a kernel older than idmapped overlays takes privileged containers only" {
	before=$(ranges)
	refused "$KERNEL" "needs Linux 5.19 or newer" setarch --uname-2.6 layerbox create x
	is "$(ranges)" "$before"
	succeeds setarch --uname-2.6 layerbox create --privileged y
	echo y >> "$BATS_FILE_TMPDIR/names"
	make z
	refused "$KERNEL" "needs Linux 5.19 or newer" setarch --uname-2.6 layerbox start z
	state_is z stopped
}

@test "a kernel without overlayfs" {
	grep -v overlay /proc/filesystems > "$BATS_TEST_TMPDIR/filesystems"
	[ -e "/lib/modules/$(uname -r)/kernel/fs/overlayfs" ] && skip "its module could be loaded"
	hide /proc/filesystems "$BATS_TEST_TMPDIR/filesystems"
	refused "$KERNEL" "has no overlayfs" layerbox create x
	refused "$KERNEL" "has no overlayfs" layerbox create --privileged x
}

@test "a full disk: nothing is half-made, the old container is whole, and it goes on with room" {
	small=$BATS_TEST_TMPDIR/small
	truncate -s 24M "$small.img"
	mkfs.ext4 -q "$small.img"
	mkdir "$small"
	chmod 755 /tmp "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
	mount "$small.img" "$small"
	on_small=(layerbox --root "$small")
	succeeds "${on_small[@]}" init
	refused "$NETWORK" "serves another root" "${on_small[@]}" net up
	succeeds "${on_small[@]}" base build busybox
	succeeds "${on_small[@]}" create first
	before=$(find "$small" ! -path '*/id-ranges' -printf '%P %s\n' | sort)
	# Directories also fill what ext4 keeps back for delayed writes.
	mkdir "$small/filler"
	cat /dev/zero > "$small/filler/zeros" 2> /dev/null || true
	mkdir "$small"/filler/{1..5000} 2> /dev/null || true
	for try in 1 2; do
		run --separate-stderr "${on_small[@]}" create second
		is "$status" "$NO_SPACE"
		says "No space left on device"
		says "free some space"
		is "${#stderr_lines[@]}" 1
	done
	run --separate-stderr "${on_small[@]}" base build busybox --name more
	is "$status" "$NO_SPACE"
	says "No space left on device"
	run --separate-stderr "${on_small[@]}" set first description=longer
	[ "$status" -eq 0 ] || is "$status" "$NO_SPACE"
	rm -r "$small/filler"
	is "$("${on_small[@]}" list --json | jq -r '.[].name')" first
	diff <(echo "$before" | sed 's/ [0-9]*$//') <(find "$small" ! -path '*/id-ranges' -printf '%P\n' | sort)
	succeeds "${on_small[@]}" create second
}

@test "every inode used: the same" {
	small=$BATS_TEST_TMPDIR/small
	mkdir "$small"
	mount -t tmpfs -o nr_inodes=600,mode=755 tmpfs "$small"
	on_small=(layerbox --root "$small")
	succeeds "${on_small[@]}" init
	mkdir "$small/os-bases/busybox"
	cp -r "$LAYERBOX_ROOT/os-bases/busybox/." "$small/os-bases/busybox/" 2> /dev/null || skip "the base does not fit"
	i=0
	while "${on_small[@]}" --quiet create "c$i" 2> "$BATS_TEST_TMPDIR/error"; do
		i=$((i + 1))
	done
	grep -q "No space left" "$BATS_TEST_TMPDIR/error"
	is "$(find "$small/containers" -name '.*' ! -path '*/rootfs-layer/*')" ""
	is "$("${on_small[@]}" list --json | jq length)" $i
}

@test "the bridge is missing: start says so, create and all else go on" {
	layerbox --quiet net down
	make off
	refused "$NETWORK" "the bridge lxcbr0 is not there; make it with \`layerbox net up\`" layerbox start off
	state_is off stopped
	run --separate-stderr layerbox net status
	is "$status" "$NETWORK"
	succeeds layerbox net up
	succeeds layerbox start off
	wait_until 10 has_address off
}

@test "a bridge of that name that is someone else's is left alone" {
	layerbox --quiet net down
	ip link add lxcbr0 type bridge
	refused "$NETWORK" "was not made by layerbox" layerbox net up
	refused "$NETWORK" "was not made by layerbox" layerbox net down
	ip link show lxcbr0
	ip link delete lxcbr0
	succeeds layerbox net up
}

@test "dnsmasq or nft is not installed: net up says so and leaves no bridge" {
	layerbox --quiet net down
	for program in dnsmasq nft; do
		hide "$(command -v $program)"
		refused "$NO_PROGRAM" "$program" layerbox net up
		[ ! -e /sys/class/net/lxcbr0 ]
		put_back
	done
	succeeds layerbox net up
}

@test "a broken layerbox.conf is refused with file and line" {
	config=$BATS_TEST_TMPDIR/layerbox.conf
	while IFS='|' read -r line part; do
		printf '# one\n\n%s\n' "$line" > "$config"
		refused "$BAD_CONFIG" "$config:3: $part" layerbox --config "$config" list
	done <<-'END'
		colour = red|
		bridge = a b|
		subnet = 10.0.3.0|
		subnet = 10.0.3.1/24|
		nonsense|
		base = ../x|
		root = relative|
		id_start = 5|
	END
	printf 'base = x\0y\n' > "$config"
	refused "$BAD_CONFIG" "$config: is not a text file" layerbox --config "$config" list
	run --separate-stderr layerbox --config "$BATS_TEST_TMPDIR/none" list
	[ "$status" -ne 0 ]
	says "$BATS_TEST_TMPDIR/none"
	refused "$BAD_VALUE" "must be an absolute path" layerbox --root relative list
}

@test "a root that is none" {
	refused "$FAILED" "does not exist; make it with \`layerbox init\`" layerbox --root /nonexistent list
	mkdir -p "$BATS_TEST_TMPDIR/else/containers/.new-precious"
	for command in list 'create x' doctor; do
		# shellcheck disable=SC2086
		refused "$FAILED" "is not a layerbox root" layerbox --root "$BATS_TEST_TMPDIR/else" $command
	done
	[ -d "$BATS_TEST_TMPDIR/else/containers/.new-precious" ]
}

@test "a broken container.conf: its container says where, the others go on" {
	make broken whole
	echo 'memory = lots' >> "$CONTAINERS/broken/container.conf"
	line=$(wc -l < "$CONTAINERS/broken/container.conf")
	for command in start info 'set broken pids=7' 'rename broken better'; do
		[[ $command == *\ * ]] || command="$command broken"
		# shellcheck disable=SC2086
		refused "$BAD_CONFIG" "$CONTAINERS/broken/container.conf:$line:" layerbox $command
	done
	run --separate-stderr layerbox list --json
	is "$status" 0
	says "$CONTAINERS/broken/container.conf:$line:"
	is "$(jq -r '.[].name' <<< "$output")" whole
	succeeds layerbox start whole
	run layerbox doctor
	is "$status" "$FAILED"
	[[ $output == *"$CONTAINERS/broken/container.conf:$line:"* ]]
	sed -i '$d' "$CONTAINERS/broken/container.conf"
	succeeds layerbox start broken
	# What cannot be read can still be deleted, and killed for it.
	echo 'memory = lots' >> "$CONTAINERS/broken/container.conf"
	refused "$RUNNING" "is running" layerbox delete broken
	succeeds layerbox delete --force broken
	[ ! -e "$CONTAINERS/broken" ]
}

@test "a broken template of the operator's own is refused with file and line, and nothing is made" {
	mkdir -p "$LAYERBOX_ROOT/templates/rootfs/etc"
	make before
	for template in container-unprivileged.conf rootfs/etc/hostname; do
		printf 'fine\n{{no_such_variable}}\n' > "$LAYERBOX_ROOT/templates/$template"
		refused "$BAD_CONFIG" "$LAYERBOX_ROOT/templates/$template:2:" layerbox create x
		is "$(ls -A "$CONTAINERS" "$HOSTS" | sort -u | grep -v : | xargs)" before
		rm "$LAYERBOX_ROOT/templates/$template"
	done
	printf 'lxc.nonsense = 1\n' > "$CONTAINERS/before/config.local"
	run --separate-stderr layerbox start before
	is "$status" "$RUNTIME"
	is "${#stderr_lines[@]}" 1
	rm "$CONTAINERS/before/config.local"
	succeeds layerbox start before
}

@test "a helper program is missing" {
	make helpless
	helpers=$(sed -n 's:^lxc.hook.pre-start = \(.*\)/layerbox-hook$:\1:p' "$LAYERBOX_ROOT/include/common.conf")
	hide "$helpers/layerbox-lxc"
	refused "$NO_PROGRAM" "layerbox-lxc" layerbox start helpless
	put_back
	hide "$helpers/layerbox-files"
	refused "$NO_PROGRAM" "layerbox-files" layerbox push helpless /etc/passwd /
	put_back
	state_is helpless stopped
	succeeds layerbox start helpless
}

@test "the base of a container is gone" {
	make lost
	mv "$LAYERBOX_ROOT/os-bases/busybox" "$LAYERBOX_ROOT/os-bases/away"
	refused "$NO_BASE" "busybox" layerbox start lost
	mv "$LAYERBOX_ROOT/os-bases/away" "$LAYERBOX_ROOT/os-bases/busybox"
	succeeds layerbox start lost
}

@test "a root that containers cannot pass through" {
	dir=$BATS_TEST_TMPDIR/closed
	mkdir -m 700 "$dir"
	mkdir -m 755 "$dir/root"
	succeeds layerbox --root "$dir/root" init
	cp -a "$LAYERBOX_ROOT/os-bases/busybox" "$dir/root/os-bases/"
	succeeds layerbox --root "$dir/root" create closed
	echo closed >> "$BATS_FILE_TMPDIR/names"
	run --separate-stderr layerbox --root "$dir/root" start closed
	echo "$stderr"
	[ "$status" -eq 0 ] || is "${#stderr_lines[@]}" 1
	[ "$status" -eq 0 ] || says "Permission denied"
	succeeds layerbox --root "$dir/root" delete --force closed
}

@test "every address is used" {
	config=$BATS_TEST_TMPDIR/layerbox.conf
	printf 'base = busybox\nbridge = tiny0\nsubnet = 10.9.9.0/29\n' > "$config"
	tiny=(layerbox --config "$config" --root "$LAYERBOX_ROOT")
	i=0
	while "${tiny[@]}" --quiet create "t$i" 2> /dev/null; do
		i=$((i + 1))
	done
	is $i 5
	refused "$EXHAUSTED" "no address is left on tiny0" "${tiny[@]}" create one-more
	is "$(layerbox list --json | jq -r '[.[].ipv4] | unique | length')" 5
	"${tiny[@]}" --quiet delete t2
	refused "$EXHAUSTED" "rest for a while (1" "${tiny[@]}" create one-more
	echo 'quarantine = 0' >> "$config"
	succeeds "${tiny[@]}" create one-more
	"${tiny[@]}" --quiet delete --all
}
