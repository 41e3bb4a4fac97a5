/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ROOT/logs: what programs that ship logs read. It belongs to root and, where there is one, to the group adm, which
 * everything below inherits by the directory's setgid bit; no container's root can reach it.
 */
#pragma once

#include "context.h"

/*
 * Opens it, and makes it where it is missing: a descriptor, or a negative errno without a sentence, since what is
 * logged goes on without.
 */
int log_directory_open(struct lb_context *ctx);
