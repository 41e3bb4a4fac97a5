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
#include "../stream/id-map.h"
#include "../stream/moving.h"
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
#define CAME "came"
#define OLD_TOP "old-top"
#define OLD_WORK "old-work"

enum { SWITCH_BYTES_MAX = 4096, SNAPSHOT_BYTES_MAX = 16 * 1024 };

static int open_below(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool has(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 1, 0, or why it is not known: only what is known to be missing may be taken for that. */
static int look_for(int dir_fd, const char *name)
{
	return has(dir_fd, name) ? 1 : errno == ENOENT ? 0 : -errno;
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
	char layer[LAYER_ID_SIZE], label[LABEL_SIZE], came[LABEL_SIZE];
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
	if (text_equal(key, "came"))
		return label_is_valid(value) && text_copy(todo->came, sizeof todo->came, value) ? NULL : "must be a label";
	if (text_equal(key, "complete"))
		return text_to_bool(value, &todo->complete) ? NULL : "must be yes";
	return "is not a key of a change";
}

/* The switch: 1 where it is not whole. */
static int read_switch(struct lb_context *ctx, int next_fd, const char *name, struct todo *ret_todo)
{
	CLEANUP_FREE char *text = NULL;
	char error[256];
	int r = file_read(next_fd, SWITCH, SWITCH_BYTES_MAX, &text, NULL);

	*ret_todo = (struct todo){ 0 };
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot read the change of container '%s' that is decided already", name);
	if (r == 0 && keyfile_parse(text, SWITCH, on_key, ret_todo, error, sizeof error) == 0 && ret_todo->complete)
		return 0;
	fail(ctx, -LB_ERR_DAMAGED, "its file %s is not whole", SWITCH);
	return 1;
}

/* The record: 1 where it is not whole. None may be there, when it is in its place already. */
static int read_record(struct lb_context *ctx, int next_fd, const char *name, struct next_content *content)
{
	int r = record_read(ctx, next_fd, name, &content->record);

	content->has_record = r == 0;
	return r == -LB_ERR_NO_CONTAINER ? 0 : r == -LB_ERR_BAD_CONFIG ? 1 : r;
}

/* The snapshot that comes about, likewise. */
static int read_snapshot(struct lb_context *ctx, int next_fd, const char *name, struct next_content *content)
{
	CLEANUP_FREE char *text = NULL;
	int r = *content->label ? file_read(next_fd, SNAPSHOT, SNAPSHOT_BYTES_MAX, &text, NULL) : -ENOENT;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the change of container '%s' that is decided already", name);
	r = snapshot_record_parse(ctx, text, COMMITTED "/" SNAPSHOT, &content->snapshot);
	content->has_snapshot = r == 0;
	return r == -LB_ERR_BAD_CONFIG ? 1 : r;
}

/* What moves first is the old top layer, and what that leaves stays to the end. 1, 0, or a failure. */
static int has_begun(int container_fd, int next_fd)
{
	int top = look_for(container_fd, LAYOUT_TOP);
	int old_top = look_for(next_fd, OLD_TOP);
	int old_work = look_for(next_fd, OLD_WORK);

	return top < 0 ? top : old_top < 0 ? old_top : old_work < 0 ? old_work : !top || old_top || old_work;
}

/* Before anything has moved, all of it must be there. */
static int is_whole(struct lb_context *ctx, const struct todo *todo, const struct next_content *content)
{
	if (content->has_record && (!*todo->label || content->has_snapshot))
		return 0;
	fail(ctx, -LB_ERR_DAMAGED, "a file of it is missing");
	return 1;
}

/*
 * What is to be done, and what it brings along. 1 where a power cut came before all of it was on disk: then nothing was
 * moved yet, and it was never committed. Whatever else cannot be read is a failure: what has begun to move is needed.
 */
static int read_all(struct lb_context *ctx, int container_fd, int next_fd, const char *name, struct todo *ret_todo,
		    struct next_content *content)
{
	int r = read_switch(ctx, next_fd, name, ret_todo), begun;

	if (r == 0) {
		text_copy(content->layer, sizeof content->layer, ret_todo->layer);
		text_copy(content->label, sizeof content->label, ret_todo->label);
		r = read_record(ctx, next_fd, name, content);
	}
	if (r == 0)
		r = read_snapshot(ctx, next_fd, name, content);
	if (r < 0)
		return r;
	begun = has_begun(container_fd, next_fd);
	if (begun < 0)
		return fail_errno(ctx, begun, "cannot look at the change of container '%s' that is decided already",
				  name);
	if (r == 0 && !begun)
		r = is_whole(ctx, ret_todo, content);
	if (r == 0 || !begun)
		return r;
	return fail_wrap(ctx, -LB_ERR_DAMAGED,
			 "container '%s' was being changed when a command ended, and what is left to do in its "
			 "directory " COMMITTED " cannot be read; put that right by hand",
			 name);
}

void next_content_free(struct next_content *content)
{
	record_free(&content->record);
	snapshot_record_free(&content->snapshot);
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
	int r = look_for(next_fd, LAYOUT_TOP);

	if (r > 0)
		r = look_for(container_fd, LAYOUT_TOP);
	if (r <= 0)
		return r;
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
	/* The work directory goes with its top layer, and so before it. */
	int r = look_for(next_fd, LAYOUT_WORK);

	if (r > 0) {
		r = move(container_fd, LAYOUT_WORK, next_fd, OLD_WORK);
		if (r == 0)
			r = move(next_fd, LAYOUT_WORK, container_fd, LAYOUT_WORK);
	}
	return r == 0 ? move(next_fd, LAYOUT_TOP, container_fd, LAYOUT_TOP) : r;
}

static int move_snapshot(int container_fd, int next_fd, const char *file, const char *label)
{
	CLEANUP_FD int fd = -1;
	int r = *label ? look_for(next_fd, file) : 0;

	if (r <= 0)
		return r;
	if (mkdirat(container_fd, LAYOUT_SNAPSHOTS, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_below(container_fd, LAYOUT_SNAPSHOTS);
	return fd < 0 ? -errno : move(next_fd, file, fd, label);
}

static int move_all(struct lb_context *ctx, int container_fd, int next_fd, const struct todo *todo)
{
	int r = move_old_top(ctx, container_fd, next_fd, todo);

	if (r == 0)
		r = move_new_top(container_fd, next_fd);
	if (r == 0)
		r = move_snapshot(container_fd, next_fd, SNAPSHOT, todo->label);
	if (r == 0)
		r = move_snapshot(container_fd, next_fd, CAME, todo->came);
	if (r == 0)
		r = move(next_fd, ID_MAP_FILE, container_fd, ID_MAP_FILE);
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
	if (next->came && next->came->snapshot)
		buffer_format(&text, "came = %s\n", next->came->label);
	buffer_add_text(&text, "complete = yes\n");
	return buffer_finish(&text);
}

/* On disk before anything is in view, and so whole whenever there is a change. */
static int write_came(struct next *next)
{
	const struct next_came *came = next->came;
	int r = 0;

	if (came && came->snapshot)
		r = file_write(next->fd, CAME, came->snapshot, strlen(came->snapshot), 0600, FILE_DURABLE);
	if (r == 0 && came && came->received)
		r = file_write(next->fd, ID_MAP_FILE, came->received, strlen(came->received), 0600, FILE_DURABLE);
	return r < 0 ? fail_errno(next->ctx, r, "cannot prepare the change of container '%s'", next->name) : 0;
}

/*
 * One commit of the file system's journal is enough: all is renamed into view first and then brought to disk, and what
 * a power cut leaves incomplete counts as nothing. Nothing is moved before it is on disk.
 */
static int write_all(struct next *next, const struct record *record)
{
	CLEANUP_FREE char *text = record_to_text(record);
	CLEANUP_FREE char *todo = switch_text(next);
	CLEANUP_FD int record_fd = -1;
	CLEANUP_FD int switch_fd = -1;
	CLEANUP_FD int snapshot_fd = -1;
	int fds[4], count = 0;
	int r = write_came(next);

	if (r == 0)
		r = add_file(next, RECORD_FILE, text, &record_fd);
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
	if (next->came && next->came->snapshot)
		text_copy(todo.came, sizeof todo.came, next->came->label);
	next->unfinished = finish(next->ctx, next->container_fd, next->fd, next->name, &todo);
	if (next->unfinished < 0)
		log_message(next->ctx, LB_LOG_WARNING, "%s", next->ctx->error);
	return 0;
}

/* ---- for those who come later ---- */

bool next_is_committed(int container_fd)
{
	return has(container_fd, COMMITTED);
}

int next_finish(struct lb_context *ctx, int container_fd, const char *name)
{
	CLEANUP_FD int fd = open_below(container_fd, COMMITTED);
	CLEANUP_NEXT_CONTENT struct next_content content = { 0 };
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
	r = read_all(ctx, container_fd, fd, name, &todo, &content);
	if (r < 0)
		return r;
	if (r > 0) {
		log_message(ctx, LB_LOG_WARNING,
			    "container '%s': a change that a power cut left incomplete is forgotten", name);
		layers_sweep_later(ctx); /* the old top layer's new directory may be there */
		tree_remove(container_fd, COMMITTED);
		return 0;
	}
	r = finish(ctx, container_fd, fd, name, &todo);
	if (r == 0)
		log_message(ctx, LB_LOG_INFO, "container '%s': a change that was interrupted is finished", name);
	return r < 0 ? r : 1;
}

int next_read(struct lb_context *ctx, int container_fd, const char *name, struct next_content *ret_content)
{
	CLEANUP_FD int fd = open_below(container_fd, COMMITTED);
	CLEANUP_NEXT_CONTENT struct next_content content = { 0 };
	struct todo todo;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 1
				       : fail_errno(ctx, errno, "cannot look for a change of container '%s'", name);
	r = read_all(ctx, container_fd, fd, name, &todo, &content);
	/* Whoever finished it meanwhile took the files away while they were read. */
	if (r < 0 && !has(container_fd, COMMITTED) && errno == ENOENT)
		r = 1;
	if (r == 0) {
		*ret_content = content;
		content = (struct next_content){ 0 };
	}
	return r;
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
	CLEANUP_FD int fd = -1;
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	fd = container_lock(ctx, name);
	r = fd < 0 ? fd : moving_before_change(ctx, fd, name);
	return r < 0 ? r : take_fd(&fd);
}

int container_lock_with_root(struct lb_context *ctx, const char *name, int *ret_root_lock)
{
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int fd = lock_root_and_container(ctx, name, &root_lock);
	int r = fd < 0 ? fd : next_finish(ctx, fd, name);

	if (r >= 0)
		r = moving_before_change(ctx, fd, name);
	if (r < 0)
		return r;
	*ret_root_lock = take_fd(&root_lock);
	return take_fd(&fd);
}
