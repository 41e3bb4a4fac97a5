/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "next.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../snapshot/layer.h"
#include "../snapshot/snapshot.h"
#include "../util/attributes.h"
#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"
#include "layout.h"

#define PREPARED ".next"
#define COMMITTED "next"
#define DONE ".next-done"
#define SWITCH "switch"
#define SNAPSHOT "snapshot"
#define OLD_TOP "old-top"
#define OLD_WORK "old-work"

enum { SWITCH_BYTES_MAX = 4096, NEXT_RECORD_BYTES_MAX = 64 * 1024 };

static int open_below(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- preparing ---- */

int next_begin(struct lb_context *ctx, int container_fd, const char *name, struct next *ret_next)
{
	struct next next = { .ctx = ctx, .name = name, .container_fd = container_fd, .top_fd = -1 };

	if (mkdirat(container_fd, PREPARED, 0700) < 0)
		return fail_errno(ctx, errno, "cannot prepare the change of container '%s'", name);
	next.fd = open_below(container_fd, PREPARED);
	if (next.fd < 0)
		return fail_errno(ctx, errno, "cannot prepare the change of container '%s'", name);
	*ret_next = next;
	return 0;
}

int next_add_top(struct next *next, int like_fd)
{
	CLEANUP_FD int old_fd = open_below(next->container_fd, LAYOUT_TOP);
	int r = 0;

	if (old_fd < 0 || mkdirat(next->fd, LAYOUT_TOP, 0755) < 0 || mkdirat(next->fd, LAYOUT_WORK, 0700) < 0)
		return fail_errno(next->ctx, errno, "cannot make a new top layer for container '%s'", next->name);
	next->top_fd = open_below(next->fd, LAYOUT_TOP);
	r = next->top_fd < 0 ? -errno : attributes_copy(like_fd < 0 ? old_fd : like_fd, next->top_fd);
	return r < 0 ? fail_errno(next->ctx, r, "cannot make a new top layer for container '%s'", next->name) : 0;
}

void next_end(struct next *next)
{
	if (next->fd >= 0 && !next->committed)
		tree_remove(next->container_fd, PREPARED);
	close_fd(take_fd(&next->top_fd));
	close_fd(take_fd(&next->fd));
	free(TAKE_PTR(next->snapshot));
}

/* ---- what there is to do ---- */

struct todo {
	char layer[LAYER_ID_SIZE], label[LABEL_SIZE];
	bool complete;
};

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct todo *todo = userdata;

	if (text_equal(key, "layer"))
		return layer_id_is_valid(value) && text_copy(todo->layer, sizeof todo->layer, value)
			       ? NULL
			       : "must be a layer";
	if (text_equal(key, "label"))
		return label_is_valid(value) && text_copy(todo->label, sizeof todo->label, value) ? NULL
												  : "must be a label";
	if (text_equal(key, "complete"))
		return text_to_bool(value, &todo->complete) ? NULL : "must be yes";
	return "is not a key of a change";
}

/*
 * False where a power cut came before all of it was on disk; then nothing was moved yet, and it was never committed. A
 * record that is in its place already is complete.
 */
static bool read_todo(struct lb_context *ctx, int next_fd, const char *name, struct todo *ret_todo)
{
	CLEANUP_FREE char *text = NULL;
	struct record record = { 0 };
	char error[256];

	*ret_todo = (struct todo){ 0 };
	if (file_read(next_fd, SWITCH, SWITCH_BYTES_MAX, &text, NULL) < 0 ||
	    keyfile_parse(text, SWITCH, on_key, ret_todo, error, sizeof error) < 0 || !ret_todo->complete)
		return false;
	if (!has(next_fd, RECORD_FILE))
		return true;
	if (record_read(ctx, next_fd, name, &record) < 0)
		return false;
	record_free(&record);
	return true;
}

/* ---- moving to the places; each step may have been made before ---- */

static int move(int from_fd, const char *from, int to_fd, const char *to)
{
	return renameat(from_fd, from, to_fd, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* The old top layer goes where it shall, as long as the new one waits. */
static int move_old_top(struct lb_context *ctx, int container_fd, int next_fd, const struct todo *todo)
{
	CLEANUP_FD int layers_fd = -1;
	CLEANUP_FD int layer_fd = -1;
	int r;

	if (!has(next_fd, LAYOUT_TOP) || !has(container_fd, LAYOUT_TOP))
		return 0;
	if (!*todo->layer)
		return move(container_fd, LAYOUT_TOP, next_fd, OLD_TOP);
	r = store_open(ctx);
	if (r < 0)
		return r;
	mkdirat(ctx->root_fd, STORE_LAYERS, 0700);
	layers_fd = open_below(ctx->root_fd, STORE_LAYERS);
	if (layers_fd < 0 || (mkdirat(layers_fd, todo->layer, 0700) < 0 && errno != EEXIST))
		return -errno;
	layer_fd = open_below(layers_fd, todo->layer);
	return layer_fd < 0 ? -errno : move(container_fd, LAYOUT_TOP, layer_fd, LAYER_TREE);
}

static int move_new_top(int container_fd, int next_fd)
{
	int r = 0;

	/* The work directory goes with its top layer, and so before it. */
	if (has(next_fd, LAYOUT_WORK)) {
		if (has(container_fd, LAYOUT_WORK))
			r = move(container_fd, LAYOUT_WORK, next_fd, OLD_WORK);
		if (r == 0)
			r = move(next_fd, LAYOUT_WORK, container_fd, LAYOUT_WORK);
	}
	return r == 0 ? move(next_fd, LAYOUT_TOP, container_fd, LAYOUT_TOP) : r;
}

static int move_snapshot(int container_fd, int next_fd, const struct todo *todo)
{
	CLEANUP_FD int fd = -1;

	if (!*todo->label || !has(next_fd, SNAPSHOT))
		return 0;
	if (mkdirat(container_fd, LAYOUT_SNAPSHOTS, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_below(container_fd, LAYOUT_SNAPSHOTS);
	return fd < 0 ? -errno : move(next_fd, SNAPSHOT, fd, todo->label);
}

static int move_all(struct lb_context *ctx, int container_fd, int next_fd, const struct todo *todo)
{
	int r = move_old_top(ctx, container_fd, next_fd, todo);

	if (r == 0)
		r = move_new_top(container_fd, next_fd);
	if (r == 0)
		r = move_snapshot(container_fd, next_fd, todo);
	if (r == 0)
		r = move(next_fd, RECORD_FILE, container_fd, RECORD_FILE);
	if (r == 0)
		r = move(container_fd, COMMITTED, container_fd, DONE);
	return r;
}

static int finish(struct lb_context *ctx, int container_fd, int next_fd, const char *name, const struct todo *todo)
{
	int r = move_all(ctx, container_fd, next_fd, todo);

	if (r < 0)
		return fail_errno(ctx, r,
				  "cannot finish a change of container '%s' that is decided already; the next command "
				  "tries again",
				  name);
	tree_remove(container_fd, DONE);
	return 0;
}

/* ---- committing ---- */

static int add_file(struct next *next, const char *file, const char *text, int *ret_fd)
{
	int r = text ? file_create(next->fd, file, text, strlen(text), 0600, ret_fd) : -ENOMEM;

	return r < 0 ? fail_errno(next->ctx, r, "cannot prepare the change of container '%s'", next->name) : 0;
}

static char *switch_text(const struct next *next)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	if (*next->layer)
		buffer_format(&text, "layer = %s\n", next->layer);
	if (*next->label)
		buffer_format(&text, "label = %s\n", next->label);
	buffer_add_text(&text, "complete = yes\n");
	return buffer_finish(&text);
}

/*
 * One commit of the file system's journal is enough: all is renamed into view first and then brought to disk, and what a
 * power cut leaves incomplete counts as nothing. Nothing is moved before it is on disk.
 */
static int write_all(struct next *next, const struct record *record)
{
	CLEANUP_FREE char *text = record_to_text(record);
	CLEANUP_FREE char *todo = switch_text(next);
	CLEANUP_FD int record_fd = -1;
	CLEANUP_FD int switch_fd = -1;
	CLEANUP_FD int snapshot_fd = -1;
	int fds[4], count = 0;
	int r = add_file(next, RECORD_FILE, text, &record_fd);

	if (r == 0)
		r = add_file(next, SWITCH, todo, &switch_fd);
	if (r == 0 && *next->label)
		r = add_file(next, SNAPSHOT, next->snapshot, &snapshot_fd);
	if (r < 0)
		return r;
	if (renameat2(next->container_fd, PREPARED, next->container_fd, COMMITTED, RENAME_NOREPLACE) < 0)
		return fail_errno(next->ctx, errno, "cannot change container '%s'", next->name);
	next->committed = true;
	fds[count++] = record_fd;
	fds[count++] = switch_fd;
	if (snapshot_fd >= 0)
		fds[count++] = snapshot_fd;
	fds[count++] = next->container_fd;
	r = files_sync(fds, (size_t)count);
	if (r == 0)
		return 0;
	/* It is not known to be on disk: taken back, since nothing has moved yet. */
	if (renameat(next->container_fd, COMMITTED, next->container_fd, PREPARED) == 0)
		next->committed = false;
	return fail_errno(next->ctx, r, "cannot write the change of container '%s' to disk", next->name);
}

int next_commit(struct next *next, const struct record *record)
{
	struct todo todo = { .complete = true };
	int r = write_all(next, record);

	if (r < 0)
		return r;
	text_copy(todo.layer, sizeof todo.layer, next->layer);
	text_copy(todo.label, sizeof todo.label, next->label);
	return finish(next->ctx, next->container_fd, next->fd, next->name, &todo);
}

/* ---- for those who come later ---- */

bool next_is_committed(int container_fd)
{
	return has(container_fd, COMMITTED);
}

int next_finish(struct lb_context *ctx, int container_fd, const char *name)
{
	CLEANUP_FD int fd = open_below(container_fd, COMMITTED);
	struct todo todo;
	int r;

	if (fd < 0 && errno != ENOENT)
		return fail_errno(ctx, errno, "cannot look for an unfinished change of container '%s'", name);
	if (has(container_fd, PREPARED))
		tree_remove(container_fd, PREPARED);
	if (has(container_fd, DONE))
		tree_remove(container_fd, DONE);
	if (fd < 0)
		return 0;
	if (!read_todo(ctx, fd, name, &todo)) {
		log_message(ctx, LB_LOG_WARNING,
			    "container '%s': a change that a power cut left incomplete is forgotten", name);
		tree_remove(container_fd, COMMITTED);
		return 0;
	}
	r = finish(ctx, container_fd, fd, name, &todo);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "container '%s': a change that was interrupted is finished", name);
	return r < 0 ? r : 1;
}

int next_read(struct lb_context *ctx, int container_fd, const char *name, struct record *ret_record)
{
	CLEANUP_FD int fd = open_below(container_fd, COMMITTED);
	struct todo todo;

	if (fd < 0 || !has(fd, RECORD_FILE) || !read_todo(ctx, fd, name, &todo))
		return 1;
	return record_read(ctx, fd, name, ret_record) == 0 ? 0 : 1; /* it came to its place meanwhile */
}

/* ---- locks ---- */

static int finish_locked(struct lb_context *ctx, int container_fd, const char *name)
{
	CLEANUP_FD int fd = container_fd;
	int r = fd < 0 ? fd : next_finish(ctx, fd, name);

	return r < 0 ? r : take_fd(&fd);
}

int container_lock(struct lb_context *ctx, const char *name)
{
	return finish_locked(ctx, lock_container(ctx, name), name);
}

int container_lock_at_once(struct lb_context *ctx, const char *name)
{
	return finish_locked(ctx, lock_container_at_once(ctx, name), name);
}

int container_enter(struct lb_context *ctx, const char *name)
{
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	return r < 0 ? r : container_lock(ctx, name);
}

int container_lock_with_root(struct lb_context *ctx, const char *name, int *ret_root_lock)
{
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int fd = lock_root_and_container(ctx, name, &root_lock);
	int r = fd < 0 ? fd : next_finish(ctx, fd, name);

	if (r < 0)
		return r;
	*ret_root_lock = take_fd(&root_lock);
	return take_fd(&fd);
}
