/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "after.h"

#include <time.h>

#include "../container/next.h"
#include "../container/settings.h"
#include "../util/clock.h"
#include "members.h"
#include "order.h"

/* Two who wait for each other's containers, as a start of many does, are not to do so for long. */
enum { PATIENCE_MS = 3000, PAUSE_MS = 20 };

#define KEY "boot.after"

static struct boot_member *find(struct boot_member *members, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(members[i].name, name))
			return &members[i];
	return NULL;
}

/* ---- a new value ---- */

static int check_cycle(struct lb_context *ctx, const struct boot_member *members, size_t count, const char *name,
		       const char *value)
{
	CLEANUP_FREE struct order_member *turns = calloc(count + 1, sizeof *turns);
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE char *text = NULL;
	int r;

	if (!turns)
		return fail_memory(ctx);
	for (size_t i = 0; i < count; i++)
		turns[i] = (struct order_member){ .name = members[i].name, .after = &members[i].after };
	r = order_find_cycle(turns, count, name, &names);
	if (r == 0)
		return 0;
	text = r > 0 ? order_cycle_text(&names) : NULL;
	return text ? fail(ctx, -LB_ERR_BAD_VALUE, KEY " of container '%s' cannot be \"%s\": %s", name, value, text) :
		      fail_memory(ctx);
}

static int check_members(struct lb_context *ctx, struct boot_member *members, size_t count, const char *name,
			 const char *value)
{
	struct boot_member *member = find(members, count, name);

	if (!member)
		return fail_no_container(ctx, name);
	text_list_free(&member->after);
	if (text_list_add_words(&member->after, value) < 0)
		return fail_memory(ctx);
	for (size_t i = 0; i < member->after.count; i++) {
		const char *other = member->after.items[i];

		if (text_equal(other, name))
			return fail(ctx, -LB_ERR_BAD_VALUE, "container '%s' cannot come after itself (" KEY ")", name);
		if (!find(members, count, other))
			return fail(ctx, -LB_ERR_BAD_VALUE,
				    KEY " of container '%s' cannot be \"%s\": there is no container '%s'", name, value,
				    other);
	}
	return check_cycle(ctx, members, count, name, value);
}

int after_check(struct lb_context *ctx, const char *name, const char *value)
{
	struct boot_member *members;
	size_t count;
	int r;

	if (!*value)
		return 0;
	r = members_load(ctx, &members, &count);
	if (r < 0)
		return r;
	r = check_members(ctx, members, count, name, value);
	members_free(members, count);
	return r;
}

/* ---- what is there already ---- */

static int add_problems(struct boot_member *members, size_t count, const struct boot_member *member,
			struct text_list *problems)
{
	for (size_t i = 0; i < member->after.count; i++) {
		if (find(members, count, member->after.items[i]))
			continue;
		if (text_list_format(problems, "container %s", member->name) < 0 ||
		    text_list_format(problems, "its " KEY " names '%s', and there is no such container",
				     member->after.items[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

int after_find_unknown(struct lb_context *ctx, struct text_list *ret_problems)
{
	CLEANUP_TEXT_LIST struct text_list problems = { 0 };
	struct boot_member *members;
	size_t count;
	int r = members_load(ctx, &members, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_problems(members, count, &members[i], &problems);
	members_free(members, count);
	if (r < 0)
		return fail_memory(ctx);
	*ret_problems = problems;
	problems = (struct text_list){ 0 };
	return 0;
}

/* ---- a rename ---- */

static int lock_shortly(struct lb_context *ctx, const char *name)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	const int64_t end_ms = clock_ms() + PATIENCE_MS;
	int fd;

	while ((fd = container_lock_at_once(ctx, name)) == -LB_ERR_BUSY && clock_ms() < end_ms)
		nanosleep(&pause, NULL);
	return fd;
}

/* The caller's, NULL without memory. */
static char *replace(const char *value, const char *old_name, const char *new_name)
{
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };

	if (text_list_add_words(&words, value) < 0)
		return NULL;
	for (size_t i = 0; i < words.count; i++)
		buffer_format(&text, "%s%s", i ? " " : "",
			      text_equal(words.items[i], old_name) ? new_name : words.items[i]);
	return buffer_finish(&text);
}

static int rename_in(struct lb_context *ctx, const char *follower, const char *old_name, const char *new_name)
{
	CLEANUP_FD int fd = lock_shortly(ctx, follower);
	CLEANUP_FREE char *value = NULL;
	struct record record = { 0 };
	const char *why = NULL;
	int r = fd < 0 ? fd : record_read(ctx, fd, follower, &record);

	if (r < 0)
		return r;
	if (!text_empty(record.boot.after)) {
		value = replace(record.boot.after, old_name, new_name);
		why = value ? settings_set(&record, KEY, value) : "does not fit into memory";
		r = why ? fail(ctx, -LB_ERR_BAD_VALUE, KEY " %s", why) : record_write(ctx, fd, follower, &record);
	}
	record_free(&record);
	return r;
}

int after_rename(struct lb_context *ctx, const char *old_name, const char *new_name)
{
	struct boot_member *members;
	size_t count;
	int r = members_load(ctx, &members, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (text_list_has(&members[i].after, old_name) &&
		    rename_in(ctx, members[i].name, old_name, new_name) < 0)
			log_message(ctx, LB_LOG_WARNING,
				    "container '%s' comes after '%s', which is '%s' now, and " KEY
				    " still says so; set it anew: %s",
				    members[i].name, old_name, new_name, ctx->error);
	members_free(members, count);
	return 0;
}
