/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "merge.h"

#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../util/tree-copy.h"
#include "../util/tree.h"

#define OPAQUE "trusted.overlay.opaque"
#define ORIGIN "trusted.overlay.origin"
#define WHITEOUT "trusted.overlay.whiteout"

/* What one layer has of a directory. */
struct part {
	size_t layer;
	int fd;                       /* -1 while one below is worked on */
	ino_t inode;
};

/*
 * A directory of the result. However deep one lies, few are open: where a layer goes on below, it is closed above, and
 * opened again as what is above of that one. So a tree may be as deep as anybody likes.
 */
struct level {
	struct level *above;
	struct text_list names;       /* of all parts */
	size_t next;                  /* of them */
	size_t path_length;
	int out_fd;                   /* as fd of a part */
	ino_t out_inode;
	bool opaque;
	bool covered;                 /* it or one above is opaque: nothing of a base shows */
	bool has_whiteouts;
	size_t count;
	struct part parts[];          /* topmost first */
};

/* Where a name of a file that is copied, and has several, has gone. */
struct placed {
	size_t layer;
	ino_t inode;
	char *path;
};

struct merger {
	struct lb_context *ctx;
	const struct merge_layer *layers;
	int out_fd;
	struct level *level;          /* the one that is worked on */
	struct buffer path;           /* of it and what is in it; "" is the tree itself */
	void *placed;                 /* a tree of tsearch(3) */
};

static int failed(const struct merger *merger, int error, const char *what)
{
	return fail_errno(merger->ctx, error, "cannot %s /%s of merged layers", what, merger->path.data);
}

/* ---- names ---- */

static void cut_path(struct merger *merger, size_t length)
{
	merger->path.length = length;
	merger->path.data[length] = '\0';
}

/* Room for the end is always there: the first text of it is "". */
static int push_name(struct merger *merger, const char *name)
{
	buffer_format(&merger->path, "%s%s", merger->path.length ? "/" : "", name);
	return merger->path.failed ? fail_memory(merger->ctx) : 0;
}

static void drop_twins(struct text_list *sorted)
{
	size_t kept = 0;

	for (size_t i = 0; i < sorted->count; i++) {
		if (kept > 0 && text_equal(sorted->items[kept - 1], sorted->items[i]))
			free(sorted->items[i]);
		else
			sorted->items[kept++] = sorted->items[i];
	}
	if (sorted->count > 0)
		sorted->items[kept] = NULL;
	sorted->count = kept;
}

/* ---- overlayfs's marks ---- */

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* What has no such attribute, or a longer one than the kernel asks for, is not opaque. */
static int read_opaque(struct merger *merger, int fd, bool *ret_opaque)
{
	char value = '\0';
	ssize_t n = fgetxattr(fd, OPAQUE, &value, 1);

	if (n < 0 && errno != ENODATA && errno != ENOTSUP && errno != ERANGE)
		return failed(merger, errno, "read attributes of");
	if (n == 1 && value == 'x')
		return fail(merger->ctx, -LB_ERR_DAMAGED,
			    "/%s of a layer is marked as a directory with whiteouts that are files; layerbox does not "
			    "make such layers",
			    merger->path.data);
	*ret_opaque = n == 1 && value == 'y';
	return 0;
}

/* Newer kernels know empty files that are whiteouts, but write none where the device can be made. */
static int refuse_file_whiteout(struct merger *merger, int dir_fd, const char *name, const struct stat *st)
{
	char path[64 + NAME_MAX];

	if (!S_ISREG(st->st_mode) || st->st_size > 0)
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
	if (lgetxattr(path, WHITEOUT, NULL, 0) < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : failed(merger, errno, "read attributes of");
	return fail(merger->ctx, -LB_ERR_DAMAGED,
		    "/%s of a layer is a file that is marked as a whiteout; layerbox does not make such layers",
		    merger->path.data);
}

/* ---- what is no directory ---- */

static int compare_placed(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void free_placed(void *item)
{
	struct placed *placed = item;

	free(placed->path);
	free(placed);
}

static struct placed *find_placed(const struct merger *merger, size_t layer, ino_t inode)
{
	const struct placed key = { .layer = layer, .inode = inode };
	struct placed **found = tfind(&key, &merger->placed, compare_placed);

	return found ? *found : NULL;
}

static int note_placed(struct merger *merger, struct placed *placed, size_t layer, ino_t inode)
{
	char *path = strdup(merger->path.data);

	if (path && placed) {
		free(placed->path);
		placed->path = path;
		return 0;
	}
	placed = path ? malloc(sizeof *placed) : NULL;
	if (placed) {
		*placed = (struct placed){ layer, inode, path };
		if (tsearch(placed, &merger->placed, compare_placed))
			return 0;
	}
	free(placed);
	free(path);
	return fail_memory(merger->ctx);
}

static bool is_full(int error)
{
	return error == EMLINK || error == ENAMETOOLONG; /* too deep to be named from the top */
}

/*
 * Copies it, or links it to the copy of another name of it in its layer. A copy that can take no more links, or cannot
 * be reached, is followed by a further one.
 */
static int copy_file(struct merger *merger, const struct part *part, const char *name, const struct stat *st)
{
	struct placed *placed = st->st_nlink > 1 ? find_placed(merger, part->layer, st->st_ino) : NULL;
	int r;

	if (placed && linkat(merger->out_fd, placed->path, merger->level->out_fd, name, 0) == 0)
		return 0;
	if (placed && !is_full(errno))
		return failed(merger, errno, "make the hard link");
	r = tree_copy_entry(part->fd, name, merger->level->out_fd, name, NULL);
	if (r < 0)
		return failed(merger, r, "copy");
	return st->st_nlink > 1 ? note_placed(merger, placed, part->layer, st->st_ino) : 0;
}

/* Nobody writes to a whiteout. */
static bool must_copy(const struct merge_layer *layer, const struct stat *st)
{
	return layer->copy || (layer->copy_shared && st->st_nlink > 1 && !is_whiteout(st));
}

/* Whiteouts, too: overlayfs has one inode for very many of them. */
static int place_file(struct merger *merger, const struct part *part, const char *name, const struct stat *st)
{
	struct level *level = merger->level;
	int r = refuse_file_whiteout(merger, part->fd, name, st);

	if (r < 0)
		return r;
	if (is_whiteout(st)) {
		if (level->covered)
			return 0; /* there is nothing to hide, and in a directory of one layer it would be listed */
		level->has_whiteouts = true;
	}
	if (must_copy(&merger->layers[part->layer], st))
		return copy_file(merger, part, name, st);
	if (linkat(part->fd, name, level->out_fd, name, 0) == 0)
		return 0;
	return errno == EMLINK ? copy_file(merger, part, name, st) : failed(merger, errno, "make the hard link");
}

/* ---- directories ---- */

static void level_free(struct level *level)
{
	for (size_t i = 0; i < level->count; i++)
		close_fd(level->parts[i].fd);
	close_fd(level->out_fd);
	text_list_free(&level->names);
	free(level);
}

static int open_directory(int dir_fd, const char *name, ino_t *ret_inode)
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_inode = st.st_ino;
	return take_fd(&fd);
}

/*
 * Adds what the parts of @above, from @first on, have of the directory @name, down to what hides the rest. A directory
 * that stands in the place of something else hides it, and what a base has, without a mark of its own.
 */
static int find_parts(struct merger *merger, const struct level *above, size_t first, const char *name,
		      struct level *level)
{
	for (size_t i = first; i < above->count && !level->opaque; i++) {
		struct part *part = &level->parts[level->count];
		int r;

		part->fd = open_directory(above->parts[i].fd, name, &part->inode);
		if (part->fd == -ENOENT)
			continue;
		if (part->fd == -ENOTDIR || part->fd == -ELOOP) {
			level->opaque = true;
			return 0;
		}
		if (part->fd < 0)
			return failed(merger, part->fd, "open");
		part->layer = above->parts[i].layer;
		level->count++;
		r = read_opaque(merger, part->fd, &level->opaque);
		if (r < 0)
			return r;
	}
	return 0;
}

static int list_names(struct merger *merger, struct level *level)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < level->count; i++)
		r = tree_list_names(level->parts[i].fd, &level->names);
	drop_twins(&level->names);
	return r < 0 ? failed(merger, r, "read") : 0;
}

static int make_directory(struct merger *merger, int dir_fd, const char *name, struct level *level)
{
	if (mkdirat(dir_fd, name, 0700) < 0)
		return failed(merger, errno, "make");
	level->out_fd = open_directory(dir_fd, name, &level->out_inode);
	return level->out_fd < 0 ? failed(merger, level->out_fd, "open") : 0;
}

/* Closes what is open below; those parts that end here stay open, once for each layer at most. */
static void close_above(struct level *above, const struct level *level)
{
	for (size_t i = 0, j = 0; i < above->count && j < level->count; i++) {
		if (above->parts[i].layer != level->parts[j].layer)
			continue;
		close_fd(take_fd(&above->parts[i].fd));
		j++;
	}
	close_fd(take_fd(&above->out_fd));
}

static int open_again(struct merger *merger, int below_fd, ino_t inode)
{
	ino_t found = 0;
	int fd = open_directory(below_fd, "..", &found);

	if (fd >= 0 && found == inode)
		return fd;
	close_fd(fd);
	return failed(merger, fd < 0 ? fd : EBUSY, "go back from"); /* somebody moves directories */
}

static int open_above(struct merger *merger, struct level *above, const struct level *level)
{
	for (size_t i = 0, j = 0; i < above->count && j < level->count; i++) {
		struct part *part = &above->parts[i];
		int fd;

		if (part->layer != level->parts[j].layer)
			continue;
		fd = open_again(merger, level->parts[j++].fd, part->inode);
		if (fd < 0)
			return fd;
		part->fd = fd;
	}
	above->out_fd = open_again(merger, level->out_fd, above->out_inode);
	return above->out_fd < 0 ? above->out_fd : 0;
}

/* Goes into a directory that the topmost of the parts from @first on has. */
static int enter(struct merger *merger, size_t first, const char *name)
{
	struct level *above = merger->level;
	struct level *level = calloc(1, sizeof *level + (above->count - first) * sizeof *level->parts);
	int r;

	if (!level)
		return fail_memory(merger->ctx);
	level->out_fd = -1;
	r = find_parts(merger, above, first, name, level);
	if (r == 0)
		r = make_directory(merger, above->out_fd, name, level);
	if (r == 0)
		r = list_names(merger, level);
	if (r < 0) {
		level_free(level);
		return r;
	}
	close_above(above, level);
	level->above = above;
	level->covered = above->covered || level->opaque;
	level->path_length = merger->path.length;
	merger->level = level;
	return 0;
}

/*
 * Attributes without overlayfs's own, but for the mark of an opaque directory. Where whiteouts are, an empty origin
 * says so: over a base without such a directory the kernel would list them, and could not delete it.
 */
static int give_attributes(struct merger *merger, const struct level *level)
{
	const struct part *top = &level->parts[0];
	struct stat st;
	int r = fstat(top->fd, &st) < 0 ? -errno : 0;

	if (r == 0 && level->opaque && fsetxattr(level->out_fd, OPAQUE, "y", 1, 0) < 0)
		r = -errno;
	if (r == 0 && level->above && level->has_whiteouts && fsetxattr(level->out_fd, ORIGIN, "", 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = tree_copy_attributes(top->fd, level->out_fd, ".", &st);
	return r < 0 ? failed(merger, r, "give attributes to") : 0;
}

static int leave(struct merger *merger)
{
	struct level *level = merger->level, *above = level->above;
	int r = give_attributes(merger, level);

	if (r == 0 && above)
		r = open_above(merger, above, level);
	if (r < 0)
		return r;
	merger->level = above;
	level_free(level);
	cut_path(merger, above ? above->path_length : 0);
	return 0;
}

/* ---- all of it ---- */

static int merge_name(struct merger *merger, const char *name)
{
	const struct level *level = merger->level;
	struct stat st;

	for (size_t i = 0; i < level->count; i++) {
		if (fstatat(level->parts[i].fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return S_ISDIR(st.st_mode) ? enter(merger, i, name)
						   : place_file(merger, &level->parts[i], name, &st);
		if (errno != ENOENT)
			break;
	}
	return failed(merger, errno, "look at");
}

static int merge_names(struct merger *merger)
{
	int r = 0;

	while (r == 0 && merger->level) {
		struct level *level = merger->level;

		if (level->next == level->names.count) {
			r = leave(merger);
			continue;
		}
		r = push_name(merger, level->names.items[level->next]);
		if (r == 0)
			r = merge_name(merger, level->names.items[level->next++]);
		if (r == 0 && merger->level == level)
			cut_path(merger, level->path_length);
	}
	return r;
}

/* The mark of an opaque directory says nothing at the top of a layer. */
static int enter_top(struct merger *merger, size_t count)
{
	struct level *level = calloc(1, sizeof *level + count * sizeof *level->parts);
	bool ignored;
	int r = 0;

	if (!level)
		return fail_memory(merger->ctx);
	merger->level = level;
	level->out_fd = open_directory(merger->out_fd, ".", &level->out_inode);
	if (level->out_fd < 0)
		return failed(merger, level->out_fd, "open");
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct part *part = &level->parts[level->count];

		*part = (struct part){ .layer = i };
		part->fd = open_directory(merger->layers[i].fd, ".", &part->inode);
		if (part->fd < 0)
			return failed(merger, part->fd, "open");
		level->count++;
		r = read_opaque(merger, part->fd, &ignored);
	}
	return r == 0 ? list_names(merger, level) : r;
}

int layers_merge(struct lb_context *ctx, const struct merge_layer *layers, size_t count, int out_fd)
{
	struct merger merger = { .ctx = ctx, .layers = layers, .out_fd = out_fd };
	int r;

	buffer_add_text(&merger.path, "");
	r = merger.path.failed ? fail_memory(ctx) : count == 0 ? 0 : enter_top(&merger, count);
	if (r == 0)
		r = merge_names(&merger);
	while (merger.level) {
		struct level *above = merger.level->above;

		level_free(merger.level);
		merger.level = above;
	}
	tdestroy(merger.placed, free_placed);
	buffer_free(&merger.path);
	return r;
}
