/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of network_doctor() share. */
#pragma once

#include "../container/record.h"

struct examination {
	struct lb_context *ctx;
	bool repair;
	lb_finding_fn fn;
	void *userdata;
	int remaining;                /* problems that are not repaired */
	const char *name;             /* of the network that is looked at */
	char subject[64];             /* "network lxcbr0" */
};

void report(struct examination *exam, const char *subject, const char *problem, const char *remedy, bool repaired);

/* Reports what was repaired, with result @r, or only seen; the error's sentence is the remedy that is left. */
void report_result(struct examination *exam, const char *subject, const char *problem, int r, const char *done,
		   const char *remedy);

/* Leases that the wrong one has, and lines of the lease file that nobody understands. @owners: the network's. */
int examine_leases(struct examination *exam, const struct record_identity *owners, size_t count);
