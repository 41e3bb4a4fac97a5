/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moving.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"
#include "arrived.h"

#define FILE_NAME "state"

enum { STATE_BYTES_MAX = 4096 };

static const char *const stages[] = { "none",	  "sending",  "decided", "gone",
				      "incoming", "starting", "arrived", "refused" };

enum { STAGES = sizeof stages / sizeof *stages };

/* ---- the file ---- */

static const char *on_key(const char *key, const char *value, void *userdata)
{
	struct moving *moving = userdata;

	if (text_equal(key, "token"))
		return layer_id_is_valid(value) && text_copy(moving->token, sizeof moving->token, value)
			       ? NULL
			       : "must be 32 digits";
	if (text_equal(key, "target"))
		return text_copy(moving->target, sizeof moving->target, value) ? NULL : "is too long";
	if (text_equal(key, "forget"))
		return text_copy(moving->forget, sizeof moving->forget, value) ? NULL : "is too long";
	if (text_equal(key, "ran"))
		return text_to_bool(value, &moving->ran) ? NULL : "must be yes or no";
	if (!text_equal(key, "stage"))
		return "is not a key of a move";
	for (unsigned i = 1; i < STAGES; i++)
		if (text_equal(value, stages[i]))
			moving->stage = (enum moving_stage)i;
	return moving->stage ? NULL : "must be a stage of a move";
}

const char *moving_parse(char *text, struct moving *ret_moving)
{
	struct moving moving = { 0 };
	char error[256];

	if (keyfile_parse(text, MOVING_FILE, on_key, &moving, error, sizeof error) < 0)
		return "cannot be read";
	if (!moving.stage || !*moving.token)
		return "is not complete";
	*ret_moving = moving;
	return NULL;
}

char *moving_to_text(const struct moving *moving)
{
	return text_format("stage = %s\ntoken = %s\ntarget = %s\nran = %s\n%s%s%s", stages[moving->stage], moving->token,
			   moving->target, moving->ran ? "yes" : "no", *moving->forget ? "forget = " : "", moving->forget,
			   *moving->forget ? "\n" : "");
}

int moving_read(struct lb_context *ctx, int container_fd, const char *name, struct moving *ret_moving)
{
	CLEANUP_FREE char *text = NULL;
	const char *why;
	int r = file_read(container_fd, MOVING_FILE, STATE_BYTES_MAX, &text, NULL);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret_moving = (struct moving){ 0 };
		return 0;
	}
	if (r < 0)
		return fail_errno(ctx, r, "cannot read how far the move of container '%s' is", name);
	why = moving_parse(text, ret_moving);
	if (why)
		return fail(ctx, -LB_ERR_BAD_CONFIG,
			    "containers/%s/" MOVING_FILE
			    " %s, so it is not known whether the container lives here or elsewhere",
			    name, why);
	return 0;
}

int moving_write(struct lb_context *ctx, int container_fd, const char *name, const struct moving *moving)
{
	CLEANUP_FREE char *text = moving_to_text(moving);
	CLEANUP_FD int fd = -1;
	int r = 0;

	if (!text)
		return fail_memory(ctx);
	if (mkdirat(container_fd, MOVING_DIRECTORY, 0700) < 0 && errno != EEXIST)
		r = -errno;
	fd = r < 0 ? -1 : openat(container_fd, MOVING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r == 0)
		r = fd < 0 ? -errno : file_write(fd, FILE_NAME, text, strlen(text), 0600, FILE_DURABLE);
	if (r == 0 && fsync(container_fd) < 0)
		r = -errno;
	return r < 0 ? fail_errno(ctx, r, "cannot write down how far the move of container '%s' is", name) : 0;
}

int moving_remove(struct lb_context *ctx, int container_fd, const char *name)
{
	int r = tree_remove(container_fd, MOVING_DIRECTORY);

	if (r == 0 && fsync(container_fd) < 0)
		r = -errno;
	return r < 0 ? fail_errno(ctx, r, "cannot end the move of container '%s'", name) : 0;
}

int moving_hold(int container_fd)
{
	CLEANUP_FD int fd = openat(container_fd, MOVING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : take_fd(&fd);
}

/* ---- from stage to stage ---- */

enum { EVENTS = MOVING_GIVE_WAY + 1 };

enum may { NO, YES, UNLESS_HELD };

/* What each stage allows. Events that are not in next[] are refused. */
static const struct {
	enum may start, change;
	enum moving_stage next[EVENTS];
} rules[] = {
	[MOVING_NONE] = { YES, YES, { [MOVING_BEGIN] = MOVING_SENDING } },
	[MOVING_SENDING] = { UNLESS_HELD, UNLESS_HELD,
			     { [MOVING_DECIDE] = MOVING_DECIDED, [MOVING_TAKE_BACK] = MOVING_SENDING } },
	[MOVING_DECIDED] = { NO, NO, { [MOVING_LEAVE] = MOVING_GONE, [MOVING_TAKE_BACK] = MOVING_SENDING } },
	[MOVING_GONE] = { NO, NO, { [MOVING_LEAVE] = MOVING_GONE } },
	[MOVING_INCOMING] = { NO, NO, { [MOVING_COMMIT] = MOVING_STARTING, [MOVING_ABORT] = MOVING_REFUSED,
				       [MOVING_GIVE_WAY] = MOVING_REFUSED } },
	/* It may have run: who wants it back then is too late, and what was begun is finished. */
	[MOVING_STARTING] = { YES, NO, { [MOVING_COMMIT] = MOVING_STARTING, [MOVING_STARTED] = MOVING_ARRIVED,
					[MOVING_FAILED] = MOVING_INCOMING, [MOVING_ABORT] = MOVING_STARTING } },
	[MOVING_ARRIVED] = { YES, YES, { [MOVING_BEGIN] = MOVING_SENDING, [MOVING_COMMIT] = MOVING_ARRIVED,
					[MOVING_STARTED] = MOVING_ARRIVED, [MOVING_ABORT] = MOVING_ARRIVED } },
	[MOVING_REFUSED] = { NO, NO, { [MOVING_ABORT] = MOVING_REFUSED, [MOVING_GIVE_WAY] = MOVING_REFUSED } },
};

/* What is on disk after @event. */
static struct moving after(const struct moving *now, const struct moving *given, enum moving_event event)
{
	struct moving moving = event == MOVING_BEGIN ? *given : *now;

	moving.stage = rules[now->stage].next[event];
	moving.before = now->stage;
	if (event == MOVING_COMMIT)
		moving.ran = given->ran;
	if (event == MOVING_DECIDE)
		text_copy(moving.forget, sizeof moving.forget, given->forget);
	return moving;
}

int moving_advance(struct lb_context *ctx, int container_fd, const char *name, enum moving_event event,
		   struct moving *moving)
{
	struct moving now, next;
	int r = moving_read(ctx, container_fd, name, &now);

	if (r < 0)
		return r;
	if (event != MOVING_BEGIN && event != MOVING_GIVE_WAY && (!now.stage || !text_equal(now.token, moving->token)))
		return fail(ctx, -LB_ERR_NO_CONTAINER, "there is a container '%s', but it is not that of this move",
			    name);
	next = after(&now, moving, event);
	if (!next.stage)
		return fail(ctx, -LB_ERR_BUSY, "the move of container '%s' is at another stage by now: %s", name,
			    stages[now.stage]);
	if (next.stage != now.stage) {
		/* It counts from the moment that it stands in the list. */
		r = next.stage == MOVING_ARRIVED ? arrived_add(ctx, now.token, name) : 0;
		if (r == 0)
			r = moving_write(ctx, container_fd, name, &next);
	}
	if (r == 0)
		*moving = next;
	return r;
}

int moving_started(struct lb_context *ctx, int container_fd, const char *name)
{
	struct moving moving;
	int r = moving_read(ctx, container_fd, name, &moving);

	if (r < 0 || moving.stage != MOVING_STARTING)
		return r;
	return moving_advance(ctx, container_fd, name, MOVING_STARTED, &moving);
}

/* ---- starting and changing ---- */

static int refuse(struct lb_context *ctx, const char *name, const struct moving *moving)
{
	switch (moving->stage) {
	case MOVING_SENDING:
		return fail(ctx, -LB_ERR_BUSY, "container '%s' is just being moved to %s", name, moving->target);
	case MOVING_DECIDED:
		return fail(ctx, -LB_ERR_BUSY,
			    "container '%s' may run on %s: its move there was cut off when it was all but done. "
			    "`layerbox move %s %s` finishes it, `layerbox move %s --back` takes it back",
			    name, moving->target, name, moving->target, name);
	case MOVING_GONE:
		return fail(ctx, -LB_ERR_BUSY, "container '%s' was moved to %s", name, moving->target);
	case MOVING_STARTING:
		return fail(ctx, -LB_ERR_BUSY,
			    "container '%s' is just being moved here; if that move was cut off, start it first", name);
	default:
		return fail(ctx, -LB_ERR_BUSY,
			    "container '%s' is being moved here, and is still the other host's; if that move is over, "
			    "start it there, and delete what came of it here",
			    name);
	}
}

static bool is_held(int container_fd)
{
	CLEANUP_FD int fd = moving_hold(container_fd);

	return fd < 0;
}

int moving_before_change(struct lb_context *ctx, int container_fd, const char *name)
{
	struct moving moving;
	int r = moving_read(ctx, container_fd, name, &moving);
	enum may may;

	if (r < 0 || (ctx->moves && text_equal(ctx->moves, name)))
		return r;
	may = rules[moving.stage].change;
	return may == YES || (may == UNLESS_HELD && !is_held(container_fd)) ? 0 : refuse(ctx, name, &moving);
}

/* Nobody was told to start it elsewhere yet, and nobody goes on with it. */
static int forget(struct lb_context *ctx, int container_fd, const char *name, const struct moving *moving, bool locked)
{
	CLEANUP_FD int fd = moving_hold(container_fd);

	if (fd == -EWOULDBLOCK)
		return refuse(ctx, name, moving);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot end the move of container '%s'", name);
	return locked ? moving_remove(ctx, container_fd, name) : 0;
}

int moving_before_start(struct lb_context *ctx, int container_fd, const char *name, bool locked)
{
	struct moving moving;
	int r = moving_read(ctx, container_fd, name, &moving);

	if (r < 0 || rules[moving.stage].start == YES)
		return r;
	return rules[moving.stage].start == NO ? refuse(ctx, name, &moving)
					       : forget(ctx, container_fd, name, &moving, locked);
}
