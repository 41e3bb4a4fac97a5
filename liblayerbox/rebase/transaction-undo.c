/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoing, from the journal's end. Each step is one rename or can be done twice, and the names in undo/ and new/ say
 * which are done: so it can be killed anywhere and begun again. The container may have run since the switch: what it
 * changed is kept.
 *
 *     undo/N is not there         nothing was moved out by this step, or it is back
 *     new/N is there              nothing was moved in, or it is out again; new/N.own: as the container changed it
 *
 * Where a step moved in only, and the container has deleted that since, an empty new/N says that this was seen.
 */
#include <fcntl.h>
#include <sys/xattr.h>

#include "../util/file.h"
#include "../util/tree-copy.h"
#include "../util/tree.h"
#include "transaction-private.h"
#include "tree-print.h"

/* ---- moving out what the switch, or the container, put there ---- */

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/*
 * Whether the container changed what is there now, so that it has to be kept. What later steps put into it is out
 * already.
 */
static bool is_own(const struct journal_line *line, int dir_fd, const char *name, const struct stat *st)
{
	uint64_t print;

	if (is_whiteout(st))
		return false;
	if (!S_ISDIR(st->st_mode))
		return !journal_moves_in(line) || !is_same_file(st, &line->shall);
	if (tree_print(dir_fd, name, &print) < 0)
		return true;
	return print != (journal_moves_in(line) && S_ISDIR(line->shall.st_mode) ? (uint64_t)line->shall.st_size : 0);
}

static int mark_as_out(const struct workspace *ws, const char *name)
{
	return mknodat(ws->new_fd, name, S_IFREG | 0600, 0) < 0 ? -errno : 0;
}

static int displace(struct workspace *ws, const struct journal_line *line)
{
	struct workspace_name plain = workspace_number(line->number, ""),
			      own = workspace_number(line->number, WORKSPACE_OWN);
	const char *name;
	struct stat st;
	int parent;

	if (workspace_has(ws->new_fd, plain.text) || workspace_has(ws->new_fd, own.text))
		return 0;
	parent = workspace_parent(ws, line->path, &name);
	if (parent < 0 && !workspace_is_absent(parent))
		return parent;
	if (parent >= 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return renameat2(parent, name, ws->new_fd, is_own(line, parent, name, &st) ? own.text : plain.text,
				 RENAME_NOREPLACE) < 0
			       ? -errno
			       : 0;
	if (parent >= 0 && errno != ENOENT)
		return -errno;
	return journal_moves_out(line) ? 0 : mark_as_out(ws, plain.text);
}

/* ---- a way for what comes back, where the container took away its directory ---- */

static const struct stat *attributes_before(const struct journal *journal, const char *path)
{
	for (size_t i = 0; i < journal->count; i++)
		if ((journal->lines[i].verb == JOURNAL_PARENT || journal->lines[i].verb == JOURNAL_ANCESTOR) &&
		    text_equal(journal->lines[i].path, path))
			return &journal->lines[i].was;
	return NULL;
}

/* Made aside, so that a kill leaves no half of it. An opaque one hides the base's, as what was there instead did. */
static int make_directory(const struct workspace *ws, int parent, const char *name, const struct stat *like,
			  bool opaque)
{
	static const char aside[] = "way";
	CLEANUP_FD int fd = -1;
	int r = tree_remove(ws->new_fd, aside);

	if (r < 0)
		return r;
	if (mkdirat(ws->new_fd, aside, 0700) < 0)
		return -errno;
	fd = tree_open_beneath(ws->new_fd, aside, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (opaque && fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0)
		return -errno;
	if (!like && fchmod(fd, 0755) < 0)
		return -errno;
	r = like ? tree_set_attributes(fd, ".", like) : 0;
	if (r == 0 && renameat2(ws->new_fd, aside, parent, name, RENAME_NOREPLACE) < 0)
		r = -errno;
	return r;
}

/* What is in the way is no directory: 1 where it was moved away, 0 where nothing was there. */
static int clear_away(const struct workspace *ws, int parent, const char *name, const char *path, unsigned number)
{
	struct stat st;
	int r;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (is_whiteout(&st))
		r = unlinkat(parent, name, 0) < 0 ? -errno : 0;
	else
		r = undone_keep(ws, parent, name, path, number);
	return r < 0 ? r : 1;
}

/* @path is the directory that is wanted; @name its last component. */
static int step_on(const struct workspace *ws, const struct journal *journal, int parent, const char *name,
		   const char *path, unsigned number)
{
	int fd = tree_open_beneath(parent, name, O_RDONLY | O_DIRECTORY), r;

	if (fd >= 0 || !workspace_is_absent(fd))
		return fd;
	r = clear_away(ws, parent, name, path, number);
	if (r >= 0)
		r = make_directory(ws, parent, name, attributes_before(journal, path), r == 1);
	return r < 0 ? r : tree_open_beneath(parent, name, O_RDONLY | O_DIRECTORY);
}

static int make_way(const struct workspace *ws, const struct journal *journal, const struct journal_line *line)
{
	CLEANUP_FREE char *path = strdup(line->path);
	CLEANUP_FD int fd = workspace_directory(ws, ".");
	char *name = path;

	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path, '/'); fd >= 0 && slash; slash = strchr(name, '/')) {
		int next;

		*slash = '\0';
		next = step_on(ws, journal, fd, name, path, line->number);
		*slash = '/';
		close_fd(fd);
		fd = next;
		name = slash + 1;
	}
	return fd < 0 ? fd : 0;
}

/* ---- one step ---- */

static int restore(struct workspace *ws, const struct journal *journal, const struct journal_line *line)
{
	struct workspace_name number = workspace_number(line->number, "");
	const char *name;
	int parent = workspace_parent(ws, line->path, &name), r = 0;

	if (parent < 0 && workspace_is_absent(parent)) {
		r = make_way(ws, journal, line);
		parent = r < 0 ? r : workspace_parent(ws, line->path, &name);
	}
	if (parent < 0)
		return parent;
	if (renameat2(ws->undo_fd, number.text, parent, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* Not by us or the container, which had no time for it: somebody's hand, between a kill and this. */
	r = clear_away(ws, parent, name, line->path, line->number);
	if (r >= 0 && renameat2(ws->undo_fd, number.text, parent, name, RENAME_NOREPLACE) < 0)
		r = -errno;
	return r < 0 ? r : 0;
}

/* Of the directory that it was, and no other: a later step of the journal may mean another one of that path. */
static int set_back(const struct workspace *ws, const struct journal_line *line)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, line->was.st_mtim };
	CLEANUP_FD int fd = workspace_directory(ws, line->path);
	struct stat st;

	if (fd < 0)
		return workspace_is_absent(fd) ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != line->was.st_ino)
		return 0;
	if (line->verb == JOURNAL_ATTRIBUTES)
		return tree_set_attributes(fd, ".", &line->was);
	if (line->verb == JOURNAL_UNCOVER)
		return fsetxattr(fd, WORKSPACE_OPAQUE, "y", 1, 0) < 0 ? -errno : 0;
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int undo_step(struct workspace *ws, const struct journal *journal, const struct journal_line *line)
{
	bool out = journal_moves_out(line);
	int r;

	if (line->verb == JOURNAL_ANCESTOR)
		return 0;
	if (line->verb == JOURNAL_PARENT || line->verb == JOURNAL_ATTRIBUTES || line->verb == JOURNAL_UNCOVER)
		return set_back(ws, line);
	if (out && !workspace_has(ws->undo_fd, workspace_number(line->number, "").text))
		return 0;
	r = displace(ws, line);
	return r < 0 || !out ? r : restore(ws, journal, line);
}

/* ---- all of it ---- */

int undo_by(struct workspace *ws, const struct journal *journal)
{
	int r;

	for (size_t i = journal->count; i-- > 0;) {
		const struct journal_line *line = &journal->lines[i];

		r = undo_step(ws, journal, line);
		if (r < 0)
			return workspace_fail(ws, r, "bring back", line->path);
	}
	r = durable_moves(ws, journal, 0);
	if (r < 0)
		return r;
	if (renameat(ws->rebase_fd, WORKSPACE_JOURNAL, ws->rebase_fd, WORKSPACE_JOURNAL_UNDONE) < 0 && errno != ENOENT)
		return fail_errno(ws->ctx, errno, "cannot put away the journal of the rebase of container '%s'",
				  ws->name);
	r = durable_workspace(ws);
	return r < 0 ? r : workspace_sweep(ws);
}
