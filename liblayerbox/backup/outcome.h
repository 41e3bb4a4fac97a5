/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* containers/NAME/backup-outcome: how the last backup of a container went. */
#pragma once

#include "../core/context.h"

struct outcome {
	int64_t last_run, last_success; /* seconds since the epoch; 0: never */
	int64_t duration_s; /* of the last run; -1: nobody has noted it */
	int result; /* of the last run: 0, or a negative code */
	char error[ERROR_MAX]; /* its sentence, or "" */
};

/* 1 where none was tried yet. What cannot be read counts as none, with a warning to the log. */
int outcome_read(struct lb_context *ctx, int container_fd, const char *name, struct outcome *ret_outcome);

/*
 * Notes how a backup went that began at @began, in seconds since the epoch, and ended just now, and has the operator
 * told where that is another result than the last time: see care/alert.h.
 */
void outcome_note(struct lb_context *ctx, const char *name, int64_t began, int result, const char *error);
