#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031
# Debian as customers have it: systemd, built from a mirror (LAYERBOX_TEST_MIRROR names another than Debian's own).
load ../lib/common

setup_file() {
	common_setup_file
	build_base debian-bookworm
}

# build_base RECIPE: as an operator builds it; a private host needs the machine's network for that.
build_base() {
	"$BATS_TEST_DIRNAME/../lib/outside" layerbox --quiet base build "$1" \
		${LAYERBOX_TEST_MIRROR:+--mirror "$LAYERBOX_TEST_MIRROR"} 3>&-
}

# tree_of BASE: where its files are.
tree_of() {
	local tree
	tree=$(layerbox base show "$1" --json | jq -r .directory)
	[ -x "$tree/usr/bin/systemctl" ] && echo "$tree"
}

has_booted() {
	case $(layerbox exec "$1" -- systemctl is-system-running 2>&1) in
		running | degraded | maintenance) ;;
		*) return 1 ;;
	esac
}

# boots NAME: it reaches `running`, and not `degraded`.
boots() {
	wait_until 30 has_booted "$1"
	is "$(layerbox exec "$1" -- systemctl --failed --plain --no-legend)" ''
	is "$(layerbox exec "$1" -- systemctl is-system-running)" running
	wait_until 10 has_address "$1"
}

# lease_of NAME: what dnsmasq has given to its MAC.
lease_of() {
	awk -v mac="$(field "$1" mac)" '$2 == mac { print $3, $4 }' "$LAYERBOX_ROOT/network/lxcbr0/leases"
}

pid_changed() {
	local pid
	pid=$(field "$1" pid) && [ "$pid" != null ] && [ "$pid" != 0 ] && [ "$pid" != "$2" ]
}

@test "a Debian base is generic: nothing of the machine it was built on, nothing that containers would share" {
	local tree
	tree=$(tree_of debian-bookworm)
	succeeds layerbox base show debian-bookworm
	[[ $output == *'Debian GNU/Linux 12 (bookworm)'* ]]
	[ ! -s "$tree/etc/machine-id" ]
	[ ! -s "$tree/var/lib/dbus/machine-id" ]
	[ ! -e "$tree/etc/resolv.conf" ]
	[ ! -e "$tree/etc/hostname" ]
	is "$(find "$tree/var/lib/apt/lists" "$tree/var/cache/apt" -type f)" ''
	is "$(find "$tree/var/log" -type f -size +0)" ''
	is "$(find "$tree/tmp" "$tree/run" "$tree/dev" "$tree/proc" "$tree/sys" -mindepth 1)" ''
	is "$(grep -rlF "$(uname -n)" "$tree/etc" || true)" ''
}

@test "two containers on one base run unprivileged, with ids of their own, and know one another by name" {
	local tree before name file
	tree=$(tree_of debian-bookworm)
	before=$(tree_checksum "$tree")
	make tiger-assemblies pragmatic --base debian-bookworm
	for name in tiger-assemblies pragmatic; do
		[ "$(du -sk "$CONTAINERS/$name/rootfs-layer" | cut -f1)" -lt 200 ]
	done
	succeeds layerbox start --all
	for name in tiger-assemblies pragmatic; do
		boots "$name"
		is "$(lease_of "$name")" "$(field "$name" ipv4) $name"
		is "$(layerbox exec "$name" -- hostname)" "$name"
		is "$(layerbox exec "$name" -- awk '{ print $1, $3 }' /proc/self/uid_map)" '0 65536'
		is "$(stat -c %u "/proc/$(field "$name" pid)")" "$(layerbox exec "$name" -- awk '{ print $2 }' /proc/self/uid_map)"
	done
	for file in /proc/self/uid_map /etc/machine-id; do
		[ "$(layerbox exec pragmatic -- cat $file)" != "$(layerbox exec tiger-assemblies -- cat $file)" ]
	done
	[[ $(layerbox exec pragmatic -- cat /etc/machine-id) =~ ^[0-9a-f]{32}$ ]]
	succeeds layerbox exec tiger-assemblies -- ping -c 1 -W 5 pragmatic
	[[ $output == *"($(field pragmatic ipv4))"* ]]
	succeeds layerbox exec pragmatic -- ping -c 1 -W 5 tiger-assemblies
	[[ $output == *"($(field tiger-assemblies ipv4))"* ]]
	succeeds layerbox exec pragmatic -- sh -c 'rm -r /usr/share/doc; echo changed > /etc/debian_version'
	succeeds layerbox stop --all
	is "$(tree_checksum "$tree")" "$before"
}

@test "a privileged container runs, too" {
	make tiger --base debian-bookworm --privileged --start
	boots tiger
	is "$(layerbox exec tiger -- awk '{ print $1, $2 }' /proc/self/uid_map)" '0 0'
}

@test "a reboot from inside is a reboot: another init, the same address and files" {
	local pid address
	make tiger --base debian-bookworm --start
	boots tiger
	pid=$(field tiger pid) address=$(field tiger ipv4)
	layerbox exec tiger -- sh -c 'echo hello > /srv/file'
	layerbox exec tiger -- systemctl reboot || true
	wait_until 30 pid_changed tiger "$pid"
	boots tiger
	is "$(field tiger ipv4)" "$address"
	is "$(layerbox exec tiger -- cat /srv/file)" hello
}

@test "with a static address it runs without a DHCP server" {
	make tiger --base debian-bookworm --static
	kill "$(cat /run/layerbox/network/lxcbr0/dnsmasq.pid)"
	succeeds layerbox start tiger
	boots tiger
	succeeds layerbox exec tiger -- ping -c 1 -W 5 10.0.3.1
	[[ $(layerbox exec tiger -- ip route) == *'default via 10.0.3.1 dev eth0 proto static'* ]]
	is "$(lease_of tiger)" ''
	layerbox --quiet net up
}

@test "stop shuts systemd down, quickly, and a customer's files are there after the next start" {
	local began machine
	make tiger --base debian-bookworm --start
	boots tiger
	machine=$(layerbox exec tiger -- cat /etc/machine-id)
	layerbox exec tiger -- sh -c 'echo hello > /srv/file; chown 1000:1000 /srv/file; mkdir /var/lib/own; rm /etc/issue'
	layerbox exec tiger -- sh -c 'echo "of a kind" | systemd-cat -t customer; journalctl --sync'
	succeeds layerbox logs tiger --boot -n 50
	[[ $output == *'customer['*']: of a kind'* ]]
	is "$stderr" ''
	succeeds layerbox logs tiger --unit systemd-networkd --since 1h
	[[ $output == *systemd-networkd* && $output != *'of a kind'* ]]
	succeeds layerbox logs tiger --console
	[[ $output == *systemd* ]]
	began=${EPOCHREALTIME/./}
	succeeds layerbox stop tiger
	[ $((${EPOCHREALTIME/./} - began)) -lt 20000000 ]
	no_mount_left
	wait_until 5 no_cgroup_left
	succeeds layerbox logs tiger --boot
	[[ $output == *'customer['*']: of a kind'*'Reached target final.target'* ]]
	says "is stopped: this was its journal as it is on disk"
	succeeds layerbox start tiger
	boots tiger
	[[ $(layerbox logs tiger --boot) != *'of a kind'* ]]
	is "$(layerbox exec tiger -- stat -c '%u:%g' /srv/file)" 1000:1000
	is "$(layerbox exec tiger -- cat /srv/file /etc/machine-id)" "hello
$machine"
	succeeds layerbox exec tiger -- sh -c 'test -d /var/lib/own && test ! -e /etc/issue'
	# The journal of the life before this one ends with an orderly shutdown.
	succeeds layerbox exec tiger -- sh -c 'journalctl -q -b -1 | grep "Reached target final.target"'
}

@test "exec in a Debian container: arguments, input, output and exit code are the program's" {
	make tiger --base debian-bookworm --start
	boots tiger
	is "$(echo "from outside" | layerbox exec tiger -- sed 's/from/to/')" 'to outside'
	is "$(layerbox exec tiger -- printf '%s|' 'a b' '' '$HOME')" 'a b||$HOME|'
	run layerbox exec tiger -- sh -c 'exit 7'
	is "$status" 7
}

# The base with an SSH server: what its package made of keys while it was installed must not come along.
build_base_with_ssh() {
	local tree work
	tree=$(tree_of debian-bookworm)
	work=$(mktemp -d)
	mount -t tmpfs tmpfs "$work"
	mkdir "$work/upper" "$work/work" "$work/tree"
	mount -t overlay overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/work" "$work/tree"
	mount --bind /dev "$work/tree/dev"
	mount -t proc proc "$work/tree/proc"
	cat /etc/resolv.conf > "$work/tree/etc/resolv.conf"
	printf '#!/bin/sh\nexit 101\n' > "$work/tree/usr/sbin/policy-rc.d"
	chmod 755 "$work/tree/usr/sbin/policy-rc.d"
	"$BATS_TEST_DIRNAME/../lib/outside" env --unset=TMPDIR DEBIAN_FRONTEND=noninteractive chroot "$work/tree" \
		sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends install openssh-server' > "$work/log" 2>&1 ||
		fail "$(tail -n 20 "$work/log")"
	rm "$work/tree/usr/sbin/policy-rc.d"
	umount "$work/tree/proc" "$work/tree/dev"
	[ -n "$(find "$work/tree/etc/ssh" -name 'ssh_host_*_key')" ] || fail "the package made no keys"
	layerbox --quiet base import debian-ssh "$work/tree"
	umount "$work/tree" "$work"
	rmdir "$work"
}

# The key that the SSH server of NAME shows to whoever connects.
ssh_key_of() {
	ssh-keyscan -T 5 -t ed25519 "$(field "$1" ipv4)" 2> /dev/null | cut -d' ' -f3
}

answers_ssh() {
	[ -n "$(ssh_key_of "$1")" ]
}

@test "each container makes SSH host keys of its own at its first start, and keeps them" {
	local keys
	build_base_with_ssh
	is "$(find "$(tree_of debian-ssh)/etc/ssh" -name 'ssh_host_*')" ''
	make tiger pragmatic --base debian-ssh --start
	boots tiger
	boots pragmatic
	wait_until 10 answers_ssh tiger
	wait_until 10 answers_ssh pragmatic
	keys=$(ssh_key_of tiger)
	[ "$keys" != "$(ssh_key_of pragmatic)" ]
	succeeds layerbox restart tiger
	wait_until 20 answers_ssh tiger
	is "$(ssh_key_of tiger)" "$keys"
}

@test "a stack has its packages' accounts in a range of its own, follows its parent, and runs its services" {
	local bases=$LAYERBOX_ROOT/os-bases before
	before=$(tree_checksum "$bases/debian-bookworm/1/rootfs")
	printf '%s\n' 'parent = debian-bookworm' 'packages = mosquitto nginx-light' > "$LAYERBOX_ROOT/bases/shop.recipe"
	"$BATS_TEST_DIRNAME/../lib/outside" layerbox --quiet base build shop 3>&-
	is "$(tree_checksum "$bases/debian-bookworm/1/rootfs")" "$before"
	is "$(awk -F: '$1 == "mosquitto" { print ($3 >= 800 && $3 < 900) }' "$bases/shop/1/rootfs/etc/passwd")" 1
	grep -q '^mosquitto - [^ ]* ' "$bases/shop/1/changes"
	is "$(find "$bases/shop/1/rootfs/run" "$bases/shop/1/rootfs/dev" "$bases/shop/1/rootfs/tmp" -mindepth 1)" ''
	refute test -e "$bases/shop/1/rootfs/usr/sbin/policy-rc.d"
	refute test -e "$bases/shop/1/rootfs/etc/resolv.conf"
	# Every way to make an account, in the parent.
	layerbox --quiet base upgrade debian-bookworm -- /bin/sh -c \
		'adduser --quiet --system first && useradd -r second && systemd-sysusers --inline "u third - -"'
	is "$(awk -F: '/^(first|second|third):/ { print ($3 >= 700 && $3 < 800) }' "$bases/debian-bookworm/2/rootfs/etc/passwd" | xargs)" '1 1 1'
	"$BATS_TEST_DIRNAME/../lib/outside" layerbox --quiet base upgrade shop 3>&-
	is "$(cat "$bases/shop/2/changes")" ''
	is "$(grep ^mosquitto: "$bases/shop/2/rootfs/etc/passwd")" "$(grep ^mosquitto: "$bases/shop/1/rootfs/etc/passwd")"
	grep -q ^third: "$bases/shop/2/rootfs/etc/passwd"
	# Of the packages' files there is one copy.
	is "$(stat -c %i "$bases/shop/2/rootfs/usr/sbin/nginx")" "$(stat -c %i "$bases/shop/1/rootfs/usr/sbin/nginx")"
	[ "$(du -sk "$bases/shop/1/rootfs" "$bases/shop/2/rootfs" | awk 'END { print $1 }')" -le 12000 ]
	layerbox --quiet base verify shop@1 shop@2 debian-bookworm@1 debian-bookworm@2
	make tiger --base shop --start
	boots tiger
	is "$(layerbox exec tiger -- systemctl is-active mosquitto nginx | xargs)" 'active active'
	layerbox --quiet delete --force tiger
	layerbox --quiet base delete shop
}

@test "Debian 13 runs as well" {
	local began
	build_base debian-trixie
	make tiger --base debian-trixie --start
	boots tiger
	is "$(layerbox exec tiger -- sh -c '. /etc/os-release; echo $VERSION_ID')" 13
	make pragmatic --base debian-trixie --privileged --start
	boots pragmatic
	succeeds layerbox exec pragmatic -- ping -c 1 -W 5 tiger
	began=${EPOCHREALTIME/./}
	succeeds layerbox stop --all
	[ $((${EPOCHREALTIME/./} - began)) -lt 20000000 ]
}

nobody_holds() {
	! grep -q " $1 " "$LAYERBOX_ROOT/network/six/leases"
}

@test "on a network with IPv6 a container takes the address that is reserved for it" {
	layerbox --quiet net create six --subnet 10.77.0.0/24 --ipv6 fd42:1:2:3::/64
	make dual --base debian-bookworm --network six --start
	has_both() {
		layerbox exec dual -- ip -o address show eth0 | grep -qF ' 10.77.0.2/' &&
			layerbox exec dual -- ip -o address show eth0 | grep -qF ' fd42:1:2:3::2/128 '
	}
	wait_until 30 has_both
	is "$(layerbox lease list six --json | jq -r '.[] | .ipv6 + " " + .state')" "fd42:1:2:3::2 active"
	wait_until 10 ping -6 -c 1 -W 2 fd42:1:2:3::2
	layerbox exec dual -- ip -6 route show default | grep -q fe80
	layerbox exec dual -- sh -c 'tr 0-9a-f 1-9a-f0 < /etc/machine-id > /root/id && cp /root/id /etc/machine-id'
	layerbox --quiet restart --kill dual
	wait_until 30 has_both
	layerbox --quiet delete --force dual
	# dnsmasq hears that the lease is given back, but nobody waits for it.
	wait_until 5 nobody_holds fd42:1:2:3::2
	layerbox --quiet net delete six
}
