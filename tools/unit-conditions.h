/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When systemd's units have nothing to do. */
#pragma once

#include <stdbool.h>

struct lb_context;

/* Is the default root not there at all? Then this host has layerbox, and has never used it. */
bool root_was_never_made(const struct lb_context *context);

/* Does systemd take the host down? */
bool host_goes_down(void);

/*
 * For ExecStop= of a unit whose own process is a `start --foreground`: has that ended? Then so has its container, and
 * one that runs by now is somebody else's.
 */
bool unit_has_ended(void);

/* Is standard output systemd's journal? Then it need not be told what the library has told the journal. */
bool output_is_journal(void);
