/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backups: made, listed, checked, restored and forgotten, in the repository of layerbox.conf. */
#include "command.h"
#include "output.h"

static const struct option none[] = { { 0 } };

/* For commands without options or arguments. */
static bool takes_nothing(const struct command *command, int argc, char **argv)
{
	if (next_option(command, argc, argv, none) < 0)
		return false;
	if (optind != argc)
		usage_error(command, "it takes no arguments");
	return optind == argc;
}

/* ---- init and unlock ---- */

static int run_init(struct lb_context *context, int argc, char **argv)
{
	int r;

	if (!takes_nothing(&command_backup_init, argc, argv))
		return EXIT_USAGE;
	r = lb_backup_init(context);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "the repository for backups is made; without its password nobody can read it: keep that elsewhere, too"
		   : "there is a repository for backups already");
	return EXIT_OK;
}

static int run_unlock(struct lb_context *context, int argc, char **argv)
{
	int r;

	if (!takes_nothing(&command_backup_unlock, argc, argv))
		return EXIT_USAGE;
	r = lb_backup_unlock(context);
	if (r < 0)
		return report_failure(context, r);
	say("locks of programs that have died are removed");
	return EXIT_OK;
}

/* ---- run ---- */

static void on_backed_up(const char *name, int result, const char *error, void *userdata)
{
	int *first = userdata;

	if (result < 0)
		fprintf(stderr, "layerbox: %s\n", error);
	else
		say("backed up %s", name);
	if (result < 0 && !*first)
		*first = result;
}

static int run_run(struct lb_context *context, int argc, char **argv)
{
	enum { ALL = 'a', WITH_BASE = 'b' };
	static const struct option options[] = { { "all", no_argument, NULL, ALL },
						 { "with-base", no_argument, NULL, WITH_BASE },
						 { 0 } };
	struct lb_backup_options backup = { .size = sizeof backup };
	bool all = false;
	char **names;
	int option, result, told = 0, r;

	while ((option = next_option(&command_backup_run, argc, argv, options)) > 0) {
		all = all || option == ALL;
		backup.with_base = backup.with_base || option == WITH_BASE;
	}
	if (option < 0)
		return EXIT_USAGE;
	names = names_of(context, &command_backup_run, argc, argv, all, &result);
	if (!names)
		return result;
	r = lb_backup_run(context, (const char *const *)names, &backup, on_backed_up, &told);
	if (r < 0 && !told)
		report_failure(context, r);
	free_names(names);
	return exit_code(r);
}

/* ---- list ---- */

struct list {
	bool as_json;
	json_t *rows;
};

static void on_backup(const struct lb_backup *backup, void *userdata)
{
	struct list *list = userdata;
	json_t *row = json_pack("{s:s, s:s, s:b}", "container", backup->container, "id", backup->id, "with_base",
				backup->with_base);

	json_object_set_new(row, "base", json_text(backup->base));
	json_object_set_new(row, "host", json_text(backup->host));
	json_object_set_new(row, "created", list->as_json ? json_integer(backup->created) : json_time(backup->created));
	json_array_append_new(list->rows, row);
}

static int run_list(struct lb_context *context, int argc, char **argv)
{
	static const struct column columns[] = {
		{ "container", "NAME", false }, { "created", "CREATED", false },     { "id", "ID", false },
		{ "base", "BASE", false },	{ "with_base", "WITH BASE", false }, { "host", "HOST", false },
		{ 0 },
	};
	struct list list = { 0 };
	int as_json = json_option(&command_backup_list, argc, argv), r;

	if (as_json < 0)
		return EXIT_USAGE;
	if (argc - optind > 1)
		return usage_error(&command_backup_list, "it takes one container, or none for all");
	list.as_json = as_json;
	list.rows = json_array();
	r = lb_backup_list(context, argv[optind], on_backup, &list);
	if (r >= 0 && (as_json || json_array_size(list.rows)))
		show_rows(list.rows, columns, as_json);
	else if (r >= 0)
		say("there are no backups yet; make one with `layerbox backup run`");
	json_decref(list.rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

/* ---- check ---- */

static int run_check(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "read-data", no_argument, NULL, 'r' }, { 0 } };
	bool read_data = false;
	int option, r;

	while ((option = next_option(&command_backup_check, argc, argv, options)) > 0)
		read_data = true;
	if (option < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_backup_check, "it takes no arguments");
	r = lb_backup_check(context, read_data);
	if (r < 0)
		return report_failure(context, r);
	say(read_data ? "the repository for backups is whole: all of it was read" : "the repository for backups is in order");
	return EXIT_OK;
}

/* ---- restore ---- */

static int run_restore(struct lb_context *context, int argc, char **argv)
{
	enum { AS = 'a', PRIVILEGED = 'p' };
	static const struct option options[] = { { "as", required_argument, NULL, AS },
						 { "allow-privileged", no_argument, NULL, PRIVILEGED },
						 { 0 } };
	const char *as = NULL;
	bool allow_privileged = false;
	char *name = NULL;
	int option, r;

	while ((option = next_option(&command_backup_restore, argc, argv, options)) > 0) {
		as = option == AS ? optarg : as;
		allow_privileged = allow_privileged || option == PRIVILEGED;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return usage_error(&command_backup_restore, "give one container, and which of its backups");
	r = lb_backup_restore(context, argv[optind], as, allow_privileged, &name);
	if (r < 0)
		return report_failure(context, r);
	say("restored %s", name);
	free(name);
	return EXIT_OK;
}

/* ---- forget ---- */

static void on_forgotten(const char *name, int result, const char *error, void *userdata)
{
	(void)error;
	(void)userdata;
	if (result >= 0)
		say("forgot %s", name);
}

static int forget(struct lb_context *context, const char *name)
{
	int r = lb_backup_forget(context, name, on_forgotten, NULL);

	if (r == 1)
		say(name ? "every backup of %s is kept" : "every backup is kept", name);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_forget(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "all", no_argument, NULL, 'a' }, { 0 } };
	bool all = false;
	int option, result = EXIT_OK;

	while ((option = next_option(&command_backup_forget, argc, argv, options)) > 0)
		all = true;
	if (option < 0)
		return EXIT_USAGE;
	if (all && optind != argc)
		return usage_error(&command_backup_forget, "give names or --all, not both");
	if (optind == argc)
		return forget(context, NULL);
	for (; optind < argc && result == EXIT_OK; optind++)
		result = forget(context, argv[optind]);
	return result;
}

/* ---- the table ---- */

const struct command command_backup_init = {
	.name = "backup init",
	.arguments = "",
	.summary = "Make the repository for backups that layerbox.conf names",
	.run = run_init,
};

const struct command command_backup_run = {
	.name = "backup run",
	.arguments = "NAME...|--all [--with-base]",
	.summary = "Back containers up to the repository, running or not",
	.help = "  --all          every container\n"
		"  --with-base    the base's files, too; what many containers have of it takes its space once\n",
	.run = run_run,
};

const struct command command_backup_list = {
	.name = "backup list",
	.arguments = "[NAME] [--json]",
	.summary = "List the backups of a container, or all, oldest first",
	.help = "  --json         an array of objects with container, id, created, base, with_base, host\n",
	.run = run_list,
};

const struct command command_backup_check = {
	.name = "backup check",
	.arguments = "[--read-data]",
	.summary = "Check the repository for damage",
	.help = "  --read-data    read all that is in it, too\n",
	.run = run_check,
};

const struct command command_backup_restore = {
	.name = "backup restore",
	.arguments = "NAME[@TIME|@ID] [--as NEW] [--allow-privileged]",
	.summary = "Make a container from a backup, the newest if not told otherwise",
	.help = "  NAME@TIME      the newest that is not younger: 2026-11-21 or 2026-11-21T17:22, local time\n"
		"  NAME@ID        this one, as `layerbox backup list` shows it\n"
		"  --as NEW       under another name\n"
		"  --allow-privileged   also one whose root is the host's root\n",
	.run = run_restore,
};

const struct command command_backup_forget = {
	.name = "backup forget",
	.arguments = "[NAME...|--all]",
	.summary = "Remove backups that backup.keep of layerbox.conf does not keep",
	.help = "  Without names, those of all containers that this host has backed up.\n",
	.run = run_forget,
};

const struct command command_backup_unlock = {
	.name = "backup unlock",
	.arguments = "",
	.summary = "Remove locks from the repository that killed programs left",
	.run = run_unlock,
};
