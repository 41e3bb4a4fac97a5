/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../core/context.h"

/*
 * lb_containers_start() and lb_containers_stop() that wait for nobody: where somebody has a container's lock, its result
 * is -LB_ERR_BUSY.
 */
int containers_start_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			     lb_result_fn fn, void *userdata);
int containers_stop_at_once(struct lb_context *ctx, const char *const *names, const struct lb_run_options *options,
			    lb_result_fn fn, void *userdata);
