/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generations of bases: what differs between them, whether they are still what they were, and which are needed. */
#include "command.h"
#include "difference.h"
#include "output.h"

/* ---- differences ---- */

static int run_diff(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "packages", no_argument, NULL, 'p' },
						 { "files", no_argument, NULL, 'f' },
						 { 0 } };
	struct difference_show show = { .packages = true, .files = true };
	bool as_json = false;
	int option, r;

	while ((option = next_option(&command_base_diff, argc, argv, options)) > 0) {
		as_json = as_json || option == 'j';
		if (option == 'p')
			show.files = false;
		else if (option == 'f')
			show.packages = false;
	}
	if (option < 0)
		return EXIT_USAGE;
	if (!show.packages && !show.files)
		return usage_error(&command_base_diff, "give --packages or --files, not both");
	if (argc - optind != 2)
		return usage_error(&command_base_diff, "give two generations, as in debian-bookworm@1 debian-bookworm");
	show.rows = as_json ? json_array() : NULL;
	r = lb_base_diff(context, argv[optind], argv[optind + 1], difference_show_one, &show);
	if (r >= 0 && as_json)
		show_rows(show.rows, NULL, true);
	else if (r == 1)
		say("%s and %s are the same", argv[optind], argv[optind + 1]);
	json_decref(show.rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_verify(struct lb_context *context, int argc, char **argv)
{
	struct difference_show show = { .packages = true, .files = true };
	int as_json = json_option(&command_base_verify, argc, argv), r, result = EXIT_OK;

	if (as_json < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_base_verify, "give the name of a base");
	show.rows = as_json ? json_array() : NULL;
	for (; optind < argc; optind++) {
		show.base = argv[optind];
		r = lb_base_verify(context, argv[optind], difference_show_one, &show);
		if (r < 0)
			report_failure(context, r);
		else
			say("%s is as it was sealed", argv[optind]);
		if (r < 0 && result == EXIT_OK)
			result = exit_code(r);
	}
	if (as_json)
		show_rows(show.rows, NULL, true);
	json_decref(show.rows);
	return result;
}

/* ---- what nobody needs ---- */

static void on_removed(const char *name, int result, const char *error, void *userdata)
{
	bool *told = userdata;

	if (result < 0) {
		fprintf(stderr, "layerbox: %s\n", error);
		*told = true;
	} else {
		say("removed %s", name);
	}
}

static int run_gc(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "keep", required_argument, NULL, 'k' }, { 0 } };
	unsigned long keep = 0;
	bool told = false;
	char *end;
	int option, r;

	while ((option = next_option(&command_base_gc, argc, argv, options)) > 0) {
		keep = strtoul(optarg, &end, 10);
		if (*end || strspn(optarg, "0123456789") == 0 || keep < 1 || keep > 1000000)
			return usage_error(&command_base_gc, "--keep is a number from 1");
	}
	if (option < 0)
		return EXIT_USAGE;
	if (keep == 0)
		return usage_error(&command_base_gc, "say with --keep how many of the newest stay in any case");
	if (argc - optind > 1)
		return usage_error(&command_base_gc, "give the name of one base, or none for all");
	r = lb_base_gc(context, argv[optind], (unsigned)keep, on_removed, &told);
	if (r == 1)
		say("every generation is needed, or one of the newest");
	return r < 0 && !told ? report_failure(context, r) : exit_code(r);
}

const struct command command_base_diff = {
	.name = "base diff",
	.arguments = "BASE[@GENERATION] BASE[@GENERATION] [--packages|--files] [--json]",
	.summary = "Show what differs between two generations: packages, then files",
	.help = "  --packages     only packages\n"
		"  --files        only files\n"
		"  --json         an array of objects with package, path, before, after\n",
	.run = run_diff,
};

const struct command command_base_verify = {
	.name = "base verify",
	.arguments = "BASE[@GENERATION]... [--json]",
	.summary = "Compare every file of a base with what was sealed",
	.help = "  --json         an array of objects with base, path, before, after: one for each difference\n",
	.run = run_verify,
};

const struct command command_base_gc = {
	.name = "base gc",
	.arguments = "[BASE] --keep N",
	.summary = "Remove generations that no container and no stack needs",
	.help = "  --keep N       keep the newest N of each base in any case\n",
	.run = run_gc,
};
