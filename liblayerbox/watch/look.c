/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "look.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/lxc-command.h"
#include "../adapters/process-time.h"
#include "../container/layout.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../stream/moving.h"

enum { STOPPING_S = 180 };            /* that one may take to end when it was asked to */

/* What a look at many has in common. */
struct sight {
	struct lb_context *ctx;
	int containers_fd;
	char *lxcpath;
};

static void read_settings(const struct sight *sight, struct look *look)
{
	const char *by_default = sight->ctx->config.restart_policy;
	struct identity_stamp stamp;
	struct record record = { 0 };
	int r;

	if (!identity_stamp(sight->containers_fd, look->name, &stamp))
		stamp = (struct identity_stamp){ 0 };
	if (stamp.inode && memcmp(&stamp, &look->stamp, sizeof stamp) == 0)
		return;
	r = record_read_by_name(sight->ctx, sight->containers_fd, look->name, &record);
	if (r < 0 && r != -LB_ERR_NO_CONTAINER)
		log_message(sight->ctx, LB_LOG_WARNING, "%s", sight->ctx->error);
	look->settings = policy_settings_of(r == 0 ? &record : NULL, look->name, by_default);
	look->has_settings = true;
	look->stamp = stamp;
	record_free(&record);
}

/* A move gives the lock back while it sends what it has stopped. */
static bool is_somebodys(const struct sight *sight, const char *name)
{
	CLEANUP_FD int fd = lock_container_at_once(sight->ctx, name);

	return fd == -LB_ERR_BUSY ||
	       (fd >= 0 && moving_before_start(sight->ctx, fd, name, false) == -LB_ERR_BUSY);
}

/* When that was, seconds since the epoch; 0: it was not. */
static int64_t was_stopped(const struct sight *sight, const char *name)
{
	char path[NAME_LENGTH_MAX + sizeof "/" LAYOUT_STOPPED];
	struct stat st;

	snprintf(path, sizeof path, "%s/" LAYOUT_STOPPED, name);
	return fstatat(sight->containers_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mtime : 0;
}

/* A monitor that is there for a moment longer may be about to start its container again: a reboot from inside. */
static enum look_found look_down(const struct sight *sight, const struct look *look)
{
	if (faccessat(sight->containers_fd, look->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return LOOK_GONE;
	if (look->was_up && (lxc_command_has_monitor(sight->lxcpath, look->name) || is_somebodys(sight, look->name)))
		return LOOK_BUSY;
	return was_stopped(sight, look->name) ? LOOK_STOPPED : LOOK_DOWN;
}

/* A directory's number may be used again; when it was made tells them apart. */
static uint64_t born(const struct sight *sight, const char *name)
{
	struct statx st;
	char text[96];

	if (statx(sight->containers_fd, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) < 0)
		return 0;
	snprintf(text, sizeof text, "%llu %lld.%u", (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec,
		 st.stx_btime.tv_nsec);
	return text_hash(text);
}

/*
 * Who was asked to stop may take its time, also when nobody waits for it any more. A mark of another life is of no use;
 * nor is one of a time that has not come, by a clock that was set.
 */
static bool is_stopping(int64_t marked, pid_t pid)
{
	int64_t now = time(NULL);

	return marked >= process_start_time(pid, host_boot_time()) && marked <= now && now - marked < STOPPING_S;
}

/*
 * A stop that came to nothing leaves its mark, and so does one whose container plain LXC has started since: one that
 * ends later would count as stopped on purpose. Who stops it holds its lock as long as it waits.
 */
static void forget_stop(const struct sight *sight, const char *name)
{
	CLEANUP_FD int fd = was_stopped(sight, name) ? lock_container_at_once(sight->ctx, name) : -1;
	int64_t marked = fd >= 0 ? was_stopped(sight, name) : 0;
	struct lxc_answer answer;

	if (marked && lxc_command_query(sight->lxcpath, name, &answer) == 0 && answer.state == LB_STATE_RUNNING &&
	    !is_stopping(marked, answer.pid))
		unlinkat(fd, LAYOUT_STOPPED, 0);
}

static void look_at_one(const struct sight *sight, struct look *look, const struct lxc_question *asked)
{
	struct lxc_answer answer = asked->answer;

	look->pid = 0;
	if (asked->result < 0) /* a monitor that does not answer; who works with the container is told so */
		look->found = LOOK_BUSY;
	else if (answer.state == LB_STATE_STOPPED)
		look->found = look_down(sight, look);
	else if ((answer.state == LB_STATE_RUNNING || answer.state == LB_STATE_FROZEN) && answer.pid)
		look->found = LOOK_UP, look->pid = answer.pid;
	else
		look->found = LOOK_BUSY;
	if (look->found == LOOK_UP)
		forget_stop(sight, look->name);
	look->born = born(sight, look->name);
	if (look->found != LOOK_GONE)
		read_settings(sight, look);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct look *)a)->name, ((const struct look *)b)->name);
}

/* Adds containers that nobody has asked for. */
static int add_others(const struct sight *sight, struct look **looks, size_t *count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	size_t known = *count;
	struct look *all;
	int r = record_list_names(sight->ctx, &names);

	if (r < 0)
		return r;
	all = reallocarray(*looks, known + names.count + 1, sizeof *all);
	if (!all)
		return -ENOMEM;
	*looks = all;
	for (size_t i = 0; i < names.count; i++) {
		struct look look = { 0 };

		text_copy(look.name, sizeof look.name, names.items[i]);
		if (!known || !bsearch(&look, all, known, sizeof look, compare))
			all[(*count)++] = look;
	}
	return 0;
}

/* All are asked first: many monitors that do not answer are waited for once. */
static int look_at_each(const struct sight *sight, struct look *looks, size_t count)
{
	CLEANUP_FREE struct lxc_question *questions = calloc(count + 1, sizeof *questions);

	if (!questions)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		questions[i].name = looks[i].name;
	lxc_command_query_all(sight->lxcpath, questions, count, LXC_ASK_STATE | LXC_ASK_PID);
	for (size_t i = 0; i < count; i++)
		look_at_one(sight, &looks[i], &questions[i]);
	return 0;
}

int look_at(struct lb_context *ctx, struct look **looks, size_t *count, bool all)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FD int containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	const struct sight sight = { .ctx = ctx, .containers_fd = containers_fd, .lxcpath = lxcpath };
	int r = 0;

	if (containers_fd < 0 || !lxcpath)
		return containers_fd < 0 ? containers_fd : -ENOMEM;
	if (*count)
		qsort(*looks, *count, sizeof **looks, compare);
	if (all)
		r = add_others(&sight, looks, count);
	return r < 0 ? r : look_at_each(&sight, *looks, *count);
}
