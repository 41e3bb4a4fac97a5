/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apparmor.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/text.h"

/* One that lets systemd in a container mount what it needs for its services' sandboxes. */
#define PROFILE "lxc-container-default-with-nesting"

enum { PROFILES_BYTES_MAX = 4 << 20 };

enum apparmor_state apparmor_get_state(void)
{
	CLEANUP_FREE char *enabled = NULL;
	CLEANUP_FREE char *profiles = NULL;

	if (file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &enabled, NULL) < 0 || *enabled != 'Y')
		return APPARMOR_OFF;
	if (file_read(AT_FDCWD, "/sys/kernel/security/apparmor/profiles", PROFILES_BYTES_MAX, &profiles, NULL) < 0 ||
	    !strstr(profiles, PROFILE " ("))
		return APPARMOR_WITHOUT_PROFILES;
	return APPARMOR_READY;
}

const char *apparmor_container_profile(enum apparmor_state state)
{
	if (state == APPARMOR_OFF)
		return NULL;
	return state == APPARMOR_READY ? PROFILE : "unconfined";
}

void apparmor_leave_profile(void)
{
	static const char command[] = "changeprofile unconfined";

	if (file_write_existing(AT_FDCWD, "/proc/self/attr/apparmor/current", command) < 0)
		(void)file_write_existing(AT_FDCWD, "/proc/self/attr/current", command);
}
