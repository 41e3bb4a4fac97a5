/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rebase: containers follow their base, one or all, planned or done, and back. */
#include <errno.h>

#include "command.h"
#include "output.h"

enum { PENDING = 2, NUMBER_MAX = 100000 };

/* What is asked for, and what came of it. */
struct run {
	struct lb_rebase_options options;
	bool all, as_json, undo, confirm;
	const char *answer;
	json_t *rows;                 /* an object for each container, as --json shows them */
	int first_failure;
};

/* ---- as JSON ---- */

static json_t *item_to_json(const struct lb_rebase_item *item)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:I}", "kind", lb_rebase_kind_name(item->kind), "outcome",
				   lb_rebase_outcome_name(item->outcome), "text", item->text, "bytes",
				   (json_int_t)item->bytes);

	json_object_set_new(object, "subject", json_text(item->subject));
	json_object_set_new(object, "question", json_text(item->question));
	json_object_set_new(object, "package", json_text(item->package));
	json_object_set_new(object, "before", json_text(item->before));
	json_object_set_new(object, "after", json_text(item->after));
	json_object_set_new(object, "own", json_text(item->own));
	return object;
}

static const char *result_name(const struct run *run, int result, const struct lb_rebase *rebase)
{
	if (result < 0)
		return "failed";
	if (result == PENDING)
		return "pending";
	return result == 1 || !rebase ? "nothing" : run->options.dry_run ? "planned" : "done";
}

static void on_result(const char *name, int result, const char *error, const struct lb_rebase *rebase, void *userdata)
{
	struct run *run = userdata;
	json_t *object =
		json_pack("{s:s, s:s, s:s}", "name", name, "result", result_name(run, result, rebase), "error", error);
	json_t *items = json_array();

	if (result < 0 && !run->first_failure)
		run->first_failure = result;
	for (size_t i = 0; rebase && lb_rebase_get_item(rebase, i); i++)
		json_array_append_new(items, item_to_json(lb_rebase_get_item(rebase, i)));
	json_object_set_new(object, "from", rebase ? json_string(lb_rebase_get_from(rebase)) : json_null());
	json_object_set_new(object, "to", rebase ? json_string(lb_rebase_get_to(rebase)) : json_null());
	json_object_set_new(object, "conflicts",
			    json_integer(rebase ? (json_int_t)lb_rebase_get_conflicts(rebase) : 0));
	json_object_set_new(object, "items", items);
	json_array_append_new(run->rows, object);
}

/* ---- for people ---- */

static const char *get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is_told(const json_t *item)
{
	const char *outcome = get(item, "outcome");

	return strcmp(outcome, "follows") != 0 || strcmp(get(item, "kind"), "package") == 0;
}

static void print_item(const json_t *item)
{
	printf("  %-9s %s: %s", get(item, "outcome"), get(item, "subject"), get(item, "text"));
	if (*get(item, "question"))
		printf(" [question %s]", get(item, "question"));
	putchar('\n');
}

/* How much of it needs no word: files that follow the base. */
static void print_followers(const json_t *items)
{
	json_int_t bytes = 0;
	size_t i, files = 0;
	json_t *item, *size;

	json_array_foreach(items, i, item) {
		if (is_told(item))
			continue;
		files++;
		bytes += json_integer_value(json_object_get(item, "bytes"));
	}
	if (!files)
		return;
	size = json_size((uint64_t)bytes);
	printf("  follows   %zu %s of the base's: %s less in the top layer\n", files, files == 1 ? "copy" : "copies",
	       json_string_value(size));
	json_decref(size);
}

static void print_headline(const json_t *row)
{
	if (strcmp(get(row, "result"), "failed") == 0)
		fprintf(stderr, "layerbox: %s\n", get(row, "error"));
	else if (strcmp(get(row, "result"), "nothing") == 0)
		say("%s is on that generation already", get(row, "name"));
	else if (strcmp(get(row, "result"), "pending") == 0)
		say("%s runs: it goes from %s to %s at its next start", get(row, "name"), get(row, "from"),
		    get(row, "to"));
	else
		say("%s: %s -> %s%s", get(row, "name"), get(row, "from"), get(row, "to"),
		    strcmp(get(row, "result"), "planned") == 0 ? " (only planned)" : "");
}

static void print_plan(const json_t *row)
{
	const json_t *items = json_object_get(row, "items");
	size_t i;
	json_t *item;

	print_headline(row);
	json_array_foreach(items, i, item)
		if (is_told(item))
			print_item(item);
	print_followers(items);
}

/* ---- many containers: what they have in common ---- */

/* Adds the item to those that are told once for all: conflicts and questions. */
static void cluster(json_t *clusters, const char *name, const json_t *item)
{
	char *key = NULL;
	json_t *same;

	if (strcmp(get(item, "outcome"), "conflict") != 0 && !*get(item, "question"))
		return;
	if (asprintf(&key, "%s\n%s\n%s", get(item, "subject"), get(item, "text"), get(item, "question")) < 0)
		return;
	same = json_object_get(clusters, key);
	if (!same) {
		same = json_pack("{s:O, s:[]}", "item", item, "names");
		json_object_set_new(clusters, key, same);
	}
	json_array_append_new(json_object_get(same, "names"), json_string(name));
	free(key);
}

static int by_size(const void *a, const void *b)
{
	size_t x = json_array_size(json_object_get(*(json_t *const *)a, "names"));
	size_t y = json_array_size(json_object_get(*(json_t *const *)b, "names"));

	return x > y ? -1 : x < y;
}

static void print_cluster(const json_t *same)
{
	const json_t *names = json_object_get(same, "names");

	printf("%zu %s (%s%s):", json_array_size(names), json_array_size(names) == 1 ? "container" : "containers",
	       json_string_value(json_array_get(names, 0)), json_array_size(names) > 1 ? " ..." : "");
	print_item(json_object_get(same, "item"));
}

static void print_fleet(const json_t *rows)
{
	json_t *clusters = json_object(), *row, *item, *same, **sorted;
	size_t i, k, count = 0;
	const char *key;

	json_array_foreach(rows, i, row) {
		print_headline(row);
		json_array_foreach(json_object_get(row, "items"), k, item)
			cluster(clusters, get(row, "name"), item);
	}
	sorted = calloc(json_object_size(clusters) + 1, sizeof *sorted);
	json_object_foreach(clusters, key, same)
		if (sorted)
			sorted[count++] = same;
	if (count)
		qsort(sorted, count, sizeof *sorted, by_size);
	for (i = 0; i < count; i++)
		print_cluster(sorted[i]);
	free(sorted);
	json_decref(clusters);
}

static void show(const struct run *run)
{
	size_t i;
	json_t *row;

	if (run->as_json) {
		show_rows(run->rows, NULL, true);
		return;
	}
	if (json_array_size(run->rows) > 1) {
		print_fleet(run->rows);
		return;
	}
	json_array_foreach(run->rows, i, row)
		print_plan(row);
}

/* ---- the command ---- */

static int run_rebase_all(struct lb_context *context, struct run *run, char **names)
{
	int r;

	run->rows = json_array();
	r = lb_rebase(context, (const char *const *)names, &run->options, on_result, run);
	show(run);
	/* What failed for a container was told with it. */
	if (r < 0 && (!run->first_failure || run->as_json))
		report_failure(context, r);
	json_decref(run->rows);
	return exit_code(r);
}

static int run_each(struct lb_context *context, char **names, int (*fn)(struct lb_context *context, const char *name),
		    const char *done, const char *nothing)
{
	int result = EXIT_OK;

	for (char **name = names; *name; name++) {
		int r = fn(context, *name);

		if (r < 0)
			result = report_failure(context, r);
		else
			say("%s %s", *name, r == 0 ? done : nothing);
	}
	return result;
}

static int run_answer(struct lb_context *context, const char *text)
{
	const char *equals = strchr(text, '=');
	char *question = equals ? strndup(text, (size_t)(equals - text)) : NULL;
	int r;

	if (!question)
		return usage_error(&command_rebase, "give --answer QUESTION=keep, QUESTION=base or QUESTION=forget");
	r = lb_rebase_answer(context, question, strcmp(equals + 1, "forget") == 0 ? "" : equals + 1);
	free(question);
	if (r < 0)
		return report_failure(context, r);
	say(r == 0 ? "noted, for all containers" : "there was no answer to that question");
	return EXIT_OK;
}

static bool take_number(const char *text, unsigned *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*ret_number = (unsigned)number;
	return strspn(text, "0123456789") > 0 && !*end && number >= 1 && number <= NUMBER_MAX;
}

/* 0, or what the command ends with. */
static int take_options(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },	    { "dry-run", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },	    { "all", no_argument, NULL, 'a' },
		{ "restart", no_argument, NULL, 'r' },	    { "jobs", required_argument, NULL, 'J' },
		{ "canary", required_argument, NULL, 'c' }, { "health-timeout", required_argument, NULL, 'h' },
		{ "undo", no_argument, NULL, 'u' },	    { "confirm", no_argument, NULL, 'k' },
		{ "answer", required_argument, NULL, 'A' }, { "allow-release-change", no_argument, NULL, 'R' },
		{ "fetch", no_argument, NULL, 'f' },
		{ 0 },
	};
	int option;

	while ((option = next_option(&command_rebase, argc, argv, options)) > 0) {
		run->all = run->all || option == 'a';
		run->as_json = run->as_json || option == 'j';
		run->undo = run->undo || option == 'u';
		run->confirm = run->confirm || option == 'k';
		run->options.dry_run = run->options.dry_run || option == 'n';
		run->options.restart = run->options.restart || option == 'r';
		run->options.fetch = run->options.fetch || option == 'f';
		run->options.allow_release_change = run->options.allow_release_change || option == 'R';
		if (option == 't')
			run->options.to = optarg;
		else if (option == 'c')
			run->options.canary = optarg;
		else if (option == 'A')
			run->answer = optarg;
		else if (option == 'J' && !take_number(optarg, &run->options.jobs))
			return usage_error(&command_rebase, "--jobs is a number from 1");
		else if (option == 'h' && !take_number(optarg, &run->options.health_timeout_s))
			return usage_error(&command_rebase, "--health-timeout is a number of seconds from 1");
	}
	if (option < 0)
		return EXIT_USAGE;
	if (run->undo + run->confirm + !!run->answer > 1)
		return usage_error(&command_rebase, "give one of --undo, --confirm and --answer");
	return EXIT_OK;
}

static int run_rebase(struct lb_context *context, int argc, char **argv)
{
	struct run run = { .options = { .size = sizeof run.options } };
	int result = take_options(&run, argc, argv);
	char **names;

	if (result != EXIT_OK)
		return result;
	if (run.answer && argc == optind)
		return run_answer(context, run.answer);
	if (run.answer)
		return usage_error(&command_rebase, "an answer is for all containers: give no names");
	names = names_of(context, &command_rebase, argc, argv, run.all, &result);
	if (!names)
		return result;
	if (run.undo)
		result = run_each(context, names, lb_rebase_undo, "is back where it was", "has nothing to undo");
	else if (run.confirm)
		result = run_each(context, names, lb_rebase_confirm, "stays where it is; the way back is given up",
				  "has nothing to confirm");
	else
		result = run_rebase_all(context, &run, names);
	free_names(names);
	return result;
}

const struct command command_rebase = {
	.name = "rebase",
	.arguments =
		"NAME...|--all [OPTIONS] | --undo NAME... | --confirm NAME... | --answer QUESTION=keep|base|forget",
	.summary = "Bring containers to a newer generation of their base, with all that is theirs",
	.help = "  --to BASE[@GENERATION]   where to; else the newest generation of the base they stand on\n"
		"  --dry-run                only show the plan\n"
		"  --restart                stop and start running ones; else they follow at their next start\n"
		"  --health-timeout SECONDS start each, wait until it is well, then confirm it, or undo it\n"
		"  --canary NAME            this one first; no other is touched unless it went well\n"
		"  --jobs N                 as many at a time\n"
		"  --fetch                  bring their own packages that would break to versions that fit, from the "
		"sources\n"
		"                           of the new base\n"
		"  --allow-release-change   also to another release of the distribution\n"
		"  --undo                   go back to before the last rebase\n"
		"  --confirm                give up the way back, and the disk space it takes\n"
		"  --answer QUESTION=ANSWER for all containers: keep (theirs), base (the base's), forget (the answer)\n"
		"  --json                   an array with an object for each container: name, from, to, result, "
		"error,\n"
		"                           conflicts, items\n",
	.run = run_rebase,
};
