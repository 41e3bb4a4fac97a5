#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# What forwards are for: a customer's MQTT broker, Debian's mosquitto, spoken to with TLS by a client that knows the
# host's address alone. LAYERBOX_TEST_MIRROR names another Debian mirror.
load ../lib/common

setup_file() {
	mkdir -p /run/netns
	ip netns add world
	ip link add up0 type veth peer name eth0 netns world
	ip address add 192.0.2.1/24 dev up0
	ip link set up0 up
	ip -n world link set lo up
	ip -n world address add 192.0.2.2/24 dev eth0
	ip -n world link set eth0 up
	common_setup_file
	"$BATS_TEST_DIRNAME/../lib/traffic" answer world 80 > /dev/null 3>&- &
	echo $! > "$BATS_FILE_TMPDIR/server"
	build_base_with_mosquitto
	make_client
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/server")"
	umount "$CLIENT/tree/dev" "$CLIENT/tree" "$CLIENT"
	rmdir "$CLIENT"
	common_teardown_file
	ip link delete up0
}

teardown() {
	common_teardown
}

# As an operator makes one: a copy of the recipe under another name, with the packages added.
build_base_with_mosquitto() {
	cp /usr/share/layerbox/bases/debian-bookworm.recipe "$LAYERBOX_ROOT/bases/mqtt.recipe"
	echo 'packages = mosquitto mosquitto-clients openssl' >> "$LAYERBOX_ROOT/bases/mqtt.recipe"
	"$BATS_TEST_DIRNAME/../lib/outside" layerbox --quiet base build mqtt \
		${LAYERBOX_TEST_MIRROR:+--mirror "$LAYERBOX_TEST_MIRROR"} 3>&-
}

# The client is a machine with the same packages, and the authority whose certificates it trusts.
make_client() {
	CLIENT=$(mktemp -d)
	export CLIENT
	mount -t tmpfs tmpfs "$CLIENT"
	mkdir "$CLIENT/upper" "$CLIENT/work" "$CLIENT/tree"
	mount -t overlay overlay -o "lowerdir=$(layerbox base show mqtt --json | jq -r .directory),upperdir=$CLIENT/upper,workdir=$CLIENT/work" \
		"$CLIENT/tree"
	mount --bind /dev "$CLIENT/tree/dev"
	in_client openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=test authority' \
		-keyout /root/ca.key -out /root/ca.crt
	in_client openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=broker' \
		-keyout /root/broker.key -out /root/broker.csr
	echo 'subjectAltName = IP:192.0.2.1, DNS:broker' > "$CLIENT/tree/root/names"
	in_client openssl x509 -req -in /root/broker.csr -CA /root/ca.crt -CAkey /root/ca.key -CAcreateserial -days 2 \
		-extfile /root/names -out /root/broker.crt
}

# in_client COMMAND...: on that machine, in the world.
in_client() {
	ip netns exec world chroot "$CLIENT/tree" "$@" 3>&-
}

has_booted() {
	case $(layerbox exec "$1" -- systemctl is-system-running 2>&1) in
	running | degraded) ;;
	*) return 1 ;;
	esac
}

# make_broker NAME: mosquitto with TLS on port 8883, and an account.
make_broker() {
	local file
	make "$1" --base mqtt --start
	wait_until 30 has_booted "$1"
	for file in ca.crt broker.crt broker.key; do
		layerbox push "$1" "$CLIENT/tree/root/$file" /etc/mosquitto/certs/
	done
	cat > "$BATS_TEST_TMPDIR/tls.conf" <<- END
		listener 8883
		cafile /etc/mosquitto/certs/ca.crt
		certfile /etc/mosquitto/certs/broker.crt
		keyfile /etc/mosquitto/certs/broker.key
		password_file /etc/mosquitto/passwords
	END
	layerbox push "$1" "$BATS_TEST_TMPDIR/tls.conf" /etc/mosquitto/conf.d/
	layerbox exec "$1" -- mosquitto_passwd -b -c /etc/mosquitto/passwords tiger secret
	layerbox exec "$1" -- chown mosquitto: /etc/mosquitto/passwords /etc/mosquitto/certs/broker.key
	layerbox exec "$1" -- systemctl restart mosquitto
	wait_until 10 listens "$1" 8883
}

listens() {
	layerbox exec "$1" -- ss -Hltn "sport = :$2" | grep -q .
}

# mqtt pub|sub WORD...
mqtt() {
	in_client "mosquitto_$1" -h 192.0.2.1 -p 8883 --cafile /root/ca.crt -u tiger "${@:2}"
}

reaches_the_world() {
	layerbox exec "$1" -- curl --silent --http0.9 --max-time 2 http://192.0.2.2/ | grep -q '^world 192.0.2.1'
}

has_subscribed() {
	layerbox exec "$1" -- grep -qs "$2" /var/log/mosquitto/mosquitto.log
}

@test "a client outside has an MQTT session with TLS, through a forward to a broker in a container" {
	make_broker tiger
	refute in_client timeout 2 mosquitto_pub -h 192.0.2.1 -p 8883 --cafile /root/ca.crt -u tiger -P secret -t t -m m 2> /dev/null
	layerbox --quiet forward add tiger 8883/tcp
	mqtt sub -P secret -i listener -t 'assembly/#' -C 2 -W 30 -v > "$BATS_TEST_TMPDIR/heard" &
	subscriber=$!
	wait_until 10 has_subscribed tiger 'as listener'
	mqtt pub -P secret -i sender -q 1 -t assembly/1 -m 'torque 42 Nm'
	mqtt pub -P secret -i sender -q 1 -t assembly/2 -m "$(head -c 20000 /dev/zero | tr '\0' x)"
	wait $subscriber
	is "$(head -n 1 "$BATS_TEST_TMPDIR/heard")" 'assembly/1 torque 42 Nm'
	is "$(tail -n 1 "$BATS_TEST_TMPDIR/heard" | wc -c)" 20012
	# The broker saw the client itself, and it was TLS: both what it is told and whom it trusts are checked.
	has_subscribed tiger 'New connection from 192.0.2.2:'
	in_client openssl s_client -connect 192.0.2.1:8883 -CAfile /root/ca.crt -verify_return_error -verify_ip 192.0.2.1 -brief \
		< /dev/null 2>&1 | grep -q '^Protocol version: TLSv1.3'
	refute mqtt pub -P wrong -t assembly/1 -m no 2> /dev/null
	refute in_client mosquitto_pub -h 192.0.2.1 -p 8883 -u tiger -P secret -t assembly/1 -m plain 2> /dev/null
}

@test "the session is there again after a restart, also for a broker that may call nobody itself" {
	make_broker tiger
	layerbox --quiet forward add tiger 8883/tcp
	reaches_the_world tiger
	layerbox --quiet net egress tiger deny all
	layerbox --quiet restart tiger
	wait_until 30 listens tiger 8883
	mqtt pub -P secret -r -q 1 -t assembly/1 -m kept
	is "$(mqtt sub -P secret -t assembly/1 -C 1 -W 10)" kept
	refute reaches_the_world tiger
}
