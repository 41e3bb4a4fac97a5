#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Backups: a repository of restic's that has whole backups or none, whatever happens, and containers made from them.
load ../lib/common

NO_REPOSITORY=28

setup() {
	repository=$BATS_TEST_TMPDIR/repository
	password=$BATS_TEST_TMPDIR/password
	export RESTIC_REPOSITORY=$repository RESTIC_PASSWORD_FILE=$password RESTIC_CACHE_DIR=$BATS_TEST_TMPDIR/cache
	echo secret > "$password"
	chmod 600 "$password"
	configure
	first_repository
}

# A repository costs restic a second, half of it to find out how dear its password's key may be: so one is copied.
first_repository() {
	local made=$BATS_FILE_TMPDIR/repository
	if [ -e "$made" ]; then
		cp -a "$made" "$repository"
	else
		layerbox --quiet backup init
		cp -a "$repository" "$made"
	fi
}

# configure LINE...: the host's settings, and these.
configure() {
	printf '%s\n' 'base = busybox' "backup.repository = $repository" "backup.password_file = $password" "$@" \
		> /etc/layerbox/layerbox.conf
}

# inside NAME SCRIPT: in a running container; what it writes is on disk.
inside() {
	layerbox exec "$1" -- sh -c "$2; sync"
}

# fill NAME MEGABYTES: with what cannot be compressed, while it does not run.
fill() {
	head -c "$2M" /dev/urandom > "$CONTAINERS/$1/rootfs-layer/filling"
}

kilobytes() {
	du -sk "$repository" | cut -f 1
}

# backups [NAME]: how many there are.
backups() {
	layerbox backup list "$@" --json | jq length
}

# The ID of a container's newest backup.
newest() {
	layerbox backup list "$1" --json | jq -r '.[-1].id'
}

outcome() {
	layerbox list --json | jq -r ".[] | select(.name == \"$1\") | .backup.$2"
}

mark_of() {
	layerbox status | awk -v name="$1" '$1 == name { print $NF }'
}

# What of a container's own files is whole, as it is seen inside.
digest_of() {
	layerbox exec "$1" -- sh -c 'cd /root && find . -type f | sort | xargs sha256sum'
}

# quietly COMMAND...: without its progress.
quietly() {
	local code=0
	"$@" 2> "$BATS_TEST_TMPDIR/words" || code=$?
	grep -v '^\[' "$BATS_TEST_TMPDIR/words" >&2 || true
	return $code
}

@test "two containers, one of which runs, and back" {
	make still
	make busy --start
	echo one > "$CONTAINERS/still/rootfs-layer/file"
	inside busy 'mkdir -p /root/d; echo one > /root/d/file; ln /root/d/file /root/d/link'
	layerbox exec busy -- sh -c 'while :; do echo x >> /root/log; sleep 0.01; done' &
	writer=$!
	succeeds layerbox backup run --all
	says "backed up still"
	says "backed up busy"
	first=$(newest busy)
	inside busy 'echo two > /root/d/file'
	succeeds layerbox backup run busy
	is "$(backups)" 3
	is "$(backups busy)" 2
	is "$(layerbox backup list busy --json | jq -r '.[0] | "\(.container) \(.base) \(.host) \(.with_base)"')" \
		"busy busybox@1 private-host false"
	is "$(layerbox snapshot list busy --json | jq -r '[.[].label] | join(" ")')" backup

	tells "restored again" quietly layerbox backup restore busy --as again
	layerbox --quiet backup restore "busy@$first" --as before
	layerbox --quiet start again before
	is "$(layerbox exec again -- cat /root/d/link)" two
	is "$(layerbox exec before -- cat /root/d/link)" one
	layerbox --quiet delete --force still
	layerbox --quiet backup restore still
	is "$(layerbox exec busy -- cat /root/d/file)" two
	layerbox --quiet start still
	is "$(layerbox exec still -- cat /file)" one
	# What was restored is backed up like any other.
	succeeds layerbox backup run again
	kill $writer
}

@test "as it was at a time" {
	make a
	echo one > "$CONTAINERS/a/rootfs-layer/file"
	layerbox --quiet backup run a
	moment=$(layerbox backup list a --json | jq '.[0].created')
	sleep 2 # times of backups are whole seconds, and these must differ
	layerbox --quiet start a
	inside a 'echo two > /file'
	layerbox --quiet stop --kill a
	layerbox --quiet backup run a
	layerbox --quiet backup restore "a@$(date -d "@$moment" +%FT%T)" --as before
	layerbox --quiet backup restore "a@$(date +%F)" --as after
	layerbox --quiet start before after
	is "$(layerbox exec before -- cat /file)" one
	is "$(layerbox exec after -- cat /file)" two
	refused "$NO_SNAPSHOT" "no such backup" layerbox backup restore a@2020-01-01 --as x
	refused "$NO_SNAPSHOT" "no such backup" layerbox backup restore a@0123456789 --as x
	refused "$NO_SNAPSHOT" "there is no backup" layerbox backup restore nobody
	refused "$BAD_VALUE" "must be NAME" layerbox backup restore a@yesterday
	refused "$EXISTS" "'a'" layerbox --quiet backup restore a
}

@test "a host that is lost altogether" {
	make a
	layerbox --quiet start a
	inside a 'echo precious > /root/file; chmod 4711 /root/file; chown 1000:1000 /root/file; mknod /root/pipe p'
	before=$(layerbox exec a -- ls -ln /root)
	mac=$(field a mac)
	layerbox --quiet stop --kill a
	layerbox --quiet backup run a
	with_base_too=$(newest a)
	layerbox --quiet backup run a --with-base
	is "$(layerbox backup list a --json | jq -r 'map(.with_base) | join(" ")')" "false true"
	layerbox --quiet delete a
	layerbox --quiet net down

	lost=$LAYERBOX_ROOT
	export LAYERBOX_ROOT=$BATS_TEST_TMPDIR/new
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	layerbox --quiet init
	refused "$NO_BASE" "busybox" layerbox --quiet backup restore "a@$with_base_too"
	layerbox --quiet backup restore a
	layerbox --quiet net up
	layerbox --quiet start a
	is "$(layerbox exec a -- ls -ln /root)" "$before"
	is "$(layerbox exec a -- cat /root/file)" precious
	is "$(layerbox info a --json | jq -r .mac)" "$mac"
	layerbox --quiet delete --force a
	layerbox --quiet net down
	export LAYERBOX_ROOT=$lost
	layerbox --quiet net up
}

# restic cuts where each repository's own random number says, 512 KiB to 8 MiB apart: so much a small change may cost.
LITTLE=9216

# make_big_base: one of more than that, which cannot be compressed.
make_big_base() {
	local tree=$BATS_TEST_TMPDIR/big
	cp -a "$(layerbox base show busybox --json | jq -r .directory)" "$tree"
	head -c 24M /dev/urandom > "$tree/filling"
	layerbox --quiet base import big "$tree"
	rm -r "$tree"
}

@test "what did not change, and what others have, takes no space again" {
	make_big_base
	make a --base big
	layerbox --quiet backup run a --with-base
	before=$(kilobytes)
	layerbox --quiet backup run a --with-base
	unchanged=$(($(kilobytes) - before))
	before=$(kilobytes)
	make b --base big
	layerbox --quiet backup run b --with-base
	of_base=$(($(kilobytes) - before))
	layerbox --quiet start a
	inside a 'echo x > /root/new'
	layerbox --quiet stop --kill a
	before=$(kilobytes)
	layerbox --quiet backup run a --with-base
	little=$(($(kilobytes) - before))
	echo "# unchanged: $unchanged KiB, another container on the base: $of_base KiB, one file more: $little KiB" >&3
	[ $unchanged -lt 256 ]
	[ $of_base -lt $LITTLE ]
	[ $little -lt $LITTLE ]
}

@test "of a running one goes what changed, too" {
	make a --start
	inside a 'mkdir /root/d; for i in $(seq 2000); do head -c 12288 /dev/urandom > /root/d/$i; done'
	layerbox --quiet backup run a
	before=$(kilobytes)
	inside a 'echo x > /root/d/1000'
	layerbox --quiet backup run a
	little=$(($(kilobytes) - before))
	before=$(kilobytes)
	layerbox --quiet backup run a
	unchanged=$(($(kilobytes) - before))
	echo "# one file of 2000 changed: $little KiB, unchanged: $unchanged KiB" >&3
	[ $unchanged -lt 256 ]
	[ $little -lt $LITTLE ] # of 24 MiB
}

@test "no repository, another password, a lock" {
	make a
	mv "$repository" "$repository.away"
	refused "$NO_REPOSITORY" "layerbox backup init" layerbox backup list
	refused "$NO_REPOSITORY" "layerbox backup init" layerbox backup run a
	is "$(outcome a result)" no-repository
	mv "$repository.away" "$repository"
	tells "there is a repository for backups already" layerbox backup init

	echo other > "$password"
	refused "$NO_REPOSITORY" "another password" layerbox backup run a
	chmod 644 "$password"
	refused "$BAD_CONFIG" "chmod 600" layerbox backup run a
	echo secret > "$password"
	chmod 600 "$password"

	restic check --read-data > "$BATS_TEST_TMPDIR/check" 2>&1 3>&- &
	holder=$!
	wait_until 5 locked
	kill -STOP $holder
	refused "$NO_REPOSITORY" "layerbox backup unlock" layerbox backup run a
	[[ $stderr == *"exclusively by PID"* ]]
	succeeds layerbox backup unlock
	refused "$NO_REPOSITORY" "locked" layerbox backup run a
	kill -KILL $holder
	wait $holder || true
	refused "$NO_REPOSITORY" "locked" layerbox backup run a
	succeeds layerbox backup unlock
	succeeds layerbox backup run a
	is "$(backups)" 1
	configure "backup.repository ="
	refused "$NO_REPOSITORY" "backup.repository" layerbox backup run a
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$(command -v restic)" "$BATS_TEST_TMPDIR/bin"
	configure
	mount --bind /dev/null "$(command -v restic)"
	run layerbox backup run a
	umount "$(command -v restic)"
	is "$status" "$NO_PROGRAM"
	[[ $output == *"apt install restic"* ]]
}

locked() {
	ls "$repository/locks" | grep -qE '^[0-9a-f]{64}$'
}

packs() {
	[ -n "$(find "$repository/data" -type f)" ]
}

# begin NAME: a backup of it is under way, and has sent something.
begin() {
	command layerbox --quiet backup run "$1" 3>&- 2> "$BATS_TEST_TMPDIR/stderr" &
	running=$!
	wait_until 20 packs
}

no_restic() {
	! pgrep -x restic
}

@test "killed in the middle: nothing is recorded, and the next one works" {
	make a
	fill a 150
	begin a
	kill -KILL $running
	wait $running || true
	wait_until 5 no_restic
	is "$(backups)" 0
	is "$(restic snapshots --json --no-lock | jq length)" 0
	succeeds layerbox backup run a
	is "$(backups)" 1
	is "$(layerbox snapshot list a --json | jq -r '[.[].label] | join(" ")')" backup
	layerbox --quiet backup unlock
	succeeds layerbox backup check --read-data
}

@test "a stream that breaks off is not taken for a whole one" {
	make a
	fill a 150
	begin a
	pkill -KILL -x layerbox-stream || pkill -KILL -f 'layerbox-stream pack'
	status=0
	wait $running || status=$?
	is "$status" "$PROGRAM_FAILED"
	no_restic
	is "$(backups)" 0
	is "$(outcome a result)" program-failed
	succeeds layerbox backup run a
	is "$(backups)" 1
	is "$(mark_of a)" ok
	# Its lock is gone.
	succeeds layerbox backup check
}

@test "one at a time of a container" {
	make a
	fill a 150
	begin a
	refused "$BUSY" "backed up already" layerbox backup run a
	wait $running
	is "$(backups)" 1
	is "$(outcome a result)" ok
}

@test "a full disk" {
	make a
	fill a 30
	mkdir "$BATS_TEST_TMPDIR/small"
	mount -t tmpfs -o size=12M tmpfs "$BATS_TEST_TMPDIR/small"
	repository=$BATS_TEST_TMPDIR/small/repository
	configure
	layerbox --quiet backup init
	refused "$NO_SPACE" "full disk" layerbox --quiet backup run a
	is "$(backups)" 0
	is "$(outcome a result)" ENOSPC
	mount -o remount,size=100M "$BATS_TEST_TMPDIR/small"
	succeeds layerbox backup run a
	is "$(backups)" 1
	umount "$BATS_TEST_TMPDIR/small"
}

@test "programs of a container before and behind its snapshot" {
	make a --start
	inside a "printf '#!/bin/sh\necho \"\$1\" >> /root/order; exit \$(cat /root/code-\$1)\n' > /bin/hook; chmod 755 /bin/hook
		echo 0 > /root/code-pre; echo 0 > /root/code-post"
	layerbox --quiet set a backup.pre='/bin/hook pre' backup.post='/bin/hook post'
	succeeds layerbox backup run a
	is "$(layerbox exec a -- cat /root/order)" $'pre\npost'
	layerbox --quiet backup restore a --as b
	layerbox --quiet start b
	is "$(layerbox exec b -- cat /root/order)" pre

	# Without its consent there is no backup; but what it began is ended.
	inside a 'echo "echo not now; exit 7" > /bin/hook.new; echo 7 > /root/code-pre; rm /root/order'
	refused "$PROGRAM_FAILED" "backup.pre \`/bin/hook pre\` ended with status 7" layerbox --quiet backup run a
	is "$(backups a)" 1
	is "$(layerbox exec a -- cat /root/order)" $'pre\npost'
	is "$(mark_of a)" FAILED

	# The files are good, but somebody has to look.
	inside a 'echo 0 > /root/code-pre; echo 9 > /root/code-post'
	refused "$PROGRAM_FAILED" "its backup was made" layerbox --quiet backup run a
	is "$(backups a)" 2
	layerbox --quiet stop --kill a
	rm -rf "$CONTAINERS/a/rootfs-layer/root/order"
	succeeds layerbox backup run a
	[ ! -e "$CONTAINERS/a/rootfs-layer/root/order" ]
}

@test "what backup.keep does not keep goes, and its space" {
	make a
	make b
	fill a 20
	layerbox --quiet backup run --all
	layerbox --quiet start a
	inside a 'rm /filling'
	layerbox --quiet stop --kill a
	sleep 1
	layerbox --quiet backup run --all
	tells "every backup is kept" layerbox backup forget
	before=$(kilobytes)
	configure 'backup.keep = 1'
	oldest=$(layerbox backup list a --json | jq -r '.[0].id')
	succeeds layerbox backup forget a
	is "$stderr" "forgot a@$oldest"
	is "$(backups a) $(backups b)" "1 2"
	[ $(($(kilobytes) + 15000)) -lt "$before" ]
	# Those of other hosts are theirs.
	hostname elsewhere
	tells "every backup is kept" layerbox backup forget
	hostname private-host
	succeeds layerbox backup forget --all
	is "$(backups)" 2
	layerbox --quiet backup restore a --as again
}

@test "how it went is shown, and told once when it changes" {
	printf '#!/bin/sh\necho "$LAYERBOX_EVENT $LAYERBOX_CONTAINER $1" >> %s\n' "$BATS_TEST_TMPDIR/alerts" > "$BATS_TEST_TMPDIR/alerter"
	chmod 755 "$BATS_TEST_TMPDIR/alerter"
	configure "alert.command = $BATS_TEST_TMPDIR/alerter word"
	make a
	is "$(mark_of a)" -
	is "$(outcome a result)" null
	layerbox --quiet backup run a
	is "$(mark_of a)" ok
	mv "$repository" "$repository.away"
	refused "$NO_REPOSITORY" "container 'a'" layerbox backup run a
	refused "$NO_REPOSITORY" "container 'a'" layerbox backup run a
	is "$(mark_of a)" FAILED
	[[ $(layerbox info a) == *"FAILED at"* ]]
	[ "$(outcome a last_run)" -ge "$(outcome a last_success)" ]
	mv "$repository.away" "$repository"
	layerbox --quiet backup run a
	layerbox --quiet backup run a
	is "$(cat "$BATS_TEST_TMPDIR/alerts")" $'backup-failed a word\nbackup-good a word'
	sed -i 's/^last_success = .*/last_success = 1700000000/' "$CONTAINERS/a/backup-outcome"
	is "$(mark_of a)" old
}
