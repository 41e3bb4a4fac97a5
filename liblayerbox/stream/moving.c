/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moving.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../util/file.h"
#include "../util/keyfile.h"
#include "../util/tree.h"

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
	return text_format("stage = %s\ntoken = %s\ntarget = %s\nran = %s\n", stages[moving->stage], moving->token,
			   moving->target, moving->ran ? "yes" : "no");
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

/* ---- starting ---- */

/* Nobody was told to start it elsewhere yet. */
static int forget(struct lb_context *ctx, int container_fd, const char *name, const struct moving *moving, bool locked)
{
	CLEANUP_FD int fd = moving_hold(container_fd);

	if (fd == -EWOULDBLOCK)
		return fail(ctx, -LB_ERR_BUSY, "container '%s' is just being moved to %s", name, moving->target);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot end the move of container '%s'", name);
	return locked ? moving_remove(ctx, container_fd, name) : 0;
}

int moving_before_start(struct lb_context *ctx, int container_fd, const char *name, bool locked)
{
	struct moving moving;
	int r = moving_read(ctx, container_fd, name, &moving);

	if (r < 0)
		return r;
	switch (moving.stage) {
	case MOVING_NONE:
	case MOVING_STARTING:
	case MOVING_ARRIVED:
		return 0;
	case MOVING_SENDING:
		return forget(ctx, container_fd, name, &moving, locked);
	case MOVING_DECIDED:
		return fail(ctx, -LB_ERR_BUSY,
			    "container '%s' may run on %s: its move there was cut off when it was all but done. "
			    "`layerbox move %s %s` "
			    "finishes it, `layerbox move %s --back` takes it back",
			    name, moving.target, name, moving.target, name);
	case MOVING_GONE:
		return fail(ctx, -LB_ERR_BUSY, "container '%s' was moved to %s", name, moving.target);
	case MOVING_INCOMING:
	case MOVING_REFUSED:
		break;
	}
	return fail(ctx, -LB_ERR_BUSY,
		    "container '%s' is being moved here, and is still the other host's; if that move is over, start it "
		    "there, and "
		    "delete what came of it here",
		    name);
}
