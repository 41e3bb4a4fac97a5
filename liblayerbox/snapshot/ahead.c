/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ahead.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../container/layout.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../util/clock.h"

enum { PASSES_MAX = 4, ENOUGH_BYTES = 4 << 20, LONG_MS = 500 };

/* ---- locks ---- */

int ahead_lock(struct lb_context *ctx, const char *name, struct ahead *ahead)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_SNAPSHOTS, name);
	CLEANUP_FD int fd = -1;
	int r;

	if (!path)
		return fail_memory(ctx);
	if (mkdir(path, 0700) < 0 && errno == ENOENT)
		return fail_no_container(ctx, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : lock_patiently(fd);
	if (r == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY,
			    "another snapshot of container '%s' has been made for a minute; try again later, or see who "
			    "makes it with `fuser -v %s`",
			    name, path);
	if (r < 0)
		return fail_errno(ctx, r, "cannot lock %s", path);
	ahead->lock_fd = take_fd(&fd);
	return 0;
}

static bool is_at(int dir_fd, const char *name, int fd)
{
	struct stat there, open;

	return fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
	       there.st_ino == open.st_ino && there.st_dev == open.st_dev;
}

int ahead_check(const struct making *making, const struct ahead *ahead)
{
	if (is_at(making->container_fd, LAYOUT_SNAPSHOTS, ahead->lock_fd))
		return 0;
	return fail(making->ctx, -LB_ERR_BUSY,
		    "container '%s' is another one than when the snapshot was begun: that was deleted, or has another "
		    "name",
		    making->name);
}

bool ahead_is_of(const struct ahead *ahead, int container_fd)
{
	return ahead->copy && is_at(container_fd, LAYOUT_TOP, ahead->top_fd);
}

/* ---- copying ---- */

/* Of the newest snapshot that was copied from the same top layer: files that are the same are shared. */
static bool find_previous(const struct making *making, char newest[LAYER_ID_SIZE])
{
	CLEANUP_TEXT_LIST struct text_list labels = { 0 };
	int64_t created = -1;

	if (snapshot_list_labels(making->ctx, making->container_fd, making->name, &labels) < 0)
		return false;
	for (size_t i = 0; i < labels.count; i++) {
		struct snapshot_record record;

		if (snapshot_read(making->ctx, making->container_fd, making->name, labels.items[i], &record) < 0)
			continue;
		if (record.live && record.layers.count && record.created > created) {
			created = record.created;
			text_copy(newest, LAYER_ID_SIZE, record.layers.ids[0]);
		}
		snapshot_record_free(&record);
	}
	return created >= 0;
}

int ahead_begin(const struct making *making, struct ahead *ahead)
{
	struct lb_context *ctx = making->ctx;
	CLEANUP_FD int previous_fd = -1;
	char previous[LAYER_ID_SIZE];
	int r;

	ahead_drop(ahead);
	ahead->top_fd = openat(making->container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ahead->top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the top layer of container '%s'", making->name);
	r = layer_draft_begin(ctx, NULL, &ahead->draft);
	if (r < 0)
		return r;
	if (find_previous(making, previous)) {
		ahead->previous_tree_fd = layer_open_tree(ctx, previous);
		previous_fd = ahead->previous_tree_fd < 0 ? -1 : layer_open(ctx, previous);
	}
	return live_copy_begin(ctx, making->name, ahead->top_fd, ahead->draft.tree_fd, previous_fd, &ahead->copy);
}

/* Until little is left to do: what remains is done while it is frozen. */
int ahead_copy(struct lb_context *ctx, const char *name, struct ahead *ahead)
{
	struct live_copy_counts counts = { 0 };
	int r = 0;

	for (int i = 0; r == 0 && i < PASSES_MAX; i++) {
		r = live_copy_pass(ahead->copy, false);
		live_copy_get_counts(ahead->copy, &counts);
		progress(ctx, -1, "%s: %llu entries copied, %llu shared with the snapshot before", name,
			 (unsigned long long)counts.copied, (unsigned long long)counts.linked);
		if (i > 0 && counts.last_pass_bytes < ENOUGH_BYTES)
			break;
	}
	ahead->until_ms = clock_ms();
	return r;
}

int ahead_catch_up(struct ahead *ahead)
{
	return clock_ms() - ahead->until_ms < LONG_MS ? 0 : live_copy_pass(ahead->copy, false);
}

/* ---- the end ---- */

void ahead_drop(struct ahead *ahead)
{
	live_copy_free(&ahead->copy);
	layer_draft_end(&ahead->draft);
	ahead->draft = (struct layer_draft)LAYER_DRAFT_EMPTY;
	close_fd(take_fd(&ahead->top_fd));
	close_fd(take_fd(&ahead->previous_tree_fd));
}

void ahead_end(struct ahead *ahead)
{
	ahead_drop(ahead);
	close_fd(take_fd(&ahead->lock_fd));
}
