/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run-all.h"

#include <stdbool.h>
#include <unistd.h>

/* Names, each with a space in front. */
struct names {
	char *text;
	unsigned count;
};

struct tally {
	bool on_terminal;             /* where the context's progress takes the place of a line for each */
	const char *stop_word;        /* "stopped" or "killed" */
	unsigned changed, already;
	struct names failed, not_ready;
	char **stopped;               /* by stop_all(), and not told of since; ended by NULL */
	unsigned stopped_count;
};

static void add_name(struct names *names, const char *name)
{
	char *text;

	names->count++;
	if (asprintf(&text, "%s %s", names->text ? names->text : "", name) < 0)
		return;
	free(names->text);
	names->text = text;
}

static void forget_names(struct names *names)
{
	free(names->text);
	*names = (struct names){ 0 };
}

static void tally_begin(struct lb_context *context, struct tally *tally)
{
	*tally = (struct tally){ .on_terminal = isatty(STDERR_FILENO) };
	/* Elsewhere it would say again what the lines say. */
	if (!tally->on_terminal)
		lb_context_set_progress(context, NULL, NULL);
}

static void tally_end(struct tally *tally)
{
	forget_names(&tally->failed);
	forget_names(&tally->not_ready);
	free_names(tally->stopped);
}

static void tell(const struct tally *tally, const char *what, const char *name, const char *text)
{
	if (!tally->on_terminal)
		say("%s %s%s%s", what, name, *text ? ": " : "", text);
}

static void tell_failure(const struct tally *tally, struct names *names, const char *name, const char *error)
{
	fprintf(stderr, "%slayerbox: %s\n", tally->on_terminal ? "\r\033[K" : "", error);
	add_name(names, name);
}

static void summarise(const struct tally *tally, const char *done, const char *already)
{
	char *line = NULL;
	size_t size;
	FILE *text = open_memstream(&line, &size);

	if (!text)
		return;
	fprintf(text, "%s %u", done, tally->changed);
	if (tally->already)
		fprintf(text, ", %u %s", tally->already, already);
	if (tally->not_ready.count)
		fprintf(text, ", %u not ready:%s", tally->not_ready.count, tally->not_ready.text);
	if (tally->failed.count)
		fprintf(text, ", %u failed:%s", tally->failed.count, tally->failed.text);
	if (fclose(text) == 0)
		say("%s", line);
	free(line);
}

/* ---- start ---- */

static void forget_stopped(struct tally *tally, const char *name)
{
	for (unsigned i = 0; i < tally->stopped_count; i++)
		if (strcmp(tally->stopped[i], name) == 0)
			tally->stopped[i][0] = '\0';
}

static void on_boot(const char *name, enum lb_boot_step step, const char *text, void *userdata)
{
	struct tally *tally = userdata;

	forget_stopped(tally, name);
	switch (step) {
	case LB_BOOT_STARTED:
		tally->changed++;
		tell(tally, "started", name, "");
		break;
	case LB_BOOT_ALREADY:
		tally->already++;
		tell(tally, "running already:", name, "");
		break;
	case LB_BOOT_READY:
		tell(tally, "ready", name, text);
		break;
	case LB_BOOT_NOT_READY:
		tell_failure(tally, &tally->not_ready, name, text);
		break;
	default:
		tell_failure(tally, &tally->failed, name, text);
	}
}

static bool has_failures(const struct tally *tally)
{
	return tally->failed.count || tally->not_ready.count;
}

static int start_with(struct lb_context *context, const struct lb_run_options *options, struct tally *tally)
{
	int r = lb_start_all(context, options, on_boot, tally);

	return r < 0 && !has_failures(tally) ? report_failure(context, r) : exit_code(r);
}

int start_all(struct lb_context *context, const struct lb_run_options *options)
{
	struct tally tally;
	int result;

	tally_begin(context, &tally);
	result = start_with(context, options, &tally);
	/* Where nothing could be begun there is nothing to sum up. */
	if (result == EXIT_OK || has_failures(&tally))
		summarise(&tally, "started", "ran already");
	tally_end(&tally);
	return result;
}

/* ---- stop ---- */

static void note_stopped(struct tally *tally, const char *name)
{
	char **stopped = reallocarray(tally->stopped, tally->stopped_count + 2, sizeof *stopped);

	if (!stopped)
		return;
	tally->stopped = stopped;
	stopped[tally->stopped_count] = strdup(name);
	if (stopped[tally->stopped_count])
		stopped[++tally->stopped_count] = NULL;
}

static void on_stop(const char *name, int result, const char *error, void *userdata)
{
	struct tally *tally = userdata;

	if (result < 0) {
		tell_failure(tally, &tally->failed, name, error);
	} else if (result > 0) {
		tally->already++;
	} else {
		tally->changed++;
		tell(tally, tally->stop_word, name, "");
		note_stopped(tally, name);
	}
}

static int stop_with(struct lb_context *context, const struct lb_run_options *options, struct tally *tally)
{
	int r;

	tally->stop_word = options->kill ? "killed" : "stopped";
	r = lb_stop_all(context, options, on_stop, tally);
	if (r < 0 && !has_failures(tally))
		return report_failure(context, r);
	summarise(tally, tally->stop_word, "had ended");
	return exit_code(r);
}

int stop_all(struct lb_context *context, const struct lb_run_options *options)
{
	struct tally tally;
	int result;

	tally_begin(context, &tally);
	result = stop_with(context, options, &tally);
	tally_end(&tally);
	return result;
}

/* ---- restart ---- */

static void on_start(const char *name, int result, const char *error, void *userdata)
{
	on_boot(name, result < 0 ? LB_BOOT_FAILED : result ? LB_BOOT_ALREADY : LB_BOOT_STARTED, error, userdata);
}

/* What ran is to run again, also where it is not among those that are started with the host. */
static int start_the_others(struct lb_context *context, const struct lb_run_options *options, struct tally *tally)
{
	const char **names = calloc(tally->stopped_count + 1, sizeof *names);
	size_t count = 0;
	int r = 0;

	for (unsigned i = 0; names && i < tally->stopped_count; i++)
		if (*tally->stopped[i])
			names[count++] = tally->stopped[i];
	if (count)
		r = lb_containers_start(context, names, options, on_start, tally);
	free(names);
	return exit_code(r);
}

int restart_all(struct lb_context *context, const struct lb_run_options *options)
{
	struct lb_run_options stop = *options;
	const struct lb_run_options start = { .size = sizeof start, .jobs = options->jobs };
	struct tally tally;
	int result, started, others;

	tally_begin(context, &tally);
	stop.comes_back = true;
	result = stop_with(context, &stop, &tally);
	tally.changed = tally.already = 0;
	forget_names(&tally.failed);
	started = start_with(context, &start, &tally);
	others = start_the_others(context, &start, &tally);
	summarise(&tally, "started", "ran already");
	tally_end(&tally);
	return result != EXIT_OK ? result : started != EXIT_OK ? started : others;
}
