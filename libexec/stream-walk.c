/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-walk.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "stream-content.h"
#include "stream-entry.h"
#include "stream-format.h"
#include "stream-links.h"
#include "stream-names.h"
#include "stream-same.h"
#include "stream-sink.h"
#include "util/tree.h"

/* Two walks: the first one looks for hard links, and for what is gone; the second one sends. */
struct walk {
	const struct stream_walk_options *options;
	struct stream_sink *sink;
	struct stream_error *error;
	struct archive_entry *entry;
	struct stream_links links;
	struct buffer gone; /* names, each with its NUL, for the next list of them */
	char *buffer; /* for content */
	bool sending; /* it is the second one */
	int depth;
	size_t path_length, prefix_length;
	char path[STREAM_PATH_MAX + 1]; /* the member's name, with the prefix and a slash */
};

/* What one directory is visited with. */
struct place {
	int fd, from_fd; /* from_fd -1: there is none, all differs */
	const char *name;
	struct stat st;
};

static int walk_directory(struct walk *walk, int fd, int from_fd);

static int walk_fail(struct walk *walk, int number)
{
	return stream_fail_errno(walk->error, STREAM_FAILED, number, "cannot read %s", walk->path);
}

static const char *path_in_tree(const struct walk *walk)
{
	return walk->path + walk->prefix_length;
}

/* ---- what went ---- */

static char *gone_member(const struct walk *walk)
{
	return text_format("%s/" STREAM_GONE, walk->options->prefix);
}

static int send_gone(struct walk *walk)
{
	CLEANUP_FREE char *member = gone_member(walk);
	int r;

	if (walk->gone.failed || !member)
		return stream_fail(walk->error, STREAM_FAILED, "out of memory");
	if (!walk->gone.length)
		return 0;
	r = stream_sink_add_file(walk->sink, member, STREAM_MARK_GONE, walk->gone.data, walk->gone.length);
	walk->gone.length = 0;
	return r;
}

static int note_gone(struct walk *walk, const char *name)
{
	size_t before = (size_t)(walk->path_length - walk->prefix_length);

	if (walk->gone.length + before + strlen(name) + 1 > STREAM_GONE_MAX) {
		int r = send_gone(walk);

		if (r < 0)
			return r;
	}
	buffer_add(&walk->gone, path_in_tree(walk), before);
	buffer_add(&walk->gone, name, strlen(name) + 1);
	return 0;
}

/* A directory in whose place there is something else goes first, with all that is in it. */
static int note_if_gone(struct walk *walk, int fd, int from_fd, const char *name)
{
	struct stat st, from;

	if (fstatat(from_fd, name, &from, AT_SYMLINK_NOFOLLOW) < 0)
		return walk_fail(walk, errno);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? note_gone(walk, name) : walk_fail(walk, errno);
	return S_ISDIR(from.st_mode) && !S_ISDIR(st.st_mode) ? note_gone(walk, name) : 0;
}

static int look_for_gone(struct walk *walk, int fd, int from_fd)
{
	CLEANUP_STREAM_NAMES struct stream_names names = STREAM_NAMES_EMPTY;
	const char *name;
	int r = stream_names_open(from_fd, &names);

	if (r < 0)
		return walk_fail(walk, -r);
	while ((r = stream_names_next(&names, &name)) > 0) {
		r = note_if_gone(walk, fd, from_fd, name);
		if (r < 0)
			return r;
	}
	return r < 0 ? walk_fail(walk, -r) : 0;
}

/* ---- sending ---- */

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Whiteouts of a layer are often links to one: they come one by one, and are made anew. */
static bool may_be_linked(const struct stat *st)
{
	return st->st_nlink > 1 && !S_ISDIR(st->st_mode) && !is_whiteout(st);
}

static int send_link(struct walk *walk, const char *target)
{
	archive_entry_copy_pathname(walk->entry, walk->path);
	archive_entry_set_filetype(walk->entry, AE_IFREG);
	archive_entry_copy_hardlink(walk->entry, target);
	return stream_sink_begin(walk->sink, walk->entry);
}

static int send_entry(struct walk *walk, const struct place *place, int fd)
{
	int r = stream_entry_fill(walk->entry, walk->path, place->fd, place->name, fd, &place->st, walk->error);

	if (r == 0)
		r = stream_sink_begin(walk->sink, walk->entry);
	if (r == 0 && S_ISREG(place->st.st_mode))
		r = stream_content_send(fd, walk->entry, walk->sink, walk->buffer, walk->error);
	return r;
}

static int send(struct walk *walk, const struct place *place, int fd, struct stream_link *link)
{
	archive_entry_clear(walk->entry);
	if (link && link->name)
		return send_link(walk, link->name);
	if (link && !(link->name = strdup(walk->path)))
		return stream_fail(walk->error, STREAM_FAILED, "out of memory");
	return send_entry(walk, place, fd);
}

/* ---- walking ---- */

static int is_same(struct walk *walk, const struct place *place)
{
	if (place->from_fd < 0)
		return 0;
	return stream_same(place->fd, place->from_fd, place->name, &place->st, path_in_tree(walk),
			   walk->options->states);
}

static int open_entry(const struct place *place)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_NOATIME;
	int fd = tree_open_beneath(place->fd, place->name, flags | (S_ISDIR(place->st.st_mode) ? O_DIRECTORY : 0));

	return fd == -EXDEV ? -EBUSY : fd; /* a mount point */
}

/* 1 where there is nothing to be sent. */
static int first_look(struct walk *walk, const struct place *place)
{
	int same;

	if (!may_be_linked(&place->st))
		return 1;
	same = is_same(walk, place);
	if (same < 0)
		return walk_fail(walk, -same);
	return stream_links_note(&walk->links, place->st.st_ino, !same) < 0
		       ? stream_fail(walk->error, STREAM_FAILED, "out of memory")
		       : 1;
}

/* 0: it is to be sent; 1: it is not. */
static int decide(struct walk *walk, const struct place *place, struct stream_link **ret_link)
{
	int same;

	*ret_link = NULL;
	if (!walk->sending)
		return first_look(walk, place);
	if (may_be_linked(&place->st))
		*ret_link = stream_links_find(&walk->links, place->st.st_ino);
	same = is_same(walk, place);
	if (same < 0)
		return walk_fail(walk, -same);
	return same && !(*ret_link && (*ret_link)->differs);
}

static int visit_directory(struct walk *walk, const struct place *place, int fd)
{
	CLEANUP_FD int from_fd = -1;

	if (place->from_fd >= 0) {
		from_fd = tree_open_beneath(place->from_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOATIME);
		if (from_fd < 0 && from_fd != -ENOENT && from_fd != -ENOTDIR && from_fd != -ELOOP)
			return walk_fail(walk, -from_fd);
	}
	return walk_directory(walk, fd, from_fd < 0 ? -1 : from_fd);
}

static int visit_entry(struct walk *walk, int dir_fd, int from_fd, const char *name)
{
	struct place place = { .fd = dir_fd, .from_fd = from_fd, .name = name };
	CLEANUP_FD int fd = -1;
	struct stream_link *link;
	int skip, r = 0;

	if (fstatat(dir_fd, name, &place.st, AT_SYMLINK_NOFOLLOW) < 0)
		return walk_fail(walk, errno);
	skip = decide(walk, &place, &link);
	if (skip < 0)
		return skip;
	if (S_ISDIR(place.st.st_mode) || (S_ISREG(place.st.st_mode) && !skip)) {
		fd = open_entry(&place);
		if (fd < 0)
			return walk_fail(walk, -fd);
	}
	if (!skip)
		r = send(walk, &place, fd, link);
	return r == 0 && S_ISDIR(place.st.st_mode) ? visit_directory(walk, &place, fd) : r;
}

/* A name behind the present path; the caller takes it off again. */
static int extend_path(struct walk *walk, const char *name)
{
	size_t length = strlen(name);

	if (walk->path_length + length > STREAM_PATH_MAX)
		return stream_fail(walk->error, STREAM_FAILED,
				   "cannot send %.200s...: its name is longer than %d bytes", walk->path,
				   STREAM_PATH_MAX);
	memcpy(walk->path + walk->path_length, name, length + 1);
	walk->path_length += length;
	return 0;
}

static void cut_path(struct walk *walk, size_t length)
{
	walk->path_length = length;
	walk->path[length] = '\0';
}

static int walk_names(struct walk *walk, int fd, int from_fd)
{
	CLEANUP_STREAM_NAMES struct stream_names names = STREAM_NAMES_EMPTY;
	size_t length = walk->path_length;
	const char *name;
	int r = stream_names_open(fd, &names);

	if (r < 0)
		return walk_fail(walk, -r);
	while ((r = stream_names_next(&names, &name)) > 0) {
		r = extend_path(walk, name);
		if (r == 0)
			r = visit_entry(walk, fd, from_fd, name);
		if (r < 0)
			return r;
		cut_path(walk, length);
	}
	return r < 0 ? walk_fail(walk, -r) : 0;
}

/* The path ends with a slash while its names are gone through. */
static int walk_directory(struct walk *walk, int fd, int from_fd)
{
	size_t length = walk->path_length;
	int r;

	if (walk->depth == STREAM_DEPTH_MAX)
		return stream_fail(walk->error, STREAM_FAILED,
				   "cannot send %.200s...: it is more than %d directories deep", walk->path,
				   STREAM_DEPTH_MAX);
	walk->depth++;
	r = walk->depth > 1 ? extend_path(walk, "/") : 0;
	if (r == 0 && from_fd >= 0 && !walk->sending)
		r = look_for_gone(walk, fd, from_fd);
	if (r == 0)
		r = walk_names(walk, fd, from_fd);
	walk->depth--;
	if (r == 0)
		cut_path(walk, length);
	return r;
}

/* The tree itself comes in any case, and before the lists of what went: so the first walk is behind it. */
static int walk_all(struct walk *walk)
{
	const struct stream_walk_options *options = walk->options;
	struct place top = { .fd = options->fd, .from_fd = options->from_fd, .name = "." };
	int r;

	if (fstat(options->fd, &top.st) < 0)
		return walk_fail(walk, errno);
	r = send(walk, &top, options->fd, NULL);
	if (r == 0)
		r = walk_directory(walk, options->fd, options->from_fd);
	if (r == 0)
		r = send_gone(walk);
	if (r == 0 && stream_links_settle(&walk->links) < 0)
		r = stream_fail(walk->error, STREAM_FAILED, "out of memory");
	walk->sending = true;
	return r < 0 ? r : walk_directory(walk, options->fd, options->from_fd);
}

int stream_walk(const struct stream_walk_options *options, struct stream_sink *sink, struct stream_error *error)
{
	struct walk *walk = calloc(1, sizeof *walk);
	int r;

	if (!walk)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	walk->options = options;
	walk->sink = sink;
	walk->error = error;
	walk->entry = archive_entry_new();
	walk->buffer = malloc(STREAM_BUFFER);
	if (walk->entry && walk->buffer) {
		r = extend_path(walk, options->prefix);
		if (r == 0)
			r = extend_path(walk, "/");
		walk->prefix_length = walk->path_length;
		if (r == 0)
			r = walk_all(walk);
	} else {
		r = stream_fail(error, STREAM_FAILED, "out of memory");
	}
	archive_entry_free(walk->entry);
	stream_links_free(&walk->links);
	buffer_free(&walk->gone);
	free(walk->buffer);
	free(walk);
	return r;
}
