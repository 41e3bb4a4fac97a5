/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers' journals: their own journalctl is asked, since only that knows the format it writes. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/inside.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "../snapshot/layer.h"
#include "../snapshot/sight.h"
#include "reader.h"

#define WORK "work"

/* What journalctl ends with where it is not there; and, for the helper, where it could not enter the container. */
enum { STATUS_NOT_THERE = 127, STATUS_NOT_ENTERED = 125, MICROSECONDS = 1000000, SILENCE_S = 30, STOPPED_S = 120 };

/* What was heard of it so far. Whoever is heard first is a helper, journalctl, or what stands in its place. */
enum heard {
	NOTHING,
	NO_JOURNAL,                   /* there is none, or no program that reads it */
	NO_ENTRIES,                   /* there is one, without such lines */
	LINES,                        /* of it; from then on all is taken for such */
};

struct hearing {
	struct reader *reader;
	enum heard heard;
	bool again;                   /* lines that were shown before come, up to the last one */
	bool was_last;                /* which was this */
	char cause[256];              /* what a helper said why there is nothing to hear */
};

static int hearing_begin(struct reader *reader, struct hearing *hearing)
{
	*hearing = (struct hearing){ .reader = reader, .again = reader->last != 0 };
	if (!reader->options->since || reader->options->follow)
		return 0;
	return reader_keep_last(reader) < 0 ? fail_memory(reader->ctx) : 0;
}

/* When "2026-11-21T20:11:05.123456+0000 ..." was logged, and where that fraction begins; -1: it does not say. */
static int64_t time_of(const char *line, const char **ret_fraction)
{
	struct tm tm = { 0 };
	const char *fraction = *line == ' ' ? NULL : strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);
	char digits[7] = "";
	uint64_t micro;
	int64_t time;

	if (!fraction || *fraction != '.' || strnlen(fraction, 1 + 6) < 1 + 6)
		return -1;
	memcpy(digits, fraction + 1, 6);
	if (!text_to_number(digits, 0, MICROSECONDS - 1, &micro) || !strptime(fraction + 1 + 6, "%z", &tm))
		return -1;
	time = -(int64_t)tm.tm_gmtoff;
	time += timegm(&tm);
	*ret_fraction = fraction;
	return time < 0 ? -1 : time * MICROSECONDS + (int64_t)micro;
}

/*
 * Lines say when they were sent, while --since takes for their time when they were received, a moment later: so who
 * goes on is given the last one again, and those that were received before it in that moment.
 */
static bool is_again(struct hearing *hearing, const char *line, int64_t time)
{
	if (hearing->again && time >= 0) {
		hearing->again = !hearing->was_last && time <= hearing->reader->from;
		hearing->was_last = text_hash(line) == hearing->reader->last;
	}
	return hearing->again;
}

/* With an exact time who goes on knows where; people are not shown that. */
static void take_followed(struct hearing *hearing, const char *line)
{
	const char *fraction = NULL;
	const int64_t time = time_of(line, &fraction);
	CLEANUP_FREE char *shown =
		time < 0 ? NULL : text_format("%.*s%s", (int)(fraction - line), line, fraction + 1 + 6);

	if (is_again(hearing, line, time))
		return;
	if (time < 0)
		reader_heard(hearing->reader);
	else
		reader_heard_at(hearing->reader, line, time);
	reader_line(hearing->reader, shown ? shown : line);
}

static void take(struct hearing *hearing, const char *line)
{
	if (hearing->reader->options->follow) {
		take_followed(hearing, line);
		return;
	}
	reader_heard(hearing->reader);
	reader_line(hearing->reader, line);
}

/* What is said instead of lines, and what that means. */
static enum heard read_remark(const char *line)
{
	static const struct {
		const char *begin;
		enum heard heard;
	} remarks[] = {
		{ "No journal files were found.", NO_JOURNAL },
		{ "Failed to open /var/log/journal: No such file", NO_JOURNAL },
		{ "Data from the specified boot", NO_JOURNAL }, /* --boot and --follow, where the journal is empty */
		{ "layerbox: cannot run 'journalctl'", NO_JOURNAL },
		{ "journalctl cannot be run:", NO_JOURNAL },
		{ "-- No entries --", NO_ENTRIES },
	};

	for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
		if (text_after(line, remarks[i].begin))
			return remarks[i].heard;
	return LINES;
}

/* No line of a journal begins like a helper's sentence: they begin with the time. */
static bool keep_cause(struct hearing *hearing, const char *line)
{
	const char *sentence = text_after(line, "layerbox: ");

	sentence = sentence ? sentence : text_after(line, "layerbox-inside: ");
	if (sentence && !*hearing->cause) {
		text_copy(hearing->cause, sizeof hearing->cause, sentence);
		text_printable(hearing->cause);
	}
	return sentence != NULL;
}

static void on_line(const char *line, void *userdata)
{
	struct hearing *hearing = userdata;
	const enum heard remark = hearing->heard == LINES ? LINES : read_remark(line);

	if (remark == LINES && hearing->heard != LINES && keep_cause(hearing, line))
		return;
	/* That there is none is said once, and other remarks after it. */
	if (hearing->heard != NO_JOURNAL || remark == LINES)
		hearing->heard = remark;
	if (remark == LINES)
		take(hearing, line);
}

/* Which lines. Who goes on begins with the last one. */
static int add_range(const struct reader *reader, bool follow, struct text_list *argv)
{
	const struct lb_logs_options *options = reader->options;
	int r = 0;

	if (reader->goes_on)
		r = text_list_format(argv, "--since=@%lld.%06lld", (long long)(reader->from / MICROSECONDS),
				     (long long)(reader->from % MICROSECONDS));
	else if (options->since)
		r = text_list_format(argv, "--since=@%lld", (long long)(options->since / MICROSECONDS));
	else if (reader->lines)
		return text_list_format(argv, "--lines=%u", reader->lines);
	return r == 0 && follow ? text_list_add(argv, "--no-tail") : r;
}

/*
 * With --since, --lines counts from there on, so the last lines are found out here. A boot is a life of the container:
 * its systemd gives it an id of its own. Of a directory that is named, --boot=0 is the last one in there.
 */
static int make_arguments(const struct reader *reader, bool running, struct text_list *argv)
{
	const struct lb_logs_options *options = reader->options;
	const bool follow = running && options->follow;
	int r = text_list_add_words(argv, "journalctl --no-pager --quiet --no-hostname");

	if (r == 0)
		r = text_list_format(argv, "--output=short-iso%s", options->follow ? "-precise" : "");
	if (r == 0 && !running)
		r = text_list_add(argv, "--directory=/var/log/journal");
	if (r == 0 && follow)
		r = text_list_add(argv, "--follow");
	if (r == 0 && options->boot)
		r = text_list_add(argv, "--boot=0");
	if (r == 0 && options->unit)
		r = text_list_format(argv, "--unit=%s", options->unit);
	return r == 0 ? add_range(reader, follow, argv) : r;
}

/* Of all that there is, nothing: journalctl --quiet does not say that it has found no file. */
static bool is_silence(const struct reader *reader)
{
	const struct lb_logs_options *options = reader->options;

	return !options->follow && !options->unit && !options->since && !options->boot;
}

/*
 * 1 where there is no journal; @r is what became of the helper. @status is journalctl's, which is the container's and
 * may be anything. Of one that is followed, some lines are as good as all.
 */
static int conclude(const struct hearing *hearing, int r, int status)
{
	struct reader *reader = hearing->reader;

	reader_give_last(reader);
	if (reader_is_to_stop(reader))
		return 0;
	if (r == -ETIMEDOUT)
		return fail(reader->ctx, -LB_ERR_PROGRAM_FAILED,
			    "journalctl of container '%s' printed nothing for %d s, and was ended", reader->name,
			    SILENCE_S);
	if (r < 0)
		return r;
	if (status == STATUS_NOT_ENTERED)
		return fail(reader->ctx, -LB_ERR_RUNTIME, "the journal of container '%s' cannot be asked: %s", reader->name,
			    *hearing->cause ? hearing->cause : "LXC could not enter it");
	if (hearing->heard == NO_JOURNAL || (hearing->heard == NOTHING && status == STATUS_NOT_THERE))
		return 1;
	if (hearing->heard == NOTHING && status == 0)
		return is_silence(reader);
	if (status == 0 || hearing->heard == NO_ENTRIES || (hearing->heard == LINES && reader->options->follow))
		return 0;
	return fail(reader->ctx, -LB_ERR_PROGRAM_FAILED, "journalctl of container '%s' ended with status %d", reader->name,
		    status);
}

/* ---- of one that runs ---- */

int journal_read_running(struct reader *reader, struct lb_container *container)
{
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	struct hearing hearing;
	int status = 0, r = hearing_begin(reader, &hearing);

	if (r == 0 && make_arguments(reader, true, &argv) < 0)
		r = fail_memory(reader->ctx);
	if (r == 0)
		r = container_listen(container, (const char *const *)argv.items, reader->options->stop_fd,
				     reader->options->follow ? 0 : SILENCE_S, on_line, &hearing, &status);
	return conclude(&hearing, r, status);
}

/* ---- of one that is stopped ---- */

/* Paths of the trees of a sight, topmost first. */
static int list_trees(const struct reader *reader, const struct sight *sight, struct text_list *paths)
{
	const char *root = reader->ctx->config.root;
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation;
	int r = text_list_format(paths, "%s/" STORE_CONTAINERS "/%s/" LAYOUT_TOP, root, reader->name);

	for (size_t i = 0; r == 0 && i < sight->layers.count; i++)
		r = text_list_format(paths, "%s/" STORE_LAYERS "/%s/" LAYER_TREE, root, sight->layers.ids[i]);
	if (r == 0 && !name_parse_base(sight->base, base, &generation))
		return fail(reader->ctx, -LB_ERR_DAMAGED, "\"%s\" is no base", sight->base);
	if (r == 0)
		r = text_list_format(paths, "%s/" STORE_BASES "/%s/%u/" LAYOUT_ROOTFS, root, base, generation);
	return r < 0 ? fail_memory(reader->ctx) : 0;
}

/*
 * Its programs are hostile, and the container's limits are not there: what they change goes to a layer that is thrown
 * away, and they have a time, and little else.
 */
static int run_inside(const struct reader *reader, const struct lb_container *container, const struct text_list *trees,
		      const struct text_list *argv, struct hearing *hearing, int *ret_status)
{
	static const char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						   "LC_ALL=C.UTF-8", "HOME=/root", "container=lxc", NULL };
	CLEANUP_LAYER_DRAFT struct layer_draft draft = LAYER_DRAFT_EMPTY;
	CLEANUP_FREE char *layers = NULL;
	int r = layer_draft_begin(reader->ctx, NULL, &draft);

	if (r < 0)
		return r;
	layers = store_path(reader->ctx, STORE_LAYERS "/" STORE_NEW_PREFIX "%s", draft.id);
	if (!layers)
		return fail_memory(reader->ctx);
	if (mkdirat(draft.fd, WORK, 0700) < 0)
		return fail_errno(reader->ctx, errno, "cannot make a directory in %s", layers);
	return inside_run(reader->ctx,
			  &(struct inside){ .lowers = (const char *const *)trees->items,
					    .layers = layers,
					    .upper = LAYER_TREE,
					    .work = WORK,
					    .id_start = container->record.id_start,
					    .id_count = container->record.id_count,
					    .reader = true,
					    .timeout_s = STOPPED_S,
					    .env = environment,
					    .on_line = on_line,
					    .raw_lines = true,
					    .end_fd = reader->options->stop_fd,
					    .userdata = hearing },
			  (const char *const *)argv->items, ret_status, NULL);
}

int journal_read_stopped(struct reader *reader, const struct lb_container *container)
{
	CLEANUP_SIGHT struct sight sight = SIGHT_EMPTY;
	CLEANUP_TEXT_LIST struct text_list trees = { 0 };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	struct hearing hearing;
	int status = 0, r = hearing_begin(reader, &hearing);

	if (r == 0)
		r = sight_open(reader->ctx, reader->name, NULL, &sight);
	if (r == 0)
		r = list_trees(reader, &sight, &trees);
	if (r == 0 && make_arguments(reader, false, &argv) < 0)
		r = fail_memory(reader->ctx);
	if (r == 0)
		r = run_inside(reader, container, &trees, &argv, &hearing, &status);
	return conclude(&hearing, r, status);
}
