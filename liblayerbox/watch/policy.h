/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What follows from what happens to a container: (what is thought of it, event, time) -> (what is thought now, actions).
 * Pure: it knows neither clock nor container, and does nothing itself.
 *
 *     ended      -> started again after 1, 2, 4 ... 60 s where its policy says so; failed after too many in a row
 *     unhealthy  -> told; restarted once, and again only after it was healthy between
 *     unknown    -> told: it cannot be checked
 *     a minute of running (and healthy, where it has a check) ends the row, and a failure that was told
 */
#pragma once

#include "../container/record.h"
#include "../health/status-file.h"

struct policy_settings {
	bool has_check;
	enum restart_policy restart;  /* never the default */
	unsigned limit;               /* of restarts in a row */
	unsigned retries;             /* failures in a row that make it unhealthy */
	int64_t interval_ms, start_period_ms;
	int64_t phase_ms;             /* differs between containers, so that their checks do not fall together */
};

/* With the defaults where @record (NULL: it cannot be read) says nothing; @by_default is restart.policy of the host. */
struct policy_settings policy_settings_of(const struct record *record, const char *name, const char *by_default);

/* Is the container to be checked, or started again? */
bool policy_supervises(const struct record *record, const char *name, const char *by_default);

/* One container. Zero-initialise, or take `kept` from the status file. */
struct policy {
	struct health_entry kept;
	int64_t check_ms;             /* the next check; 0: none */
	int64_t count_ms;             /* checks that fail before that, while it is starting, do not count */
	int64_t settle_ms;            /* when a minute of running is over; 0: it is, or does not matter */
	bool is_checking, is_starting; /* that was asked for, and its result has not come */
	unsigned unknown;             /* checks that could not be made, in a row */
	unsigned times_later;         /* somebody else worked on it when it was to be started, in a row */
};

enum policy_event_type {
	POLICY_RUNS,                  /* it runs, with init @pid */
	POLICY_ENDED,                 /* it ran, and does not any more; @status of waitpid(2), or POLICY_UNKNOWN */
	POLICY_STOPPED,               /* it does not run, because somebody wanted that */
	POLICY_CHECKED_WELL,          /* results of a check of the container with init @pid */
	POLICY_CHECKED_BAD,
	POLICY_NOT_CHECKED,           /* there was nothing to be checked: it is frozen, or has ended */
	POLICY_CHECK_FAILED,          /* nothing is known: it could not be made */
	POLICY_STARTED,               /* results of a start or restart; where @pid is 0, it has ended since */
	POLICY_START_FAILED,          /* it has @pid, or 0, now */
	POLICY_START_LATER,           /* the same, because somebody else works on it */
	POLICY_TIMER,                 /* time has passed */
};

enum { POLICY_UNKNOWN = -1 };

struct policy_event {
	enum policy_event_type type;
	int64_t now_ms;
	pid_t pid;
	int status;
};

/* What is to be done, as bits. */
enum policy_action {
	POLICY_CHECK = 1,             /* check it; answer by POLICY_CHECKED_..., POLICY_NOT_CHECKED or POLICY_CHECK_FAILED */
	POLICY_START = 2,             /* start it; answer by POLICY_STARTED, POLICY_START_... or POLICY_STOPPED */
	POLICY_RESTART = 4,           /* stop and start it; the same */
	POLICY_SAY_ENDED = 8,         /* somebody may want to know */
	POLICY_TELL_UNHEALTHY = 16,   /* somebody has to know */
	POLICY_TELL_FAILED = 32,
	POLICY_TELL_RECOVERED = 64,
	POLICY_TELL_UNKNOWN = 128,    /* ... that nobody can say how it is */
	POLICY_WRITE = 256,           /* what is kept has changed */
};

/* Takes the event into account; bits of enum policy_action. */
unsigned policy_next(struct policy *policy, const struct policy_settings *settings, const struct policy_event *event);

/* When POLICY_TIMER is due; 0: never. */
int64_t policy_wake(const struct policy *policy);

/* Did an init that ended in this way fail? One that powered the container off did not. */
bool policy_is_failure(int status);

/* As "ended with status 3", for a sentence. */
void policy_describe_end(int status, char *ret_text, size_t size);
