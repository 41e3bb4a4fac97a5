/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What start-all and stop-all have in common: those who may begin do so together, in a thread; who would hold up the
 * others does alone; and who comes after somebody waits until that one is through.
 */
#pragma once

#include "members.h"
#include "order.h"

typedef int (*all_many_fn)(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			   lb_result_fn fn, void *userdata);

struct all {
	struct lb_context *ctx;
	const struct lb_run_options *options;
	const char *what;             /* for its progress: "starting" */
	all_many_fn together;         /* hands back -LB_ERR_BUSY where it would have to wait for somebody's lock */
	all_many_fn alone;            /* waits */
	size_t alone_max;             /* so many at a time */
	int64_t deadline_ms;          /* of clock_ms(): when they are to be through; 0: never */
	struct boot_member *members;  /* their wait and holds_up say how each is treated */
	struct order_member *turns;   /* of each */
	size_t count;
	/* What happened to a member, in this thread; @code is negative where it failed, and @text says why. */
	void (*on_step)(struct all *all, const struct boot_member *member, enum lb_boot_step step, int code,
			const char *text);
	lb_boot_fn boot_fn;           /* the caller's, for on_step */
	lb_result_fn result_fn;
	void *userdata;
	bool changed;                 /* something was started or stopped */
	int first_failure;
	char first_error[ERROR_MAX];
};

/* The members that @is_wanted wants; the caller frees them with members_free(). */
int all_load(struct all *all, const struct lb_run_options *options,
	     bool (*is_wanted)(const struct boot_member *member));

/* 0, 1 where nothing was changed, or the first failure, with its sentence. */
int all_run(struct all *all);
