/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seal.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../util/attributes.h"
#include "../util/tree.h"

enum { DEPTH_MAX = 200, PIECE = 65536 };

/* Where the first of several names of one inode in the upper layer has gone, in the new tree. */
struct placed {
	ino_t inode;
	char *path;
};

struct sealer {
	struct lb_context *ctx;
	const struct seal_trees *trees;
	char path[PATH_MAX];          /* of what is being looked at; "" is the tree itself */
	struct placed *placed;
	size_t placed_count;
	size_t changes;
};

/* One directory in all trees; -1 where there is none. */
struct level {
	int lower, upper, other, out;
	bool changed;                 /* names came, went or changed in it */
};

static int failed(const struct sealer *sealer, int error, const char *what)
{
	return fail_errno(sealer->ctx, error, "cannot %s /%s of the new generation", what, sealer->path);
}

/* ---- names ---- */

static int push_name(struct sealer *sealer, const char *name, size_t *ret_length)
{
	size_t length = strlen(sealer->path);

	if (length + strlen(name) + 2 > sizeof sealer->path)
		return failed(sealer, ENAMETOOLONG, "go below");
	*ret_length = length;
	snprintf(sealer->path + length, sizeof sealer->path - length, "%s%s", length ? "/" : "", name);
	return 0;
}

/* ---- the same ---- */

static int same_content(int a, int b)
{
	CLEANUP_FREE char *pieces = malloc(2 * PIECE);
	off_t at = 0;

	if (!pieces)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(a, pieces, PIECE, at), m = pread(b, pieces + PIECE, PIECE, at);

		if (n < 0 || m < 0)
			return -errno;
		if (n != m || memcmp(pieces, pieces + PIECE, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
		at += n;
	}
}

static int same_target(int a_fd, int b_fd, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(a_fd, name, a, sizeof a), m = readlinkat(b_fd, name, b, sizeof b);

	if (n < 0 || m < 0)
		return -errno;
	return n == m && memcmp(a, b, (size_t)n) == 0;
}

/* Python writes into what it has compiled the time of the source: that one must keep it. */
static bool needs_time(const char *name)
{
	const char *suffix = strrchr(name, '.');

	return suffix && text_equal(suffix, ".py");
}

static bool same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Is the file @name in the sealed directory @a_fd as the one in @b_fd? 1, 0 or -errno; 0 also where there is none. */
static int same_file(int a_fd, int b_fd, const char *name)
{
	CLEANUP_FD int a = -1;
	CLEANUP_FD int b = -1;
	struct stat a_st, b_st;
	int r;

	if (a_fd < 0 || fstatat(a_fd, name, &a_st, AT_SYMLINK_NOFOLLOW) < 0)
		return a_fd < 0 || errno == ENOENT ? 0 : -errno;
	if (fstatat(b_fd, name, &b_st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (a_st.st_mode != b_st.st_mode || a_st.st_size != b_st.st_size || a_st.st_rdev != b_st.st_rdev ||
	    (needs_time(name) && !same_time(&a_st, &b_st)))
		return 0;
	r = attributes_equal(a_fd, name, b_fd, name);
	if (r != 1)
		return r;
	if (S_ISLNK(a_st.st_mode))
		return same_target(a_fd, b_fd, name);
	if (!S_ISREG(a_st.st_mode))
		return 1;
	a = openat(a_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	b = openat(b_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return a < 0 || b < 0 ? -errno : same_content(a, b);
}

/* ---- files of the upper layer ---- */

static const struct placed *find_placed(const struct sealer *sealer, ino_t inode)
{
	for (size_t i = 0; i < sealer->placed_count; i++)
		if (sealer->placed[i].inode == inode)
			return &sealer->placed[i];
	return NULL;
}

static int note_placed(struct sealer *sealer, ino_t inode)
{
	struct placed *larger = realloc(sealer->placed, (sealer->placed_count + 1) * sizeof *larger);
	char *path = strdup(sealer->path);

	if (larger)
		sealer->placed = larger;
	if (!larger || !path) {
		free(path);
		return fail_memory(sealer->ctx);
	}
	sealer->placed[sealer->placed_count++] = (struct placed){ inode, path };
	return 0;
}

static int link_from(struct sealer *sealer, int from_fd, const char *path, const struct level *level, const char *name)
{
	return linkat(from_fd, path, level->out, name, 0) < 0 ? failed(sealer, errno, "make the hard link") : 0;
}

static int move_file(struct sealer *sealer, const struct level *level, const char *name)
{
	int r;

	if (renameat(level->upper, name, level->out, name) < 0)
		return failed(sealer, errno, "move");
	r = attributes_clean(level->out, name);
	return r < 0 ? failed(sealer, r, "take overlayfs's attributes from") : 0;
}

static int place_file(struct sealer *sealer, struct level *level, const char *name, const struct stat *st)
{
	const struct placed *placed = st->st_nlink > 1 ? find_placed(sealer, st->st_ino) : NULL;
	int r = same_file(level->lower, level->upper, name);
	bool same = r == 1;

	if (r < 0)
		return failed(sealer, r, "compare");
	if (!same) {
		level->changed = true;
		sealer->changes++;
	}
	if (placed)
		return link_from(sealer, sealer->trees->out_fd, placed->path, level, name);
	if (same)
		r = link_from(sealer, level->lower, name, level, name);
	else if (same_file(level->other, level->upper, name) == 1)
		r = link_from(sealer, level->other, name, level, name);
	else
		r = move_file(sealer, level, name);
	return r == 0 && st->st_nlink > 1 ? note_placed(sealer, st->st_ino) : r;
}

/* ---- directories ---- */

static int merge(struct sealer *sealer, struct level *level, int depth);

/* That directory, or -1 where there is nothing, or something else, of that name. */
static int open_directory(int dir_fd, const char *name)
{
	return dir_fd < 0 ? -1 : openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_opaque(int fd)
{
	char value = '\0';

	return fgetxattr(fd, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static int merge_below(struct sealer *sealer, const struct level *level, const char *name, bool in_upper, int depth)
{
	CLEANUP_FD int upper = in_upper ? open_directory(level->upper, name) : -1;
	CLEANUP_FD int lower = in_upper && (upper < 0 || is_opaque(upper)) ? -1 : open_directory(level->lower, name);
	CLEANUP_FD int other = in_upper ? open_directory(level->other, name) : -1;
	CLEANUP_FD int out = -1;
	struct level below;

	if (depth >= DEPTH_MAX)
		return failed(sealer, ELOOP, "go below");
	if ((in_upper ? upper : lower) < 0)
		return failed(sealer, errno, "open");
	if (mkdirat(level->out, name, 0700) < 0)
		return failed(sealer, errno, "make");
	out = open_directory(level->out, name);
	if (out < 0)
		return failed(sealer, errno, "open");
	below = (struct level){ .lower = lower, .upper = upper, .other = other, .out = out };
	return merge(sealer, &below, depth + 1);
}

static int merge_upper_entry(struct sealer *sealer, struct level *level, const char *name, int depth)
{
	struct stat st, lower;
	bool in_lower = level->lower >= 0 && fstatat(level->lower, name, &lower, AT_SYMLINK_NOFOLLOW) == 0;

	if (fstatat(level->upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(sealer, errno, "look at");
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)) { /* a whiteout */
		level->changed |= in_lower;
		sealer->changes += in_lower;
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return place_file(sealer, level, name, &st);
	if (!in_lower || !S_ISDIR(lower.st_mode)) {
		level->changed = true;
		sealer->changes++;
	}
	return merge_below(sealer, level, name, true, depth);
}

static int merge_lower_entry(struct sealer *sealer, const struct level *level, const char *name, int depth)
{
	if (linkat(level->lower, name, level->out, name, 0) == 0)
		return 0;
	if (errno != EPERM) /* that is what a directory says */
		return failed(sealer, errno, "make the hard link");
	return merge_below(sealer, level, name, false, depth);
}

/* Times are the upper layer's only where something has happened: programs come and go in directories. */
static int give_attributes(struct sealer *sealer, const struct level *level, const struct stat *upper)
{
	struct stat lower;
	struct timespec times[2];
	int r = attributes_copy(level->upper >= 0 ? level->upper : level->lower, level->out);

	if (r < 0)
		return failed(sealer, r, "give attributes to");
	if (level->upper < 0)
		return 0;
	times[0] = upper->st_atim, times[1] = upper->st_mtim;
	if (level->lower >= 0) {
		r = attributes_equal(level->lower, ".", level->upper, ".");
		if (r < 0 || fstat(level->lower, &lower) < 0)
			return failed(sealer, r < 0 ? r : errno, "compare");
		if (r == 0)
			sealer->changes++;
		if (!level->changed)
			times[1] = lower.st_mtim;
	}
	return futimens(level->out, times) < 0 ? failed(sealer, errno, "give its time to") : 0;
}

/* How many names an opaque directory hides does not matter: it is a change. */
static void count_hidden(struct sealer *sealer, struct level *level)
{
	if (level->upper >= 0 && is_opaque(level->upper)) {
		level->changed = true;
		sealer->changes++;
	}
}

static int merge(struct sealer *sealer, struct level *level, int depth)
{
	CLEANUP_TEXT_LIST struct text_list uppers = { 0 };
	CLEANUP_TEXT_LIST struct text_list lowers = { 0 };
	struct stat upper = { 0 };
	size_t length = 0;
	int r = 0;

	if (level->upper >= 0)
		r = fstat(level->upper, &upper) < 0 ? -errno : tree_list_names(level->upper, &uppers);
	if (r == 0 && level->lower >= 0)
		r = tree_list_names(level->lower, &lowers);
	if (r < 0)
		return failed(sealer, r, "read");
	count_hidden(sealer, level);
	for (size_t i = 0; r == 0 && i < uppers.count; i++) {
		r = push_name(sealer, uppers.items[i], &length);
		if (r == 0)
			r = merge_upper_entry(sealer, level, uppers.items[i], depth);
		sealer->path[length] = '\0';
	}
	for (size_t i = 0; r == 0 && i < lowers.count; i++) {
		if (text_list_has_sorted(&uppers, lowers.items[i]))
			continue;
		r = push_name(sealer, lowers.items[i], &length);
		if (r == 0)
			r = merge_lower_entry(sealer, level, lowers.items[i], depth);
		sealer->path[length] = '\0';
	}
	return r < 0 ? r : give_attributes(sealer, level, &upper);
}

int seal(struct lb_context *ctx, const struct seal_trees *trees, size_t *ret_changes)
{
	struct sealer *sealer = calloc(1, sizeof *sealer);
	struct level top = { .lower = trees->lower_fd, .upper = trees->upper_fd, .other = trees->other_fd,
			     .out = trees->out_fd };
	int r;

	if (!sealer)
		return fail_memory(ctx);
	sealer->ctx = ctx;
	sealer->trees = trees;
	r = merge(sealer, &top, 0);
	if (r == 0)
		*ret_changes = sealer->changes;
	for (size_t i = 0; i < sealer->placed_count; i++)
		free(sealer->placed[i].path);
	free(sealer->placed);
	free(sealer);
	return r;
}
