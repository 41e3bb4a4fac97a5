/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include <stdio.h>

#include "../util/array.h"

struct lb_rebase_item *report_add(struct report *report, enum lb_rebase_kind kind, enum lb_rebase_outcome outcome,
				  const char *subject, const char *format, ...)
{
	static _Thread_local struct lb_rebase_item spare;
	struct lb_rebase_item *items, *item;
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	report->conflicts += outcome == LB_REBASE_CONFLICT;
	items = array_grow(report->items, report->count, &report->capacity, sizeof *items);
	if (items)
		report->items = items;
	if (!text || !items) {
		free(text);
		report->failed = true;
		spare = (struct lb_rebase_item){ 0 };
		return &spare;
	}
	item = &report->items[report->count++];
	*item = (struct lb_rebase_item){
		.size = sizeof *item,
		.kind = kind,
		.outcome = outcome,
		.subject = strdup(subject),
		.text = text,
	};
	report->failed = report->failed || !item->subject;
	return item;
}

/* The public struct shows them as const. */
static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

void report_cut(struct report *report, size_t count, size_t conflicts)
{
	for (size_t i = count; i < report->count; i++) {
		struct lb_rebase_item *item = &report->items[i];

		free_text(item->subject);
		free_text(item->text);
		free_text(item->question);
		free_text(item->package);
		free_text(item->before);
		free_text(item->after);
		free_text(item->own);
	}
	report->count = count;
	report->conflicts = conflicts;
}

void report_free(struct report *report)
{
	report_cut(report, 0, 0);
	free(report->items);
	*report = (struct report){ 0 };
}
