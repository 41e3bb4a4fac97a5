/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Generations of bases: what differs between them, whether they are still what they were, and which are needed. */
#include "command.h"
#include "output.h"

/* ---- differences ---- */

struct show {
	const char *base;             /* in each object, where several are looked at; or NULL */
	json_t *rows;                 /* NULL: print lines */
	bool packages, files;
};

/* How many bytes the character at @s has, 0 where it is none of UTF-8 or not printable. */
static size_t character_length(const unsigned char *s)
{
	static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80 ? 1 : *s >= 0xf0 && *s < 0xf5 ? 4 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xc2 && *s < 0xe0 ? 2 : 0;
	unsigned code = n == 1 ? *s : n ? *s & (0xffU >> (n + 1)) : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* Neither control characters, C1 included, nor surrogates. */
	if (n == 0 || code < smallest[n] || code < ' ' || (code >= 0x7f && code < 0xa0) ||
	    (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return n;
}

/* A path may hold any byte: what is no printable UTF-8, and the backslash, is shown as a backslash and three octal digits. */
static char *shown_text(const char *path)
{
	char *text = malloc(4 * strlen(path) + 1), *to = text;

	for (const unsigned char *s = (const unsigned char *)path; text && *s;) {
		size_t n = *s == '\\' ? 0 : character_length(s);

		if (n)
			to = mempcpy(to, s, n);
		else
			to += sprintf(to, "\\%03o", *s);
		s += n ? n : 1;
	}
	if (text)
		*to = '\0';
	return text;
}

static json_t *text_or_null(const char *text)
{
	char *shown = text ? shown_text(text) : NULL;
	json_t *value = shown ? json_string(shown) : json_null();

	free(shown);
	return value;
}

static void add_row(const struct lb_difference *difference, const struct show *show)
{
	json_t *row = json_object();

	if (show->base)
		json_object_set_new(row, "base", json_string(show->base));
	json_object_set_new(row, "package", text_or_null(difference->package));
	json_object_set_new(row, "path", text_or_null(difference->path));
	json_object_set_new(row, "before", text_or_null(difference->before));
	json_object_set_new(row, "after", text_or_null(difference->after));
	json_array_append_new(show->rows, row);
}

/* One line: "+ /path (file, ...)", "- package 1.0", "~ /path (... -> ...)". */
static void print_line(const struct lb_difference *difference)
{
	char *subject = shown_text(difference->path ? difference->path : difference->package);
	char *before = shown_text(difference->before ? difference->before : "");
	char *after = shown_text(difference->after ? difference->after : "");
	bool both = difference->before && difference->after;

	if (subject && before && after)
		printf("%c %s: %s%s%s\n", both ? '~' : difference->before ? '-' : '+', subject, before,
		       both ? " -> " : "", after);
	free(subject);
	free(before);
	free(after);
}

static void on_difference(const struct lb_difference *difference, void *userdata)
{
	const struct show *show = userdata;

	if (difference->path ? !show->files : !show->packages)
		return;
	if (show->rows)
		add_row(difference, show);
	else
		print_line(difference);
}

static int run_diff(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "packages", no_argument, NULL, 'p' },
						 { "files", no_argument, NULL, 'f' },
						 { 0 } };
	struct show show = { .packages = true, .files = true };
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
	r = lb_base_diff(context, argv[optind], argv[optind + 1], on_difference, &show);
	if (r >= 0 && as_json)
		print_json(show.rows);
	else if (r == 1)
		say("%s and %s are the same", argv[optind], argv[optind + 1]);
	json_decref(show.rows);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static int run_verify(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	struct show show = { .packages = true, .files = true };
	int option, r, result = EXIT_OK;
	bool as_json = false;

	while ((option = next_option(&command_base_verify, argc, argv, options)) > 0)
		as_json = true;
	if (option < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return usage_error(&command_base_verify, "give the name of a base");
	show.rows = as_json ? json_array() : NULL;
	for (; optind < argc; optind++) {
		show.base = argv[optind];
		r = lb_base_verify(context, argv[optind], on_difference, &show);
		if (r < 0)
			report_failure(context, r);
		else
			say("%s is as it was sealed", argv[optind]);
		if (r < 0 && result == EXIT_OK)
			result = exit_code(r);
	}
	if (as_json)
		print_json(show.rows);
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
