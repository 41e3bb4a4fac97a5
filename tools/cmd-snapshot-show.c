/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at snapshots: which there are, what is in them, and what has changed since. */
#include "command.h"
#include "difference.h"
#include "output.h"

static json_t *describe(const struct lb_snapshot *snapshot, bool for_people)
{
	int64_t created = lb_snapshot_get_created(snapshot), expires = lb_snapshot_get_expires(snapshot);
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:I, s:s, s:I}", "container",
			  lb_snapshot_get_container(snapshot), "label", lb_snapshot_get_label(snapshot), "base",
			  lb_snapshot_get_base(snapshot), "created", (json_int_t)created, "expires",
			  (json_int_t)expires, "scheduled", lb_snapshot_get_scheduled(snapshot), "live",
			  lb_snapshot_get_live(snapshot), "frozen_us", (json_int_t)lb_snapshot_get_frozen_us(snapshot),
			  "layer", lb_snapshot_get_layer(snapshot), "layers",
			  (json_int_t)lb_snapshot_get_layers(snapshot));

	json_object_set_new(object, "comment", json_string(lb_snapshot_get_comment(snapshot)));
	if (for_people) {
		json_object_set_new(object, "created", json_time(created));
		json_object_set_new(object, "expires", expires ? json_time(expires) : json_string("never"));
	}
	return object;
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "container", "NAME", false },	 { "label", "LABEL", false },	  { "created", "CREATED", false },
		{ "base", "BASE", false },	 { "live", "LIVE", false },	  { "scheduled", "SCHEDULED", false },
		{ "expires", "EXPIRES", false }, { "comment", "COMMENT", false }, { 0 },
	};
	struct lb_snapshot **snapshots = NULL;
	int as_json = json_option(&command_snapshot_list, argc, argv), r;
	json_t *rows;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_snapshot_list, "it takes one container, or none for all");
	r = lb_snapshot_list(context, argv[optind], &snapshots, NULL);
	if (r < 0)
		return report_failure(context, r);
	rows = json_array();
	for (struct lb_snapshot **snapshot = snapshots; *snapshot; snapshot++)
		json_array_append_new(rows, describe(*snapshot, !as_json));
	lb_snapshot_list_free(snapshots);
	if (as_json || json_array_size(rows))
		show_rows(rows, columns, as_json);
	else
		say("there are no snapshots; make one with `layerbox snapshot create NAME`");
	json_decref(rows);
	return EXIT_OK;
}

static int run_show(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "container", "Container:", false },
		{ "label", "Label:", false },
		{ "comment", "Comment:", false },
		{ "created", "Created:", false },
		{ "expires", "Expires:", false },
		{ "base", "Base:", false },
		{ "live", "Live:", false },
		{ "frozen_us", "Frozen (us):", false },
		{ "scheduled", "Scheduled:", false },
		{ "layers", "Layers:", false },
		{ "layer", "Topmost:", false },
		{ "bytes", "Its space:", false },
		{ 0 },
	};
	struct lb_snapshot *snapshot = NULL;
	int as_json = json_option(&command_snapshot_show, argc, argv), r;
	uint64_t bytes = 0;
	json_t *object;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind != 2)
		return usage_error(&command_snapshot_show, "give a container and the label of a snapshot");
	r = lb_snapshot_open(context, argv[optind], argv[optind + 1], &snapshot);
	if (r == 0)
		r = lb_snapshot_get_bytes(snapshot, &bytes);
	if (r >= 0) {
		object = describe(snapshot, !as_json);
		json_object_set_new(object, "bytes", as_json ? json_integer((json_int_t)bytes) : json_size(bytes));
		show_object(object, columns, as_json);
		json_decref(object);
	}
	lb_snapshot_free(snapshot);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_diff(struct lb_context *context, int argc, char **argv)
{
	struct difference_show show = { .packages = true, .files = true };
	int as_json = json_option(&command_snapshot_diff, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind < 2 || argc - optind > 3)
		return usage_error(&command_snapshot_diff, "give a container and one or two labels of snapshots");
	show.rows = as_json ? json_array() : NULL;
	r = lb_snapshot_diff(context, argv[optind], argv[optind + 1], argv[optind + 2], difference_show_one, &show);
	if (r >= 0 && as_json)
		show_rows(show.rows, NULL, true);
	else if (r == 1)
		say("nothing differs");
	json_decref(show.rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_mount(struct lb_context *context, int argc, char **argv)
{
	static const struct option none[] = { { 0 } };
	int r;

	if (next_option(&command_snapshot_mount, argc, argv, none) < 0)
		return EXIT_USAGE;
	if (argc - optind != 3)
		return usage_error(&command_snapshot_mount,
				   "give a container, the label of a snapshot, and a directory");
	r = lb_snapshot_mount(context, argv[optind], argv[optind + 1], argv[optind + 2]);
	if (r < 0)
		return report_failure(context, r);
	say("mounted at %s; `umount %s` ends it", argv[optind + 2], argv[optind + 2]);
	return EXIT_OK;
}

const struct command command_snapshot_list = {
	.name = "snapshot list",
	.arguments = "[NAME] [--json]",
	.summary = "List the snapshots of a container, or of all, oldest first",
	.run = run_list,
};

const struct command command_snapshot_show = {
	.name = "snapshot show",
	.arguments = "NAME LABEL [--json]",
	.summary = "Show what is known of a snapshot, and its space",
	.run = run_show,
};

const struct command command_snapshot_diff = {
	.name = "snapshot diff",
	.arguments = "NAME LABEL [LABEL] [--json]",
	.summary = "Show what differs between two snapshots, or one and the present",
	.help = "Packages first, then paths.\n"
		"  --json         an array of objects with package, path, before, after\n",
	.run = run_diff,
};

const struct command command_snapshot_mount = {
	.name = "snapshot mount",
	.arguments = "NAME LABEL DIRECTORY",
	.summary = "Mount a snapshot with its base, to read it",
	.help = "`umount DIRECTORY` ends it. A snapshot that is mounted cannot be deleted.\n",
	.run = run_mount,
};
