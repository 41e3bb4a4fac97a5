/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-changes.h"

#include <fcntl.h>
#include <stdio.h>

#include "../base/changes.h"
#include "../base/generation.h"
#include "../core/store.h"
#include "../util/file.h"

enum { FILE_BYTES_MAX = 16 << 20 };

static int add_once(struct text_list *list, const char *name)
{
	return text_list_has(list, name) ? 0 : text_list_add(list, name);
}

static int add_line(struct package_changes *changes, char *line)
{
	char *save = NULL, *name = strtok_r(line, " ", &save), *old = strtok_r(NULL, " ", &save);
	char *new = strtok_r(NULL, " ", &save), *origin = strtok_r(NULL, " ", &save);
	int r;

	if (!name || !old || !new || !origin)
		return 0;
	r = add_once(&changes->packages, name);
	return r == 0 && text_equal(origin, "security") ? add_once(&changes->security, name) : r;
}

/* One generation; 1 where it is gone, or says nothing. */
static int add_generation(struct lb_context *ctx, const char *base, unsigned generation,
			  struct package_changes *changes)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_BASES "/%s/%u", base, generation);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;
	int r;

	if (fd < 0)
		return path ? 1 : fail_memory(ctx);
	r = generation_read(ctx, fd, base, generation, &record);
	if (r < 0)
		return r;
	if (!changes->since)
		changes->since = record.created;
	r = file_read(fd, GENERATION_CHANGES, FILE_BYTES_MAX, &text, NULL);
	if (r < 0)
		return r == -ENOENT ? 1 : fail_errno(ctx, r, "cannot read %s/" GENERATION_CHANGES, path);
	for (char *line = strtok_r(text, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save))
		r = add_line(changes, line);
	return r < 0 ? fail_memory(ctx) : 0;
}

int package_changes_load(struct lb_context *ctx, const char *base, unsigned after, unsigned to,
			 struct package_changes *ret_changes)
{
	struct package_changes changes = { 0 };
	int r = 0;

	for (unsigned generation = after + 1; r >= 0 && generation <= to; generation++)
		r = add_generation(ctx, base, generation, &changes);
	if (r < 0) {
		package_changes_free(&changes);
		return r;
	}
	text_list_sort(&changes.packages);
	text_list_sort(&changes.security);
	*ret_changes = changes;
	return 0;
}

void package_changes_free(struct package_changes *changes)
{
	text_list_free(&changes->packages);
	text_list_free(&changes->security);
}
