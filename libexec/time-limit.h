/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bound on how long this process works: then it ends with all that has come of it, whoever that belongs to by now. */
#pragma once

/*
 * After @seconds, or when its parent ends, all descendants are killed, @line (which must stay) is printed, and the
 * process exits with 0. They are killed as well when a SIGINT, SIGTERM or SIGHUP ends it.
 */
void time_limit_set(unsigned seconds, const char *line);

/*
 * The kernel forgets who wants to know of its parent's end where a process changes its ids: says it again afterwards.
 */
void time_limit_follow_parent(void);

/* What has come of it may stay from here on; the process itself ends with its parent, and by signals as before. */
void time_limit_end(void);
