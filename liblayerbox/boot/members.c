/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "members.h"

#include "../adapters/lxc-command.h"
#include "../core/store.h"
#include "../rebase/refresh.h"

static bool is_rebased_first(struct lb_context *ctx, const struct record *record)
{
	char to[BASE_TEXT_SIZE];

	return *record->rebase_to || refresh_get(ctx, record, to) == REFRESH_DUE;
}

static int take_settings(struct lb_context *ctx, const struct record *record, struct boot_member *member)
{
	member->autostart = record->autostart;
	member->holds_up = is_rebased_first(ctx, record);
	member->priority = record->boot.priority;
	member->delay_s = record->boot.delay_s;
	member->wait = (enum boot_wait)record->boot.wait;
	member->timeout_s = (unsigned)record->boot.timeout_s;
	return text_empty(record->boot.after) ? 0 : text_list_add_words(&member->after, record->boot.after);
}

/* 1 where the container went away meanwhile. */
static int load_record(struct lb_context *ctx, int containers_fd, struct boot_member *member)
{
	struct record record = { 0 };
	int r = record_read_by_name(ctx, containers_fd, member->name, &record);

	if (r == 0)
		r = take_settings(ctx, &record, member) < 0 ? fail_memory(ctx) : 0;
	record_free(&record);
	if (r >= 0 || r == -ENOMEM)
		return r;
	member->error = r;
	member->why = strdup(ctx->error);
	return member->why ? 0 : fail_memory(ctx);
}

/* One look at all monitors. */
static int load_states(struct lb_context *ctx, struct boot_member *members, size_t count)
{
	CLEANUP(lxc_monitors_free) struct lxc_monitors monitors = { 0 };
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	int r = lxcpath ? lxc_monitors_load(&monitors) : -ENOMEM;

	if (r < 0)
		return lxcpath ? fail_errno(ctx, r, "cannot read /proc/net/unix") : fail_memory(ctx);
	for (size_t i = 0; i < count; i++)
		members[i].runs = lxc_monitors_has(&monitors, lxcpath, members[i].name);
	return 0;
}

int members_ask(struct lb_context *ctx, struct boot_member *members, size_t count)
{
	CLEANUP_FREE struct lxc_question *questions = calloc(count + 1, sizeof *questions);
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	size_t n = 0;

	if (!questions || !lxcpath)
		return fail_memory(ctx);
	for (size_t i = 0; i < count; i++)
		if (members[i].runs)
			questions[n++].name = members[i].name;
	lxc_command_query_all(lxcpath, questions, n, LXC_ASK_STATE);
	for (size_t i = 0, asked = 0; i < count; i++) {
		const struct lxc_question *question = &questions[asked];

		if (!members[i].runs)
			continue;
		asked++;
		members[i].runs = question->result == 0 && question->answer.state != LB_STATE_STOPPED;
		if (question->result < 0)
			members[i].no_answer = members[i].holds_up = true;
	}
	return 0;
}

static int load_all(struct lb_context *ctx, const struct text_list *names, int containers_fd,
		    struct boot_member *members, size_t *count)
{
	for (size_t i = 0; i < names->count; i++) {
		struct boot_member *member = &members[*count];
		int r;

		text_copy(member->name, sizeof member->name, names->items[i]);
		r = load_record(ctx, containers_fd, member);
		if (r < 0)
			return r;
		*count += r == 0;
	}
	return load_states(ctx, members, *count);
}

int members_load(struct lb_context *ctx, struct boot_member **ret_members, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);
	struct boot_member *members;
	size_t count = 0;
	int r;

	if (containers_fd < 0)
		return containers_fd;
	members = calloc(names.count + 1, sizeof *members);
	if (!members)
		return fail_memory(ctx);
	r = load_all(ctx, &names, containers_fd, members, &count);
	if (r < 0) {
		members_free(members, names.count);
		return r;
	}
	*ret_members = members;
	*ret_count = count;
	return 0;
}

static void clear(struct boot_member *member)
{
	text_list_free(&member->after);
	free(member->why);
}

void members_free(struct boot_member *members, size_t count)
{
	for (size_t i = 0; members && i < count; i++)
		clear(&members[i]);
	free(members);
}

size_t members_keep(struct boot_member *members, size_t count, bool (*wanted)(const struct boot_member *member))
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!wanted(&members[i])) {
			clear(&members[i]);
			members[i] = (struct boot_member){ 0 };
		} else if (kept++ != i) {
			members[kept - 1] = members[i];
			members[i] = (struct boot_member){ 0 };
		}
	}
	return kept;
}
