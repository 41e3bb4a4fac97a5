/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots that come and go by themselves. */
#include "command.h"

static const struct option none[] = { { 0 } };

struct tale {
	const char *done;             /* "removed snapshot" */
	bool failed;                  /* a failure has been told */
};

static void on_result(const char *name, int result, const char *error, void *userdata)
{
	struct tale *tale = userdata;

	if (result >= 0) {
		say("%s %s", tale->done, name);
		return;
	}
	fprintf(stderr, "layerbox: %s\n", error);
	tale->failed = true;
}

static int run_prune(struct lb_context *context, int argc, char **argv)
{
	struct tale tale = { .done = "removed snapshot" };
	int r;

	if (next_option(&command_snapshot_prune, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_snapshot_prune, "it takes one container, or none for all");
	r = lb_snapshot_prune(context, argv[optind], on_result, &tale);
	if (r == 1)
		say("every snapshot is to be kept");
	return r < 0 && !tale.failed ? report_failure(context, r) : exit_code(r);
}

static int run_run(struct lb_context *context, int argc, char **argv)
{
	struct tale tale = { .done = "made a snapshot of" };
	int r;

	if (next_option(&command_snapshot_run, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind > 0)
		return usage_error(&command_snapshot_run, "it takes no arguments");
	r = lb_snapshot_run(context, on_result, &tale);
	if (r == 1)
		say("no snapshot is due");
	return r < 0 && !tale.failed ? report_failure(context, r) : exit_code(r);
}

const struct command command_snapshot_prune = {
	.name = "snapshot prune",
	.arguments = "[NAME]",
	.summary = "Delete snapshots that have expired or that no policy keeps",
	.help = "Of those that a schedule made, the key `snapshot.keep` says which are kept; others stay until they "
		"expire.\n",
	.run = run_prune,
};

const struct command command_snapshot_run = {
	.name = "snapshot run",
	.arguments = "",
	.summary = "Make the snapshots that are due by schedules, then prune",
	.help = "layerbox-snapshot.timer does so. The key `snapshot.schedule` says when one is due.\n",
	.run = run_run,
};
