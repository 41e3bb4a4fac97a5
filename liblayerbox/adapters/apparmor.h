/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AppArmor, by its files in /sys and /proc: which profile containers run under, and the one that LXC's own tools
 * are held in. Debian's lxc brings the profiles; to have one made for each container (`generated`) would run
 * apparmor_parser(8) at every start and stop.
 */
#pragma once

#include <stdbool.h>

enum apparmor_state {
	APPARMOR_OFF,                 /* the kernel has none, or it is switched off */
	APPARMOR_READY,               /* on, and LXC's profiles are loaded */
	APPARMOR_WITHOUT_PROFILES,    /* on, but nobody has loaded LXC's profiles */
};

enum apparmor_state apparmor_get_state(void);

/* What `lxc.apparmor.profile` has to be for a container; NULL where it must not be set. */
const char *apparmor_container_profile(enum apparmor_state state);

/*
 * Debian's profile of lxc-start lets a hook mount below /var/lib/lxc only, but also lets it leave the profile: does
 * that. Where there is nothing to leave, nothing happens.
 */
void apparmor_leave_profile(void);
