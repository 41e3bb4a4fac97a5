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

/*
 * Locks the container of the move @token, and has @event happen to it. The container's descriptor, or a failure.
 * -EALREADY, without a sentence: it has arrived, which counts from the moment that it stands in the list. The container
 * itself may be called otherwise by now, or be gone.
 */
static int lock_and_advance(struct lb_context *ctx, const char *name, enum moving_event event, struct moving *moving)
{
	CLEANUP_FD int fd = container_lock(ctx, name);
	CLEANUP_FREE char *why = fd < 0 ? strdup(ctx->error) : NULL;
	int r = arrived_has(ctx, moving->token);

	if (r != 0)
		return r < 0 ? r : -EALREADY;
	if (fd < 0)
		return fail(ctx, fd, "%s", why ? why : "");
	r = moving_advance(ctx, fd, name, event, moving);
	return r < 0 ? r : take_fd(&fd);
}

/* The same, for who needs the lock no longer. */
static int advance(struct lb_context *ctx, const char *name, enum moving_event event, struct moving *moving)
{
	CLEANUP_FD int fd = lock_and_advance(ctx, name, event, moving);

	return fd < 0 ? fd : 0;
}

/* Starting it, where it ran, makes it ARRIVED under the lock under which it starts. */
static int bring_up(struct lb_context *ctx, const char *name, struct moving *moving)
{
	int r = moving->ran ? lb_containers_start(ctx, (const char *const[]){ name, NULL }, NULL, NULL, NULL) : 0;

	return r < 0 ? r : advance(ctx, name, MOVING_STARTED, moving);
}

/*
 * It did not start. The other side can have it back only where we are those who brought it to STARTING: else somebody
 * may have started it, and have been killed before he could write that down.
 */
static void take_back_word(struct lb_context *ctx, const char *name, struct moving *moving)
{
	CLEANUP_FREE char *why = strdup(ctx->error);
	CLEANUP_FD int fd = container_lock(ctx, name);

	if (fd < 0 || container_is_stopped(ctx, name) != 1 ||
	    moving_advance(ctx, fd, name, MOVING_FAILED, moving) < 0)
		log_message(ctx, LB_LOG_WARNING, "container '%s' may have run: it stays here", name);
	if (why)
		text_copy(ctx->error, sizeof ctx->error, why);
}

/* What came in between, or was deleted there meanwhile, is not needed any more: labels with commas between them. */
static void forget_snapshots(struct lb_context *ctx, const char *name, const char *labels)
{
	CLEANUP_FREE char *copy = strdup(labels);
	char *save = NULL;

	for (char *label = copy ? strtok_r(copy, ",", &save) : NULL; label; label = strtok_r(NULL, ",", &save))
		if (label_is_valid(label) && lb_snapshot_delete(ctx, name, label) < 0)
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
}

static int answer(char **ret_answer, struct lb_context *ctx, const char *word, const char *name)
{
	*ret_answer = text_format("%s %s", word, name);
	return *ret_answer ? 0 : fail_memory(ctx);
}

static int read_token(struct lb_context *ctx, const char *token, struct moving *moving)
{
	return layer_id_is_valid(token) && text_copy(moving->token, sizeof moving->token, token)
		       ? 0
		       : fail(ctx, -EINVAL, "that is no token");
}

/* Asked again, it answers again. Until the container has been brought to STARTING the other side can have it back. */
static int answer_commit(struct lb_context *ctx, const char *const *words, char **ret_answer)
{
	struct moving moving = { .ran = text_equal(words[2], "yes") };
	const char *name = words[0];
	int r = read_token(ctx, words[1], &moving);

	if (r == 0)
		r = advance(ctx, name, MOVING_COMMIT, &moving);
	if (r == 0) {
		bool ours = moving.before == MOVING_INCOMING;

		r = bring_up(ctx, name, &moving);
		if (r < 0 && r != -EALREADY && ours)
			take_back_word(ctx, name, &moving);
	}
	if (r < 0 && r != -EALREADY)
		return r;
	/* Whatever fails now, it lives here. */
	forget_snapshots(ctx, name, words[3]);
	return answer(ret_answer, ctx, "committed", name);
}

/* It goes away again, under the lock under which that was decided. */
static int answer_abort(struct lb_context *ctx, const char *const *words, char **ret_answer)
{
	const char *name = words[0];
	struct moving moving = { 0 };
	CLEANUP_FD int fd = -1;
	int r = read_token(ctx, words[1], &moving);

	if (r < 0)
		return r;
	fd = lock_and_advance(ctx, name, MOVING_ABORT, &moving);
	if (fd == -LB_ERR_NO_CONTAINER)
		return answer(ret_answer, ctx, "gone", name);
	if (fd == -EALREADY || (fd >= 0 && moving.stage == MOVING_ARRIVED))
		return answer(ret_answer, ctx, "committed", name);
	if (fd < 0)
		return fd;
	if (moving.stage == MOVING_REFUSED) {
		r = container_delete_locked(ctx, name, take_fd(&fd));
		return r < 0 ? r : answer(ret_answer, ctx, "gone", name);
	}
	/* It may have run already, so it is too late; what a killed commit has begun is finished. */
	close_fd(take_fd(&fd));
	r = bring_up(ctx, name, &moving);
	if (r < 0 && r != -EALREADY)
		return fail_wrap(ctx, r,
				 "container '%s' may have run here, and does not start; start it here, or delete it "
				 "here to have it back there",
				 name);
	return answer(ret_answer, ctx, "committed", name);
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
