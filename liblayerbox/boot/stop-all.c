/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stopping all containers that run: the other way round. */
#include "../container/run.h"
#include "../util/clock.h"
#include "all.h"

enum { JOBS_DEFAULT = 64 }; /* they wait more than they work */

static void on_step(struct all *all, const struct boot_member *member, enum lb_boot_step step, int code,
		    const char *text)
{
	if (all->result_fn)
		all->result_fn(member->name, step == LB_BOOT_ALREADY ? 1 : code, text, all->userdata);
}

static bool is_running(const struct boot_member *member)
{
	return member->runs || member->no_answer;
}

/* Those who come after @index have their stop before it. */
static int add_followers(const struct all *all, size_t index, struct text_list *followers)
{
	for (size_t i = 0; i < all->count; i++)
		if (text_list_has(&all->members[i].after, all->members[index].name) &&
		    text_list_add(followers, all->members[i].name) < 0)
			return -ENOMEM;
	return 0;
}

static int make_turns(struct all *all, struct text_list *followers)
{
	if (!all->turns || !followers)
		return fail_memory(all->ctx);
	for (size_t i = 0; i < all->count; i++) {
		struct boot_member *member = &all->members[i];

		if (add_followers(all, i, &followers[i]) < 0)
			return fail_memory(all->ctx);
		all->turns[i] = (struct order_member){
			.name = member->name,
			.priority = UINT64_MAX - member->priority,
			.after = &followers[i],
		};
		member->wait = BOOT_WAIT_RUNNING;
		member->holds_up = member->no_answer;
	}
	return 0;
}

static int stop_members(struct all *all)
{
	struct text_list *followers = calloc(all->count + 1, sizeof *followers);
	int r;

	all->turns = calloc(all->count + 1, sizeof *all->turns);
	r = make_turns(all, followers);
	if (r == 0)
		r = all_run(all);
	for (size_t i = 0; followers && i < all->count; i++)
		text_list_free(&followers[i]);
	free(followers);
	free(all->turns);
	return r;
}

int lb_stop_all(struct lb_context *ctx, const struct lb_run_options *options, lb_result_fn fn, void *userdata)
{
	struct lb_run_options own = { .size = sizeof own };
	struct all all = {
		.ctx = ctx,
		.options = &own,
		.what = "stopping",
		.together = containers_stop_at_once,
		.alone = lb_containers_stop,
		.alone_max = JOBS_DEFAULT,
		.on_step = on_step,
		.result_fn = fn,
		.userdata = userdata,
	};
	int r = all_load(&all, options, is_running);

	if (r < 0)
		return r;
	if (options)
		own = *options;
	if (!own.jobs)
		own.jobs = JOBS_DEFAULT;
	if (own.deadline_s)
		all.deadline_ms = clock_ms() + (int64_t)own.deadline_s * 1000;
	r = stop_members(&all);
	members_free(all.members, all.count);
	return r;
}
