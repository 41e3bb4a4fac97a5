/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* watch and check: the supervisor, and one look whether containers are well. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command.h"
#include "notify.h"
#include "unit-conditions.h"

/* systemd hears that it is up, and from then on that it lives. */
static void on_alive(void *userdata)
{
	bool *is_up = userdata;

	notify(*is_up ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1");
	if (!*is_up)
		say("watching");
	*is_up = true;
}

static void on_event(const char *event, const char *container, const char *text, void *userdata)
{
	(void)userdata;
	printf("%s%s%s: %s\n", event, *container ? " " : "", container, text);
	fflush(stdout);
}

/* It ends when one of them comes, which nobody else is interrupted by. */
static int open_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	if (sigprocmask(SIG_BLOCK, &ends, NULL) < 0)
		return -1;
	return signalfd(-1, &ends, SFD_CLOEXEC);
}

static int run_watch(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	bool is_up = false;
	struct lb_watch_options options = { .size = sizeof options, .alive = on_alive,
					    .fn = output_is_journal() ? NULL : on_event, .userdata = &is_up };
	int r;

	if (next_option(&command_watch, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_watch, "it takes no arguments: it watches all containers of the root");
	options.stop_fd = open_signals();
	if (options.stop_fd < 0) {
		fprintf(stderr, "layerbox: cannot wait for signals: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	/* Threads come and go: what each would have for itself stays with the process. */
	mallopt(M_ARENA_MAX, 1);
	signal(SIGPIPE, SIG_IGN);
	r = lb_watch(context, &options);
	notify("STOPPING=1");
	close(options.stop_fd);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int check_one(struct lb_context *context, const char *name)
{
	int result = EXIT_OK, r;
	struct lb_container *container = open_container(context, name, &result);

	if (!container)
		return result;
	r = lb_container_check(container);
	if (r == 0)
		say("container '%s' is well", name);
	else if (r > 0)
		say("container '%s' has no check; set health.tcp, health.http or health.command", name);
	else
		result = report_failure(context, r);
	lb_container_free(container);
	return result;
}

static int run_check(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "all", no_argument, NULL, 'a' }, { 0 } };
	bool all = false;
	int option, result = EXIT_OK;
	char **names;

	while ((option = next_option(&command_check, argc, argv, long_options)) > 0)
		all = true;
	if (option < 0)
		return EXIT_USAGE;
	names = names_of(context, &command_check, argc, argv, all, &result);
	for (char **name = names; name && *name; name++) {
		int r = check_one(context, *name);

		result = result ? result : r;
	}
	free_names(names);
	return result;
}

const struct command command_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "Be the supervisor: check containers, start again what ended, alert",
	.help = "It runs until it is told to end by SIGTERM, and says what it does. layerbox-watch.service runs it.\n"
		"Without it containers run on.\n",
	.run = run_watch,
};

const struct command command_check = {
	.name = "check",
	.arguments = "NAME... | --all",
	.summary = "Look whether containers are well, now",
	.help = "  --all          all containers\n\nThe exit code is 24 where a check fails; see `layerbox set --help`.\n",
	.run = run_check,
};
