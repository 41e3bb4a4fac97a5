/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Relations between Debian packages as deb-control(5) has them: `a (>= 1) | b:any, c`. */
#pragma once

#include "../util/slice.h"

enum relation_comparison {
	RELATION_ANY_VERSION,
	RELATION_EARLIER,             /* << */
	RELATION_UP_TO,               /* <=, and < as it was once written */
	RELATION_EQUAL,
	RELATION_FROM,                /* >=, and > */
	RELATION_LATER,               /* >> */
};

/* One alternative of a relation. */
struct relation {
	struct slice name;
	struct slice architecture;    /* what stands behind the colon: empty, "any", or one */
	enum relation_comparison comparison;
	struct slice version;
};

/* Reads one alternative, trimmed; false where it is none. */
bool relation_read(struct slice text, struct relation *ret_relation);

/* Whether @version is one of those that are meant. An empty one (provided without a version) is only where any is. */
bool relation_has_version(const struct relation *relation, struct slice version);
