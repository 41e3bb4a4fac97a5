#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Real containers follow a real base: Debian 12 as it was released goes to Debian 12 with its security updates, below
# customers who have installed services, written data, and changed, held and removed what was there.
# LAYERBOX_TEST_MIRROR names another mirror than Debian's own; security updates lie beside it.
load ../lib/common
load ../lib/rebase

mirror=${LAYERBOX_TEST_MIRROR:-http://deb.debian.org/debian}

setup_file() {
	way_out
	common_setup_file
	recipe
	layerbox --quiet base build debian --mirror "$mirror"
	make web data tools --base debian --start
	install_services
	live_with_them
	layerbox --quiet stop --all
	with_security debian
}

teardown_file() {
	common_teardown_file
	no_way_out
}

# What the containers hold goes from test to test.
teardown() { :; }

recipe() {
	local files=$LAYERBOX_ROOT/bases/files/no-sync/etc/dpkg/dpkg.cfg.d
	mkdir -p "$files"
	echo force-unsafe-io > "$files/no-sync"
	printf '%s\n' 'description = Debian 12 without security updates' 'method = debian' 'suite = bookworm' \
		'include = debian.part' 'files = no-sync' > "$LAYERBOX_ROOT/bases/debian.recipe"
}

install_services() {
	local name web data
	for name in web data tools; do
		wait_until 30 has_booted $name
	done
	installs web nginx-light redis-server mosquitto mosquitto-clients openssh-server &
	web=$!
	installs data postgresql python3-venv &
	data=$!
	installs tools build-essential exim4-daemon-light
	wait $web
	wait $data
}

# Customers: users, data, changed conffiles, things of their own, a held package, a removed one, one upgraded by hand.
live_with_them() {
	local name
	for name in web data tools; do
		layerbox exec $name -- sh -e <<- 'END'
			useradd --create-home --shell /bin/bash mia
			echo mia > /home/mia/file
			chown mia:mia /home/mia/file
			printf '#!/bin/sh\necho hello\n' > /usr/local/bin/hello
			chmod 755 /usr/local/bin/hello
			sed -i 's/^UMASK.*/UMASK 027/' /etc/login.defs
			END
	done
	layerbox exec web -- sh -e <<- 'END'
		sed -i 's/worker_connections .*/worker_connections 512;/' /etc/nginx/nginx.conf
		echo 'of the customer' > /var/www/html/index.html
		echo 'max_keepalive 600' > /etc/mosquitto/conf.d/own.conf
		sed -i 's/^#MaxAuthTries.*/MaxAuthTries 3/' /etc/ssh/sshd_config
		redis-cli set customer mia
		systemctl restart mosquitto
		mosquitto_pub -r -t customer -m mia
		apt-mark hold ca-certificates
	END
	layerbox exec data -- sh -e <<- 'END'
		su postgres -c "psql -c 'create table customers (name text)' -c \"insert into customers values ('mia')\""
		python3 -m venv --without-pip /opt/venv
	END
	# What the base will have, taken from there before it has it.
	layerbox exec --env MIRROR="$mirror" --env DEBIAN_FRONTEND=noninteractive data -- sh -e <<- 'END' > /dev/null 2>&1
		echo "deb $MIRROR-security bookworm-security main" > /etc/apt/sources.list.d/security.list
		apt-get -q update
		apt-get -q -y install --only-upgrade libssl3 openssl
		rm /etc/apt/sources.list.d/security.list
	END
	layerbox exec --env DEBIAN_FRONTEND=noninteractive tools -- sh -e <<- 'END' > /dev/null 2>&1
		apt-get -q -y remove tzdata
		printf 'int main(void) { return 0; }\n' > /root/empty.c
		echo 'Subject: hello' | sendmail mia
	END
}

# Debian@2 knows where they are, and debian@3 has them.
with_security() {
	local script=$BATS_FILE_TMPDIR/with-security
	printf '#!/bin/sh -e\necho "deb %s-security bookworm-security main" >> /etc/apt/sources.list\n' "$mirror" > "$script"
	chmod 755 "$script"
	layerbox --quiet base upgrade "$1" --script "$script"
	layerbox --quiet base upgrade "$1"
}

has_booted() {
	case $(layerbox exec "$1" -- systemctl is-system-running 2>&1) in
		running | degraded | maintenance) ;;
		*) return 1 ;;
	esac
}

boots() {
	state_is "$1" running || layerbox --quiet start "$1"
	wait_until 60 has_booted "$1"
	is "$(layerbox exec "$1" -- systemctl --failed --plain --no-legend)" ''
}

# What is installed, PACKAGE VERSION in a line, by the database below a tree.
versions_in() {
	dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat='${binary:Package} ${Version} ${db:Status-Status}\n' |
		awk '$3 == "installed" { print $1, $2 }' | sort
}

versions_of() {
	layerbox exec "$1" -- dpkg-query --show --showformat='${binary:Package} ${Version} ${db:Status-Status}\n' |
		awk '$3 == "installed" { print $1, $2 }' | LC_ALL=C sort
}

# own_packages NAME: how many it has that its base has not.
own_packages() {
	join -v 1 <(versions_of "$1") <(LC_ALL=C versions_in "$(tree_of debian@1)") | wc -l
}

# What dpkg finds otherwise than packages brought it.
verified() {
	layerbox exec "$1" -- dpkg --verify 2>&1 | sort
}

# follows NAME [PACKAGE...]: it is rebased, undone to the byte, rebased again; all packages of the base, but those named,
# have the base's version then, and dpkg and apt have nothing to say that they had not said before.
follows() {
	local name=$1 before
	shift
	boots "$name"
	[ "$(own_packages "$name")" -ge 20 ] || fail "$name has but $(own_packages "$name") packages of its own"
	before=$(verified "$name")
	layerbox --quiet stop "$name"
	seconds rebase "$name" --dry-run
	echo "# $name: planned in $seconds s, $(du -sm "$CONTAINERS/$name/rootfs-layer" | cut -f1) MiB in its layer" >&3
	[ "$status" -eq 0 ] && is "$(jq -r '.[0].conflicts' <<< "$plan")" 0
	there_and_back "$name"
	succeeds layerbox rebase --undo "$name"
	seconds rebased "$name"
	echo "# $name: rebased in $seconds s" >&3
	stands_on "$name" debian@3
	boots "$name"
	is "$(layerbox exec "$name" -- dpkg --audit 2>&1)" ''
	is "$(layerbox exec "$name" -- apt-get -qq check 2>&1)" ''
	is "$(verified "$name")" "$before"
	is "$(comm -13 <(versions_of "$name") <(LC_ALL=C versions_in "$(tree_of debian@3)") | cut -d' ' -f1 | tr '\n' ' ')" \
		"${*:+$* }"
	is "$(layerbox exec "$name" -- cat /home/mia/file)" mia
	is "$(layerbox exec "$name" -- stat -c %U /home/mia/file)" mia
	is "$(layerbox exec "$name" -- hello)" hello
	layerbox exec "$name" -- grep -qx 'UMASK 027' /etc/login.defs
}

@test "the new generation has security updates, and says so" {
	local behind
	LC_ALL=C comm -3 <(LC_ALL=C versions_in "$(tree_of debian@1)") <(LC_ALL=C versions_in "$(tree_of debian@3)") | grep -q .
	succeeds layerbox status --outdated --json
	behind=$output
	is "$(jq -r 'map(.container) | sort | join(" ")' <<< "$behind")" 'data tools web'
	[ "$(jq '.[0].security' <<< "$behind")" -ge 1 ]
	[ "$(jq '.[0].packages' <<< "$behind")" -ge "$(jq '.[0].security' <<< "$behind")" ]
	is "$(find "$(tree_of debian@3)/var/lib/apt/lists" "$(tree_of debian@3)/var/cache/apt" -type f)" ''
	succeeds layerbox base verify debian
}

web_answers() {
	is "$(layerbox exec web -- redis-cli get customer)" mia
	wait_until 10 layerbox exec web -- sh -c 'exec 2> /dev/null; mosquitto_sub -W 3 -C 1 -t customer | grep -qx mia'
	is "$(busybox wget -q -O - "http://$(field web ipv4)/")" 'of the customer'
	wait_until 10 sh -c "ssh-keyscan -T 5 '$(field web ipv4)' 2> /dev/null | grep -q ed25519"
	layerbox exec web -- sshd -T | grep -qx 'maxauthtries 3'
	layerbox exec web -- nginx -T 2> /dev/null | grep -q 'worker_connections 512'
}

@test "web, mqtt, ssh and a key-value store with their data; a held package is held" {
	boots web
	web_answers
	follows web ca-certificates
	web_answers
	is "$(layerbox exec web -- apt-mark showhold)" ca-certificates
	# What it hides is told.
	is "$(layerbox audit web --json | jq -r '.[] | select(.kind == "hidden-security") | .subject' | grep -x ca-certificates)" \
		ca-certificates
}

@test "and back: the services answer on the old generation again" {
	stands_on web debian@3
	layerbox --quiet stop web
	succeeds layerbox rebase --undo web
	stands_on web debian@1
	boots web
	web_answers
	is "$(layerbox exec web -- dpkg --audit 2>&1)" ''
}

@test "a database server with its data, and packages that were upgraded before the base was" {
	in_top data usr/lib/x86_64-linux-gnu/libssl.so.3 || [ "$(dpkg --print-architecture)" != amd64 ]
	follows data
	is "$(layerbox exec data -- su postgres -c 'psql -At -c "select name from customers"')" mia
	layerbox exec data -- /opt/venv/bin/python -c 'import ssl; print(ssl.OPENSSL_VERSION)'
	is "$(find "$CONTAINERS/data/rootfs-layer/usr/lib" -name 'libssl.so.3')" ''
}

@test "a compiler and a mail server; what was removed stays away" {
	follows tools tzdata
	layerbox exec tools -- sh -c 'gcc -o /tmp/empty /root/empty.c && /tmp/empty'
	wait_until 10 layerbox exec tools -- bash -c 'read -t 5 -r line < /dev/tcp/127.0.0.1/25; [[ $line == 220*Exim* ]]'
	layerbox exec tools -- grep -q 'Subject: hello' /var/mail/mia
	is "$(layerbox exec tools -- sh -c 'ls /usr/share/zoneinfo 2> /dev/null')" ''
}
