/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../core/context.h"

/*
 * lb_containers_start() and lb_containers_stop() that wait for nobody: where somebody has a container's lock, its
 * result is -LB_ERR_BUSY.
 */
int containers_start_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			     lb_result_fn fn, void *userdata);
int containers_stop_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			    lb_result_fn fn, void *userdata);

/* May it still be done? Asked under the container's lock. */
struct run_condition {
	/* 0, or a failure: -LB_ERR_BUSY is told to nobody. */
	int (*may)(struct lb_context *ctx, int container_fd, const char *name, void *userdata);
	void *userdata;
};

/* The same of one, on a condition: stopped only to be started again, and started. 1 where there is nothing to do. */
int container_stop_if(struct lb_context *ctx, const char *name, const struct run_condition *condition);
int container_start_if(struct lb_context *ctx, const char *name, const struct run_condition *condition);
