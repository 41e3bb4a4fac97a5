/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running programs of a tree inside that tree: an overlay of it, in mount, pid and (for containers) user and network
 * namespaces of their own, by the helper program layerbox-inside. What they change is left in the upper layer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../core/context.h"
#include "../util/spawn.h"

/*
 * On the tmpfs at /run: programs that go before the tree's own in PATH, so that accounts get numbers from @ids_first
 * on; a configuration for apt, which has a PATH of its own, to be named in APT_CONFIG; and the script.
 */
#define INSIDE_PATH "/run/layerbox/bin"
#define INSIDE_APT_CONFIG "/run/layerbox/apt.conf"
#define INSIDE_SCRIPT "/run/layerbox/script"

struct inside {
	const char *const *lowers;    /* absolute paths of directories, topmost first, NULL-terminated */
	const char *layers;           /* absolute path of the directory that holds @upper and @work, which exist */
	const char *upper, *work;     /* names in it */
	uint32_t id_start, id_count;  /* a container's ids; a count of 0: the host's own */
	bool reader;                  /* it only reads: little memory, processor and processes, and no files to write */
	bool network;                 /* with the host's network and resolv.conf; else with none at all */
	uint32_t ids_first, ids_last; /* where new system accounts get their numbers, see INSIDE_PATH; 0: as programs do */
	const char *script;           /* a file of the host's that is copied to INSIDE_SCRIPT; may be NULL */
	unsigned timeout_s;           /* then it is ended, with all that it has started; 0: never */
	const char *const *env;       /* whole environment */
	int output_fd;                /* as in struct spawn_options; 0: none */
	spawn_line_fn on_line;        /* may be NULL */
	bool raw_lines;               /* as in struct spawn_options; the next one, too */
	int end_fd;
	void *userdata;
};

/*
 * Runs @argv there: with /proc, a small /dev, tmpfs on /run and /tmp, and a policy-rc.d by which no service is started.
 * Nothing of these mounts or of policy-rc.d is left in the upper layer. *ret_status and *ret_output as in spawn_run().
 * 0, or a failure with its sentence where it could not be run at all.
 */
int inside_run(struct lb_context *ctx, const struct inside *inside, const char *const *argv, int *ret_status,
	       char **ret_output);
