/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bound on how long this process works: then it ends with all that has come of it, whoever that belongs to by now. */
#pragma once

/* After @seconds all descendants are killed, @line (which must stay) is printed, and the process exits with 0. */
void time_limit_set(unsigned seconds, const char *line);

/* What has come of it may stay from here on. */
void time_limit_end(void);
