/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container goes to another host: what happens on the one it leaves. docs/snapshots.md, "A move". */
#include <time.h>

#include "../adapters/rights.h"
#include "../container/container.h"
#include "../container/next.h"
#include "../events/event.h"
#include "../snapshot/make.h"
#include "base-in.h"
#include "export.h"
#include "moving.h"
#include "moving-sweep.h"
#include "remote.h"
#include "sent.h"

enum { LABEL_LIFE_S = 24 * 60 * 60, MISSED_MAX = 100 };

struct move {
	struct lb_context *ctx;
	const char *name;
	struct remote remote;
	struct moving moving;
	bool privileged;
	bool attempted;               /* something was sent */
	bool there;                   /* the other side has the container, as far as it was sent */
	struct sent sent;
	char label[LABEL_SIZE];       /* of the one that was made for the move; "": none */
	char base[BASE_TEXT_SIZE];    /* that the other side has, or was just sent: not asked about twice */
	int hold_fd;                  /* says that somebody is at it, from MOVING_SENDING on */
};

static void move_end(struct move *move)
{
	sent_free(&move->sent);
	move->ctx->moves = NULL;
	close_fd(move->hold_fd);
}

#define CLEANUP_MOVE CLEANUP(move_end)

/* ---- the other side ---- */

/* Does what is sent now need its base, too? 1, 0, or a failure. */
static int needs_base(struct move *move, const char *base, unsigned generation)
{
	struct lb_context *ctx = move->ctx;
	char text[BASE_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];
	CLEANUP_FREE char *answer = NULL;
	int r;

	snprintf(text, sizeof text, "%s@%u", base, generation);
	if (text_equal(text, move->base))
		return 0;
	r = base_in_digest(ctx, base, generation, digest);
	if (r == 0)
		r = remote_ask(&move->remote, (const char *const[]){ "--probe", text, digest, move->name, NULL },
			       "probed", &answer);
	if (r != 0)
		return r < 0 ? r : -LB_ERR_PROGRAM_FAILED;
	if (strstr(answer, "name=taken") && !move->there)
		return fail(ctx, -LB_ERR_EXISTS, "there is a container '%s' on %s already", move->name,
			    move->remote.text);
	text_copy(move->base, sizeof move->base, text);
	if (strstr(answer, "base=differs"))
		return fail(ctx, -LB_ERR_BASE_DIFFERS,
			    "base %s on %s is another one than here. Have this one there under another name first: "
			    "`layerbox send %s "
			    "--with-base` into `layerbox receive --as ANOTHER --base-as OTHER`, and delete ANOTHER "
			    "again",
			    text, move->remote.text, move->name);
	return strstr(answer, "base=yes") ? 0 : 1;
}

struct sending {
	struct move *move;
	const char *label;
	bool with_base;
};

static int export_one(int fd, void *userdata)
{
	const struct sending *sending = userdata;
	struct move *move = sending->move;
	const struct lb_export_options options = { .size = sizeof options, .snapshot = sending->label,
						   .with_base = sending->with_base };

	return export_since(move->ctx, move->name, &options, &move->sent.labels, fd);
}

/* Sends one snapshot or, with @label NULL, what the container is now. @base is what that stands on. */
static int send_one(struct move *move, const char *label, const char *base, unsigned generation)
{
	const char *arguments[16] = { "--as", move->name, "--incoming", move->moving.token };
	struct sending sending = { .move = move, .label = label };
	size_t count = 4;
	int r = needs_base(move, base, generation);

	if (r < 0)
		return r;
	sending.with_base = r > 0;
	if (move->there)
		arguments[count++] = "--replace";
	if (move->privileged)
		arguments[count++] = "--allow-privileged";
	if (sending.with_base) {
		arguments[count++] = "--base-as";
		arguments[count++] = base;
	}
	move->attempted = true;
	r = remote_send(&move->remote, arguments, "received", export_one, &sending);
	move->there = move->there || r == 0;
	return r;
}

/* Has the other side forget what came. 0 when it has, 1 when it said that the container lives there, or a failure. */
static int remote_abort(struct move *move)
{
	CLEANUP_FREE char *gone = NULL;
	CLEANUP_FREE char *committed = NULL;
	const char *const arguments[] = { "--abort", move->name, move->moving.token, NULL };
	int r = remote_ask(&move->remote, arguments, "gone", &gone);

	if (r <= 0)
		return r;
	/* Asked again, it answers again; this time it is the other answer that is looked for. */
	r = remote_ask(&move->remote, arguments, "committed", &committed);
	return r == 0 ? 1 : -LB_ERR_PROGRAM_FAILED;
}

/* ---- this side ---- */

static int advance(struct move *move, enum moving_event event)
{
	CLEANUP_FD int fd = container_lock(move->ctx, move->name);

	return fd < 0 ? fd : moving_advance(move->ctx, fd, move->name, event, &move->moving);
}

/*
 * From here on nobody else starts or changes it, here or there. The mark and its lock come about together for whoever
 * sweeps.
 */
static int begin_sending(struct move *move)
{
	CLEANUP_FD int root_lock = -1;
	CLEANUP_FD int fd = container_lock_with_root(move->ctx, move->name, &root_lock);
	int r = fd < 0 ? fd : moving_sweep_later(move->ctx);

	if (r < 0)
		return r;
	r = moving_advance(move->ctx, fd, move->name, MOVING_BEGIN, &move->moving);
	if (r < 0)
		return r;
	move->ctx->moves = move->name;
	move->hold_fd = moving_hold(fd);
	return move->hold_fd < 0
		       ? fail_errno(move->ctx, move->hold_fd, "cannot begin the move of container '%s'", move->name)
		       : 0;
}

static void forget_label(struct move *move)
{
	if (*move->label && lb_snapshot_delete(move->ctx, move->name, move->label) < 0)
		log_message(move->ctx, LB_LOG_WARNING, "%s", move->ctx->error);
	*move->label = '\0';
}

/* Undecided again: whoever ends us now, the next command does the rest. */
static int end_mark(struct move *move)
{
	int r = advance(move, MOVING_TAKE_BACK);

	close_fd(take_fd(&move->hold_fd));
	if (r < 0)
		return r;
	return moving_give_back(move->ctx, move->name);
}

/* The container is this host's again, and runs where it ran. Keeps the sentence of why. */
static int put_back(struct move *move, int result)
{
	struct lb_context *ctx = move->ctx;
	CLEANUP_FREE char *why = strdup(ctx->error);
	int r = move->moving.stage == MOVING_NONE ? 0 : end_mark(move);

	if (r < 0)
		return fail_wrap(ctx, r,
				 "the move of container '%s' failed (%.500s), and it could not be put back as it was",
				 move->name, why ? why : "");
	forget_label(move);
	moving_swept(ctx);
	return why ? fail(ctx, result, "%s", why) : fail_memory(ctx);
}

/* Nothing is decided yet: the other side forgets what came, as soon as it can be told. */
static int give_up(struct move *move, int result)
{
	CLEANUP_FREE char *why = strdup(move->ctx->error);

	if (move->attempted && remote_abort(move) != 0)
		log_message(move->ctx, LB_LOG_WARNING,
			    "what came of container '%s' on %s could not be removed; it cannot be started there, and "
			    "the next move or "
			    "`layerbox delete` there takes it away",
			    move->name, move->remote.text);
	if (why)
		text_copy(move->ctx->error, sizeof move->ctx->error, why);
	return put_back(move, result);
}

/* The other side has it. */
static int leave(struct move *move)
{
	struct lb_context *ctx = move->ctx;
	CLEANUP_FD int fd = container_lock(ctx, move->name);
	int r = fd < 0 ? fd : moving_advance(ctx, fd, move->name, MOVING_LEAVE, &move->moving);

	if (r == 0)
		r = container_delete_locked(ctx, move->name, take_fd(&fd));
	else
		close_fd(take_fd(&fd));
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "container '%s' lives on %s now, but could not be removed here: %s",
			    move->name, move->remote.text, ctx->error);
	moving_swept(ctx);
	return 0;
}

/* ---- the last part ---- */

static int in_doubt(struct move *move)
{
	CLEANUP_FREE char *why = strdup(move->ctx->error);

	return fail(move->ctx, -LB_ERR_PROGRAM_FAILED,
		    "%s was told to take over container '%s' and cannot be asked whether it did (%.500s); the "
		    "container is stopped here "
		    "and cannot be started before that is known. `layerbox move %s %s` asks again, `layerbox move %s "
		    "--back` takes it "
		    "back",
		    move->remote.text, move->name, why ? why : "", move->name, move->remote.text, move->name);
}

/* Tells the other side to take over. From MOVING_DECIDED on, only it can say what came of it. */
static int commit(struct move *move)
{
	const char *const arguments[] = { "--commit", move->name, move->moving.token, move->moving.ran ? "yes" : "no",
					  *move->moving.forget ? move->moving.forget : "-", NULL };
	CLEANUP_FREE char *answer = NULL;
	CLEANUP_FREE char *why = NULL;
	int r = remote_ask(&move->remote, arguments, "committed", &answer);

	if (r == 0)
		return leave(move);
	why = strdup(move->ctx->error);
	r = remote_abort(move);
	if (r == 1)
		return leave(move);
	if (r < 0)
		return in_doubt(move);
	return put_back(move, why ? fail(move->ctx, -LB_ERR_PROGRAM_FAILED, "%s", why) : fail_memory(move->ctx));
}

static int stop(struct move *move)
{
	const struct lb_run_options options = { .size = sizeof options, .comes_back = true };
	int r = lb_containers_stop(move->ctx, (const char *const[]){ move->name, NULL }, &options, NULL, NULL);

	return r < 0 ? r : 0;
}

static int read_base(struct move *move, char base[NAME_LENGTH_MAX + 1], unsigned *ret_generation)
{
	CLEANUP_FD int fd = container_lock(move->ctx, move->name);
	struct record record = { 0 };
	int r = fd < 0 ? fd : record_read(move->ctx, fd, move->name, &record);

	if (r < 0)
		return r;
	text_copy(base, NAME_LENGTH_MAX + 1, record.base);
	*ret_generation = record.generation;
	record_free(&record);
	return 0;
}

/* ---- while it runs ---- */

/* One that went before it could be sent need not be. */
static int send_snapshot(struct move *move, const struct lb_snapshot *snapshot)
{
	const struct snapshot_record *record = &snapshot->record;
	int r = send_one(move, snapshot->label, record->base, record->generation);

	return r < 0 ? r : sent_add(move->ctx, snapshot, &move->sent);
}

static int send_next(struct move *move, bool *ret_all)
{
	const struct lb_snapshot *next;
	struct lb_snapshot **snapshots;
	int r = lb_snapshot_list(move->ctx, move->name, &snapshots, NULL);

	if (r < 0)
		return r;
	r = sent_compare(move->ctx, snapshots, &move->sent, &next);
	*ret_all = r == 0 && !next;
	if (r == 0 && next)
		r = send_snapshot(move, next);
	lb_snapshot_list_free(snapshots);
	return r;
}

/* Those that there are now, and those that others make meanwhile. */
static int send_snapshots(struct move *move)
{
	bool all = false;
	int r = 0;

	for (int missed = 0; r == 0 && !all;) {
		r = send_next(move, &all);
		/* One of them was deleted between the look and the sending: the next look knows. */
		if (r == -LB_ERR_NO_SNAPSHOT && missed++ < MISSED_MAX)
			r = 0;
	}
	return r;
}

/* Stopped it is only for what changed since the last snapshot. */
static int send_the_rest(struct move *move)
{
	char base[NAME_LENGTH_MAX + 1];
	unsigned generation = 0;
	int r = begin_sending(move);

	if (r == 0)
		r = send_snapshots(move);
	if (r == 0 && move->moving.ran)
		r = stop(move);
	if (r == 0)
		r = read_base(move, base, &generation);
	if (r == 0)
		r = send_one(move, NULL, base, generation);
	sent_to_forget(&move->sent, move->label, move->moving.forget);
	if (r == 0)
		r = advance(move, MOVING_DECIDE);
	return r;
}

/* So that little is left to be sent while it is stopped. */
static int make_snapshot(struct move *move)
{
	struct lb_snapshot_options options = { .size = sizeof options, .comment = "for a move to another host" };
	CLEANUP_FD int fd = container_lock(move->ctx, move->name);
	char label[LABEL_SIZE];
	int r = fd < 0 ? fd : label_make(move->ctx, fd, move->name, "move", label);

	close_fd(take_fd(&fd));
	options.label = label;
	options.expires = time(NULL) + LABEL_LIFE_S;
	if (r == 0)
		r = lb_snapshot_create(move->ctx, move->name, &options, NULL);
	if (r == 0)
		text_copy(move->label, sizeof move->label, label);
	return r;
}

static int go(struct move *move)
{
	int r = 0;

	layer_id_make(move->moving.token);
	if (move->moving.ran)
		r = make_snapshot(move);
	if (r == 0)
		r = send_snapshots(move);
	if (r == 0)
		r = send_the_rest(move);
	return r < 0 ? give_up(move, r) : commit(move);
}

/* ---- how it begins ---- */

static int check_record(struct move *move, int container_fd)
{
	struct record record = { 0 };
	int stopped, r = record_read(move->ctx, container_fd, move->name, &record);

	if (r < 0)
		return r;
	if (*record.rebased_from)
		r = fail(move->ctx, -LB_ERR_CONFLICT,
			 "the last rebase of container '%s' can still be undone, and could not be after a move; "
			 "confirm or undo it "
			 "first",
			 move->name);
	move->privileged = record.privileged;
	record_free(&record);
	stopped = r < 0 ? r : container_is_stopped(move->ctx, move->name);
	move->moving.ran = stopped == 0;
	return stopped < 0 ? stopped : 0;
}

/* What is known of a move of this container that was cut off. */
static int look(struct move *move, struct moving *ret_left)
{
	CLEANUP_FD int fd = container_lock(move->ctx, move->name);
	int r = fd < 0 ? fd : moving_read(move->ctx, fd, move->name, ret_left);

	if (r < 0)
		return r;
	if (ret_left->stage == MOVING_DECIDED || ret_left->stage == MOVING_GONE) {
		move->hold_fd = moving_hold(fd);
		return move->hold_fd < 0 ? fail(move->ctx, -LB_ERR_BUSY, "container '%s' is just being moved to %s",
						move->name, ret_left->target)
					 : 0;
	}
	r = moving_before_start(move->ctx, fd, move->name, true);
	if (r == 0)
		r = moving_before_change(move->ctx, fd, move->name);
	return r < 0 ? r : check_record(move, fd);
}

/* Goes on where a killed move, or one whose connection broke, has stopped. */
static int go_on(struct move *move, const struct moving *left, const char *target)
{
	if (!text_equal(left->target, target))
		return fail(move->ctx, -LB_ERR_BUSY,
			    "container '%s' may run on %s, to which it was being moved when that was cut off; name "
			    "that host, or take it "
			    "back with `layerbox move %s --back`",
			    move->name, left->target, move->name);
	move->moving = *left;
	return left->stage == MOVING_GONE ? leave(move) : commit(move);
}

static int move_to(struct lb_context *ctx, const char *name, const char *target)
{
	CLEANUP_MOVE struct move move = {
		.ctx = ctx, .name = name, .remote = { .ctx = ctx, .text = target }, .hold_fd = -1
	};
	struct moving left;
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = target_parse(ctx, target, &move.remote.target);
	if (r == 0)
		r = look(&move, &left);
	if (r < 0)
		return r;
	if (left.stage == MOVING_DECIDED || left.stage == MOVING_GONE)
		return go_on(&move, &left, target);
	text_copy(move.moving.target, sizeof move.moving.target, target);
	return go(&move);
}

int lb_move(struct lb_context *ctx, const char *name, const char *target)
{
	CLEANUP_FREE char *to = text_format("to %s", target);

	return event_of(ctx, "move", name, move_to(ctx, name, target), to ? to : "");
}

static int move_back(struct lb_context *ctx, const char *name, bool unasked)
{
	CLEANUP_MOVE struct move move = { .ctx = ctx, .name = name, .remote = { .ctx = ctx }, .hold_fd = -1 };
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = look(&move, &move.moving);
	if (r < 0)
		return r;
	if (move.moving.stage != MOVING_DECIDED)
		return 1;
	move.remote.text = move.moving.target;
	r = target_parse(ctx, move.moving.target, &move.remote.target);
	if (r == 0 && !unasked)
		r = remote_abort(&move);
	if (r == 1)
		return fail(ctx, -LB_ERR_EXISTS, "container '%s' lives on %s: `layerbox move %s %s` ends its move",
			    name, move.moving.target, name, move.moving.target);
	if (r < 0)
		return r;
	return put_back(&move, 0);
}

int lb_move_back(struct lb_context *ctx, const char *name, bool unasked)
{
	return event_of(ctx, "move-back", name, move_back(ctx, name, unasked), "");
}
