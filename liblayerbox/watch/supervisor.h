/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the supervisor's loop knows, for the files it is made of: watch.c sleeps and wakes, follow.c takes what it hears
 * to the policy, say.c tells what follows, item.c keeps the containers.
 */
#pragma once

#include "../adapters/lxc-events.h"
#include "task.h"

/* One container. */
struct item {
	struct policy policy;         /* policy.kept.name is its name */
	struct policy_settings settings;
	bool has_settings;            /* they were read */
	struct identity_stamp stamp;  /* of the record they were read from */
	unsigned sequence;            /* of what LXC tells: a look that began before the last of it is outdated */
	bool has_run;                 /* LXC says that it came up since it was last seen down */
	int exit_status;              /* of its last life, or POLICY_UNKNOWN */
	bool is_looked_at;
	int64_t look_ms;              /* when it is looked at; 0: with all others */
	unsigned times_busy;          /* in a row */
	char *why;                    /* it is not well, or could not be checked or started; NULL: not known */
};

struct items {
	struct item **items;          /* sorted by name */
	size_t count, capacity;
};

struct supervisor {
	struct lb_context *ctx;
	const struct lb_watch_options *options;
	struct items items;
	struct works *works;
	struct lxc_events events;
	char *status_path;
	bool disk_told;
	bool is_changed;              /* what the status file says is not what is thought */
	bool save_failed;
	bool is_looking_at_all, is_looking_at_disk;
	int64_t looking_since_ms;     /* at all */
	int64_t look_ms, disk_ms;     /* when all, and the disk, are looked at */
};

/* ---- item.c ---- */

struct item *items_find(const struct items *items, const char *name);
/* The one that is there, or a new one; NULL without memory. */
struct item *items_add(struct items *items, const char *name);
void items_remove(struct items *items, struct item *item);
void items_free(struct items *items);

/*
 * When its policy is to be asked again; 0: not. Not before it was looked at: what the last supervisor left may be over,
 * and nobody knows yet what is to be done of it.
 */
int64_t item_wake(const struct item *item);

/* What the last supervisor left, and for the next one. Errors as by errno. */
int items_load(struct supervisor *supervisor);
int items_save(struct supervisor *supervisor);

/* ---- follow.c ---- */

void follow_event(struct supervisor *supervisor, const struct lxc_event *event, int64_t now_ms);
void follow_timer(struct supervisor *supervisor, struct item *item, int64_t now_ms);
void follow_look_at(struct supervisor *supervisor, struct item *item);
void follow_look_at_all(struct supervisor *supervisor, int64_t now_ms);
void follow_disk(struct supervisor *supervisor);

/* ---- say.c ---- */

/* What happened to whom: whoever listens hears it. */
struct saying {
	const char *event;            /* a constant */
	const char *name;             /* of the container; "" for the host */
	const char *words;            /* what stands before the detail to make a sentence of it */
	int result;                   /* negative where it is a failure */
	bool is_alert;                /* whoever is to be alerted hears it, too */
};

/* With the detail, which may be "". */
void say(struct supervisor *supervisor, const struct saying *saying, const char *format, ...) PRINTF_LIKE(3, 4);

/* What policy_next() wants to be told after @event. */
void say_actions(struct supervisor *supervisor, const struct item *item, unsigned actions,
		 const struct policy_event *event);

void say_changed(struct supervisor *supervisor, const struct change_task *task);
void say_disk(struct supervisor *supervisor, const struct disk_usage *usage);
