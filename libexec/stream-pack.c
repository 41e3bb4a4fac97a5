/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-pack.h"

#include <fcntl.h>

#include "snapshot/live-copy.h"
#include "stream-format.h"
#include "stream-line.h"
#include "stream-sink.h"
#include "stream-walk.h"

enum { COPY_BYTES = 64 * 1024, FILE_MAX = 1 << 30 };

/* A plan, and how far it has come. */
struct packing {
	FILE *plan;
	struct stream_sink *sink;
	struct stream_error *error;
	bool masked;
	bool trees_begun;
};

static int bad_plan(struct stream_error *error, const char *line)
{
	return stream_fail(error, STREAM_FAILED, "cannot understand the plan: %.200s", line);
}

static bool is_prefix(const char *name)
{
	return name && stream_path_is_safe(name) && name[strlen(name) - 1] != '/';
}

static int open_tree_directory(const char *path, struct stream_error *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? stream_fail_errno(error, STREAM_FAILED, errno, "cannot open %s", path) : fd;
}

static int copy_from_plan(FILE *plan, uint64_t length, struct stream_sink *sink, struct stream_error *error)
{
	CLEANUP_FREE char *data = malloc(COPY_BYTES);
	int r = data ? 0 : stream_fail(error, STREAM_FAILED, "out of memory");

	while (r == 0 && length > 0) {
		size_t n = fread(data, 1, length < COPY_BYTES ? (size_t)length : COPY_BYTES, plan);

		if (n == 0)
			return bad_plan(error, "it ends within a file");
		r = stream_sink_write(sink, data, n);
		length -= n;
	}
	return r;
}

/* file NAME LENGTH, then so many bytes and a newline. */
static int pack_file(struct stream_line *line, FILE *plan, struct stream_sink *sink, struct stream_error *error)
{
	const char *name = stream_line_next(line), *length_text = stream_line_next(line);
	uint64_t length;
	int r;

	if (!is_prefix(name) || !length_text || !text_to_number(length_text, 0, FILE_MAX, &length) || line->rest)
		return bad_plan(error, "a file's name and length");
	r = stream_sink_begin_file(sink, name, NULL, length);
	if (r == 0)
		r = copy_from_plan(plan, length, sink, error);
	return r < 0 ? r : getc(plan) == '\n' ? 0 : bad_plan(error, "a file is longer than it says");
}

/* tree PREFIX DIRECTORY */
static int pack_tree(struct stream_line *line, FILE *plan, struct stream_sink *sink, struct stream_error *error)
{
	const char *prefix = stream_line_next(line), *directory = stream_line_next(line);
	CLEANUP_FD int fd = -1;

	(void)plan;
	if (!is_prefix(prefix) || !directory || line->rest)
		return bad_plan(error, "a tree's name and directory");
	fd = open_tree_directory(directory, error);
	if (fd < 0)
		return fd;
	return stream_walk(&(struct stream_walk_options){ .prefix = prefix, .fd = fd, .from_fd = -1 }, sink, error);
}

static void states_cleanup(struct live_states **states)
{
	if (*states)
		live_states_free(states);
}

/* NULL, and all files are sent that are no links, where they cannot be read. */
static struct live_states *load_states(const char *directory)
{
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct lb_context ctx = { .root_fd = -1, .nft_fd = -1 };
	struct live_states *states = NULL;

	return fd >= 0 && live_states_load(&ctx, fd, &states) == 0 ? states : NULL;
}

/* difference PREFIX DIRECTORY FROM [STATES] */
static int pack_difference(struct stream_line *line, FILE *plan, struct stream_sink *sink, struct stream_error *error)
{
	const char *prefix = stream_line_next(line), *directory = stream_line_next(line),
		   *from = stream_line_next(line);
	const char *states_directory = stream_line_next(line);
	CLEANUP(states_cleanup) struct live_states *states = NULL;
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int from_fd = -1;

	(void)plan;
	if (!is_prefix(prefix) || !from || line->rest)
		return bad_plan(error, "a difference's name and directories");
	fd = open_tree_directory(directory, error);
	from_fd = fd < 0 ? fd : open_tree_directory(from, error);
	if (from_fd < 0)
		return from_fd;
	if (states_directory)
		states = load_states(states_directory);
	return stream_walk(&(struct stream_walk_options){ .prefix = prefix,
							  .fd = fd,
							  .from_fd = from_fd,
							  .states = states },
			   sink, error);
}

static const struct {
	const char *word;
	int (*pack)(struct stream_line *line, FILE *plan, struct stream_sink *sink, struct stream_error *error);
} steps[] = {
	{ "file", pack_file },
	{ "tree", pack_tree },
	{ "difference", pack_difference },
};

/*
 * What differs from one stream of a container to the next stands at both ends: identifiers and times, and the digest
 * of all. Who cuts streams where their content says so, and keeps only pieces that are new (restic: 512 KiB at least,
 * 1.5 MiB mostly), would keep two pieces with files in them for it. In zeros there is a cut at once, see
 * stream-mask.h; so they stand alone. Other streams have none.
 */
static int pack_padding(struct packing *packing)
{
	CLEANUP_FREE char *zeros = packing->masked ? malloc(STREAM_PADDING_BYTES) : NULL;

	if (!packing->masked)
		return 0;
	if (!zeros)
		return stream_fail(packing->error, STREAM_FAILED, "out of memory");
	memset(zeros, STREAM_MASK, STREAM_PADDING_BYTES); /* and will be masked */
	return stream_sink_add_file(packing->sink, STREAM_PADDING, NULL, zeros, STREAM_PADDING_BYTES);
}

static int pack_step(struct packing *packing, struct stream_line *line)
{
	const char *word = stream_line_next(line);
	bool is_tree = word && !text_equal(word, "file");
	int r = is_tree && !packing->trees_begun ? pack_padding(packing) : 0;

	packing->trees_begun = packing->trees_begun || is_tree;
	for (size_t i = 0; r == 0 && word && i < sizeof steps / sizeof *steps; i++)
		if (text_equal(word, steps[i].word))
			return steps[i].pack(line, packing->plan, packing->sink, packing->error);
	return r < 0 ? r : bad_plan(packing->error, word ? word : "an empty line");
}

static int pack_all(struct packing *packing)
{
	CLEANUP_STREAM_LINE struct stream_line line = { 0 };
	int r;

	while ((r = stream_line_read(&line, packing->plan)) > 0) {
		if (text_equal(line.text, "end"))
			r = packing->trees_begun ? pack_padding(packing) : 0;
		else
			r = pack_step(packing, &line);
		if (r < 0)
			return r;
		if (text_equal(line.text, "end"))
			return stream_sink_end(packing->sink);
	}
	return bad_plan(packing->error, "it has no end");
}

int stream_pack(FILE *plan, int out_fd, enum stream_form form, struct stream_error *error)
{
	struct packing packing = { .plan = plan, .error = error, .masked = form == STREAM_MASKED };
	int r = stream_sink_open(out_fd, form, error, &packing.sink);

	if (r == 0)
		r = pack_all(&packing);
	stream_sink_free(&packing.sink);
	return r;
}
