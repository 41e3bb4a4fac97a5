# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
#
# Whole hosts for the tests of tests/system: fresh trees of Debian, and a machine with systemd made of one of them. It is
# an LXC container of the private host, has the address 10.9.0.2 and, through that host, a way out for apt.
bats_require_minimum_version 1.5.0
load ../lib/common

lib=$BATS_TEST_DIRNAME/../lib

# What the hosts hold goes with them.
teardown() { :; }

# bootstrap SUITE PACKAGES: Debian's smallest system and those packages, as a tar archive on stdout. It is put together
# in memory: thousands of small files that the disk need not see.
bootstrap() {
	local memory code=0
	memory=$(mktemp -d "${TMPDIR:-/tmp}/bootstrap.XXXXXX")
	mount -t tmpfs -o mode=755 tmpfs "$memory"
	TMPDIR=$memory "$lib/outside" mmdebstrap --quiet --mode=root --format=tar --variant=minbase --include="$2" \
		--aptopt='Acquire::Languages "none"' "$1" - ${LAYERBOX_TEST_MIRROR:+"$LAYERBOX_TEST_MIRROR"} \
		2> "$BATS_FILE_TMPDIR/mmdebstrap.log" 3>&- < /dev/null || code=$?
	umount "$memory"
	rmdir "$memory"
	[ $code -eq 0 ] || fail "$(tail -n 20 "$BATS_FILE_TMPDIR/mmdebstrap.log")"
}

# archive SUITE PACKAGES: that archive. With LAYERBOX_TEST_CACHE it is made once, and kept there.
archive() {
	local cache=${LAYERBOX_TEST_CACHE:-} kept
	[ -n "$cache" ] || { bootstrap "$@"; return; }
	kept=$cache/$1-$(echo "$2" | cksum | cut -d' ' -f1).tar
	mkdir -p "$cache"
	if [ ! -e "$kept" ]; then
		bootstrap "$@" > "$kept.$$" || return
		mv "$kept.$$" "$kept"
	fi
	cat "$kept"
}

# fresh_tree SUITE DIRECTORY PACKAGE...: Debian's smallest system and those packages.
fresh_tree() {
	local suite=$1 tree=$2 packages
	shift 2
	packages=$(printf '%s,' "$@")
	mkdir -p "$tree"
	(
		set -o pipefail
		archive "$suite" "${packages%,}" | tar -x -C "$tree" --numeric-owner --xattrs
	)
	rm -f "$tree/etc/resolv.conf" # systemd-resolved makes it a link
	echo 'nameserver 10.0.2.3' > "$tree/etc/resolv.conf"
}

# checkout DIRECTORY: what a newcomer has cloned: this checkout without what was made in it.
checkout() {
	mkdir -p "$1"
	tar -c -C "$BATS_TEST_DIRNAME/../.." --exclude './build*' --exclude ./.git --exclude ./configure \
		--exclude ./Makefile.in --exclude ./autom4te.cache --exclude ./aclocal.m4 . | tar -x -C "$1"
}

# The private host: a way out with slirp4netns, and a bridge for the machine with systemd.
network_for_hosts() {
	mkfifo "$BATS_FILE_TMPDIR/ready"
	"$lib/outside" slirp4netns --configure --mtu=65520 --ready-fd=4 --netns-type=path /proc/$$/ns/net tap0 \
		4> "$BATS_FILE_TMPDIR/ready" > /dev/null 2>&1 3>&- < /dev/null &
	echo $! > "$BATS_FILE_TMPDIR/slirp.pid"
	read -r -n 1 _ < "$BATS_FILE_TMPDIR/ready" || fail "slirp4netns did not start"
	ip link add hostbr0 type bridge
	ip address add 10.9.0.1/24 dev hostbr0
	ip link set hostbr0 up
	echo 1 > /proc/sys/net/ipv4/ip_forward
	nft 'add table ip out; add chain ip out nat { type nat hook postrouting priority 100; };
		add rule ip out nat oifname tap0 masquerade'
}

# host_config TREE: as a machine sees it: all capabilities, all devices that layerbox needs, cgroups of its own.
host_config() {
	cat <<- END
		lxc.uts.name = host
		lxc.rootfs.path = dir:$1
		lxc.autodev = 1
		lxc.tty.max = 0
		lxc.pty.max = 1024
		lxc.mount.auto = proc:rw sys:rw cgroup:rw:force
		lxc.mount.entry = /dev/net/tun dev/net/tun none bind,create=file,optional 0 0
		lxc.mount.entry = /dev/fuse dev/fuse none bind,create=file,optional 0 0
		lxc.mount.entry = /dev/kmsg dev/kmsg none bind,create=file,optional 0 0
		lxc.mount.entry = proc dev/.lxc/proc proc create=dir,optional 0 0
		lxc.mount.entry = sys dev/.lxc/sys sysfs create=dir,optional 0 0
		lxc.net.0.type = veth
		lxc.net.0.link = hostbr0
		lxc.net.0.flags = up
		lxc.net.0.ipv4.address = 10.9.0.2/24
		lxc.net.0.ipv4.gateway = 10.9.0.1
		lxc.apparmor.profile = unconfined
	END
}

# host_tree SUITE TREE: a tree for a machine with systemd, and layerbox in it as it was installed.
host_tree() {
	local archive
	# shellcheck source=tests/lib/packages
	. "$lib/packages"
	[ "$1" = bookworm ] && archive=libarchive13 || archive=libarchive13t64
	# shellcheck disable=SC2086
	fresh_tree "$1" "$2" systemd systemd-sysv systemd-resolved dbus $run_packages libnl-route-3-200 libjansson4 $archive
	prepare_host "$2"
	# layerbox lies over /usr of the private host alone; what it consists of:
	(cd / && find usr/bin/layerbox usr/lib/liblayerbox.so* usr/libexec/layerbox usr/share/layerbox \
		usr/lib/systemd/system/layerbox* usr/lib/systemd/system/lxc.service.d usr/lib/sysctl.d/40-layerbox.conf \
		-print0 | tar -c --null --no-recursion -T -) | tar -x -C "$2"
}

# prepare_host TREE: what a machine is not in the eyes of Debian's units, for being a container.
prepare_host() {
	local unit
	mkdir -p "$1/etc/systemd/system/lxc-net.service.d" "$1/usr/share/lxc"
	printf '[Unit]\nConditionVirtualization=\n' > "$1/etc/systemd/system/lxc-net.service.d/test.conf"
	# The kernel's limits are the machine's.
	for unit in sys-kernel-debug.mount sys-kernel-tracing.mount systemd-modules-load.service systemd-sysctl.service; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
	: > "$1/etc/machine-id"
	mkdir -p "$BATS_FILE_TMPDIR/hosts/host"
	host_config "$1" > "$BATS_FILE_TMPDIR/hosts/host/config"
}

start_host() {
	lxc-start -P "$BATS_FILE_TMPDIR/hosts" -n host -o "$BATS_FILE_TMPDIR/hosts/log" 3>&- ||
		fail "$(cat "$BATS_FILE_TMPDIR/hosts/log")"
	wait_until 30 in_host test -S /run/systemd/private
	wait_until 60 host_has_booted
}

host_has_booted() {
	case $(in_host systemctl is-system-running 2>&1) in
		running | degraded) ;;
		*) return 1 ;;
	esac
}

stop_host() {
	lxc-stop -P "$BATS_FILE_TMPDIR/hosts" -n host -t 60 3>&-
}

kill_host() {
	lxc-stop -P "$BATS_FILE_TMPDIR/hosts" -n host -k
}

# in_host COMMAND...
in_host() {
	lxc-attach -P "$BATS_FILE_TMPDIR/hosts" -n host --clear-env \
		--set-var PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --set-var HOME=/root \
		-- "$@" 3>&- < /dev/null
}
