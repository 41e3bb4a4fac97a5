# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
#
# What systemd does with containers, from boot to shutdown, on a host of system.bash: the same for the two ways in which
# they are started, `own` (layerbox's network and layerbox.service) and `lxc` (lxc-net, and lxc.service with its drop-in).

five='alpha beta gamma delta epsilon'

# the_way WAY: the network and the unit that starts containers there; a reboot makes it so.
the_way() {
	way=$1
	if [ "$way" = own ]; then
		unit=layerbox.service
		in_host systemctl --quiet disable lxc.service lxc-net.service
		in_host systemctl --quiet mask lxc-net.service
	else
		unit=lxc.service
		in_host systemctl --quiet unmask lxc-net.service
		in_host systemctl --quiet enable lxc.service lxc-net.service
	fi
	# As quickstart does it: who starts containers is decided by whether lxc.service is enabled.
	in_host systemctl --quiet enable layerbox-net.service layerbox.service
	! has_supervisor || in_host systemctl --quiet enable layerbox-watch.service
}

has_supervisor() {
	in_host layerbox watch --help > /dev/null 2>&1
}

# Five containers, that note when they are shut down as they should.
make_five() {
	local base
	base=$(in_host layerbox base show busybox --json | jq -r .directory)
	in_host grep -q ends "$base/etc/init.d/halt" || in_host sed -i '2i echo shut down >> /root/ends' "$base/etc/init.d/halt"
	# shellcheck disable=SC2086
	succeeds in_host layerbox create $five --base busybox --start
}

state_of() {
	in_host layerbox info "$1" --json | jq -r .state
}

pids() {
	in_host layerbox list --json | jq -c '[.[] | [.name, .pid]]'
}

ends_of() {
	in_host sh -c "cat /var/lib/layerbox/containers/$1/rootfs-layer/root/ends 2> /dev/null | wc -l"
}

property() {
	in_host systemctl show --value --property "$2" "$1"
}

is_active() {
	[ "$(property "$1" ActiveState)" = active ]
}

nothing_failed() {
	is "$(in_host systemctl --failed --plain --no-legend)" ''
}

finds() {
	in_host layerbox exec "$1" -- ping -c 1 -W 1 "$2"
}

# How often the journal has the line since the host booted.
times_told() {
	in_host journalctl --boot --output cat | grep -cxF "$1" || true
}

# All five run, started once each by the one unit that has to, and know each other by name.
all_are_up() {
	local name other
	is "$(in_host systemctl is-system-running)" running
	nothing_failed
	is_active $unit
	is_active layerbox-shutdown.service
	[ $way = own ] || is "$(property layerbox.service ConditionResult)" no
	[ $way = own ] || refute is_active layerbox.service
	[ $way = lxc ] || refute is_active lxc.service
	is "$(in_host layerbox net status --json | jq -r '.manager + .problem')" "$([ $way = own ] && echo layerbox || echo lxc-net)"
	for name in $five; do
		is "$(state_of "$name")" running
		is "$(pgrep -cf "^\[lxc monitor\] /var/lib/layerbox/containers $name\$")" 1
		is "$(times_told "started $name")" 1
	done
	set -- $five
	for name in $five; do
		shift
		other=${1:-alpha}
		wait_until 10 finds "$name" "$other"
	done
}

reboot_host() {
	local began=$EPOCHSECONDS
	stop_host
	[ $((EPOCHSECONDS - began)) -lt 30 ] || fail "the host took $((EPOCHSECONDS - began)) s to stop"
	start_host
}

# reboot_brings_back ENDS: what ran was shut down, ENDS times by now, and runs again.
reboot_brings_back() {
	local name
	reboot_host
	all_are_up
	for name in $five; do
		is "$(ends_of "$name")" "$1"
	done
}

no_unit_stops_containers() {
	local before name
	before=$(pids)
	in_host systemctl restart layerbox.service layerbox-net.service layerbox-shutdown.service
	in_host systemctl restart lxc.service || [ $way = own ]
	in_host systemctl stop layerbox.service layerbox-shutdown.service
	[ $way = own ] || in_host systemctl stop lxc.service
	is "$(pids)" "$before"
	in_host systemctl start layerbox-shutdown.service $unit
	is "$(pids)" "$before"
	for name in $five; do
		is "$(ends_of "$name")" "$1"
	done
	nothing_failed
}

# One that cannot start: its unit is failed, and names it; the others run on, and are shut down all the same.
one_broken_is_seen() {
	local before
	in_host layerbox --quiet create broken --base busybox
	in_host sh -c 'echo lxc.no.such.key = 1 > /var/lib/layerbox/containers/broken/config.local'
	before=$(pids)
	refute in_host systemctl restart $unit
	is "$(in_host systemctl --failed --plain --no-legend | cut -d ' ' -f 1)" $unit
	in_host journalctl --unit $unit --output cat | grep -qF "container 'broken'"
	is "$(pids)" "$before"
	stop_host
	start_host
	is "$(in_host systemctl --failed --plain --no-legend | cut -d ' ' -f 1)" $unit
	is "$(in_host layerbox list --json | jq -r '[.[] | select(.state == "running") | .name] | join(" ")')" \
		"$(printf '%s\n' $five | sort | xargs)"
	is "$(ends_of alpha)" "$1"
	in_host layerbox --quiet delete broken
	in_host systemctl restart $unit
	nothing_failed
}

unit_has() {
	[ "$(property layerbox@epsilon.service "$1")" = "$2" ]
}

# One container as a unit of its own.
a_unit_of_its_own() {
	local pid
	in_host layerbox --quiet stop epsilon
	in_host layerbox --quiet set epsilon autostart=no
	in_host systemctl start layerbox@epsilon.service
	is "$(state_of epsilon)" running
	in_host systemctl status layerbox@epsilon.service | grep -qF 'Status: "running, 10.0.3.'
	pid=$(in_host layerbox info epsilon --json | jq .pid)
	# What is done to its process is not done to the container, and it is found again.
	in_host systemctl kill --signal=KILL layerbox@epsilon.service
	wait_until 5 unit_has ActiveState failed
	in_host systemctl start layerbox@epsilon.service
	in_host systemctl kill --signal=TERM layerbox@epsilon.service
	wait_until 5 unit_has ActiveState inactive
	in_host systemctl start layerbox@epsilon.service
	is "$(in_host layerbox info epsilon --json | jq .pid)" "$pid"
	in_host systemctl stop layerbox@epsilon.service
	is "$(state_of epsilon)" stopped
	unit_has ActiveState inactive
	in_host systemctl start layerbox@epsilon.service
	in_host layerbox --quiet stop epsilon
	wait_until 10 unit_has ActiveState inactive
	nothing_failed
	in_host layerbox --quiet set epsilon autostart=yes
	in_host layerbox --quiet start epsilon
}

watched_by_another() {
	is_active layerbox-watch.service && [ "$(property layerbox-watch.service MainPID)" != "$1" ]
}

# The supervisor is there, and again when it was killed; containers do not notice.
supervisor_comes_back() {
	local before pid
	before=$(pids)
	is_active layerbox-watch.service
	pid=$(property layerbox-watch.service MainPID)
	in_host kill -KILL "$pid"
	wait_until 10 watched_by_another "$pid"
	is "$(pids)" "$before"
	nothing_failed
}

# boot_and_shutdown WAY: all of that, on a host that is up and has the base.
boot_and_shutdown() {
	the_way "$1"
	reboot_host
	make_five
	reboot_brings_back 1
	no_unit_stops_containers 1
	! has_supervisor || supervisor_comes_back
	one_broken_is_seen 2
	a_unit_of_its_own
	in_host layerbox --quiet delete --all --force
}
