/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting all containers that are meant to run. */
#include "../container/run.h"
#include "all.h"

static void on_step(struct all *all, const struct boot_member *member, enum lb_boot_step step, int code,
		    const char *text)
{
	(void)code;
	if (all->boot_fn)
		all->boot_fn(member->name, step, text, all->userdata);
}

static bool is_wanted(const struct boot_member *member)
{
	return member->autostart || member->error;
}

/* One that runs already is waited for only where that matters to somebody who does not. */
static bool is_awaited(const struct all *all, const struct boot_member *member)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->members[i].runs && text_list_has(&all->members[i].after, member->name))
			return true;
	return false;
}

static int make_turns(struct all *all)
{
	all->turns = calloc(all->count + 1, sizeof *all->turns);
	if (!all->turns)
		return fail_memory(all->ctx);
	for (size_t i = 0; i < all->count; i++) {
		struct boot_member *member = &all->members[i];

		if (member->runs && member->wait > BOOT_WAIT_RUNNING && !is_awaited(all, member))
			member->wait = BOOT_WAIT_RUNNING;
		all->turns[i] = (struct order_member){
			.name = member->name,
			.priority = member->priority,
			.after = &member->after,
			.delay_ms = member->delay_s * 1000,
			.state = member->runs || member->error ? ORDER_BEGUN : ORDER_WAITS,
		};
	}
	return 0;
}

int lb_start_all(struct lb_context *ctx, const struct lb_run_options *options, lb_boot_fn fn, void *userdata)
{
	struct all all = {
		.ctx = ctx,
		.options = options,
		.what = "starting",
		.together = containers_start_at_once,
		.alone = lb_containers_start,
		.alone_max = (size_t)sysconf(_SC_NPROCESSORS_ONLN),
		.on_step = on_step,
		.boot_fn = fn,
		.userdata = userdata,
	};
	int r = all_load(&all, options, is_wanted);

	if (r < 0)
		return r;
	r = make_turns(&all);
	if (r == 0)
		r = all_run(&all);
	free(all.turns);
	members_free(all.members, all.count);
	return r;
}
