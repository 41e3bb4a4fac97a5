/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rights.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/utsname.h>

#include "../util/file.h"

int rights_require_root(struct lb_context *ctx)
{
	static const cap_value_t needed[] = { CAP_SYS_ADMIN, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_SETUID, CAP_SETGID };
	cap_t caps = cap_get_proc();
	bool all = caps != NULL;

	for (size_t i = 0; all && i < sizeof needed / sizeof *needed; i++) {
		cap_flag_value_t value = CAP_CLEAR;

		all = cap_get_flag(caps, needed[i], CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
	}
	if (caps)
		cap_free(caps);
	if (!all)
		return fail(ctx, -LB_ERR_NOT_ROOT, "this needs root; run it again with sudo");
	return 0;
}

/* Is overlayfs built in or loaded, or can its module be loaded on demand? */
static bool has_overlayfs(const char *release)
{
	static const char *const suffixes[] = { "", ".xz", ".gz", ".zst" };
	CLEANUP_FREE char *filesystems = NULL;

	if (file_read(AT_FDCWD, "/proc/filesystems", 65536, &filesystems, NULL) == 0 &&
	    strstr(filesystems, "\toverlay\n"))
		return true;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char module[512];

		snprintf(module, sizeof module, "/lib/modules/%s/kernel/fs/overlayfs/overlay.ko%s", release,
			 suffixes[i]);
		if (access(module, F_OK) == 0)
			return true;
	}
	return false;
}

int rights_require_kernel(struct lb_context *ctx, bool unprivileged)
{
	struct utsname kernel;
	unsigned major = 0, minor = 0;

	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		return fail(ctx, -LB_ERR_KERNEL, "cannot find out which kernel this is");
	if (!has_overlayfs(kernel.release))
		return fail(ctx, -LB_ERR_KERNEL,
			    "this kernel (%s) has no overlayfs, on which every container stands; boot one that has, or "
			    "load it with `modprobe overlay`",
			    kernel.release);
	if (unprivileged && (major < 5 || (major == 5 && minor < 19)))
		return fail(
			ctx, -LB_ERR_KERNEL,
			"this kernel (%s) cannot give an unprivileged container its own ids over a shared base; that "
			"needs Linux 5.19 or newer. Upgrade the kernel, or create the container with --privileged if "
			"its users may be trusted with the host",
			kernel.release);
	return 0;
}
