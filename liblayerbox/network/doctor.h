/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of network_doctor() have in common. */
#pragma once

#include "../container/record.h"
#include "../core/findings.h"

struct network_examination {
	struct lb_context *ctx;
	struct findings *findings;
	const char *name;             /* of the network that is looked at */
	char subject[64];             /* "network lxcbr0" */
};

/* Leases that the wrong one has, and lines of the lease file that nobody understands. @owners: the network's. */
int examine_leases(struct network_examination *exam, const struct record_identity *owners, size_t count);
