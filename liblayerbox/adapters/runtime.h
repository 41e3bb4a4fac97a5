/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LXC at work: everything that starts, stops or enters a container, done by the helper program layerbox-lxc,
 * the only one that is linked to liblxc.
 */
#pragma once

#include "../core/context.h"
#include "../util/spawn.h"

/* What one container's part in an operation came to; @text is the cause where @result is negative. */
typedef void (*runtime_result_fn)(const char *name, int result, const char *text, void *userdata);

/* Gives the name of the next container that is ready, NULL behind the last. */
typedef const char *(*runtime_next_fn)(void *userdata);

/* What the helper is to do, and with whom: @next and @fn are called in turns, with @userdata. */
struct runtime_task {
	const char *verb;             /* "start", "stop", "kill", "freeze", "thaw", "cgroup:KEY=VALUE" */
	const char *lxcpath;
	size_t count;                 /* how many names there will be at most */
	unsigned jobs;                /* how many are worked on at a time */
	unsigned timeout_s;           /* stop: before it is killed; start: before it is given up */
	int64_t end_ms;               /* stop: when it is killed at the latest, by clock_ms(); 0: after timeout_s */
	/* kill: @count at most of those that come next are killed together now; are there more? NULL: there are not */
	bool (*begin)(void *userdata, size_t count);
	runtime_next_fn next;
	runtime_result_fn fn;
	void *userdata;
};

/*
 * Starts the helper, which takes its time to load, and only then asks @next for one name after the other: each is
 * worked on while the next is made ready. @fn is called once a name that the helper reported on, as results come in. 0,
 * or -LB_ERR_NO_PROGRAM ... when the helper itself could not do its work.
 */
int runtime_run(struct lb_context *ctx, const struct runtime_task *task);

/* One of its verbs for one container. */
int runtime_do(struct lb_context *ctx, const char *verb, const char *lxcpath, const char *name);

/* Writes a control file of a running container's cgroup. */
int runtime_set_cgroup(struct lb_context *ctx, const char *lxcpath, const char *name, const char *key,
		       const char *value);

/*
 * Runs the helper on the caller's (or the given) standard streams and waits: @arguments follow its name.
 * *ret_status as for lb_container_exec().
 */
int runtime_attach(struct lb_context *ctx, const char *const *arguments, const int *fds, int *ret_status);

/*
 * The same without input, for programs that may go on for ever: each line of what they print is given to @fn, whatever
 * is in it. Ended when @end_fd (0: none) can be read from; they end with the helper. After @silence_s (0: never)
 * without a word they are ended, too: -ETIMEDOUT, without a sentence.
 */
int runtime_listen(struct lb_context *ctx, const char *const *arguments, int end_fd, unsigned silence_s,
		   spawn_line_fn fn, void *userdata, int *ret_status);

/*
 * The same without input, for programs that are not trusted to end, or to say little: after @timeout_s they are
 * killed with their process group, and *ret_status is RUNTIME_TIMED_OUT; it is RUNTIME_NOT_ENTERED where they were not
 * run at all, or say so themselves. *ret_output is as for spawn_run().
 */
enum { RUNTIME_TIMED_OUT = 124, RUNTIME_NOT_ENTERED = 125 };
int runtime_ask(struct lb_context *ctx, const char *const *arguments, unsigned timeout_s, int *ret_status,
		char **ret_output);
