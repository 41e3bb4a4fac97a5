/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of work that the supervisor gives to threads, and what comes of each. Makers return NULL without memory. */
#pragma once

#include "disk.h"
#include "look.h"
#include "work.h"

enum { TASK_TEXT_SIZE = 1024 };

struct check_task {
	struct work work;
	pid_t pid;                    /* the init of the container that is meant */
	enum policy_event_type result; /* what policy.h has for it */
	char text[TASK_TEXT_SIZE];    /* why not, or why nothing is known */
	bool has_settings;            /* the record says: */
	struct policy_settings settings;
};

struct check_task *task_check(const char *name, pid_t pid);

struct change_task {
	struct work work;
	bool is_restart;
	enum policy_event_type result; /* POLICY_STARTED, POLICY_START_..., POLICY_STOPPED */
	bool is_stopped;              /* by somebody, on purpose */
	bool ran_already;             /* somebody else was faster */
	pid_t pid;                    /* its init, where it runs now */
	char text[TASK_TEXT_SIZE];    /* why not */
	bool has_settings;            /* the record says: */
	struct policy_settings settings;
};

struct change_task *task_change(const char *name, bool is_restart);

struct tell_task {
	struct work work;
	const char *event;
	char text[TASK_TEXT_SIZE];
};

struct tell_task *task_tell(const char *name, const char *event, const char *text);

struct look_task {
	struct work work;
	struct look *looks;
	size_t count;
	bool all;
	int result;
	char text[TASK_TEXT_SIZE];    /* why it failed */
};

/* It takes @looks. */
struct look_task *task_look(struct look *looks, size_t count, bool all);

struct disk_task {
	struct work work;
	struct disk_usage usage;
};

struct disk_task *task_disk(void);
