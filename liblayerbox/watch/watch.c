/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor: one thread that sleeps until it hears something, time has come, or work is done. */
#include <poll.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "../util/clock.h"
#include "supervisor.h"

enum {
	LOOK_ALL_MS = 60000,          /* for what LXC did not tell */
	LOOK_UNTOLD_MS = 1000,        /* where LXC tells nothing */
	BLIND_MS = 180000,            /* that a look at all may take: longer than a disk stalls and goes on */
	DISK_MS = 60000,
	ALIVE_MS = 4000,
	FINISH_MS = 75000,            /* for alerts and restarts that are under way: less than systemd's patience */
	EVENTS_AT_A_TIME = 4096,      /* more than LXC's FIFO holds */
};

/* ---- LXC's events ---- */

static void listen_to_lxc(struct supervisor *supervisor, const char *lxcpath, bool is_first)
{
	int r = lxc_events_open(lxcpath, &supervisor->events);

	if (r == 0 && !is_first)
		log_message(supervisor->ctx, LB_LOG_INFO, "LXC tells again what its containers do");
	if (r < 0 && is_first)
		log_message(supervisor->ctx, LB_LOG_WARNING,
			    "LXC's events of %s cannot be read (%s): all containers are looked at every second, which "
			    "costs more",
			    lxcpath, r == -EBUSY ? "another program has their FIFO" : strerrordesc_np(-r));
}

static void hear_lxc(struct supervisor *supervisor, int64_t now_ms)
{
	struct lxc_event event;
	int r = 1;

	if (supervisor->events.way == LXC_EVENTS_NONE)
		return;
	for (unsigned i = 0; r == 1 && i < EVENTS_AT_A_TIME; i++) {
		r = lxc_events_next(&supervisor->events, &event);
		if (r == 1)
			follow_event(supervisor, &event, now_ms);
	}
	if (r >= 0)
		return;
	/* Something is lost: look oneself. */
	supervisor->look_ms = now_ms;
	if (r == -EBADMSG)
		log_message(supervisor->ctx, LB_LOG_WARNING,
			    "somebody has written what is no event into LXC's FIFO; it was dropped");
	else
		lxc_events_close(&supervisor->events);
}

/* ---- one turn ---- */

/* A look that saw a container down is taken after what its monitor said before that: how it ended. */
static void take_work(struct supervisor *supervisor)
{
	struct work *work;

	while ((work = works_take(supervisor->works))) {
		hear_lxc(supervisor, clock_ms());
		for (size_t i = 0; i < work->warnings.count; i++)
			log_message(supervisor->ctx, LB_LOG_WARNING, "%s", work->warnings.items[i]);
		if (work->done)
			work->done(supervisor, work);
		work_free(work);
	}
}

/* What is thought is written before anything is done that follows from it, so that nothing is done twice. */
static void write_and_work(struct supervisor *supervisor)
{
	int r = supervisor->is_changed ? items_save(supervisor) : 0;

	if (r < 0 && !supervisor->save_failed)
		log_message(supervisor->ctx, LB_LOG_WARNING, "cannot write %s: %s", supervisor->status_path,
			    strerrordesc_np(-r));
	supervisor->save_failed = r < 0;
	supervisor->is_changed = r < 0;
	works_run(supervisor->works);
}

static void look_around(struct supervisor *supervisor, const char *lxcpath, int64_t now_ms)
{
	if (now_ms >= supervisor->disk_ms && !supervisor->is_looking_at_disk) {
		supervisor->disk_ms = now_ms + DISK_MS;
		follow_disk(supervisor);
	}
	if (now_ms < supervisor->look_ms || supervisor->is_looking_at_all)
		return;
	if (lxc_events_is_gone(&supervisor->events))
		lxc_events_close(&supervisor->events);
	if (supervisor->events.way == LXC_EVENTS_NONE)
		listen_to_lxc(supervisor, lxcpath, false);
	supervisor->look_ms =
		now_ms + (supervisor->events.way == LXC_EVENTS_NONE ? LOOK_UNTOLD_MS : LOOK_ALL_MS);
	follow_look_at_all(supervisor, now_ms);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b && b < a ? b : a;
}

static int64_t next_time(const struct supervisor *supervisor, int64_t now_ms)
{
	int64_t next = now_ms + ALIVE_MS;

	if (!supervisor->is_looking_at_disk)
		next = sooner(next, supervisor->disk_ms);
	if (!supervisor->is_looking_at_all)
		next = sooner(next, supervisor->look_ms);
	for (size_t i = 0; i < supervisor->items.count; i++) {
		const struct item *item = supervisor->items.items[i];

		next = sooner(next, item_wake(item));
		if (!item->is_looked_at)
			next = sooner(next, item->look_ms);
	}
	return next;
}

/* One that cannot see what there is does not supervise: another one may. */
static void tell_alive(const struct supervisor *supervisor)
{
	bool is_blind = supervisor->is_looking_at_all && clock_ms() - supervisor->looking_since_ms > BLIND_MS;

	if (supervisor->options->alive && !is_blind)
		supervisor->options->alive(supervisor->options->userdata);
}

/* 1 when it is to end. */
static int sleep_until(struct supervisor *supervisor, int64_t next_ms)
{
	struct pollfd fds[] = {
		{ .fd = supervisor->options->stop_fd ? supervisor->options->stop_fd : -1, .events = POLLIN },
		{ .fd = supervisor->events.fd, .events = POLLIN },
		{ .fd = works_fd(supervisor->works), .events = POLLIN },
	};
	int64_t wait_ms = next_ms - clock_ms();
	int r = poll(fds, sizeof fds / sizeof *fds, wait_ms > 0 ? (int)wait_ms : 0);

	if (r < 0)
		return errno == EINTR ? 0 : fail_errno(supervisor->ctx, errno, "cannot wait for events");
	if (fds[0].revents)
		return 1;
	if (fds[1].revents)
		hear_lxc(supervisor, clock_ms());
	if (fds[2].revents)
		take_work(supervisor);
	return 0;
}

/* ---- all of it ---- */

static int loop(struct supervisor *supervisor, const char *lxcpath)
{
	int64_t alive_ms = 0;
	int r = 0;

	while (r == 0) {
		int64_t now_ms = clock_ms();

		look_around(supervisor, lxcpath, now_ms);
		for (size_t i = 0; i < supervisor->items.count; i++)
			follow_timer(supervisor, supervisor->items.items[i], now_ms);
		write_and_work(supervisor);
		if (now_ms >= alive_ms + ALIVE_MS / 2) {
			alive_ms = now_ms;
			tell_alive(supervisor);
		}
		r = sleep_until(supervisor, next_time(supervisor, now_ms));
	}
	return r < 0 ? r : 0;
}

/* Who is to be told is told, and what was stopped to be started is started. */
static void finish(struct supervisor *supervisor)
{
	int64_t end_ms = clock_ms() + FINISH_MS;

	while (!works_finish(supervisor->works) && clock_ms() < end_ms) {
		struct pollfd fd = { .fd = works_fd(supervisor->works), .events = POLLIN };

		write_and_work(supervisor);
		tell_alive(supervisor);
		if (poll(&fd, 1, ALIVE_MS / 2) > 0)
			take_work(supervisor);
	}
	write_and_work(supervisor);
}

static int supervise(struct supervisor *supervisor)
{
	struct lb_context *ctx = supervisor->ctx;
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	int r = lxcpath ? items_load(supervisor) : -ENOMEM;

	supervisor->works = r == 0 ? works_new(ctx) : NULL;
	if (!supervisor->works)
		return fail_memory(ctx);
	supervisor->events.fd = -1;
	listen_to_lxc(supervisor, lxcpath, true);
	r = loop(supervisor, lxcpath);
	finish(supervisor);
	lxc_events_close(&supervisor->events);
	works_free(supervisor->works);
	return r;
}

int lb_watch(struct lb_context *ctx, const struct lb_watch_options *options)
{
	static const struct lb_watch_options by_default = { .size = sizeof by_default };
	struct supervisor supervisor = { .ctx = ctx, .options = options ? options : &by_default };
	CLEANUP_FD int containers_fd = -1;
	CLEANUP_FD int lock_fd = -1;
	int r = CHECK_INPUT(ctx, options, lb_watch_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	if (containers_fd < 0)
		return containers_fd;
	supervisor.status_path = health_status_path(containers_fd);
	if (!supervisor.status_path)
		return fail_memory(ctx);
	lock_fd = health_status_lock(supervisor.status_path);
	if (lock_fd == -EBUSY)
		r = fail(ctx, -LB_ERR_BUSY,
			 "the containers of %s are watched already; see by whom with `fuser -v %s.lock`",
			 ctx->config.root, supervisor.status_path);
	else if (lock_fd < 0)
		r = fail_errno(ctx, lock_fd, "cannot lock %s", supervisor.status_path);
	else
		r = supervise(&supervisor);
	items_free(&supervisor.items);
	free(supervisor.status_path);
	return r;
}
