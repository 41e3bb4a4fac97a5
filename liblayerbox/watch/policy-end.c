/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a container ended, by the status of its init. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "policy.h"

/* Of a container's init: the kernel ends it with SIGINT when the container powers off, with SIGHUP to boot again. */
bool policy_is_failure(int status)
{
	if (status == POLICY_UNKNOWN)
		return true;
	return WIFSIGNALED(status) ? WTERMSIG(status) != SIGINT : !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

void policy_describe_end(int status, char *ret_text, size_t size)
{
	const char *signal_name;

	if (status == POLICY_UNKNOWN) {
		snprintf(ret_text, size, "ended, nobody saw how");
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) {
		snprintf(ret_text, size, "powered off");
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP) {
		snprintf(ret_text, size, "did not come back from a reboot");
	} else if (WIFSIGNALED(status)) {
		signal_name = sigabbrev_np(WTERMSIG(status));
		snprintf(ret_text, size, "was ended by signal %d (%s%s)", WTERMSIG(status), signal_name ? "SIG" : "",
			 signal_name ? signal_name : "real-time");
	} else {
		snprintf(ret_text, size, "ended with status %d", WEXITSTATUS(status));
	}
}
