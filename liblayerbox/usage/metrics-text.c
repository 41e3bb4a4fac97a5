/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "metrics-text.h"

#include <stdio.h>

void metrics_begin(struct metrics_text *text, const struct metric_family *family)
{
	text->family = family;
	text->is_named = false;
}

static const char *suffix_of(enum metric_type type)
{
	return type == METRIC_COUNTER ? "_total" : type == METRIC_INFO ? "_info" : "";
}

/* "# TYPE NAME counter" and what else is said once. Only OpenMetrics calls a family otherwise than its samples. */
static void name_family(struct metrics_text *text)
{
	static const char *const types[] = { "gauge", "counter", "info" };
	const struct metric_family *family = text->family;
	bool open = text->format == LB_METRICS_OPENMETRICS;
	const char *suffix = open ? "" : suffix_of(family->type);
	const char *type = !open && family->type == METRIC_INFO ? "gauge" : types[family->type];

	text->is_named = true;
	buffer_format(&text->buffer, "# HELP %s%s %s\n# TYPE %s%s %s\n", family->name, suffix, family->help,
		      family->name, suffix, type);
	if (open && family->unit)
		buffer_format(&text->buffer, "# UNIT %s %s\n", family->name, family->unit);
}

/*
 * Prometheus refuses all of a text where one value is no UTF-8. What is not printable ASCII says nothing in a label,
 * and some of it comes from trees of others.
 */
static void add_value(struct buffer *buffer, const char *value)
{
	for (; *value; value++) {
		char c = *value >= ' ' && *value <= '~' ? *value : '?';

		if (c == '"' || c == '\\')
			buffer_add(buffer, "\\", 1);
		buffer_add(buffer, &c, 1);
	}
}

static void add_labels(struct buffer *buffer, const struct metric_label *labels)
{
	const char *separator = "{";

	if (!labels || !labels->name)
		return;
	for (; labels->name; labels++, separator = ",") {
		buffer_add_text(buffer, separator);
		buffer_add_text(buffer, labels->name);
		buffer_add_text(buffer, "=\"");
		add_value(buffer, labels->value);
		buffer_add_text(buffer, "\"");
	}
	buffer_add_text(buffer, "}");
}

static void add_sample(struct metrics_text *text, const char *number, const struct metric_label *labels)
{
	if (!text->is_named)
		name_family(text);
	buffer_add_text(&text->buffer, text->family->name);
	buffer_add_text(&text->buffer, suffix_of(text->family->type));
	add_labels(&text->buffer, labels);
	buffer_add_text(&text->buffer, " ");
	buffer_add_text(&text->buffer, number);
	buffer_add_text(&text->buffer, "\n");
}

void metrics_add(struct metrics_text *text, uint64_t value, const struct metric_label *labels)
{
	char number[32];

	snprintf(number, sizeof number, "%llu", (unsigned long long)value);
	add_sample(text, number, labels);
}

void metrics_add_micros(struct metrics_text *text, uint64_t micros, const struct metric_label *labels)
{
	char number[32];

	snprintf(number, sizeof number, "%llu.%06llu", (unsigned long long)(micros / 1000000),
		 (unsigned long long)(micros % 1000000));
	add_sample(text, number, labels);
}

void metrics_one(struct metrics_text *text, const struct metric_family *family, uint64_t value)
{
	metrics_begin(text, family);
	metrics_add(text, value, NULL);
}

char *metrics_finish(struct metrics_text *text)
{
	if (text->format == LB_METRICS_OPENMETRICS)
		buffer_add_text(&text->buffer, "# EOF\n");
	return buffer_finish(&text->buffer);
}
