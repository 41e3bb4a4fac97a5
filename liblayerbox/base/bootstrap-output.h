/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what mmdebstrap, debootstrap, apt and dpkg print: how far they are, and why they failed. */
#pragma once

#include "../core/context.h"

enum { COMPLAINTS_MAX = 3, COMPLAINT_LENGTH = 240 };

struct bootstrap_output {
	struct lb_context *ctx;
	int stage;                    /* of mmdebstrap's, see the table in the .c file */
	unsigned packages;            /* of the present stage */
	unsigned done;                /* lines about them so far */
	int percent;
	unsigned complaint_count;
	char complaints[COMPLAINTS_MAX][COMPLAINT_LENGTH];
	bool unreachable;             /* the network, a name or the server is not there */
	bool not_found;               /* the server has no such suite */
	bool no_space;
};

/* A spawn_line_fn: @userdata is a struct bootstrap_output with nothing set but ctx. */
void bootstrap_output_line(const char *line, void *userdata);

/* Up to @max complaints in one line; "it gave no reason" where there were none. The caller's, NULL without memory. */
char *bootstrap_output_words(const struct bootstrap_output *output, unsigned max);
