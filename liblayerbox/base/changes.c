/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "changes.h"

#include "../util/file.h"
#include "installed.h"

enum { CHANGES_BYTES_MAX = 64 << 20 };

/* Names of installed packages may have an architecture behind them. */
static bool is_security(const struct text_list *security, const char *name)
{
	char plain[256];

	snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, ":"), name);
	return text_list_has(security, plain);
}

static void add_line(struct buffer *text, const char *name, const char *before, const char *after,
		     const struct text_list *security)
{
	if (before && after && text_equal(before, after))
		return;
	buffer_format(text, "%s %s %s %s\n", name, before ? before : "-", after ? after : "-",
		      after && is_security(security, name) ? "security" : "-");
}

/* Both are sorted by name. */
static void compare(const struct installed *before, const struct installed *after, const struct text_list *security,
		    struct buffer *text)
{
	size_t i = 0, j = 0;

	while (i < before->count || j < after->count) {
		const struct installed_package *a = i < before->count ? &before->packages[i] : NULL;
		const struct installed_package *b = j < after->count ? &after->packages[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

		add_line(text, order <= 0 ? a->name : b->name, order <= 0 ? a->version : NULL,
			 order >= 0 ? b->version : NULL, security);
		i += order <= 0;
		j += order >= 0;
	}
}

int changes_write(struct lb_context *ctx, int generation_fd, int before_fd, int after_fd,
		  const struct text_list *security)
{
	CLEANUP_INSTALLED struct installed before = { 0 };
	CLEANUP_INSTALLED struct installed after = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	int r = installed_read(ctx, before_fd, "the generation before", &before);

	if (r == 0)
		r = installed_read(ctx, after_fd, "the new generation", &after);
	if (r < 0)
		return r;
	compare(&before, &after, security, &text);
	if (text.failed)
		return fail_memory(ctx);
	r = file_write(generation_fd, GENERATION_CHANGES, text.data, text.length, 0644, FILE_LAZY);
	return r < 0 ? fail_errno(ctx, r, "cannot write the list of changes of the new generation") : 0;
}

int changes_add_security(struct lb_context *ctx, int generation_fd, struct text_list *security)
{
	CLEANUP_FREE char *text = NULL;
	int r = file_read(generation_fd, GENERATION_CHANGES, CHANGES_BYTES_MAX, &text, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the list of changes of a generation");
	for (char *rest = text, *line; r == 0 && (line = strsep(&rest, "\n"));) {
		const char *last = strrchr(line, ' ');

		if (last && text_equal(last, " security"))
			r = text_list_format(security, "%.*s", (int)strcspn(line, " :"), line);
	}
	return r < 0 ? fail_memory(ctx) : 0;
}
