/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixed-name.h"

#include <fcntl.h>

#include "../util/file.h"

enum { NAME_BYTES_MAX = 1024 };

/* "" where the container gets its name with its lease. */
static void make_text(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		      const struct network_identity *identity, char text[NAME_BYTES_MAX])
{
	char ipv6[IPV6_TEXT_SIZE];
	int n;

	*text = '\0';
	if (!identity->is_static && plan->settings.dhcp)
		return;
	n = snprintf(text, NAME_BYTES_MAX, "%s %s %s.%s\n", identity->ipv4, name, name, ctx->config.domain);
	network_plan_ipv6(plan, identity->ipv4, ipv6);
	if (*ipv6)
		snprintf(text + n, NAME_BYTES_MAX - (size_t)n, "%s %s %s.%s\n", ipv6, name, name, ctx->config.domain);
}

static bool is_text(const char *path, const char *text)
{
	CLEANUP_FREE char *present = NULL;
	int r = file_read(AT_FDCWD, path, NAME_BYTES_MAX, &present, NULL);

	return r == -ENOENT ? !*text : r == 0 && text_equal(present, text);
}

bool fixed_name_is(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		   const struct network_identity *identity)
{
	CLEANUP_FREE char *path = text_format("%s/%s", plan->names_directory, name);
	char text[NAME_BYTES_MAX];

	make_text(ctx, plan, name, identity, text);
	return path && is_text(path, text);
}

int fixed_name_write(struct lb_context *ctx, const struct network_plan *plan, const char *name,
		     const struct network_identity *identity)
{
	CLEANUP_FREE char *path = text_format("%s/%s", plan->names_directory, name);
	char text[NAME_BYTES_MAX];
	int r;

	if (!path)
		return fail_memory(ctx);
	make_text(ctx, plan, name, identity, text);
	if (is_text(path, text))
		return 1;
	if (!*text)
		return fixed_name_remove(ctx, plan, name);
	r = file_write(AT_FDCWD, path, text, strlen(text), 0644, FILE_LAZY);
	return r < 0 ? fail_errno(ctx, r, "cannot write %s", path) : 0;
}

int fixed_name_remove(struct lb_context *ctx, const struct network_plan *plan, const char *name)
{
	CLEANUP_FREE char *path = text_format("%s/%s", plan->names_directory, name);

	if (!path)
		return fail_memory(ctx);
	if (unlink(path) < 0)
		return errno == ENOENT ? 1 : fail_errno(ctx, errno, "cannot remove %s", path);
	return 0;
}
