/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LXC at work: everything that starts, stops or enters a container, done by the helper program layerbox-lxc,
 * the only one that is linked to liblxc.
 */
#pragma once

#include "../core/context.h"

/* What one container's part in an operation came to; @text is the cause where @result is negative. */
typedef void (*runtime_result_fn)(const char *name, int result, const char *text, void *userdata);

/*
 * Has the helper do @verb ("start", "stop", "kill", "freeze", "thaw") for each of @names below @lxcpath, several at
 * a time.
 * @fn is called once a name that the helper reported on, as results come in. 0, or -LB_ERR_NO_PROGRAM ... when
 * the helper itself could not do its work.
 */
int runtime_run(struct lb_context *ctx, const char *lxcpath, const char *verb, const char *const *names,
		unsigned jobs, unsigned timeout_s, runtime_result_fn fn, void *userdata);

/* Writes a control file of a running container's cgroup. */
int runtime_set_cgroup(struct lb_context *ctx, const char *lxcpath, const char *name, const char *key,
		       const char *value);

/*
 * Runs the helper on the caller's (or the given) standard streams and waits: @arguments follow its name.
 * *ret_status as for lb_container_exec().
 */
int runtime_attach(struct lb_context *ctx, const char *const *arguments, const int *fds, int *ret_status);
