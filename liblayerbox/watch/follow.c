/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include "../util/clock.h"

enum { STOPPING_MS = 100, BUSY_FIRST_MS = 250, BUSY_MAX_MS = 30000 };

static void feed(struct supervisor *supervisor, struct item *item, const struct policy_event *event);

/* ---- actions ---- */

static void on_checked(void *userdata, struct work *work);
static void on_changed(void *userdata, struct work *work);
static void on_looked(void *userdata, struct work *work);
static void on_disk(void *userdata, struct work *work);

static bool give(struct supervisor *supervisor, struct work *work, void (*done)(void *, struct work *))
{
	if (!work)
		return false;
	work->done = done;
	works_give(supervisor->works, work);
	return true;
}

static void do_check(struct supervisor *supervisor, struct item *item, int64_t now_ms)
{
	struct check_task *task = task_check(item->policy.kept.name, item->policy.kept.pid);

	if (!give(supervisor, task ? &task->work : NULL, on_checked))
		feed(supervisor, item, &(struct policy_event){ .type = POLICY_NOT_CHECKED, .now_ms = now_ms });
}

static void do_change(struct supervisor *supervisor, struct item *item, bool is_restart, int64_t now_ms)
{
	struct change_task *task = task_change(item->policy.kept.name, is_restart);

	if (!give(supervisor, task ? &task->work : NULL, on_changed))
		feed(supervisor, item, &(struct policy_event){ .type = POLICY_START_LATER, .now_ms = now_ms,
							      .pid = item->policy.kept.pid });
}

/* One event: what follows from it is told and done. */
static void feed(struct supervisor *supervisor, struct item *item, const struct policy_event *event)
{
	unsigned actions = policy_next(&item->policy, &item->settings, event);

	if (actions & POLICY_WRITE)
		supervisor->is_changed = true;
	say_actions(supervisor, item, actions, event);
	if (actions & POLICY_CHECK)
		do_check(supervisor, item, event->now_ms);
	if (actions & (POLICY_START | POLICY_RESTART))
		do_change(supervisor, item, actions & POLICY_RESTART, event->now_ms);
}

void follow_timer(struct supervisor *supervisor, struct item *item, int64_t now_ms)
{
	int64_t wake_ms = item_wake(item);

	if (wake_ms && now_ms >= wake_ms)
		feed(supervisor, item, &(struct policy_event){ .type = POLICY_TIMER, .now_ms = now_ms });
	if (!item->look_ms || now_ms < item->look_ms || item->is_looked_at)
		return;
	item->look_ms = 0;
	follow_look_at(supervisor, item);
}

/* ---- results ---- */

static void keep_why(struct item *item, const char *why)
{
	char *copy = strdup(why);

	if (!copy)
		return;
	free(item->why);
	item->why = copy;
}

static void on_checked(void *userdata, struct work *work)
{
	struct supervisor *supervisor = userdata;
	const struct check_task *task = (struct check_task *)work;
	struct item *item = items_find(&supervisor->items, work->name);

	if (!item)
		return;
	if (task->has_settings)
		item->settings = task->settings;
	if (task->result == POLICY_CHECKED_BAD || task->result == POLICY_CHECK_FAILED)
		keep_why(item, task->text);
	feed(supervisor, item, &(struct policy_event){ .type = task->result, .now_ms = clock_ms(), .pid = task->pid });
}

static void on_changed(void *userdata, struct work *work)
{
	struct supervisor *supervisor = userdata;
	const struct change_task *task = (struct change_task *)work;
	struct item *item = items_find(&supervisor->items, work->name);
	int64_t now_ms = clock_ms();

	if (!item)
		return;
	if (task->has_settings)
		item->settings = task->settings;
	if (task->result == POLICY_START_FAILED)
		keep_why(item, task->text);
	say_changed(supervisor, task);
	feed(supervisor, item, &(struct policy_event){ .type = task->result, .now_ms = now_ms, .pid = task->pid });
	/* Whether it still runs is seen by a look. */
	item->has_run = item->has_run || task->result == POLICY_STARTED;
	item->look_ms = now_ms;
}

static void on_disk(void *userdata, struct work *work)
{
	struct supervisor *supervisor = userdata;
	const struct disk_usage *usage = &((struct disk_task *)work)->usage;
	unsigned limit = supervisor->ctx->config.alert_disk_percent;
	unsigned news = disk_next(usage, limit, supervisor->disk_told);

	supervisor->is_looking_at_disk = false;
	if (!news)
		return;
	supervisor->disk_told = news == DISK_SAY_FULL;
	supervisor->is_changed = true;
	say_disk(supervisor, usage);
}

void follow_disk(struct supervisor *supervisor)
{
	struct disk_task *task = task_disk();

	supervisor->is_looking_at_disk = give(supervisor, task ? &task->work : NULL, on_disk);
}

/* ---- what is seen ---- */

static struct look look_of(const struct item *item)
{
	const struct health_entry *kept = &item->policy.kept;
	struct look look = { .sequence = item->sequence, .stamp = item->stamp };

	text_copy(look.name, sizeof look.name, kept->name);
	look.was_up = kept->pid || kept->start_ms || item->has_run;
	if (!item->has_settings)
		look.stamp = (struct identity_stamp){ 0 };
	return look;
}

void follow_look_at(struct supervisor *supervisor, struct item *item)
{
	struct look *looks = malloc(sizeof *looks);
	struct look_task *task;

	if (!looks)
		return;
	*looks = look_of(item);
	task = task_look(looks, 1, false);
	item->is_looked_at = give(supervisor, task ? &task->work : NULL, on_looked);
}

void follow_look_at_all(struct supervisor *supervisor, int64_t now_ms)
{
	const struct items *items = &supervisor->items;
	struct look *looks = calloc(items->count + 1, sizeof *looks);
	struct look_task *task;

	if (!looks)
		return;
	for (size_t i = 0; i < items->count; i++)
		looks[i] = look_of(items->items[i]);
	task = task_look(looks, items->count, true);
	supervisor->looking_since_ms = now_ms;
	supervisor->is_looking_at_all = give(supervisor, task ? &task->work : NULL, on_looked);
}

/* Somebody is at work: later, and less often the longer it takes. */
static void look_later(struct item *item, int64_t now_ms)
{
	int64_t wait_ms = BUSY_FIRST_MS;

	for (unsigned i = 0; i < item->times_busy && wait_ms < BUSY_MAX_MS; i++)
		wait_ms *= 2;
	item->times_busy++;
	item->look_ms = now_ms + wait_ms;
}

static void is_down(struct supervisor *supervisor, struct item *item, bool on_purpose, int64_t now_ms)
{
	struct policy_event event = { .type = on_purpose ? POLICY_STOPPED : POLICY_ENDED, .now_ms = now_ms,
				      .status = item->exit_status };
	bool was_up = item->policy.kept.pid || item->has_run;

	item->has_run = false;
	/* The end of one that is being started is told after the start, whose result comes later. */
	if (!item->policy.is_starting)
		item->exit_status = POLICY_UNKNOWN;
	if (on_purpose || was_up)
		feed(supervisor, item, &event);
}

static struct item *find_born(const struct items *items, uint64_t born)
{
	for (size_t i = 0; i < items->count; i++)
		if (items->items[i]->policy.kept.born == born)
			return items->items[i];
	return NULL;
}

/* What is thought of a container goes where it goes; what was given to threads for it comes to nothing. */
static void begin_anew(struct item *item, const struct item *from, uint64_t born)
{
	struct health_entry kept = from ? from->policy.kept : (struct health_entry){ 0 };

	memcpy(kept.name, item->policy.kept.name, sizeof kept.name);
	kept.born = born;
	item->policy = (struct policy){ .kept = kept };
	free(item->why);
	item->why = NULL;
}

/* Another container may have the name by now, and this one another name. */
static void recognise(struct supervisor *supervisor, const struct look *look)
{
	struct item *item, *before;

	if (look->found == LOOK_GONE || !look->born)
		return;
	item = items_add(&supervisor->items, look->name);
	if (!item || item->policy.kept.born == look->born)
		return;
	before = find_born(&supervisor->items, look->born);
	if (before || item->policy.kept.born)
		begin_anew(item, before, look->born);
	if (before)
		begin_anew(before, NULL, 0);
	item->policy.kept.born = look->born;
	supervisor->is_changed = true;
}

static void take_look(struct supervisor *supervisor, const struct look *look, bool all, int64_t now_ms)
{
	struct item *item = items_find(&supervisor->items, look->name);

	if (!item && look->found != LOOK_GONE)
		item = items_add(&supervisor->items, look->name);
	if (!item)
		return;
	if (item->sequence != look->sequence) {
		item->look_ms = item->look_ms ? item->look_ms : now_ms;
		return;
	}
	if (look->has_settings) {
		item->settings = look->settings;
		item->stamp = look->stamp;
		item->has_settings = true;
	}
	if (look->found != LOOK_BUSY)
		item->times_busy = 0;
	if (look->found == LOOK_BUSY) {
		look_later(item, now_ms);
	} else if (look->found == LOOK_GONE && !all) {
		supervisor->look_ms = now_ms; /* it may have another name */
	} else if (look->found == LOOK_GONE) {
		items_remove(&supervisor->items, item);
		supervisor->is_changed = true;
	} else if (look->found == LOOK_UP) {
		item->has_run = false;
		feed(supervisor, item,
		     &(struct policy_event){ .type = POLICY_RUNS, .now_ms = now_ms, .pid = look->pid });
	} else {
		is_down(supervisor, item, look->found == LOOK_STOPPED, now_ms);
	}
}

static void on_looked(void *userdata, struct work *work)
{
	struct supervisor *supervisor = userdata;
	const struct look_task *task = (struct look_task *)work;
	int64_t now_ms = clock_ms();

	if (task->all)
		supervisor->is_looking_at_all = false;
	if (task->result < 0)
		log_message(supervisor->ctx, LB_LOG_WARNING, "cannot look at the containers: %s", task->text);
	for (size_t i = 0; task->result == 0 && i < task->count; i++)
		recognise(supervisor, &task->looks[i]);
	for (size_t i = 0; i < task->count; i++) {
		struct item *item = items_find(&supervisor->items, task->looks[i].name);

		if (item && !task->all)
			item->is_looked_at = false;
		if (task->result == 0)
			take_look(supervisor, &task->looks[i], task->all, now_ms);
	}
}

/* ---- what LXC tells ---- */

static void take_state(struct item *item, enum lb_state state, int64_t now_ms)
{
	switch (state) {
	case LB_STATE_STARTING:
		item->exit_status = POLICY_UNKNOWN;
		break;
	case LB_STATE_RUNNING:
		item->has_run = true;
		item->look_ms = now_ms;
		break;
	case LB_STATE_STOPPED:
		item->look_ms = now_ms + STOPPING_MS; /* its monitor ends, or boots it again */
		break;
	default:
		break;
	}
}

void follow_event(struct supervisor *supervisor, const struct lxc_event *event, int64_t now_ms)
{
	struct item *item;

	if (!name_is_valid(event->name) || (!event->is_exit && event->state == LB_STATE_FROZEN))
		return;
	item = items_add(&supervisor->items, event->name);
	if (!item)
		return;
	item->sequence++;
	item->times_busy = 0;
	if (event->is_exit)
		item->exit_status = event->status;
	else
		take_state(item, event->state, now_ms);
}
