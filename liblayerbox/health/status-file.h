/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RUNSTATEDIR/layerbox/health/: what the supervisor thinks of a root's containers. One file for all of them, which it
 * replaces when something has changed, and a lock beside it that it holds: whoever reads knows whether it is there. The
 * file is for `list`, and for the supervisor itself after its restart; it ends with the host, as what it says does.
 */
#pragma once

#include "../core/context.h"
#include "../core/name.h"

enum health_state {
	HEALTH_NONE,                  /* nothing is checked, or it does not run */
	HEALTH_STARTING,
	HEALTH_HEALTHY,
	HEALTH_UNHEALTHY,
	HEALTH_FAILED,                /* it ended, and is not started again any more */
	HEALTH_UNKNOWN,               /* it cannot be checked */
};

/* What somebody was told, and not yet that it is over. */
enum health_told {
	HEALTH_TOLD_NOTHING,
	HEALTH_TOLD_UNHEALTHY,
	HEALTH_TOLD_FAILED,
	HEALTH_TOLD_UNKNOWN,
};

/* What is kept of one container. Times are those of clock_ms(), which begins with the host. */
struct health_entry {
	char name[NAME_LENGTH_MAX + 1];
	enum health_state state;
	pid_t pid;                    /* its init; 0: it does not run */
	int64_t since_ms;             /* when it began to run, or ended */
	int64_t start_ms;             /* when it is started again; 0: not */
	unsigned failures;            /* of checks, in a row */
	unsigned restarts;            /* in a row */
	enum health_told told;
	bool was_cured;               /* it was restarted because it was unhealthy, and has not been healthy since */
	uint64_t born;                /* which container of that name it is, as look.h has it; 0: not known */
};

struct health_status {
	struct health_entry *entries; /* sorted by name */
	size_t count;
	bool disk_told;               /* somebody knows that the disk is nearly full */
};

/* Where it is for the root whose containers lie in @containers_fd; the caller's, NULL without memory. */
char *health_status_path(int containers_fd);

/* The same for the root of @ctx; NULL also where there is none. */
char *health_status_path_of(struct lb_context *ctx);

/* Takes the lock for as long as the descriptor is open: -EBUSY where a supervisor has it. */
int health_status_lock(const char *path);

/* Does somebody hold it? */
bool health_status_is_locked(const char *path);

/* What cannot be read is empty, or left out. Zero-initialise; free with health_status_free(). */
void health_status_load(const char *path, struct health_status *ret_status);

/* Replaces the file; entries sorted by name. A negative errno. */
int health_status_save(const char *path, const struct health_status *status);

void health_status_free(struct health_status *status);

const struct health_entry *health_status_find(const struct health_status *status, const char *name);

/* ---- as text; pure ---- */

void health_status_parse(char *text, struct health_status *ret_status);
void health_status_format(const struct health_status *status, struct buffer *buffer);

const char *health_state_name(enum health_state state);

/* What there is to be known beside the entry. */
struct health_sight {
	bool is_watched;              /* by a supervisor that is there */
	bool has_check;
	bool is_up;
	bool is_same_life;            /* which is up, as the entry is about */
};

/*
 * What is shown of a container with the entry @entry (NULL: none): "starting", "healthy", "unhealthy", "failed",
 * "unknown" where nobody looks, or can, or "".
 */
const char *health_shown(const struct health_entry *entry, const struct health_sight *sight);
