/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containers do now, and what they are meant to do: asked of their monitors, directories and records. */
#pragma once

#include "../container/identity-cache.h"
#include "policy.h"

enum look_found {
	LOOK_GONE,                    /* there is no such container */
	LOOK_UP,                      /* it runs, also frozen */
	LOOK_DOWN,
	LOOK_STOPPED,                 /* and somebody wanted that */
	LOOK_BUSY,                    /* it begins or ends, or somebody works on it, or moves it: to be seen later */
};

struct look {
	char name[NAME_LENGTH_MAX + 1];
	unsigned sequence;            /* the caller's own */
	bool was_up;                  /* given: whether somebody works on it matters where it is down now */
	struct identity_stamp stamp;  /* given: of the record whose settings are known; found: of the present one */
	enum look_found found;
	uint64_t born;                /* which one it is of those that ever had that name; 0: not known */
	pid_t pid;                    /* of its init, where it is up */
	bool has_settings;            /* the record is another one than was known, and says: */
	struct policy_settings settings;
};

/*
 * Looks at those that are given, and at all others there are where @all is set: they are added. -ENOMEM, or why
 * the root's containers cannot be looked at. Records that cannot be read are warnings, and have the default settings.
 */
int look_at(struct lb_context *ctx, struct look **looks, size_t *count, bool all);
