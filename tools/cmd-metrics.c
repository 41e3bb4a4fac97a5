/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metrics: numbers for a monitoring system. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Beside it, under a name with a dot in front that node_exporter does not read. The caller's; NULL without memory. */
static char *temporary_name(const char *file)
{
	const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
	char *temporary;

	return asprintf(&temporary, "%.*s.%s.XXXXXX", (int)(name - file), file, name) < 0 ? NULL : temporary;
}

/* Who reads the file sees all of the old text or all of the new one. */
static int replace_file(const char *file, const char *text)
{
	char *temporary = temporary_name(file);
	int fd = temporary ? mkostemp(temporary, O_CLOEXEC) : -1, r = fd < 0 ? -errno : 0;

	if (fd >= 0) {
		r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, text);
		if (close(fd) < 0 && r == 0)
			r = -errno;
		if (r == 0 && rename(temporary, file) < 0)
			r = -errno;
		if (r < 0)
			unlink(temporary);
	}
	free(temporary);
	return r;
}

static int run_metrics(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "prometheus", no_argument, NULL, 'p' },
						 { "output", required_argument, NULL, 'o' },
						 { "measure", no_argument, NULL, 'm' },
						 { 0 } };
	enum lb_metrics_format format = LB_METRICS_OPENMETRICS;
	const char *file = NULL;
	bool measure = false;
	int option, r = 0;
	char *text;

	while ((option = next_option(&command_metrics, argc, argv, options)) > 0) {
		if (option == 'p')
			format = LB_METRICS_PROMETHEUS;
		else if (option == 'm')
			measure = true;
		else
			file = optarg;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_metrics, "it takes no names: metrics are of all containers");
	if (measure)
		r = lb_usage_measure(context, UINT_MAX);
	if (r >= 0)
		r = lb_metrics(context, format, &text);
	if (r < 0)
		return report_failure(context, r);
	if (file)
		r = replace_file(file, text);
	else
		fputs(text, stdout);
	free(text);
	if (r >= 0)
		return EXIT_OK;
	fprintf(stderr, "layerbox: cannot write %s: %s\n", file, strerror(-r));
	return exit_code(r);
}

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "[--measure] [--prometheus] [--output FILE]",
	.summary = "Show numbers for a monitoring system, in OpenMetrics' text format",
	.help = "  --measure      first measure the top layers that were not for an hour, however long that takes\n"
		"  --prometheus   in the older format of Prometheus, as node_exporter reads it from files\n"
		"  --output FILE  replace that file, in one step\n",
	.run = run_metrics,
};
