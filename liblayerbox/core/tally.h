/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a call over several has come to: told one by one, and as one result. */
#pragma once

#include "context.h"

struct tally {
	struct lb_context *ctx;
	lb_result_fn fn;              /* may be NULL */
	void *userdata;
	int result;                   /* 1: nothing was done; 0 once something was; or the first failure */
};

#define TALLY(ctx_, fn_, userdata_) { .ctx = (ctx_), .fn = (fn_), .userdata = (userdata_), .result = 1 }

/* Counts @r, and tells it of @name, where it is negative with the context's sentence. */
void tally_tell(struct tally *tally, const char *name, int r);
