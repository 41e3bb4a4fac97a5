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

/* One that is not ready in time runs on, and what comes after it begins all the same, as in `start --all`. */
static int become_ready(struct lb_context *context, struct lb_container *container)
{
	int ready = lb_container_wait_ready(container), r;
	const char *ipv4;
	char state[160];

	if (ready < 0)
		report_failure(context, ready);
	r = lb_container_refresh(container);
	if (r < 0)
		return report_failure(context, r);
	ipv4 = lb_container_get_ipv4(container);
	snprintf(state, sizeof state, "READY=1\nSTATUS=%s%s, %s%sinit is process %d\n",
		 lb_state_name(lb_container_get_state(container)), ready < 0 ? ", not ready in time" : "", ipv4,
		 *ipv4 ? ", " : "", (int)lb_container_get_pid(container));
	notify(state);
	return EXIT_OK;
}

static int tell_end(const char *name, enum lb_end end)
{
	if (end == LB_END_FAILED)
		fprintf(stderr, "layerbox: container '%s' has failed\n", name);
	else
		say(end == LB_END_SHUT_DOWN ? "%s was shut down" : "%s has ended", name);
	return end == LB_END_FAILED ? EXIT_FAILED : EXIT_OK;
}

static int start_and_wait(struct lb_context *context, struct lb_container *container)
{
	const char *name = lb_container_get_name(container);
	int signal_fd, r = lb_container_start(container, NULL);
	enum lb_end end;

	if (r < 0)
		return report_failure(context, r);
	say("%s %s", r == 0 ? "started" : "running already:", name);
	r = become_ready(context, container);
	if (r != EXIT_OK)
		return r;
	signal_fd = take_signals();
	r = lb_container_wait(container, signal_fd, &end);
	close(signal_fd);
	notify("STOPPING=1");
	if (r < 0)
		return report_failure(context, r);
	if (r == 0)
		return tell_end(name, end);
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
