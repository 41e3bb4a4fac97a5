/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "foreground.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command.h"
#include "notify.h"

/*
 * A descriptor to read signals from that would end this program. Not before the container has been started: a blocked
 * signal is handed down to whatever is run.
 */
static int take_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static void tell_ready(struct lb_container *container)
{
	const char *ipv4 = lb_container_get_ipv4(container);
	char state[160];

	snprintf(state, sizeof state, "READY=1\nSTATUS=%s, %s%sinit is process %d\n",
		 lb_state_name(lb_container_get_state(container)), ipv4, *ipv4 ? ", " : "",
		 (int)lb_container_get_pid(container));
	notify(state);
}

/* What its end, after @status, comes to. */
static int tell_end(const char *name, int status)
{
	if (status <= 0) {
		say(status == 0 ? "%s was shut down" : "%s has ended", name);
		return EXIT_OK;
	}
	if (status > 128)
		fprintf(stderr, "layerbox: container '%s' failed: signal %d (%s) ended its init\n", name, status - 128,
			strsignal(status - 128));
	else
		fprintf(stderr, "layerbox: container '%s' failed: its init ended with status %d\n", name, status);
	return EXIT_FAILED;
}

static int start_and_wait(struct lb_context *context, struct lb_container *container)
{
	const char *name = lb_container_get_name(container);
	int signal_fd, status, r = lb_container_start(container, NULL);

	if (r < 0)
		return report_failure(context, r);
	say("%s %s", r == 0 ? "started" : "running already:", name);
	signal_fd = take_signals();
	r = lb_container_refresh(container);
	if (r < 0)
		return report_failure(context, r);
	tell_ready(container);
	r = lb_container_wait(container, signal_fd, &status);
	close(signal_fd);
	notify("STOPPING=1");
	if (r < 0)
		return report_failure(context, r);
	if (r == 0)
		return tell_end(name, status);
	say("%s is left as it is", name);
	return EXIT_OK;
}

int run_in_foreground(struct lb_context *context, const char *name)
{
	int result;
	struct lb_container *container = open_container(context, name, &result);

	if (!container)
		return result;
	result = start_and_wait(context, container);
	lb_container_free(container);
	return result;
}
