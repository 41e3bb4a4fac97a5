/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Metrics as text, in the formats of Prometheus and of OpenMetrics, which differ in how a counter and an info are
 * called, and in how the text ends. All samples of a family stand together.
 */
#pragma once

#include "../core/context.h"

enum metric_type {
	METRIC_GAUGE,
	METRIC_COUNTER,               /* its samples are called NAME_total */
	METRIC_INFO,                  /* NAME_info: what matters stands in its labels */
};

struct metric_family {
	const char *name;             /* ends with the unit where there is one */
	enum metric_type type;
	const char *unit;             /* or NULL */
	const char *help;             /* no sentence's full stop */
};

/* An array of them ends with one that has no name. */
struct metric_label {
	const char *name, *value;
};

#define METRIC_LABELS(...) ((const struct metric_label[]){ __VA_ARGS__, { 0 } })

struct metrics_text {
	enum lb_metrics_format format;
	struct buffer buffer;
	const struct metric_family *family; /* whose samples come now */
	bool is_named;                /* what is said of it stands in the text */
};

/* Begins a family; one without samples leaves no trace. */
void metrics_begin(struct metrics_text *text, const struct metric_family *family);

/* Adds a sample; @labels may be NULL. */
void metrics_add(struct metrics_text *text, uint64_t value, const struct metric_label *labels);

/* The same of millionths. */
void metrics_add_micros(struct metrics_text *text, uint64_t micros, const struct metric_label *labels);

/* A family of one sample without labels. */
void metrics_one(struct metrics_text *text, const struct metric_family *family, uint64_t value);

/* The whole text, the caller's; NULL without memory. */
char *metrics_finish(struct metrics_text *text);
