/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a container arrives: what the host it comes from may ask. docs/snapshots.md, "A move". */
#include <fcntl.h>

#include "../adapters/rights.h"
#include "../container/container.h"
#include "../container/next.h"
#include "../core/store.h"
#include "arrived.h"
#include "base-in.h"
#include "moving.h"

/* ---- probe ---- */

static const char *base_here(struct lb_context *ctx, const char *text, const char *digest)
{
	CLEANUP_BASE_IN struct base_in base = BASE_IN_EMPTY;
	char name[NAME_LENGTH_MAX + 1];
	struct lb_base *same;
	unsigned generation;
	int r;

	base.ctx = ctx;
	if (!name_parse_base(text, name, &generation) || !digest_text_is_valid(digest))
		return NULL;
	r = base_in_find(ctx, digest, name, generation, &base);
	if (r <= 0)
		return r < 0 ? NULL : "yes";
	if (base_open(ctx, text, &same) < 0)
		return "no";
	lb_base_free(same);
	return "differs";
}

/* What came of a move that was cut off gives way to the next one. */
static const char *name_here(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *path = text_format(STORE_CONTAINERS "/%s", name);
	CLEANUP_FD int fd = path ? openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct moving moving;

	if (fd < 0)
		return path && errno == ENOENT ? "free" : "taken";
	if (moving_read(ctx, fd, name, &moving) < 0)
		return "taken";
	return moving.stage == MOVING_INCOMING || moving.stage == MOVING_REFUSED ? "incoming" : "taken";
}

static int answer_probe(struct lb_context *ctx, const char *const *words, char **ret_answer)
{
	int r = name_check(ctx, "container", words[2]);
	const char *base;

	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	base = base_here(ctx, words[0], words[1]);
	if (!base)
		return fail(ctx, -EINVAL, "a probe is for BASE@GENERATION, the SHA-256 of its manifest, and a name");
	*ret_answer = text_format("probed base=%s name=%s", base, name_here(ctx, words[2]));
	return *ret_answer ? 0 : fail_memory(ctx);
}

/* ---- commit and abort ---- */

/* Locks the container and reads how far it has arrived, by the move @token. The container's descriptor. */
static int lock_arriving(struct lb_context *ctx, const char *name, const char *token, struct moving *ret_moving)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	int r = fd < 0 ? fd : moving_read(ctx, fd, name, ret_moving);

	if (r < 0)
		return r;
	if (!ret_moving->stage || !text_equal(ret_moving->token, token))
		return fail(ctx, -LB_ERR_NO_CONTAINER, "there is a container '%s', but it did not come by this move",
			    name);
	return take_fd(&fd);
}

/*
 * To another stage; 1 where it has ARRIVED, which counts from the moment that it stands in the list: the container itself
 * may be called otherwise by now, or be gone.
 */
static int go_on(struct lb_context *ctx, const char *name, const char *token, enum moving_stage stage)
{
	struct moving moving;
	CLEANUP_FD int fd = lock_arriving(ctx, name, token, &moving);
	int r = arrived_has(ctx, token);

	if (r != 0)
		return r;
	if (fd < 0)
		return fd;
	if (moving.stage == MOVING_REFUSED && stage != MOVING_REFUSED)
		return fail(ctx, -LB_ERR_BUSY, "container '%s' is being removed again", name);
	moving.stage = stage;
	r = stage == MOVING_ARRIVED ? arrived_add(ctx, token, name) : 0;
	return r < 0 ? r : moving_write(ctx, fd, name, &moving);
}

static int start(struct lb_context *ctx, const char *name)
{
	return lb_containers_start(ctx, (const char *const[]){ name, NULL }, NULL, NULL, NULL);
}

/* What came in between is not needed any more. */
static void forget_snapshot(struct lb_context *ctx, const char *name, const char *label)
{
	if (label_is_valid(label) && lb_snapshot_delete(ctx, name, label) < 0)
		log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}

/*
 * Asked again, it answers again. Until it is written down that the container has ARRIVED the other side can have it back:
 * then it is removed here, under the same lock, and does not get here.
 */
static int answer_commit(struct lb_context *ctx, const char *const *words, char **ret_answer)
{
	const char *name = words[0], *token = words[1];
	int r = layer_id_is_valid(token) ? go_on(ctx, name, token, MOVING_STARTING)
					 : fail(ctx, -EINVAL, "that is no token");

	if (r == 0 && text_equal(words[2], "yes"))
		r = start(ctx, name) < 0 ? -LB_ERR_RUNTIME : 0;
	if (r == 0)
		r = go_on(ctx, name, token, MOVING_ARRIVED);
	if (r < 0)
		return r;
	/* Whatever fails now, it lives here. */
	forget_snapshot(ctx, name, words[3]);
	*ret_answer = text_format("committed %s", name);
	return *ret_answer ? 0 : fail_memory(ctx);
}

static int answer_abort(struct lb_context *ctx, const char *const *words, char **ret_answer)
{
	const char *name = words[0];
	int r = layer_id_is_valid(words[1]) ? go_on(ctx, name, words[1], MOVING_REFUSED)
					    : fail(ctx, -EINVAL, "that is no token");

	if (r == 0)
		r = lb_container_delete(ctx, name, true);
	if (r < 0 && r != -LB_ERR_NO_CONTAINER)
		return r;
	*ret_answer = text_format(r == 1 ? "committed %s" : "gone %s", name);
	return *ret_answer ? 0 : fail_memory(ctx);
}

static const struct {
	const char *word;
	size_t words;
	int (*answer)(struct lb_context *ctx, const char *const *words, char **ret_answer);
} questions[] = {
	{ "probe", 3, answer_probe },
	{ "commit", 4, answer_commit },
	{ "abort", 2, answer_abort },
};

int lb_move_answer(struct lb_context *ctx, const char *const *question, char **ret_answer)
{
	size_t words = 0;
	int r = rights_require_root(ctx);

	if (r < 0)
		return r;
	while (question[words])
		words++;
	for (size_t i = 0; words && i < sizeof questions / sizeof *questions; i++)
		if (text_equal(question[0], questions[i].word) && words == questions[i].words + 1)
			return questions[i].answer(ctx, question + 1, ret_answer);
	return fail(ctx, -EINVAL, "that is no question of a move");
}
