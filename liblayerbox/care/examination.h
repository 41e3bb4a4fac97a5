/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the doctor's parts have in common. */
#pragma once

#include "../core/context.h"

struct examination {
	struct lb_context *ctx;
	bool repair;
	lb_finding_fn fn;
	void *userdata;
	int remaining;
};

/* Tells of one thing; what was not repaired remains. */
void found(struct examination *examination, bool repaired, const char *subject, const char *problem,
	   const char *remedy);

/* Which of the kernel's limits are too low for so many containers, and which bridges have no ports for all of theirs? */
void examine_limits(struct examination *examination, size_t containers);
