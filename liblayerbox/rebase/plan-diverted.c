/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of the base's packages that the container has under another name, by dpkg-divert(1): they follow the base as
 * well.
 */
#include "journal.h"
#include "plan.h"

#define DIVERSIONS "var/lib/dpkg/diversions"

enum { DIVERSIONS_BYTES_MAX = 16 << 20 };

static int follow(struct planning *planning, const char *from, const char *to)
{
	const struct view top = { .base_fd = planning->top_fd, .top_fd = -1 };
	struct changes *changes = &planning->rebase->changes;
	const char *from_name, *to_name;
	CLEANUP_FD int old_fd = view_open_base_parent(&planning->views.old, from, &from_name);
	CLEANUP_FD int new_fd = view_open_base_parent(&planning->views.new, from, &from_name);
	CLEANUP_FD int own_fd = view_open_base_parent(&top, to, &to_name);
	struct entry old, new, own;
	int r = entry_look(old_fd < 0 ? -1 : old_fd, from_name, &old);

	if (r == 0)
		r = entry_look(new_fd < 0 ? -1 : new_fd, from_name, &new);
	if (r == 0)
		r = entry_look(own_fd < 0 ? -1 : own_fd, to_name, &own);
	/* dpkg diverts no directories, and a copy of one would be empty. */
	if (r < 0 || !old.there || !new.there || S_ISDIR(old.st.st_mode) || S_ISDIR(new.st.st_mode) ||
	    entry_same(&old, &new) == 1)
		return r;
	r = entry_same_content(&own, &old);
	if (r <= 0)
		return r;
	changes_add_copy(changes, CHANGE_COPY_NEW, to, from, NULL);
	report_add(&planning->rebase->report, LB_REBASE_FILE, LB_REBASE_FOLLOWS, to,
		   "is the base's new /%s, which the container has diverted to this name", from);
	return 0;
}

/* Groups of three lines: the path, where it is diverted to, and for whom. */
int plan_diverted(struct planning *planning)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL, *from, *to;
	int r = view_read(&planning->views.own, DIVERSIONS, DIVERSIONS_BYTES_MAX, &text);

	if (r < 0)
		return 0; /* there are none: what is wrong with the file was told before */
	for (from = strtok_r(text, "\n", &save); r == 0 && from; from = strtok_r(NULL, "\n", &save)) {
		char from_buffer[OWNERSHIP_PATH_SIZE], to_buffer[OWNERSHIP_PATH_SIZE];
		const char *from_place, *to_place;

		to = strtok_r(NULL, "\n", &save);
		if (!to || !strtok_r(NULL, "\n", &save))
			break;
		from_place = ownership_resolve(&planning->ownership, from, from_buffer);
		to_place = ownership_resolve(&planning->ownership, to, to_buffer);
		if (from_place && to_place && journal_is_path(from_place) && journal_is_path(to_place))
			r = follow(planning, from_place, to_place);
	}
	return r < 0 ? fail_errno(planning->ctx, r, "cannot compare diverted files of container '%s'",
				  planning->rebase->name) : 0;
}
