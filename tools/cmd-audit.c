/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* audit and status: what containers keep from following their bases, and how far behind they are. */
#include "backup-outcome.h"
#include "command.h"
#include "output.h"

/* ---- audit ---- */

static void on_item(const struct lb_audit_item *item, void *userdata)
{
	json_t *rows = userdata;
	json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "kind", item->kind, "text", item->text, "bytes",
				(json_int_t)item->bytes, "containers", (json_int_t)item->containers);

	json_object_set_new(row, "container", json_text(item->container));
	json_object_set_new(row, "subject", json_text(item->subject));
	json_array_append_new(rows, row);
}

/* The row that stands for all wasted copies of a container, to which @row is added. */
static bool add_to_wasted(json_t *rows, const json_t *row, json_int_t *copies)
{
	json_t *sum = json_array_get(rows, json_array_size(rows) - 1);
	char text[64];

	if (strcmp(json_string_value(json_object_get(row, "kind")), "wasted") != 0)
		return false;
	if (!sum || strcmp(json_string_value(json_object_get(sum, "kind")), "wasted") != 0 ||
	    !json_equal(json_object_get(sum, "container"), json_object_get(row, "container"))) {
		sum = json_copy((json_t *)(uintptr_t)row);
		json_array_append_new(rows, sum);
		*copies = 0;
	} else {
		json_object_set_new(sum, "bytes", json_integer(json_integer_value(json_object_get(sum, "bytes")) +
							       json_integer_value(json_object_get(row, "bytes"))));
	}
	++*copies;
	snprintf(text, sizeof text, "%lld %s", (long long)*copies, *copies == 1 ? "copy" : "copies");
	json_object_set_new(sum, "subject", json_string(text));
	json_object_set_new(sum, "text", json_string("the base has the same; a rebase drops them"));
	return true;
}

/* For people: a row for all wasted copies of each container, in front of its other rows. */
static json_t *summed(const json_t *rows)
{
	json_t *result = json_array(), *row;
	json_int_t copies = 0;
	size_t i;

	json_array_foreach(rows, i, row)
		add_to_wasted(result, row, &copies);
	json_array_foreach(rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "kind")), "wasted") != 0)
			json_array_append(result, row);
	return result;
}

/* As people read it: whom it is about, and sizes with units. */
static void prepare_row(json_t *row)
{
	json_int_t bytes = json_integer_value(json_object_get(row, "bytes"));
	json_int_t containers = json_integer_value(json_object_get(row, "containers"));
	char text[48];

	if (containers) {
		snprintf(text, sizeof text, "%lld containers", (long long)containers);
		json_object_set_new(row, "container", json_string(text));
	}
	json_object_set_new(row, "bytes", bytes ? json_size((uint64_t)bytes) : json_string("-"));
}

static int run_audit(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "all", no_argument, NULL, 'a' },
						 { 0 } };
	static const struct column columns[] = {
		{ "container", "CONTAINER", false }, { "kind", "KIND", false }, { "subject", "WHAT", false },
		{ "bytes", "SIZE", true },	     { "text", "WHY", false },	{ 0 },
	};
	bool as_json = false, all = false;
	json_t *rows, *row;
	char **names;
	int option, r, result;
	size_t i;

	while ((option = next_option(&command_audit, argc, argv, options)) > 0) {
		as_json = as_json || option == 'j';
		all = all || option == 'a';
	}
	if (option < 0)
		return EXIT_USAGE;
	names = names_of(context, &command_audit, argc, argv, all || argc == optind, &result);
	if (!names)
		return result;
	rows = json_array();
	r = lb_audit(context, (const char *const *)names, on_item, rows);
	free_names(names);
	if (!as_json) {
		json_t *each = rows;

		rows = summed(each);
		json_decref(each);
		json_array_foreach(rows, i, row)
			prepare_row(row);
	}
	/* After a failure of some, what the others have. */
	if (json_array_size(rows) || (r >= 0 && as_json))
		show_rows(rows, columns, as_json);
	else if (r >= 0)
		say("nothing hides what the bases have");
	json_decref(rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

/* ---- status ---- */

struct status {
	bool outdated, as_json;
	json_t *rows;
};

static void on_lag(const struct lb_lag *lag, void *userdata)
{
	struct status *status = userdata;
	json_t *row;

	if (status->outdated && lag->generation >= lag->newest)
		return;
	row = json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:b}", "container", lag->container, "base", lag->base,
			"generation", (int)lag->generation, "newest", (int)lag->newest, "packages", (int)lag->packages,
			"security", (int)lag->security, "pending", lag->pending, "unconfirmed", lag->unconfirmed);
	if (status->as_json)
		json_object_set_new(row, "behind_since", json_integer(lag->behind_since));
	else
		json_object_set_new(row, "behind_since",
				    lag->behind_since ? json_time(lag->behind_since) : json_string("-"));
	json_array_append_new(status->rows, row);
}

/* What is known of each one's backups; a container that went away meanwhile has none. */
static void add_backups(struct lb_context *context, const struct status *status)
{
	json_t *row;
	size_t i;

	json_array_foreach(status->rows, i, row) {
		struct lb_container *container = NULL;

		if (lb_container_open(context, json_string_value(json_object_get(row, "container")), &container) < 0)
			json_object_set_new(row, "backup", json_null());
		else if (status->as_json)
			json_object_set_new(row, "backup", backup_outcome_to_json(container));
		else
			json_object_set_new(row, "backup", json_string(backup_outcome_mark(container)));
		lb_container_free(container);
	}
}

static int run_status(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "outdated", no_argument, NULL, 'o' },
						 { 0 } };
	static const struct column columns[] = {
		{ "container", "NAME", false },
		{ "base", "BASE", false },
		{ "generation", "GEN", true },
		{ "newest", "NEWEST", true },
		{ "behind_since", "BEHIND SINCE", false },
		{ "packages", "PACKAGES", true },
		{ "security", "SECURITY", true },
		{ "pending", "PENDING", false },
		{ "unconfirmed", "CAN UNDO", false },
		{ "backup", "BACKUP", false },
		{ 0 },
	};
	struct status status = { 0 };
	int option, r;

	while ((option = next_option(&command_status, argc, argv, options)) > 0) {
		status.as_json = status.as_json || option == 'j';
		status.outdated = status.outdated || option == 'o';
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc != optind)
		return usage_error(&command_status, "it takes no names");
	status.rows = json_array();
	r = lb_lags(context, on_lag, &status);
	if (r >= 0)
		add_backups(context, &status);
	if (r >= 0 && (status.as_json || json_array_size(status.rows)))
		show_rows(status.rows, columns, status.as_json);
	else if (r >= 0)
		say(status.outdated ? "every container is on the newest generation of its base"
				    : "there are no containers yet");
	json_decref(status.rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

const struct command command_audit = {
	.name = "audit",
	.arguments = "[NAME...|--all] [--json]",
	.summary = "Show what hides the base's newer files, wastes space, or belongs into a stack",
	.help = "  --json         an array of objects with container, kind, subject, text, bytes, containers\n",
	.run = run_audit,
};

const struct command command_status = {
	.name = "status",
	.arguments = "[--outdated] [--json]",
	.summary = "Show how far each container is behind its base, and whether its backups work",
	.help = "  --outdated     only those that are behind\n"
		"  --json         an array of objects with container, base, generation, newest, behind_since, "
		"packages, security,\n"
		"                 pending, unconfirmed, backup\n",
	.run = run_status,
};
