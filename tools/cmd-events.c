/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* events: what happened to containers, and what is just happening. */
#include "command.h"

#include <time.h>

#include "moment.h"
#include "output.h"

struct show {
	bool as_json;
	int width;                    /* of the column of names, so far */
};

/* As in the file: a line of JSON each, for programs that read them as they come. */
static void show_json(const struct lb_event *event)
{
	const time_t seconds = (time_t)(event->time / 1000000);
	char text[32] = "", time[48];
	struct tm parts;
	json_t *object;

	if (gmtime_r(&seconds, &parts))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(time, sizeof time, "%s.%06dZ", text, (int)(event->time % 1000000));
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "time", time, "action", event->action, "container",
			   event->container, "result", event->result, "message", event->message, "pid",
			   (json_int_t)event->pid, "uid", (json_int_t)event->uid);
	if (object && json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
}

static void show_line(const struct lb_event *event, struct show *show)
{
	const time_t seconds = (time_t)(event->time / 1000000);
	char *message = text_shown(event->message), *action = text_shown(event->words);
	const char *container = *event->container ? event->container : "-";
	char time[32] = "";
	struct tm parts;

	if (localtime_r(&seconds, &parts))
		strftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &parts);
	if (show->width < (int)strlen(container))
		show->width = (int)strlen(container);
	if (message && action)
		printf("%s  %-*s  %s%s%s\n", time, show->width, container, action, *message ? ": " : "", message);
	free(message);
	free(action);
}

static void on_event(const struct lb_event *event, void *userdata)
{
	struct show *show = userdata;

	if (show->as_json)
		show_json(event);
	else
		show_line(event, show);
}

static int run(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "follow", no_argument, NULL, 'f' },
						      { "json", no_argument, NULL, 'j' },
						      { "since", required_argument, NULL, 's' },
						      { 0 } };
	struct lb_events_options options = { .size = sizeof options };
	struct show show = { .width = 16 };
	struct timespec now;
	int64_t moment;
	int option, r;

	while ((option = next_option_of(&command_events, argc, argv, ":f", long_options)) > 0) {
		if (option == 'f')
			options.follow = true;
		else if (option == 'j')
			show.as_json = true;
		else if (moment_read(optarg, -1, &moment))
			options.since = moment * 1000000;
		else
			return usage_error(&command_events,
					   "\"%s\" is no time: give one such as 15m, 12h, 30d, 2026-12-31 or "
					   "2026-12-31T18:00",
					   optarg);
	}
	if (option < 0)
		return EXIT_USAGE;
	if (options.follow && !options.since) {
		clock_gettime(CLOCK_REALTIME, &now);
		options.since = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
	}
	if (optind < argc)
		options.names = (const char *const *)argv + optind;
	setvbuf(stdout, NULL, options.follow ? _IOLBF : _IOFBF, BUFSIZ);
	r = lb_events(context, &options, on_event, &show);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_events = {
	.name = "events",
	.arguments = "[NAME...] [-f] [--since TIME] [--json]",
	.summary = "Show what happened to containers",
	.help = "  -f, --follow    go on with what happens from now on\n"
		"  --since TIME    what is not older: 15m, 12h, 30d, 2026-12-31 or 2026-12-31T18:00\n"
		"  --json          as JSON: an object on each line\n",
	.run = run,
};
