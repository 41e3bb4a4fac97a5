#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who has which address: reservations against clients that ask for what they like, and what an operator does about it.
load ../lib/common

STRANGER=52:54:00:01:02:03
LEASES=network/lxcbr0/leases

setup_file() {
	common_setup_file
	echo 'quarantine = 0' >> /etc/layerbox/layerbox.conf
	layerbox net status --json | jq .dnsmasq_pid > "$BATS_FILE_TMPDIR/pid"
}

teardown_file() {
	common_teardown_file
}

teardown() {
	remove_stranger
	layerbox --quiet delete --all --force
	layerbox net list --json | grep -q '"lab"' && layerbox --quiet net delete lab
	common_teardown
	dnsmasq_is_the_same
}

dnsmasq_is_the_same() {
	is "$(layerbox net status --json | jq .dnsmasq_pid)" "$(cat "$BATS_FILE_TMPDIR/pid")"
}

# A machine on the bridge that is no container.
add_stranger() {
	mkdir -p /run/netns
	ip netns add stranger
	ip link add stranger type veth peer name eth0 address "$STRANGER" netns stranger
	ip link set stranger master lxcbr0 up
	ip -n stranger link set eth0 up
	printf '#!/bin/sh\nexit 0\n' > /run/no-script
	chmod +x /run/no-script
}

remove_stranger() {
	[ ! -e /run/netns/stranger ] || ip netns delete stranger
	layerbox --quiet lease release "$STRANGER"
}

# stranger_asks OPTION...: what dnsmasq gives it.
stranger_asks() {
	ip netns exec stranger busybox udhcpc -i eth0 -n -q -f -t 20 -T 1 -s /run/no-script "$@" 2>&1 |
		sed -n 's/.*lease of \([0-9.]*\) obtained.*/\1/p'
}

# asks NAME OPTION...: what the container NAME is given.
asks() {
	local name=$1
	shift
	layerbox exec "$name" -- udhcpc -i eth0 -n -q -f -t 20 -T 1 -s /bin/true "$@" 2>&1 |
		sed -n 's/.*lease of \([0-9.]*\) obtained.*/\1/p'
}

# row IPV4 FIELD, for each row of that address.
row() {
	layerbox lease list --json | jq -r ".[] | select(.ipv4 == \"$1\") | .$2"
}

state_of_is() {
	is "$(row "$1" state)" "$2"
}

# A container's record is changed by hand, as a restore from a backup would.
set_address_by_hand() {
	sed -i "s/^ipv4 = .*/ipv4 = $2/" "$CONTAINERS/$1/container.conf"
}

@test "a reservation holds whatever client id and name are sent, over releases, renewals and a new container" {
	make one --start
	wait_until 10 has_address one
	address=$(field one ipv4)
	is "$(asks one)" "$address"
	is "$(asks one -C)" "$address"
	is "$(asks one -x 0x3d:ff0a0b0c0d0e0f10)" "$address"
	is "$(asks one -x 0x3d:01525400010203)" "$address"
	is "$(asks one -x hostname:other -F evil.example)" "$address"
	is "$(asks one -r 10.0.3.99)" "$address"
	is "$(wc -l < "$LAYERBOX_ROOT/$LEASES")" 1
	is "$(row "$address" name)" one
	layerbox --quiet lease release one
	state_of_is "$address" reserved
	is "$(asks one -x 0x3d:aabbcc)" "$address"
	state_of_is "$address" active
	layerbox exec one -- killall -USR1 udhcpc || true
	state_of_is "$address" active
	layerbox --quiet delete --force one
	make one --start
	wait_until 10 has_address one
	refute test "$(field one ipv4)" = "$address"
	is "$(asks one -x 0x3d:aabbcc)" "$(field one ipv4)"
}

# as_client NAME WORDS...: DHCP packets made by hand, from inside the container NAME. Each of WORDS is what is sent:
# type of message, MAC that it names, then the address it is about and a client id, where there are.
as_client() {
	local pid
	pid=$(field "$1" pid)
	shift
	nsenter -t "$pid" -n python3 - "$@" <<- 'END'
		import os, socket, struct, sys
		def mac(text): return bytes.fromhex(text.replace(":", ""))
		def option(number, value): return bytes((number, len(value))) + value
		for word in sys.argv[1:]:
		    kind, chaddr, address, client = (word.split(",") + ["", ""])[:4]
		    about = socket.inet_aton(address or "0.0.0.0")
		    options = option(53, bytes((dict(discover=1, request=3, decline=4, release=7)[kind],)))
		    options += option(61, mac(client)) if client else b""
		    options += option(50, about) if address and kind != "release" else b""
		    options += option(54, socket.inet_aton("10.0.3.1")) if kind != "discover" else b""
		    body = struct.pack("!BBBB4sI", 1, 1, 6, 0, os.urandom(4), 0)
		    body += (about if kind == "release" else bytes(4)) + bytes(12) + mac(chaddr).ljust(208, b"\0")
		    body += b"\x63\x82\x53\x63" + options + b"\xff"
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
		        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		        sender.bind(("", 68))
		        sender.sendto(body, ("10.0.3.1", 67))
	END
}

@test "a container speaks DHCP for itself alone: it takes no lease from others, and none for invented clients" {
	make one two --start
	wait_until 10 has_address one
	wait_until 10 has_address two
	address=$(field two ipv4) mac=$(field two mac)
	before=$(grep -F "$mac" "$LAYERBOX_ROOT/$LEASES")
	as_client one "release,$mac,$address" "release,$mac,$address,01:$mac" "decline,$mac,$address" \
		"decline,$mac,$address,01:$mac"
	for n in 1 2 3; do
		as_client one "discover,${STRANGER%?}$n" "request,${STRANGER%?}$n,10.0.3.9$n"
	done
	# What came before its own has been read by then.
	is "$(asks one)" "$(field one ipv4)"
	is "$(grep -F "$mac" "$LAYERBOX_ROOT/$LEASES")" "$before"
	is "$(wc -l < "$LAYERBOX_ROOT/$LEASES")" 2
	is "$(asks two)" "$address"
	# From its own address, too, what is its own: a release, and a lease anew.
	as_client one "release,$(field one mac),$(field one ipv4)"
	wait_until 5 state_of_is "$(field one ipv4)" reserved
	is "$(asks one)" "$(field one ipv4)"
}

@test "a stranger never gets what is reserved, and containers never what a stranger has" {
	add_stranger
	make one
	address=$(field one ipv4)
	theirs=$(stranger_asks -r "$address")
	refute test "$theirs" = "$address"
	refute test -z "$theirs"
	state_of_is "$address" reserved
	state_of_is "$theirs" foreign
	refused $EXISTS "$theirs is leased to $STRANGER" layerbox lease reserve one "$theirs"
	# The next address that is looked at.
	printf '%-15s\n' "10.0.3.$((${theirs##*.} - 1))" > "$LAYERBOX_ROOT/network/lxcbr0/last-address"
	make two
	is "$(field two ipv4)" "10.0.3.$((${theirs##*.} + 1))"
	is "$(layerbox lease pool --json | jq -c '.[] | [.size, .used, .foreign, .free]')" "[253,2,1,250]"
}

@test "a container that is deleted gives its address back, and the next one with it starts clean" {
	make one --start
	wait_until 10 has_address one
	address=$(field one ipv4)
	layerbox --quiet delete --force one
	refute grep -F " $address " "$LAYERBOX_ROOT/$LEASES"
	is "$(layerbox lease list --json)" "[]"
	make heir
	layerbox --quiet lease reserve heir "$address"
	layerbox --quiet start heir
	wait_until 10 has_address heir
	is "$(field heir ipv4)" "$address"
	state_of_is "$address" active
}

@test "a foreign lease is given back, with and without a client id, by address and by MAC" {
	add_stranger
	theirs=$(stranger_asks -x 0x3d:ff01020304)
	other=$(stranger_asks -x 0x3d:ff05060708)
	plain=$(stranger_asks -C)
	is "$(grep -c "$STRANGER" "$LAYERBOX_ROOT/$LEASES")" "$(printf '%s\n' "$theirs" "$other" "$plain" | sort -u | wc -l)"
	tells "the lease of $theirs is given back" layerbox lease release "$theirs"
	refute grep -qF " $theirs " "$LAYERBOX_ROOT/$LEASES"
	grep -qF " $other " "$LAYERBOX_ROOT/$LEASES"
	tells "there is no lease of $theirs" layerbox lease release "$theirs"
	tells "the lease of ${STRANGER^^} is given back" layerbox lease release "${STRANGER^^}"
	is "$(wc -l < "$LAYERBOX_ROOT/$LEASES")" 0
	refused $NO_CONTAINER "no container 'nobody'" layerbox lease release nobody
	refused $BAD_NAME 'cannot be the name' layerbox lease release ../x
}

@test "conflicts are shown and doctor gives the wrong leases back; foreign ones are left alone" {
	add_stranger
	theirs=$(stranger_asks)
	make one two --start
	wait_until 10 has_address one
	wait_until 10 has_address two
	layerbox --quiet stop --kill --all
	before=$(field one ipv4)
	set_address_by_hand two "$theirs"
	set_address_by_hand one 10.0.3.200
	is "$(row "$theirs" state | xargs)" "reserved conflict"
	is "$(row "$theirs" problem | xargs)" "reserved for container two, but held by another MAC, $STRANGER"
	is "$(row "$before" '|.state + .container')" conflictone
	run layerbox doctor --dry-run
	is "$status" $FAILED
	[[ $output == *"lease $theirs: it is reserved for container 'two', but held by another MAC"* ]]
	run -0 layerbox doctor
	[[ $output == *"lease $before: it is held by container 'one', for which 10.0.3.200 is reserved"*'repaired: gave that lease back'* ]]
	is "$(layerbox lease list --json | jq -c '[.[] | [.container, .state]] | sort')" '[["one","reserved"],["two","reserved"]]'
	theirs=$(stranger_asks)
	run -0 layerbox doctor --dry-run
	state_of_is "$theirs" foreign
	layerbox --quiet start --all
	wait_until 10 has_address one
	wait_until 10 has_address two
}

@test "another address: only a fit and free one, only while stopped, and its files follow" {
	echo '{{ipv4}} {{name}}' > "$BATS_TEST_TMPDIR/address"
	mkdir -p "$LAYERBOX_ROOT/templates/rootfs/etc"
	cp "$BATS_TEST_TMPDIR/address" "$LAYERBOX_ROOT/templates/rootfs/etc/address"
	cp "$BATS_TEST_TMPDIR/address" "$LAYERBOX_ROOT/templates/rootfs/etc/changed"
	make one two --start
	rm -r "$LAYERBOX_ROOT/templates/rootfs"
	wait_until 10 has_address one
	refused $RUNNING 'stop it first' layerbox lease reserve one 10.0.3.99
	layerbox exec one -- sh -c 'echo mine > /etc/changed'
	layerbox --quiet stop --kill one
	refused $BAD_VALUE 'not an IPv4 address' layerbox lease reserve one 10.0.3
	refused $BAD_VALUE "the bridge's own" layerbox lease reserve one 10.0.3.1
	refused $BAD_VALUE 'the subnet itself' layerbox lease reserve one 10.0.3.0
	refused $BAD_VALUE 'broadcast' layerbox lease reserve one 10.0.3.255
	refused $BAD_VALUE "not in the network's subnet" layerbox lease reserve one 10.0.4.7
	refused $EXISTS "reserved for container 'two'" layerbox lease reserve one "$(field two ipv4)"
	refused $NO_CONTAINER "no container 'nobody'" layerbox lease reserve nobody 10.0.3.99
	before=$(field one ipv4)
	tells "$before was reserved for one already" layerbox lease reserve one "$before"
	mkdir -p "$LAYERBOX_ROOT/templates/rootfs/etc"
	cp "$BATS_TEST_TMPDIR/address" "$LAYERBOX_ROOT/templates/rootfs/etc/address"
	cp "$BATS_TEST_TMPDIR/address" "$LAYERBOX_ROOT/templates/rootfs/etc/changed"
	succeeds layerbox lease reserve one 10.0.3.99
	says '/etc/changed in the container was changed there'
	rm -r "$LAYERBOX_ROOT/templates/rootfs"
	is "$(row "$before" state)" ""
	state_of_is 10.0.3.99 reserved
	refute grep -qF " $before " "$LAYERBOX_ROOT/$LEASES"
	is "$(cut -d, -f3 "$HOSTS/one")" 10.0.3.99
	layerbox --quiet start one
	wait_until 10 has_address one
	is "$(layerbox exec one -- cat /etc/address /etc/changed)" "$(printf '10.0.3.99 one\nmine')"
	state_of_is 10.0.3.99 active
	layerbox exec two -- nslookup one | grep -qF 10.0.3.99
	refute grep -q ipv4_before "$CONTAINERS/one/container.conf"
	layerbox doctor --dry-run
}

@test "a pool that is nearly full is warned of, before it is full" {
	layerbox --quiet net create lab --subnet 10.77.0.0/29
	make a b c --network lab
	is "$(layerbox net status lab --json | jq -r .warning)" ""
	succeeds layerbox lease pool lab
	is "$stderr" ""
	make d --network lab
	run -0 --separate-stderr layerbox net status lab --json
	[[ $(jq -r .warning <<< "$output") == '4 of 5 addresses of lab are reserved'* ]]
	is "$(jq -r .problem <<< "$output")" ""
	succeeds layerbox lease pool lab --json
	says 'layerbox: warning: 4 of 5 addresses of lab are taken'
	is "$(jq -c '.[]' <<< "$output")" '{"network":"lab","size":5,"used":4,"foreign":0,"quarantined":0,"free":1}'
	make e --network lab
	refused $EXHAUSTED 'no address is left on lab' layerbox create f --network lab
	run layerbox net status lab
	is "$status" $NETWORK
	is "$(layerbox lease list lab --json | jq length)" 5
	is "$(layerbox lease list lxcbr0 --json | jq length)" 0
	refused $NO_NETWORK "no network 'none'" layerbox lease list none
	refused $NO_NETWORK "no network 'none'" layerbox lease pool none
}

@test "broken lines of the lease file are passed over, and said once" {
	make one --start
	wait_until 10 has_address one
	cp "$LAYERBOX_ROOT/$LEASES" "$BATS_TEST_TMPDIR/leases"
	printf 'garbage\n\033[2J 1 2 3 4\n' >> "$LAYERBOX_ROOT/$LEASES"
	succeeds layerbox lease list --json
	is "${#stderr_lines[@]}" 1
	says "$LAYERBOX_ROOT/$LEASES:2: this is not a lease as dnsmasq writes them; passed over 2 such lines"
	is "$(jq -r '.[0].state' <<< "$output")" active
	run layerbox doctor
	is "$status" $FAILED
	[[ $output == *"$LEASES:2: 2 lines of the lease file cannot be understood"* ]]
	# A broken record hides nobody else.
	make two
	echo nonsense >> "$CONTAINERS/two/container.conf"
	succeeds layerbox lease list --json
	is "$(jq -r '.[] | .container + .state' <<< "$output")" oneactive
	layerbox --quiet lease release one
	is "$(wc -c < "$LAYERBOX_ROOT/$LEASES")" 0
	layerbox --quiet delete two
}

@test "a dnsmasq that does not answer, or is not there, is said; start brings a dead one back, once" {
	make one two --start
	wait_until 10 has_address one
	pid=$(cat "$BATS_FILE_TMPDIR/pid")
	kill -STOP "$pid"
	refused $TIMEOUT "holds on to the lease of $(field one ipv4)" layerbox lease release one
	kill -CONT "$pid"
	layerbox --quiet stop --kill --all
	kill -9 "$pid"
	make three
	refused $NETWORK 'no DHCP server runs on lxcbr0' layerbox lease release two
	succeeds layerbox start --all
	is "$(pgrep -c dnsmasq)" 1
	layerbox net status --json | jq .dnsmasq_pid > "$BATS_FILE_TMPDIR/pid"
	is "$(layerbox net status --json | jq -r .problem)" ""
	wait_until 10 has_address one
	wait_until 10 has_address two
	wait_until 10 has_address three
	# Taken down on purpose it stays down.
	layerbox --quiet stop --kill --all
	layerbox --quiet net down
	refused $NETWORK 'make it with `layerbox net up`' layerbox start one
	layerbox --quiet net up
	layerbox net status --json | jq .dnsmasq_pid > "$BATS_FILE_TMPDIR/pid"
}
