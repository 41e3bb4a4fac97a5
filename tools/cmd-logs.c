/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* logs: what containers have logged, in their journals or on their consoles. */
#include "command.h"

#include "moment.h"

enum { ALL = 256, BOOT, CONSOLE, SINCE, UNIT };

struct arguments {
	struct lb_logs_options options;
	bool all;
};

/* Of several, each line says whose it is. */
static void on_line(const char *name, const char *line, void *userdata)
{
	const int *width = userdata;

	if (*width)
		printf("%-*s  %s\n", *width, name, line);
	else
		puts(line);
}

static int width_of(char *const *names, bool all)
{
	int width = 0;

	for (size_t i = 0; names[i]; i++)
		if ((int)strlen(names[i]) > width)
			width = (int)strlen(names[i]);
	return all || (names[0] && names[1]) ? width : 0;
}

static int read_option(int option, struct arguments *arguments)
{
	struct lb_logs_options *options = &arguments->options;
	unsigned long lines;
	int64_t moment;
	char *end;

	switch (option) {
	case 'f':
		options->follow = true;
		return EXIT_OK;
	case 'n':
		lines = strtoul(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end || lines < 1 || lines > 100000)
			return usage_error(&command_logs, "--lines is a number from 1 to 100000");
		options->lines = (unsigned)lines;
		return EXIT_OK;
	case SINCE:
		if (!moment_read(optarg, -1, &moment))
			return usage_error(&command_logs,
					   "\"%s\" is no time: give one such as 15m, 12h, 30d, 2026-12-31 or "
					   "2026-12-31T18:00",
					   optarg);
		options->since = moment * 1000000;
		return EXIT_OK;
	case ALL:
		arguments->all = true;
		return EXIT_OK;
	case BOOT:
		options->boot = true;
		return EXIT_OK;
	case CONSOLE:
		options->console = true;
		return EXIT_OK;
	default:
		options->unit = optarg;
		return EXIT_OK;
	}
}

static int read_options(int argc, char **argv, struct arguments *arguments)
{
	static const struct option long_options[] = { { "all", no_argument, NULL, ALL },
						      { "boot", no_argument, NULL, BOOT },
						      { "console", no_argument, NULL, CONSOLE },
						      { "follow", no_argument, NULL, 'f' },
						      { "lines", required_argument, NULL, 'n' },
						      { "since", required_argument, NULL, SINCE },
						      { "unit", required_argument, NULL, UNIT },
						      { 0 } };
	const struct lb_logs_options *options = &arguments->options;
	int option, result;

	while ((option = next_option_of(&command_logs, argc, argv, ":fn:", long_options)) > 0) {
		result = read_option(option, arguments);
		if (result != EXIT_OK)
			return result;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (options->console && (options->boot || options->unit || options->since))
		return usage_error(&command_logs, "a console's log does not say when, or by which unit: give --console "
						  "without --boot, --since and --unit");
	return EXIT_OK;
}

static int run(struct lb_context *context, int argc, char **argv)
{
	struct arguments arguments = { .options.size = sizeof arguments.options };
	int width, r, result = read_options(argc, argv, &arguments);
	char **names;

	if (result != EXIT_OK)
		return result;
	names = names_of(context, &command_logs, argc, argv, arguments.all, &result);
	if (!names)
		return result;
	width = width_of(names, arguments.all);
	setvbuf(stdout, NULL, arguments.options.follow ? _IOLBF : _IOFBF, BUFSIZ);
	r = lb_logs(context, (const char *const *)names, &arguments.options, on_line, &width);
	free_names(names);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_logs = {
	.name = "logs",
	.arguments = "NAME...|--all [-f] [-n LINES] [--since TIME] [--boot] [--unit UNIT] [--console]",
	.summary = "Show what containers have logged",
	.help = "  -f, --follow       go on with what is logged from now on\n"
		"  -n, --lines LINES  so many of the last\n"
		"  --since TIME       what is not older: 15m, 12h, 30d, 2026-12-31 or 2026-12-31T18:00\n"
		"  --boot             since the container was started last\n"
		"  --unit UNIT        of this systemd unit\n"
		"  --console          what it printed on its console, even where it has a journal\n"
		"  --all              of every container\n"
		"\n  Of several containers, each line has the name in front.\n",
	.run = run,
};
