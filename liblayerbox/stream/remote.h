/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `layerbox receive` on another host, run by ssh. */
#pragma once

#include "target.h"

struct remote {
	struct lb_context *ctx;
	const char *text;             /* the target as it was given, for sentences */
	struct target target;
};

/*
 * Runs `layerbox receive ARGUMENTS...` there and takes from what it prints the line that begins with @answer: the rest
 * of it, the caller's. 1, with *ret_rest NULL, where it ended without: what it did is not known. Its last words are
 * the context's sentence then.
 */
int remote_ask(const struct remote *remote, const char *const *arguments, const char *answer, char **ret_rest);

/* The same, while @send writes its input. A failure of @send ends it. */
typedef int (*remote_send_fn)(int fd, void *userdata);
int remote_send(const struct remote *remote, const char *const *arguments, const char *answer, remote_send_fn send,
		void *userdata);
