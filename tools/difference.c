/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "difference.h"

#include <stdio.h>
#include <stdlib.h>

#include "output.h"

static void add_row(const struct lb_difference *difference, const struct difference_show *show)
{
	json_t *row = json_object();

	if (show->base)
		json_object_set_new(row, "base", json_string(show->base));
	json_object_set_new(row, "package", json_text(difference->package));
	json_object_set_new(row, "path", json_text(difference->path));
	json_object_set_new(row, "before", json_text(difference->before));
	json_object_set_new(row, "after", json_text(difference->after));
	json_array_append_new(show->rows, row);
}

/* One line: "+ /path (file, ...)", "- package 1.0", "~ /path (... -> ...)". */
static void print_line(const struct lb_difference *difference)
{
	char *subject = text_shown(difference->path ? difference->path : difference->package);
	char *before = text_shown(difference->before ? difference->before : "");
	char *after = text_shown(difference->after ? difference->after : "");
	bool both = difference->before && difference->after;

	if (subject && before && after)
		printf("%c %s: %s%s%s\n", both ? '~' : difference->before ? '-' : '+', subject, before,
		       both ? " -> " : "", after);
	free(subject);
	free(before);
	free(after);
}

void difference_show_one(const struct lb_difference *difference, void *userdata)
{
	const struct difference_show *show = userdata;

	if (difference->path ? !show->files : !show->packages)
		return;
	if (show->rows)
		add_row(difference, show);
	else
		print_line(difference);
}
