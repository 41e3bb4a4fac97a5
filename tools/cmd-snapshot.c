/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots: made, gone back to, renamed, deleted. */
#include "command.h"
#include "moment.h"

#include <time.h>

static const struct option none[] = { { 0 } };

/* ---- when they expire ---- */

/* EXIT_OK, or EXIT_USAGE when that has been told. */
static int read_when(const struct command *command, const char *text, int64_t *ret_moment)
{
	if (strcmp(text, "never") == 0) {
		*ret_moment = 0;
		return EXIT_OK;
	}
	if (!moment_read(text, 1, ret_moment))
		return usage_error(command,
				   "\"%s\" is no time: give one such as 12h, 30d, 8w, 2026-12-31, 2026-12-31T18:00 or "
				   "never",
				   text);
	if (*ret_moment < time(NULL))
		return usage_error(command, "%s lies in the past", text);
	return EXIT_OK;
}

/* ---- create ---- */

static void tell_created(const struct lb_snapshot *snapshot, const char *name)
{
	double ms = (double)lb_snapshot_get_frozen_us(snapshot) / 1000;
	const char *label = lb_snapshot_get_label(snapshot);

	if (!lb_snapshot_get_live(snapshot))
		say("snapshot %s of %s: nothing was copied", label, name);
	else if (ms > 0)
		say("snapshot %s of %s: copied while it ran, frozen for %.*f ms", label, name, ms < 10, ms);
	else
		say("snapshot %s of %s: copied", label, name);
}

static int run_create(struct lb_context *context, int argc, char **argv)
{
	enum { LIVE = 'l', STOP = 's', COMMENT = 'c', EXPIRES = 'e' };
	static const struct option long_options[] = { { "live", no_argument, NULL, LIVE },
						      { "stop", no_argument, NULL, STOP },
						      { "comment", required_argument, NULL, COMMENT },
						      { "expires", required_argument, NULL, EXPIRES },
						      { 0 } };
	struct lb_snapshot_options options = { .size = sizeof options };
	struct lb_snapshot *snapshot = NULL;
	bool live = false;
	int option, r;

	while ((option = next_option(&command_snapshot_create, argc, argv, long_options)) > 0) {
		live = live || option == LIVE;
		options.stop = options.stop || option == STOP;
		if (option == COMMENT)
			options.comment = optarg;
		if (option == EXPIRES && read_when(&command_snapshot_create, optarg, &options.expires) != EXIT_OK)
			return EXIT_USAGE;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (live && options.stop)
		return usage_error(&command_snapshot_create, "give --live or --stop, not both");
	if (argc - optind < 1 || argc - optind > 2)
		return usage_error(&command_snapshot_create, "give a container and, if you like, a label");
	options.label = argv[optind + 1];
	r = lb_snapshot_create(context, argv[optind], &options, &snapshot);
	if (r < 0)
		return report_failure(context, r);
	tell_created(snapshot, argv[optind]);
	lb_snapshot_free(snapshot);
	return EXIT_OK;
}

/* ---- restore ---- */

static int restore_as(struct lb_context *context, const char *name, const char *label, const char *new_name)
{
	struct lb_container *container = NULL;
	int r = lb_container_clone(context, name, label, new_name, &container);

	if (r < 0)
		return report_failure(context, r);
	say("made %s of %s as it was at %s: %s", new_name, name, label, lb_container_get_ipv4(container));
	lb_container_free(container);
	return EXIT_OK;
}

static int run_restore(struct lb_context *context, int argc, char **argv)
{
	static const struct option long_options[] = { { "as", required_argument, NULL, 'a' }, { 0 } };
	const char *as = NULL, *name, *label;
	char *kept = NULL;
	int option, r;

	while ((option = next_option(&command_snapshot_restore, argc, argv, long_options)) > 0)
		as = optarg;
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_snapshot_restore, "give a container and the label of a snapshot");
	name = argv[optind];
	label = argv[optind + 1];
	if (as)
		return restore_as(context, name, label, as);
	r = lb_snapshot_restore(context, name, label, &kept);
	if (r < 0)
		return report_failure(context, r);
	if (r == 1)
		say("%s is as it was at %s", name, label);
	else if (kept)
		say("%s is back at %s; what it was is kept as snapshot %s", name, label, kept);
	else
		say("%s is back at %s", name, label);
	free(kept);
	return EXIT_OK;
}

/* ---- delete, rename, expire ---- */

static int run_delete(struct lb_context *context, int argc, char **argv)
{
	int result = EXIT_OK;
	const char *name;

	if (next_option(&command_snapshot_delete, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind < 2)
		return usage_error(&command_snapshot_delete, "give a container and the labels of snapshots");
	name = argv[optind++];
	for (; optind < argc; optind++) {
		int r = lb_snapshot_delete(context, name, argv[optind]);

		if (r >= 0)
			say("deleted snapshot %s of %s", argv[optind], name);
		else
			report_failure(context, r);
		if (result == EXIT_OK)
			result = exit_code(r);
	}
	return result;
}

static int run_rename(struct lb_context *context, int argc, char **argv)
{
	int r;

	if (next_option(&command_snapshot_rename, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 3)
		return usage_error(&command_snapshot_rename, "give a container, the old and the new label");
	r = lb_snapshot_rename(context, argv[optind], argv[optind + 1], argv[optind + 2]);
	if (r < 0)
		return report_failure(context, r);
	say("renamed snapshot %s of %s to %s", argv[optind + 1], argv[optind], argv[optind + 2]);
	return EXIT_OK;
}

static int run_expire(struct lb_context *context, int argc, char **argv)
{
	int64_t when;
	int r;

	if (next_option(&command_snapshot_expire, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 3)
		return usage_error(&command_snapshot_expire,
				   "give a container, the label of a snapshot, and when it expires");
	if (read_when(&command_snapshot_expire, argv[optind + 2], &when) != EXIT_OK)
		return EXIT_USAGE;
	r = lb_snapshot_set_expires(context, argv[optind], argv[optind + 1], when);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_snapshot_create = {
	.name = "snapshot create",
	.arguments = "NAME [LABEL] [--live|--stop] [--comment TEXT] [--expires WHEN]",
	.summary = "Keep a container's files as they are now",
	.help = "  LABEL            its name (default: the present time in UTC, as 20261121-172204)\n"
		"  --live           copy what it changed while it runs; it is frozen for a moment only (the default)\n"
		"  --stop           stop it where it runs, and start it again: nothing is copied\n"
		"  --comment TEXT   a line for `layerbox snapshot list`\n"
		"  --expires WHEN   when `snapshot prune` may take it away: 12h, 30d, 8w, 2026-12-31, "
		"2026-12-31T18:00, never\n",
	.run = run_create,
};

const struct command command_snapshot_restore = {
	.name = "snapshot restore",
	.arguments = "NAME LABEL [--as NEW]",
	.summary = "Bring a stopped container back to a snapshot",
	.help = "  --as NEW       leave it as it is, and make another container of the snapshot\n",
	.run = run_restore,
};

const struct command command_snapshot_delete = {
	.name = "snapshot delete",
	.arguments = "NAME LABEL...",
	.summary = "Delete snapshots; others keep what they need",
	.run = run_delete,
};

const struct command command_snapshot_rename = {
	.name = "snapshot rename",
	.arguments = "NAME OLD NEW",
	.summary = "Give a snapshot another label",
	.run = run_rename,
};

const struct command command_snapshot_expire = {
	.name = "snapshot expire",
	.arguments = "NAME LABEL WHEN",
	.summary = "Say when a snapshot may be pruned",
	.help = "  WHEN           12h, 30d, 8w, 2026-12-31, 2026-12-31T18:00 or never\n",
	.run = run_expire,
};
