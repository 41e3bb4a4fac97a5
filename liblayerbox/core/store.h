/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree on disk: the only file that knows what lies where below the root.
 *
 *     ROOT/os-bases/NAME/GENERATION/{rootfs,generation.conf,manifest}    0700 each GENERATION
 *     ROOT/os-bases/NAME/GENERATION/oci-layer   what it was as a layer of an OCI image; a copy, may be missing
 *     ROOT/containers/NAME/{container.conf,config,rootfs-layer,work,rootfs}   0700 each NAME
 *     ROOT/include/common.conf           LXC settings of every container, rendered
 *     ROOT/templates/, ROOT/bases/       the operator's own templates and recipes, which win
 *     ROOT/network/BRIDGE/hosts.d/NAME   reservations, as dnsmasq reads them
 *     ROOT/id-ranges                     every id range that was ever handed out
 *     ROOT/layers/ID/rootfs-layer        read-only layers between top layers and bases; see docs/snapshots.md
 *     ROOT/arrived                       tokens of the moves from other hosts that ended here
 *     ROOT/rebase-answers                what was decided about questions of rebases
 *     ROOT/logs/events.log, ROOT/logs/NAME/console.log   what happened, and what containers print; see log-directory.h
 *     ROOT/debs/NAME@GENERATION/         packages from that base's sources, for containers that have more installed
 *
 * What is being made or taken away has a name with a dot in front, beside its final place:
 * `.new-NAME` and `.deleted-NAME.RANDOM`, likewise a GENERATION; whoever works on it holds a flock(2) on that
 * directory.
 */
#pragma once

#include "context.h"

#define STORE_BASES "os-bases"
#define STORE_CONTAINERS "containers"
#define STORE_LAYERS "layers"
#define STORE_INCLUDE "include"
#define STORE_TEMPLATES "templates"
#define STORE_RECIPES "bases"
#define STORE_NETWORK "network"
#define STORE_ID_RANGES "id-ranges"
#define STORE_ANSWERS "rebase-answers"
#define STORE_DEBS "debs"
#define STORE_ARRIVED "arrived"
#define STORE_LOGS "logs"

#define STORE_NEW_PREFIX ".new-"
#define STORE_DELETED_PREFIX ".deleted-"

/* Opens the root; ctx->root_fd is valid afterwards. Fails with a hint where it is not prepared. */
int store_open(struct lb_context *ctx);

/* The same, and makes what is missing; returns 1 when nothing was. Needs root rights. */
int store_prepare(struct lb_context *ctx);

/*
 * Can others than root read the directories whose locks all commands need, and so hold these? 1 where they can or,
 * with @repair, could until now.
 */
int store_close_locks(struct lb_context *ctx, bool repair);

/* Opens a directory below the root for reading: the caller's descriptor, or a failure with its sentence. */
int store_open_directory(struct lb_context *ctx, const char *relative);

/* ROOT/ + the formatted rest; the caller's, NULL without memory. */
char *store_path(struct lb_context *ctx, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Reads a data file of the operator's (ROOT/DIRECTORY/NAME) or, where there is none, the installed one
 * (DATADIR/DIRECTORY/NAME). @ret_path (may be NULL) is where it was found, for sentences.
 */
int store_read_data(struct lb_context *ctx, const char *directory, const char *name, char **ret_text,
		    char **ret_path);

/*
 * Moves directory @name (below @parent_fd) out of sight under a fresh `.deleted-` name, in one step, and
 * leaves the new name in @ret_hidden. -ENOENT where it is gone already.
 */
int store_hide(struct lb_context *ctx, int parent_fd, const char *name, char ret_hidden[128]);

/* Is there anything below @parent_fd that store_sweep() would look at? */
bool store_has_hidden(int parent_fd);

/*
 * Removes what hidden directories dead commands left below @parent_fd. @what: "container", "base". The caller holds
 * the root's lock, under which such directories are made and locked.
 */
int store_sweep(struct lb_context *ctx, int parent_fd, const char *what);
