#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2030,SC2031,SC2154
# Databases that are being written to while a live snapshot is made of their container: what is made of the snapshot comes
# up, and has all that they had acknowledged. LAYERBOX_TEST_MIRROR names another mirror than Debian's own.
load ../lib/common

# Both tests go on with the same containers.
setup_file() {
	common_setup_file
	build_base
	make sql iot --base databases --start
	wait_until 30 has_booted sql
	wait_until 30 has_booted iot
}

teardown() { :; }

teardown_file() {
	common_teardown_file
}

# One base has the servers of both containers; what it has of their data is copied up with their first write.
build_base() {
	local recipe=$LAYERBOX_ROOT/bases/databases.recipe
	local files=$LAYERBOX_ROOT/bases/files/databases/etc
	mkdir -p "$files/dpkg/dpkg.cfg.d" "$files/mosquitto/conf.d"
	echo force-unsafe-io > "$files/dpkg/dpkg.cfg.d/no-sync"
	printf '%s\n' 'autosave_on_changes true' 'autosave_interval 1' > "$files/mosquitto/conf.d/own.conf"
	printf '%s\n' 'description = Debian 12 with databases' 'method = debian' 'suite = bookworm' 'include = debian.part' \
		'packages = postgresql mosquitto mosquitto-clients influxdb' 'files = databases' > "$recipe"
	"$BATS_TEST_DIRNAME/../lib/outside" layerbox --quiet base build databases \
		${LAYERBOX_TEST_MIRROR:+--mirror "$LAYERBOX_TEST_MIRROR"} 3>&-
}

has_booted() {
	case $(layerbox exec "$1" -- systemctl is-system-running 2>&1) in
		running | degraded | maintenance) ;;
		*) return 1 ;;
	esac
}

# writes NAME LOG SCRIPT: the script writes numbers from 1 to a database, without end, and says each one that is
# acknowledged. They go to a file inside, which the snapshot has as it was at that moment, and to one outside.
writes() {
	layerbox exec "$1" -- bash -c "$3"' | stdbuf -oL tee /var/tmp/'"$2" > "$BATS_FILE_TMPDIR/$1-$2" 2> /dev/null &
	wait_until 20 said_more_than "$1" "$2" 20
}

# said NAME LOG: the last number that is known outside.
said() {
	tail -n 1 "$BATS_FILE_TMPDIR/$1-$2"
}

said_more_than() {
	[ "$(said "$1" "$2")" -gt "$3" ] 2> /dev/null
}

# noted NAME LOG: the last number that its own file has.
noted() {
	layerbox exec "$1" -- tail -n 1 "/var/tmp/$2"
}

# snapshots NAME LABEL: a live one, which was frozen, but not for long.
snapshots() {
	local frozen
	succeeds layerbox --quiet snapshot create "$1" "$2"
	frozen=$(layerbox snapshot show "$1" "$2" --json | jq .frozen_us)
	echo "# $1: frozen for $frozen us" >&3
	[ "$frozen" -gt 0 ]
	[ "$frozen" -lt 5000000 ]
}

# holds CLONE LOG COUNT SAID: of as many as are noted, and as were known outside before the snapshot began, all are there.
holds() {
	local noted
	noted=$(noted "$1" "$2")
	echo "# $1: $2 has $3 of $noted, at least $4" >&3
	[ "$noted" -ge "$4" ]
	[ "$3" -ge "$noted" ]
}

clone() {
	layerbox --quiet snapshot restore "$1" "$2" --as "$3"
	ls "$CONTAINERS" >> "$BATS_FILE_TMPDIR/names"
	layerbox --quiet start "$3"
	wait_until 60 has_booted "$3"
}

# ------------------------------------------------------------------------------------------------- PostgreSQL

sql() {
	layerbox exec "$1" -- su postgres -c "psql -qAt -c '$2'"
}

sql_answers() {
	sql "$1" 'select 1' > /dev/null 2>&1
}

@test "PostgreSQL: every row that was committed is there, in a clone of the first and of the second snapshot" {
	local first second
	wait_until 30 sql_answers sql
	sql sql 'create table log (n integer primary key, filling text)'
	writes sql rows 'seq 1000000 | sed "s/.*/insert into log values (&, repeat(md5(&::text), 20));\n\\\\echo &/" |
		su postgres -c "stdbuf -oL psql -qAt -v ON_ERROR_STOP=1"'
	first=$(said sql rows)
	snapshots sql first
	wait_until 20 said_more_than sql rows "$first"
	second=$(said sql rows)
	snapshots sql second
	for label in first second; do
		clone sql $label sql-$label
		wait_until 30 sql_answers sql-$label
		holds sql-$label rows "$(sql sql-$label 'select count(*) from log')" "${!label}"
		# Every page of it can be read, through the index, too.
		is "$(sql sql-$label 'set enable_seqscan = off; select count(*) = max(n) from log')" t
		sql sql-$label 'insert into log values (0)'
		layerbox --quiet stop --kill sql-$label
	done
	said_more_than sql rows "$second"
	is "$(layerbox exec sql -- systemctl --failed --plain --no-legend)" ''
	layerbox --quiet stop --kill sql
}

# ------------------------------------------------------------------------------------ mosquitto and InfluxDB

influx() {
	layerbox exec "$1" -- curl -s -G http://localhost:8086/query --data-urlencode db=test --data-urlencode "q=$2"
}

influx_answers() {
	influx "$1" 'show databases' | grep -q series
}

broker_answers() {
	layerbox exec "$1" -- mosquitto_pub -q 1 -t hello -m hello 2> /dev/null
}

# How many of the retained messages it has.
messages_of() {
	layerbox exec "$1" -- sh -c 'mosquitto_sub -W 5 -t "n/#" -q 1 -F %p 2> /dev/null | wc -l'
}

@test "mosquitto and InfluxDB: every message that was saved, and every point" {
	local points messages
	wait_until 30 influx_answers iot
	wait_until 30 broker_answers iot
	layerbox exec iot -- curl -s -XPOST http://localhost:8086/query --data-urlencode 'q=create database test' > /dev/null
	writes iot points 'n=0; while n=$((n + 1)); do
		curl -s -f -XPOST "http://localhost:8086/write?db=test" --data-binary "log n=$n $n" || exit
		echo $n
	done'
	# The broker acknowledges first, and saves before it reads on: so all are saved but the last one.
	writes iot messages 'n=0; while n=$((n + 1)); do
		mosquitto_pub -q 1 -r -t n/$n -m $n || exit
		echo $((n - 1))
	done'
	points=$(said iot points)
	messages=$(said iot messages)
	snapshots iot first
	wait_until 20 said_more_than iot points "$points"
	wait_until 20 said_more_than iot messages "$messages"
	points=$(said iot points)
	messages=$(said iot messages)
	snapshots iot second
	layerbox --quiet stop --kill iot
	clone iot second copy
	wait_until 30 influx_answers copy
	wait_until 30 broker_answers copy
	holds copy points "$(influx copy 'select count(n) from log' | jq '.results[0].series[0].values[0][1]')" "$points"
	holds copy messages "$(messages_of copy)" "$messages"
	is "$(layerbox exec copy -- systemctl --failed --plain --no-legend)" ''
}
