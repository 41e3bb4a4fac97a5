/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generations that nobody needs any more. Who does is decided, and all that go are hidden, under the root's lock, under
 * which containers are made; what takes long is removed without it.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "../adapters/rights.h"
#include "../container/record.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../core/tally.h"
#include "../events/event.h"
#include "../util/tree.h"
#include "debs.h"
#include "generation-list.h"
#include "generation.h"

/* A generation that goes. */
struct doomed {
	char text[BASE_TEXT_SIZE];    /* NAME@GENERATION */
	char hidden[128];             /* below base_fd */
	int base_fd;                  /* with a flock(2) on it */
	int fd;                       /* its own, so that nobody sweeps what is being removed */
};

struct gc {
	struct lb_context *ctx;
	struct tally tally;
	struct doomed *doomed;
	size_t count;
};

static bool is_parent_of_one(struct lb_base *const *bases, const char *text)
{
	for (; *bases; bases++)
		if (text_equal((*bases)->record.parent, text))
			return true;
	return false;
}

/* Is @bases[i] one of the @keep newest of its base? */
static bool is_kept(struct lb_base *const *bases, size_t i, unsigned keep)
{
	for (size_t newer = i + 1; bases[newer] && text_equal(bases[newer]->name, bases[i]->name); newer++)
		if (--keep == 0)
			return false;
	return true;
}

/* 1 where somebody needs it. */
static int is_needed(struct lb_context *ctx, struct lb_base *const *bases, const struct lb_base *base, const char *text)
{
	CLEANUP_TEXT_LIST struct text_list users = { 0 };
	int r = record_base_users(ctx, base->name, base->generation, &users);

	if (r < 0)
		return r;
	return users.count > 0 || is_parent_of_one(bases, text);
}

static int hide(struct lb_context *ctx, const struct lb_base *base, struct doomed *doomed)
{
	CLEANUP_FREE char *path = text_format(STORE_BASES "/%s", base->name);
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int fd = -1;
	char number[16];
	int r;

	if (!path)
		return fail_memory(ctx);
	snprintf(number, sizeof number, "%u", base->generation);
	base_fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = base_fd < 0 ? -1 : openat(base_fd, number, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", doomed->text);
	/* The base's own only shortly: there may be more to go, and later commands shall not wait for the removal. */
	if (flock(base_fd, LOCK_EX | LOCK_NB) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(ctx, -LB_ERR_BUSY, "%s stays for now: another command works on base '%s'", doomed->text,
			    base->name);
	r = store_hide(ctx, base_fd, number, doomed->hidden);
	if (r < 0)
		return r;
	/* Or a power cut could bring it back, with half of its files. */
	if (fsync(base_fd) < 0)
		return fail_errno(ctx, errno, "cannot write the removal of %s to disk", doomed->text);
	flock(base_fd, LOCK_UN);
	doomed->base_fd = take_fd(&base_fd);
	doomed->fd = take_fd(&fd);
	return 0;
}

/* Hides what nobody needs. The root is locked by the caller. */
static int choose(struct gc *gc, const char *name, unsigned keep)
{
	struct lb_base **bases;
	size_t count;
	int r = generation_list_all(gc->ctx, true, &bases, &count);

	if (r < 0)
		return r;
	gc->doomed = calloc(count + 1, sizeof *gc->doomed);
	if (!gc->doomed)
		r = fail_memory(gc->ctx);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct doomed *doomed = &gc->doomed[gc->count];

		if ((name && !text_equal(bases[i]->name, name)) || is_kept(bases, i, keep))
			continue;
		snprintf(doomed->text, sizeof doomed->text, "%s@%u", bases[i]->name, bases[i]->generation);
		r = is_needed(gc->ctx, bases, bases[i], doomed->text);
		if (r != 0)
			continue;
		r = hide(gc->ctx, bases[i], doomed);
		if (r < 0)
			tally_tell(&gc->tally, doomed->text, r);
		else
			gc->count++;
		r = 0;
	}
	lb_base_list_free(bases);
	return r < 0 ? r : 0;
}

static void remove_all(struct gc *gc)
{
	for (size_t i = 0; i < gc->count; i++) {
		struct doomed *doomed = &gc->doomed[i];
		int r = tree_remove(doomed->base_fd, doomed->hidden);

		if (r < 0)
			r = fail_errno(gc->ctx, r,
				       "%s is taken away, but not all of its files could be removed from %s",
				       doomed->text, doomed->hidden);
		event_of(gc->ctx, "base-delete", "", r, doomed->text);
		tally_tell(&gc->tally, doomed->text, r);
		close_fd(doomed->base_fd);
		close_fd(doomed->fd);
	}
	free(gc->doomed);
}

static int choose_locked(struct gc *gc, const char *name, unsigned keep)
{
	CLEANUP_FD int lock = lock_root(gc->ctx);
	int r;

	if (lock < 0)
		return lock;
	generation_sweep(gc->ctx);
	r = choose(gc, name, keep);
	debs_sweep(gc->ctx);
	return r;
}

int lb_base_gc(struct lb_context *ctx, const char *name, unsigned keep, lb_result_fn fn, void *userdata)
{
	struct gc gc = { .ctx = ctx, .tally = TALLY(ctx, fn, userdata) };
	struct lb_base *base;
	int r = rights_require_root(ctx);

	if (r == 0 && keep < 1)
		r = fail(ctx, -LB_ERR_BAD_VALUE, "the newest generation of a base is always kept: keep 1 or more");
	if (r == 0 && name)
		r = name_check(ctx, "base", name);
	if (r == 0 && name) { /* for the sentence of a base that is not there */
		r = base_open(ctx, name, &base);
		if (r == 0)
			lb_base_free(base);
	}
	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = choose_locked(&gc, name, keep);
	remove_all(&gc);
	return r < 0 ? r : gc.tally.result;
}
