/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What running containers take between two moments. */
#pragma once

#include <layerbox.h>

/* One container at one moment. */
struct reading {
	char name[64];
	enum lb_state state;
	struct lb_usage usage;
};

struct sample {
	struct reading *readings;     /* of those that run, by name */
	size_t count, others;         /* how many do not run */
	double moment;                /* seconds, by a clock that is never set */
	int64_t time;                 /* seconds since the epoch */
};

/* What a container took between two samples, in each second of it. */
struct rates {
	const struct reading *reading;
	double cpu, io_read, io_written, received, sent; /* negative: not known */
};

/* An order in which they are shown. */
struct order {
	const char *name;             /* its first letter is its key; NULL ends the list */
	double (*of)(const struct rates *rates); /* biggest first; NULL: by name */
};

extern const struct order orders[];

double clock_now(void);

/* 0, or a code with its sentence; *sample is to be freed by its readings, also then where it was zero before. */
int take_sample(struct lb_context *context, struct sample *sample);

/* The rates of each reading of @after, the caller's; NULL without memory. */
struct rates *compare_all(const struct sample *before, const struct sample *after);

/* For qsort_r(3) of struct rates; @userdata is the struct order. */
int by_order(const void *a, const void *b, void *userdata);
