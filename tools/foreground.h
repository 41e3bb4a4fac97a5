/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `start NAME --foreground`: what layerbox@NAME.service runs. */
#pragma once

struct lb_context;

/*
 * Starts the container, where it does not run, tells systemd when it is ready, and stays until it has ended: EXIT_OK
 * where it was shut down, EXIT_FAILED where it failed. SIGTERM and SIGINT end the waiting, not the container.
 */
int run_in_foreground(struct lb_context *context, const char *name);
