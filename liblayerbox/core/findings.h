/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a doctor finds: told one by one, and counted where it remains. */
#pragma once

#include "context.h"

struct findings {
	struct lb_context *ctx;
	bool repair;
	lb_finding_fn fn;             /* may be NULL */
	void *userdata;
	int remaining;                /* problems that are not repaired */
};

/* Tells of one thing; what was not repaired remains. */
void found(struct findings *findings, bool repaired, const char *subject, const char *problem, const char *remedy);

/*
 * Tells of what was repaired with result @r, as @done says, or only seen, with @remedy. Where the repair failed, its
 * error's sentence is the remedy that is left.
 */
void found_and_repaired(struct findings *findings, int r, const char *subject, const char *problem, const char *done,
			const char *remedy);
