/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start, stop and restart with --all: an event a line, or a progress on a terminal, and one summary line. */
#pragma once

#include "command.h"

/* Each returns the exit code of the first failure; what failed has been told. */
int start_all(struct lb_context *context, const struct lb_run_options *options);
int stop_all(struct lb_context *context, const struct lb_run_options *options);
int restart_all(struct lb_context *context, const struct lb_run_options *options);
