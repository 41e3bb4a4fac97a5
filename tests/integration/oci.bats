#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Containers as OCI images, read by skopeo, umoci and podman; and bases from images that these or nobody sane made.
load ../lib/common

setup() {
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	[ ! -d storage ] || podman umount --all > /dev/null
	umount storage/overlay 2> /dev/null || true
	cd /
	layerbox --quiet delete --all --force
	for base in $(layerbox base list --json | jq -r '.[].name | select(. != "busybox")'); do
		layerbox --quiet base delete "$base"
	done
	is_empty_but_busybox
	is "$(find "$LAYERBOX_ROOT/layers" -mindepth 1 -maxdepth 1 -name '.*')" ""
	nothing_left
}

is_empty_but_busybox() {
	is "$(ls -A "$LAYERBOX_ROOT/os-bases" | xargs)" busybox
}

# inside NAME SCRIPT: runs it in the container, which is stopped before and after.
inside() {
	layerbox --quiet start "$1"
	layerbox exec "$1" -- sh -ec "$2"
	layerbox --quiet stop --kill "$1"
}

# A container whose own layers are two, the second of which undoes things of the first: its snapshot `two`.
make_two_layers() {
	make "$1"
	mkdir -p "$CONTAINERS/$1/rootfs-layer/root"
	inside "$1" '
		rm /etc/inittab
		rm -r /etc/init.d
		mkdir -p /srv/d/e /srv/again /srv/turns
		echo one | tee /srv/one /srv/d/file /srv/again/old > /srv/d/e/deep
		ln /srv/one /srv/d/same
		echo two > /srv/two
		ln -s d /srv/link
		echo of-the-host > /etc/hosts
		chown 33:44 /srv/d/file
		chmod 4751 /srv/d/file
		mkfifo /srv/fifo
		ln -s /nowhere /srv/turns/l
		touch -d "2001-02-03 04:05:06" /srv/one'
	layerbox --quiet snapshot create "$1" one
	inside "$1" '
		rm -r /srv/d/e /srv/again
		mkdir /srv/again
		echo new > /srv/again/new
		rm /srv/link /srv/fifo
		mkdir /srv/link
		echo below > /srv/link/x
		rm -r /srv/turns
		echo file > /srv/turns
		echo more >> /srv/two
		mkdir /etc/init.d'
	setfattr -n user.note -v 'a "b"' "$CONTAINERS/$1/rootfs-layer/srv/two"
	setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 \
		"$CONTAINERS/$1/rootfs-layer/srv/turns"
	setfacl -m u:1000:rw "$CONTAINERS/$1/rootfs-layer/srv/link/x"
	setfacl -d -m g:33:rx "$CONTAINERS/$1/rootfs-layer/srv/link"
	printf 'x' > "$CONTAINERS/$1/rootfs-layer/srv/$(printf 'bytes\351')"
	truncate -s 3M "$CONTAINERS/$1/rootfs-layer/srv/holes"
	layerbox --quiet snapshot create "$1" two
}

# dump_snapshot NAME LABEL: what the container sees there, as layer-dump shows it.
dump_snapshot() {
	local record=$CONTAINERS/$1/snapshots/$2 lower id merged
	for id in $(sed -n 's/^layers = //p' "$record"); do
		lower=$lower$LAYERBOX_ROOT/layers/$id/rootfs-layer:
	done
	merged=$(mktemp -d)
	mount -t overlay -o "ro,lowerdir=$lower$LAYERBOX_ROOT/os-bases/busybox/1/rootfs" overlay "$merged"
	"$BATS_TEST_DIRNAME/../lib/layer-dump" "$merged"
	umount "$merged"
	rmdir "$merged"
}

# manifest DIRECTORY TAG: its digest; layers DIRECTORY TAG: those of its layers.
manifest() {
	jq -r --arg tag "$2" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag) | .digest' \
		"$1/index.json"
}

blob() {
	echo "$1/blobs/sha256/${2#sha256:}"
}

layers() {
	jq -r '.layers[].digest' "$(blob "$1" "$(manifest "$1" "$2")")"
}

# Every blob is what its name says, and nothing is left of one that is not.
is_whole() {
	local file
	for file in "$1"/blobs/sha256/*; do
		is "$(sha256sum < "$file")" "${file##*/}  -"
	done
	is "$(find "$1" -name '.layerbox-*' -o -name '.*' -type f)" ""
}

# Its runroot may have no more than 50 characters.
podman() {
	command podman --root "$PWD/storage" --runroot /run/layerbox-podman --storage-driver overlay --cgroup-manager cgroupfs "$@" 3>&-
}

@test "an image is what the container sees, to the last attribute" {
	make_two_layers box
	layerbox --quiet export box --format oci --output image --snapshot two --tag t1
	is_whole image
	is "$(layers image t1 | wc -l)" 2
	is "$(cat image/oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
	skopeo inspect oci:image:t1 > inspected
	is "$(jq -r '.Os + .Layers[1]' inspected)" "linux$(layers image t1 | tail -n 1)"
	is "$(skopeo inspect --config oci:image:t1 | jq -c '.config')" '{"Cmd":["/sbin/init"],"StopSignal":"SIGINT"}'
	umoci unpack --image image:t1 bundle
	dump_snapshot box two > expected
	"$BATS_TEST_DIRNAME/../lib/layer-dump" bundle/rootfs > unpacked
	diff expected unpacked
	grep -q "user.note" expected
	grep -q "posix_acl_default" expected
	[ ! -e bundle/rootfs/etc/inittab ]
	[ ! -e bundle/rootfs/srv/again/old ]
	is "$(cat bundle/rootfs/srv/turns)" file
	is "$(find bundle/rootfs -name '.wh.*')" ""
	skopeo copy --quiet oci:image:t1 oci-archive:archive.tar:t1
	# The snapshot before, which has one layer.
	layerbox --quiet export box --format oci --output image --snapshot one --tag t0
	umoci unpack --image image:t0 bundle0
	dump_snapshot box one > expected
	"$BATS_TEST_DIRNAME/../lib/layer-dump" bundle0/rootfs | diff expected -
	is "$(layers image t0 | head -n 1)" "$(layers image t1 | head -n 1)"
	is_whole image
}

@test "containers share the layer of their base, which is packed once, and never trusted blindly" {
	make a b
	inside a 'echo a > /srv/a'
	layerbox --quiet export a --format oci --output image
	base=$(blob image "$(layers image a | head -n 1)")
	touch -d 2001-02-03 "$base"
	layerbox --quiet export b --format oci --output image
	is "$(layers image b | head -n 1)" "$(layers image a | head -n 1)"
	is "$(stat -c %y "$base" | cut -c 1-10)" 2001-02-03
	# Where it is damaged or forgotten, it is written anew, and is the same again.
	echo x >> "$base"
	layerbox --quiet export b --format oci --output image
	is_whole image
	rm "$LAYERBOX_ROOT/os-bases/busybox/1/oci-layer"
	layerbox --quiet export b --format oci --output image
	echo "sha256:../../x 5 sha256:00" > "$LAYERBOX_ROOT/os-bases/busybox/1/oci-layer"
	layerbox --quiet export b --format oci --output other --tag b2
	is "$(layers other b2 | head -n 1)" "$(layers image a | head -n 1)"
	is "$(jq '.manifests | length' image/index.json)" 2
}

@test "an export again gives the same digests; other images in a directory stay" {
	make box
	umoci init --layout image
	umoci new --image image:theirs
	theirs=$(manifest image theirs)
	layerbox --quiet snapshot create box s
	layerbox --quiet export box --format oci --output image --snapshot s
	first=$(manifest image box)
	layerbox --quiet start box
	layerbox exec box -- touch /srv/later
	layerbox --quiet export box --format oci --output image --snapshot s
	is "$(manifest image box)" "$first"
	is "$(jq -r .created "$(blob image "$(jq -r .config.digest "$(blob image "$first")")")")" \
		"$(date -u -d "@$(sed -n 's/^created = //p' "$CONTAINERS/box/snapshots/s")" +%Y-%m-%dT%H:%M:%SZ)"
	is "$(manifest image theirs)" "$theirs"
	is "$(umoci list --layout image | sort | xargs)" "box theirs"
	layerbox --quiet stop --kill box
	# Without --snapshot one is made, and nothing of it stays.
	layerbox --quiet export box --format oci --output image
	is "$(ls "$CONTAINERS/box/snapshots")" s
	[ "$(manifest image box)" != "$first" ]
	# What no image needs any more is for the directory's owner to take away.
	umoci gc --layout image
	is_whole image
	umoci unpack --image image:box bundle
	[ -e bundle/rootfs/srv/later ]
	# Several at once wait for one another.
	for tag in 1 2 3 4; do
		layerbox --quiet export box --format oci --output image --snapshot s --tag "at-once-$tag" 3>&- &
	done
	wait
	is "$(umoci list --layout image | grep -c at-once)" 4
	is_whole image
}

@test "podman takes it, and what podman saves becomes a base that starts" {
	make_two_layers box
	layerbox --quiet export box --format oci --output image --snapshot two
	make other
	layerbox --quiet export other --format oci --output image
	podman pull --quiet oci:image:box
	podman tag "$(podman images -q | head -n 1)" box
	podman create --name one box > /dev/null
	mounted=$(podman mount one)
	dump_snapshot box two > expected
	"$BATS_TEST_DIRNAME/../lib/layer-dump" "$mounted" > seen
	# The root's own mode and time are podman's.
	diff <(tail -n +2 expected) <(tail -n +2 seen)
	# What hides nothing would be listed here, and keep the directory from being deleted.
	rm -r "$mounted/srv"
	podman umount one > /dev/null
	podman create --name two box > /dev/null
	echo committed > "$(podman mount two)/srv/by-podman"
	rm "$(podman mount two)/srv/one"
	podman umount two > /dev/null
	podman commit --quiet --format oci two committed > /dev/null
	podman save --quiet --format oci-dir --output saved committed
	layerbox --quiet base import podman --format oci saved
	make new --base podman
	tree=$LAYERBOX_ROOT/os-bases/podman/1/rootfs
	is "$(cat "$tree/srv/turns")" file
	is "$(cat "$tree/srv/by-podman")" committed
	[ ! -e "$tree/srv/again/old" ]
	[ ! -e "$tree/srv/one" ]
	layerbox --quiet start new
	is "$(layerbox exec new -- cat /srv/by-podman)" committed
}

@test "an exported image becomes a base again, and a container on it runs" {
	make box
	inside box 'rm /etc/os-release; rm -r /etc/init.d/dhcp; mkdir /srv/d; echo hello > /srv/d/file; ln /srv/d/file /srv/same'
	layerbox --quiet export box --format oci --output image
	layerbox --quiet export box --format oci --output image --tag second
	refused "$PROGRAM_FAILED" "several images; give one as image:TAG: box, second" layerbox --quiet base import again --format oci image
	layerbox --quiet base import again --format oci image:second
	tree=$LAYERBOX_ROOT/os-bases/again/1/rootfs
	[ ! -e "$tree/etc/os-release" ]
	is "$(stat -c %h "$tree/srv/d/file")" 2
	layerbox base verify again
	make new --base again
	layerbox --quiet start new
	is "$(layerbox exec new -- cat /srv/same)" hello
	refute layerbox exec new -- test -e /etc/init.d/dhcp
}

@test "an image of several layers, as umoci makes it, becomes a base" {
	umoci init --layout image
	umoci new --image image:one
	umoci unpack --image image:one bundle
	cp -a "$LAYERBOX_ROOT/os-bases/busybox/1/rootfs/." bundle/rootfs
	mkdir -p bundle/rootfs/srv/deep/er
	echo 1 | tee bundle/rootfs/srv/a bundle/rootfs/srv/deep/b > bundle/rootfs/srv/deep/er/c
	umoci repack --refresh-bundle --image image:one bundle
	rm -r bundle/rootfs/srv/a bundle/rootfs/srv/deep/er
	echo 2 > bundle/rootfs/srv/deep/er
	umoci repack --refresh-bundle --image image:one bundle
	rm -r bundle/rootfs/srv/deep
	ln -s a bundle/rootfs/srv/deep
	umoci repack --refresh-bundle --image image:one bundle
	is "$(layers image one | wc -l)" 3
	layerbox --quiet base import three --format oci "$PWD/image:one"
	tree=$LAYERBOX_ROOT/os-bases/three/1/rootfs
	is "$(ls -A "$tree/srv")" deep
	is "$(readlink "$tree/srv/deep")" a
	make new --base three
	layerbox --quiet start new
	is "$(layerbox exec new -- readlink /srv/deep)" a
}

# hostile SCRIPT: an image whose only layer is a tar archive that this Python makes of `tar`.
hostile() {
	rm -rf image
	python3 - "$1" <<- 'END'
		import hashlib, io, json, os, sys, tarfile
		os.makedirs("image/blobs/sha256")
		def put(data):
		    digest = hashlib.sha256(data).hexdigest()
		    open("image/blobs/sha256/" + digest, "wb").write(data)
		    return {"digest": "sha256:" + digest, "size": len(data)}
		out = io.BytesIO()
		tar = tarfile.open(fileobj=out, mode="w")
		def add(name, **fields):
		    entry = tarfile.TarInfo(name)
		    for key, value in fields.items():
		        setattr(entry, key, value)
		    tar.addfile(entry)
		exec(sys.argv[1])
		tar.close()
		layer = put(out.getvalue())
		arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
		config = put(json.dumps({"architecture": arch, "os": "linux",
		                         "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
		manifest = put(json.dumps({"schemaVersion": 2, "config": config, "layers": [
		    {"mediaType": "application/vnd.oci.image.layer.v1.tar", **layer}]}).encode())
		json.dump({"manifests": [manifest]}, open("image/index.json", "w"))
		open("image/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
	END
}

@test "hostile images are refused, and touch nothing outside" {
	mkdir victim
	echo secret > victim/file
	before=$(tree_checksum victim)
	link="add('l', type=tarfile.SYMTYPE, linkname='$PWD/victim')"
	hostile "add('/tmp/outside')"
	refused "$BAD_STREAM" "is absolute" layerbox --quiet base import bad --format oci image
	hostile "add('a/../../../outside')"
	refused "$BAD_STREAM" "would leave the tree" layerbox --quiet base import bad --format oci image
	hostile "$link; add('l/new')"
	refused "$BAD_STREAM" "symlink" layerbox --quiet base import bad --format oci image
	hostile "$link; add('h', type=tarfile.LNKTYPE, linkname='l/file')"
	refused "$BAD_STREAM" "h" layerbox --quiet base import bad --format oci image
	hostile "add('../.wh.victim')"
	refused "$BAD_STREAM" "would leave the tree" layerbox --quiet base import bad --format oci image
	hostile "add('.wh...')"
	refused "$BAD_STREAM" "cannot be deleted" layerbox --quiet base import bad --format oci image
	hostile "add('f', uid=100000)"
	refused "$BAD_STREAM" "above 65535" layerbox --quiet base import bad --format oci image
	hostile "$link; add('l/.wh..wh..opq'); add('sda', type=tarfile.BLKTYPE)"
	refused 1 "is not the root of a system" layerbox --quiet base import bad --format oci image
	hostile "add('bin', type=tarfile.DIRTYPE)"
	refused 1 "has no /sbin/init" layerbox --quiet base import bad --format oci image
	hostile "add('big'); tar.fileobj.write(b'x' * 100000)"
	refused "$BAD_STREAM" "cannot read" layerbox --quiet base import bad --format oci image
	is "$(tree_checksum victim)" "$before"
	[ ! -e /tmp/outside ]
	is_empty_but_busybox
}

@test "what is damaged, missing or not meant is refused in one sentence" {
	make box
	layerbox --quiet export box --format oci --output image
	refused "$PROGRAM_FAILED" "no image nosuch in image" layerbox --quiet base import bad --format oci image:nosuch
	refused "$PROGRAM_FAILED" "cannot open nosuch" layerbox --quiet base import bad --format oci nosuch
	refused "$BAD_VALUE" "no tag behind the colon" layerbox --quiet base import bad --format oci image:
	refused "$BAD_STREAM" "no OCI image layout" layerbox --quiet base import bad --format oci .
	refused "$USAGE" "the only format" layerbox --quiet base import bad --format tar image
	refused "$EXISTS" "busybox" layerbox --quiet base import busybox --format oci image
	refused "$NO_SNAPSHOT" "nosuch" layerbox --quiet export box --format oci --output image --snapshot nosuch
	refused "$BAD_NAME" "a tag has" layerbox --quiet export box --format oci --output image --tag a/b
	refused "$NO_CONTAINER" "nosuch" layerbox --quiet export nosuch --format oci --output image
	refused "$PROGRAM_FAILED" "cannot make no/such" layerbox --quiet export box --format oci --output no/such
	echo mine > mine
	refused "$PROGRAM_FAILED" "neither empty nor an OCI image layout" layerbox --quiet export box --format oci --output .
	own=$(blob image "$(layers image box | tail -n 1)")
	cp "$own" copy
	printf x | dd of="$own" bs=1 seek=30 conv=notrunc status=none
	refused "$BAD_STREAM" "cannot read the layer" layerbox --quiet base import bad --format oci image
	head -c 40 copy > "$own"
	refused "$BAD_STREAM" "damaged: it has 40 bytes" layerbox --quiet base import bad --format oci image
	rm "$own"
	refused "$PROGRAM_FAILED" "is missing" layerbox --quiet base import bad --format oci image
	cp copy "$own"
	layerbox --quiet base import good --format oci image
	layerbox --quiet base delete good
	echo '{"manifests":[' > image/index.json
	refused "$BAD_STREAM" "index.json in image is damaged" layerbox --quiet base import bad --format oci image
	refused "$BAD_STREAM" "index.json in image is damaged" layerbox --quiet export box --format oci --output image
	inside box 'mkdir /srv/d; touch /srv/d/.wh.x'
	refused "$PROGRAM_FAILED" "/srv/d/.wh.x cannot be in an image" layerbox --quiet export box --format oci --output other
}

@test "a full disk and a kill leave the directory as it was" {
	make box
	head -c 30000000 /dev/urandom > "$CONTAINERS/box/rootfs-layer/big"
	layerbox --quiet snapshot create box s
	mkdir small
	mount -t tmpfs -o size=12m tmpfs small
	refused "$NO_SPACE" "No space left" layerbox --quiet export box --format oci --output small/image --snapshot s
	is "$(find small/image -name '.layerbox-*')" ""
	[ ! -e small/image/index.json ]
	umount small
	make little
	layerbox --quiet export little --format oci --output image
	before=$(tree_checksum image)
	command layerbox --quiet export box --format oci --output image --snapshot s 3>&- &
	pid=$!
	wait_until 5 compgen -G "image/.layerbox-*"
	kill -KILL "$pid"
	wait "$pid" || true
	wait_until 5 no_helper
	compgen -G "image/.layerbox-*"
	is "$(manifest image box)" ""
	layerbox --quiet export little --format oci --output image --tag again
	is_whole image
	layerbox --quiet export box --format oci --output image --snapshot s
	is_whole image
	is "$(umoci list --layout image | sort | xargs)" "again box little"
}

no_helper() {
	! pgrep -x layerbox-oci > /dev/null
}
