#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a container's layers mean for everything else: merges while it runs, long chains, rebases, renames, bases.
load ../lib/common

key() {
	sed -n "s/^$2 = //p" "$CONTAINERS/$1/container.conf"
}

layers_of() {
	key "$1" layers | wc -w
}

# puts NAME PATH TEXT: into a stopped container's own layer, as if it had written that.
puts() {
	mkdir -p "$CONTAINERS/$1/rootfs-layer/$(dirname "$2")"
	rm -rf "$CONTAINERS/$1/rootfs-layer/$2"
	echo "$3" > "$CONTAINERS/$1/rootfs-layer/$2"
}

# sees NAME PATH TEXT
sees() {
	is "$(layerbox exec "$1" -- cat "$2")" "$3"
}

@test "layers are merged while the container runs, which goes on with those that it was started with" {
	layerbox --quiet create runs
	for label in one two three; do
		puts runs "root/$label" "$label"
		puts runs root/same "$label"
		layerbox --quiet snapshot create runs "$label"
	done
	layerbox --quiet start runs
	before=$(key runs layers)
	layerbox --quiet snapshot delete runs one
	layerbox --quiet snapshot delete runs two
	is "$(layers_of runs)" 1
	is "$(key runs mounted_layers)" "$before"
	# What is mounted stays on disk, and what was not looked at before the merge is still there.
	is "$(ls "$LAYERBOX_ROOT/layers" | wc -l)" 4
	sees runs /root/one one
	sees runs /root/two two
	sees runs /root/same three
	layerbox exec runs -- sh -c 'echo new > /root/same; rm /root/one; mkdir /root/later'
	sees runs /root/same new
	layerbox --quiet restart runs
	is "$(key runs mounted_layers)" ""
	sees runs /root/two two
	sees runs /root/same new
	! layerbox exec runs -- ls /root/one
	# The next command has taken away what is mounted no more.
	is "$(ls "$LAYERBOX_ROOT/layers" | wc -l)" 1
}

@test "a clone keeps layers apart that it needs apart" {
	layerbox --quiet create first
	for label in one two three; do
		puts first root/same "$label"
		layerbox --quiet snapshot create first "$label"
	done
	layerbox --quiet clone first second --snapshot two
	layerbox --quiet snapshot delete first two
	layerbox --quiet snapshot delete first one
	# The clone stands on the second layer: one and two may be one by now, three may not be part of it.
	is "$(layers_of first)" 2
	is "$(layers_of second)" 1
	layerbox --quiet start first second
	sees first /root/same three
	sees second /root/same two
	layerbox --quiet delete --force first
	sees second /root/same two
	layerbox --quiet restart second
	sees second /root/same two
}

@test "a chain that has become long is flattened, and its snapshots stay what they are" {
	layerbox --quiet create long
	for i in $(seq 15); do
		puts long "root/$i" "$i"
		puts long root/same "$i"
		[ "$i" -ne 9 ] || mknod "$CONTAINERS/long/rootfs-layer/root/3" c 0 0
		layerbox --quiet snapshot create long "s$i"
		[ "$(layers_of long)" -le 13 ] || fail "after $i snapshots: $(layers_of long) layers"
	done
	[ "$(layers_of long)" -lt 12 ]
	layerbox --quiet start long
	sees long /root/same 15
	sees long /root/1 1
	! layerbox exec long -- ls /root/3
	layerbox --quiet stop --kill long
	layerbox --quiet snapshot restore long s5
	layerbox --quiet start long
	sees long /root/same 5
	sees long /root/3 3
	! layerbox exec long -- ls /root/6
	layerbox --quiet stop --kill long
	for i in $(seq 14); do
		layerbox --quiet snapshot delete long "s$i"
	done
	layerbox --quiet start long
	sees long /root/same 5
	succeeds layerbox --quiet doctor
}

@test "a rebase makes one layer of all; snapshots stay on their generation, which stays for them" {
	layerbox --quiet base build busybox --name up
	layerbox --quiet create goes --base up
	puts goes root/below below
	puts goes root/changed one
	layerbox --quiet snapshot create goes old
	puts goes root/changed two
	layerbox --quiet base upgrade up -- /bin/sh -c 'echo new > /etc/of-the-base'
	succeeds layerbox rebase goes --dry-run
	is "$(layers_of goes)" 1
	layerbox --quiet rebase goes
	is "$(layers_of goes)" 0
	is "$(key goes base)" up@2
	layerbox --quiet start goes
	sees goes /root/below below
	sees goes /root/changed two
	sees goes /etc/of-the-base new
	# What the snapshot has is not what the container writes to now.
	layerbox exec goes -- sh -c 'echo three >> /root/below'
	layerbox --quiet stop --kill goes
	layerbox --quiet rebase --confirm goes
	refused "$BASE_IN_USE" 'goes' layerbox base delete up
	layerbox --quiet base gc up --keep 1
	[ -d "$LAYERBOX_ROOT/os-bases/up/1" ]
	layerbox --quiet snapshot restore goes old
	is "$(key goes base)" up@1
	layerbox --quiet start goes
	sees goes /root/below below
	sees goes /root/changed one
	! layerbox exec goes -- ls /etc/of-the-base
	layerbox --quiet delete --force goes
	layerbox --quiet base delete up
}

@test "what a flattened chain and its snapshots share is not written to after a rebase" {
	layerbox --quiet base build busybox --name up
	layerbox --quiet create shares --base up
	puts shares root/below below
	ln "$CONTAINERS/shares/rootfs-layer/root/below" "$CONTAINERS/shares/rootfs-layer/root/twin"
	for i in $(seq 13); do
		puts shares "root/$i" "$i"
		layerbox --quiet snapshot create shares "s$i"
	done
	is "$(layers_of shares)" 2
	layerbox --quiet base upgrade up -- /bin/sh -c 'echo new > /etc/of-the-base'
	layerbox --quiet rebase shares
	is "$(layers_of shares)" 0
	layerbox --quiet start shares
	layerbox exec shares -- sh -c 'echo more >> /root/below; echo more >> /root/3'
	sees shares /root/twin $'below\nmore'
	layerbox --quiet stop --kill shares
	layerbox --quiet rebase --confirm shares
	layerbox --quiet snapshot restore shares s5
	layerbox --quiet start shares
	sees shares /root/below below
	sees shares /root/twin below
	sees shares /root/3 3
	layerbox --quiet delete --force shares
	layerbox --quiet base delete up
}

@test "while a rebase can be undone, a snapshot is a copy, and the undo is still possible" {
	layerbox --quiet base build busybox --name up
	layerbox --quiet create goes --base up
	puts goes root/mine mine
	layerbox --quiet base upgrade up -- /bin/sh -c 'echo new > /etc/of-the-base'
	layerbox --quiet rebase goes
	layerbox --quiet snapshot create goes between
	is "$(layers_of goes)" 0
	layerbox --quiet rebase --undo goes
	is "$(key goes base)" up@1
	layerbox --quiet snapshot restore goes between
	is "$(key goes base)" up@2
	layerbox --quiet start goes
	sees goes /root/mine mine
	sees goes /etc/of-the-base new
	layerbox --quiet delete --force goes
	layerbox --quiet base delete up
}

@test "a name and an address that stand in a layer below are changed, and a restore brings no old ones back" {
	echo before >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet create before
	layerbox --quiet snapshot create before one
	layerbox --quiet rename before after
	layerbox --quiet start after
	sees after /etc/hostname after
	layerbox exec after -- grep -qw after /etc/hosts
	layerbox --quiet stop --kill after
	layerbox --quiet snapshot restore after one
	layerbox --quiet start after
	sees after /etc/hostname after
	is "$(layerbox exec after -- hostname)" after
}

@test "plain lxc-start starts a container with layers, too" {
	layerbox --quiet create plain
	puts plain root/one one
	layerbox --quiet snapshot create plain one
	lxc-start -P "$CONTAINERS" -n plain 3>&-
	wait_until 10 layerbox exec plain -- true
	sees plain /root/one one
	layerbox --quiet stop --kill plain
}

@test "a layer that is gone is said by doctor, start, and restore, each naming it" {
	layerbox --quiet create poor
	puts poor root/one one
	layerbox --quiet snapshot create poor one
	id=$(key poor layers)
	mv "$LAYERBOX_ROOT/layers/$id" "$BATS_TEST_TMPDIR/away"
	run layerbox --quiet doctor
	[ "$status" -eq 1 ] && [[ $output == *"layer $id is gone"* ]]
	run layerbox start poor
	[ "$status" -ne 0 ] && [[ $output == *"layer $id is gone"* ]]
	refused "$DAMAGED" "layer $id is gone" layerbox snapshot restore poor one
	mv "$BATS_TEST_TMPDIR/away" "$LAYERBOX_ROOT/layers/$id"
	layerbox --quiet start poor
}

@test "a record that cannot be read keeps every layer from being swept" {
	layerbox --quiet create good
	layerbox --quiet create bad
	puts good root/one one
	puts bad root/two two
	layerbox --quiet snapshot create good one
	layerbox --quiet snapshot create bad two
	cp "$CONTAINERS/bad/container.conf" "$BATS_TEST_TMPDIR/record"
	echo nonsense >> "$CONTAINERS/bad/container.conf"
	succeeds layerbox snapshot delete good one
	[[ $stderr == *"not free yet"* ]]
	is "$(find "$LAYERBOX_ROOT/layers" -mindepth 1 -maxdepth 1 -type d | wc -l)" 2
	cp "$BATS_TEST_TMPDIR/record" "$CONTAINERS/bad/container.conf"
	layerbox --quiet start bad
	sees bad /root/two two
}

@test "a snapshot that is renamed while a sweep looks for what is needed keeps its layer" {
	layerbox --quiet create renamed
	for label in one two; do
		puts renamed root/file "$label"
		layerbox --quiet snapshot create renamed "$label"
	done
	layerbox --quiet snapshot restore renamed one
	layerbox --quiet snapshot delete renamed "$(ls "$CONTAINERS/renamed/snapshots" | grep before-restore)"
	layers=$(ls "$LAYERBOX_ROOT/layers")
	touch "$LAYERBOX_ROOT/layers/sweep-me"
	# It has listed both labels, and is held up where it reads the first.
	strace -qq -o /dev/null -P "$CONTAINERS/renamed/snapshots" -e trace=openat \
		-e inject=openat:delay_enter=1500000:when=2 layerbox --quiet doctor > /dev/null 3>&- &
	wait_until 5 test -e "$LAYERBOX_ROOT/layers/sweep-begun"
	sleep 0.3
	# As the command does, which would wait for the sweep if it came behind it.
	mv "$CONTAINERS/renamed/snapshots/two" "$CONTAINERS/renamed/snapshots/zwei"
	wait $! || true
	[ ! -e "$LAYERBOX_ROOT/layers/sweep-begun" ]
	is "$(ls "$LAYERBOX_ROOT/layers")" "$layers"
	layerbox --quiet snapshot restore renamed zwei
	sees_file=$(cat "$LAYERBOX_ROOT/layers/$(key renamed layers | cut -d' ' -f1)/rootfs-layer/root/file")
	is "$sees_file" two
}

# reads ID: opens a layer's tree as one who reads it does, as $reader.
reads() {
	exec {reader}< "$LAYERBOX_ROOT/layers/$1/rootfs-layer"
	flock -s "$reader"
}

@test "a rebase copies the files of a layer that somebody reads, who may be about to name it" {
	layerbox --quiet base build busybox --name up
	layerbox --quiet create folds --base up
	puts folds root/file old
	layerbox --quiet snapshot create folds s
	puts folds root/mine new
	reads "$(key folds layers)"
	layerbox --quiet snapshot delete folds s
	layerbox --quiet base upgrade up -- /bin/sh -c 'echo new > /etc/of-the-base'
	layerbox --quiet rebase folds
	is "$(layers_of folds)" 0
	is "$(cat "$CONTAINERS/folds/rootfs-layer/root/file")" old
	echo written > "$CONTAINERS/folds/rootfs-layer/root/file"
	is "$(cat "/proc/self/fd/$reader/root/file")" old
	exec {reader}<&-
	layerbox --quiet delete folds
	layerbox --quiet base delete up
	is_empty "$LAYERBOX_ROOT/layers"
}

@test "a layer that a sweep passed by, since somebody read it, goes when he is done" {
	layerbox --quiet create read
	puts read root/file text
	layerbox --quiet snapshot create read s
	reads "$(key read layers)"
	layerbox --quiet delete read
	is "$(ls "$LAYERBOX_ROOT/layers" | grep -cv sweep)" 1
	layerbox --quiet doctor
	is "$(ls "$LAYERBOX_ROOT/layers" | grep -cv sweep)" 1
	exec {reader}<&-
	layerbox --quiet doctor
	is_empty "$LAYERBOX_ROOT/layers"
}

@test "chains do not grow with clones of clones, nor with restores of what was just kept, and never without end" {
	local i
	layerbox --quiet create c1
	for i in $(seq 26); do
		puts "c$i" "root/$i" "$i"
		layerbox --quiet snapshot create "c$i" s
		layerbox --quiet clone "c$i" "c$((i + 1))" --snapshot s
		[ "$i" -eq 1 ] || layerbox --quiet delete "c$i"
	done
	is "$(cat "$LAYERBOX_ROOT"/layers/*/rootfs-layer/root/1 | sort -u)" 1
	layerbox --quiet start c27
	is "$(layerbox exec c27 -- ls /root | wc -l)" 26
	layerbox --quiet stop --kill c27
	layerbox --quiet snapshot create c27 first
	for i in $(seq 26); do
		puts c27 root/again "$i"
		layerbox --quiet snapshot restore c27 "$(layerbox snapshot list c27 --json | jq -r '.[-1].label')"
	done
	[ "$(layers_of c27)" -le 13 ]
	layerbox --quiet delete c1 c27
}

@test "a running container's chain that has become long is flattened at a snapshot, and it does not notice" {
	layerbox --quiet create grows
	for i in $(seq 12); do
		puts grows "root/$i" "$i"
		layerbox --quiet snapshot create grows "s$i"
	done
	is "$(layers_of grows)" 12
	before=$(key grows layers)
	layerbox --quiet start grows
	layerbox exec grows -- sh -c 'echo now > /root/now'
	layerbox --quiet snapshot create grows live
	is "$(layers_of grows)" 1
	is "$(key grows mounted_layers)" "$before"
	is "$(sed -n 's/^layers = //p' "$CONTAINERS/grows/snapshots/live" | wc -w)" 2
	sees grows /root/1 1
	layerbox --quiet snapshot create grows again
	layerbox --quiet restart grows
	sees grows /root/1 1
	sees grows /root/now now
	is "$(key grows mounted_layers)" ""
	succeeds layerbox --quiet doctor
	layerbox --quiet clone grows copy --snapshot live
	layerbox --quiet start copy
	sees copy /root/12 12
	sees copy /root/now now
	layerbox --quiet delete --force grows copy
}
