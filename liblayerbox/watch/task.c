/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "task.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../adapters/lxc-command.h"
#include "../care/alert.h"
#include "../container/console-log.h"
#include "../container/layout.h"
#include "../container/run.h"
#include "../core/store.h"
#include "../health/check.h"

static void release(struct work *work)
{
	free(work);
}

static void begin(struct work *work, enum work_kind kind, const char *name,
		  void (*run)(struct lb_context *, struct work *))
{
	work->kind = kind;
	work->run = run;
	work->release = release;
	text_copy(work->name, sizeof work->name, name);
}

static void keep_text(char kept[TASK_TEXT_SIZE], const char *text)
{
	snprintf(kept, TASK_TEXT_SIZE, "%.*s", TASK_TEXT_SIZE - 1, text);
}

/* ---- checks ---- */

static enum policy_event_type check(struct lb_context *ctx, struct check_task *task)
{
	CLEANUP(container_cleanup) struct lb_container *container = NULL;
	char why[HEALTH_WHY_SIZE] = "";
	int r = container_find(ctx, task->work.name, &container);

	if (r < 0) {
		keep_text(task->text, ctx->error);
		return r == -LB_ERR_NO_CONTAINER ? POLICY_NOT_CHECKED : POLICY_CHECK_FAILED;
	}
	task->settings = policy_settings_of(&container->record, container->name, ctx->config.restart_policy);
	task->has_settings = true;
	r = health_check(ctx, container, why, sizeof why);
	/* Another life of it, which will be looked at; or there is no check any more. */
	if (r >= 0 && container->live.pid != task->pid)
		return POLICY_NOT_CHECKED;
	if (r == -LB_ERR_NOT_RUNNING)
		return POLICY_NOT_CHECKED;
	keep_text(task->text, r < 0 ? ctx->error : why);
	return r == 0 ? POLICY_CHECKED_WELL : r > 0 ? POLICY_CHECKED_BAD : POLICY_CHECK_FAILED;
}

static void run_check(struct lb_context *ctx, struct work *work)
{
	struct check_task *task = (struct check_task *)work;

	task->result = check(ctx, task);
}

struct check_task *task_check(const char *name, pid_t pid)
{
	struct check_task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	begin(&task->work, WORK_CHECK, name, run_check);
	task->pid = pid;
	return task;
}

/* ---- starts and restarts ---- */

/* Somebody may have thought better of it until the last moment. */
static int may_change(struct lb_context *ctx, int container_fd, const char *name, void *userdata)
{
	struct change_task *task = userdata;
	struct record record = { 0 };
	int r;

	task->is_stopped = faccessat(container_fd, LAYOUT_STOPPED, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (task->is_stopped)
		return fail(ctx, -LB_ERR_BUSY, "container '%s' was stopped on purpose", name);
	r = record_read(ctx, container_fd, name, &record);
	if (r < 0)
		return r;
	task->settings = policy_settings_of(&record, name, ctx->config.restart_policy);
	task->has_settings = true;
	record_free(&record);
	return task->settings.restart == RESTART_NO ?
		       fail(ctx, -LB_ERR_BUSY, "container '%s' is not to be started again by itself", name) : 0;
}

static pid_t pid_of(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	struct lxc_answer answer;

	return lxcpath && lxc_command_query(lxcpath, name, &answer) == 0 ? answer.pid : 0;
}

static enum policy_event_type change(struct lb_context *ctx, struct change_task *task)
{
	const struct run_condition condition = { may_change, task };
	int r = task->is_restart ? container_stop_if(ctx, task->work.name, &condition) : 0;

	if (r >= 0)
		r = container_start_if(ctx, task->work.name, &condition);
	task->ran_already = r == 1;
	if (r >= 0)
		return POLICY_STARTED;
	if (r == -LB_ERR_BUSY)
		return task->is_stopped ? POLICY_STOPPED : POLICY_START_LATER;
	/* Deleted, or renamed: the look that follows a change sees that. */
	if (r == -LB_ERR_NO_CONTAINER)
		return POLICY_START_LATER;
	keep_text(task->text, ctx->error);
	return POLICY_START_FAILED;
}

static void run_change(struct lb_context *ctx, struct work *work)
{
	struct change_task *task = (struct change_task *)work;

	task->result = change(ctx, task);
	task->pid = pid_of(ctx, work->name);
}

struct change_task *task_change(const char *name, bool is_restart)
{
	struct change_task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	begin(&task->work, WORK_CHANGE, name, run_change);
	task->is_restart = is_restart;
	return task;
}

/* ---- alerts ---- */

static void run_tell(struct lb_context *ctx, struct work *work)
{
	const struct tell_task *task = (struct tell_task *)work;

	alert(ctx, task->event, work->name, task->text);
}

struct tell_task *task_tell(const char *name, const char *event, const char *text)
{
	struct tell_task *task = calloc(1, sizeof *task);

	if (!task)
		return NULL;
	begin(&task->work, WORK_TELL, name, run_tell);
	task->event = event;
	keep_text(task->text, text);
	return task;
}

/* ---- looks ---- */

static void run_look(struct lb_context *ctx, struct work *work)
{
	struct look_task *task = (struct look_task *)work;

	task->result = look_at(ctx, &task->looks, &task->count, task->all);
	if (task->result < 0)
		keep_text(task->text, ctx->error);
}

static void release_look(struct work *work)
{
	struct look_task *task = (struct look_task *)work;

	free(task->looks);
	free(task);
}

struct look_task *task_look(struct look *looks, size_t count, bool all)
{
	struct look_task *task = calloc(1, sizeof *task);

	if (!task) {
		free(looks);
		return NULL;
	}
	begin(&task->work, WORK_LOOK, "", run_look);
	task->work.release = release_look;
	task->looks = looks;
	task->count = count;
	task->all = all;
	return task;
}

/* What else is done each minute, and may wait for the disk, too. */
static void run_disk(struct lb_context *ctx, struct work *work)
{
	console_logs_mend(ctx);
	disk_look(ctx->config.root, &((struct disk_task *)work)->usage);
}

struct disk_task *task_disk(void)
{
	struct disk_task *task = calloc(1, sizeof *task);

	if (task)
		begin(&task->work, WORK_LOOK, "", run_disk);
	return task;
}
