/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's handle: its record, and what it was doing when it was asked. */
#pragma once

#include "../adapters/lxc-command.h"
#include "../network/lease.h"
#include "../util/spawn.h"
#include "record.h"

struct lb_container {
	struct lb_context *ctx;
	char name[NAME_LENGTH_MAX + 1];
	char *directory;
	struct record record;
	struct lxc_answer live;       /* its pid is not known yet where there is: */
	struct lb_container **listed; /* the list it is in, whose inits lb_container_get_pid() asks for */
	char ipv4[IPV4_TEXT_SIZE];    /* leased, else reserved */
	const char *health;           /* NULL: not asked yet; see health/health.c */
};

/* Makes the handle of a container that is stopped and has no lease; it takes what @record owns. */
int container_make(struct lb_context *ctx, const char *name, struct record *record,
		   struct lb_container **ret_container);

/* lb_container_open() without asking the monitor: for who asks before each use. */
int container_find(struct lb_context *ctx, const char *name, struct lb_container **ret_container);

/* Asks the monitor for state and pid. */
int container_ask(struct lb_container *container);

/*
 * lb_container_exec() of a program that may never end, or may say more than anybody wants: see runtime_ask().
 */
int container_exec_shortly(struct lb_container *container, const char *const *argv, unsigned timeout_s, int *ret_status,
			   char **ret_output);

/* The same for one that goes on for ever, and is heard line by line: see runtime_listen(). */
int container_listen(struct lb_container *container, const char *const *argv, int end_fd, unsigned silence_s,
		     spawn_line_fn fn, void *userdata, int *ret_status);

/* Is it stopped? Asks now. Negative where it cannot be told. */
int container_is_stopped(struct lb_context *ctx, const char *name);

/* The same for who wants to start it: one that is just ending is waited for, and stopped then, or too slow. */
int container_is_down(struct lb_context *ctx, const char *name);

/* Fails with -LB_ERR_RUNNING and what to do, unless the container is stopped. */
int container_require_stopped(struct lb_context *ctx, const char *name, const char *what_for);

/*
 * Deletes a stopped one that is locked, as lb_container_delete() does: for who decides by what is in it. Takes the
 * lock, and gives it back.
 */
int container_delete_locked(struct lb_context *ctx, const char *name, int lock_fd);

/* For CLEANUP(). */
void container_cleanup(struct lb_container **container);
