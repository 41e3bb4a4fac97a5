/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arrived.h"

#include <fcntl.h>

#include "../core/store.h"
#include "../util/file.h"

enum { LIST_BYTES_MAX = 64 << 20 };

int arrived_has(struct lb_context *ctx, const char *token)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;
	int r = store_open(ctx);

	if (r < 0)
		return r;
	r = file_read(ctx->root_fd, STORE_ARRIVED, LIST_BYTES_MAX, &text, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s/" STORE_ARRIVED, ctx->config.root);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *rest = text_after(line, token);

		if (rest && *rest == ' ')
			return 1;
	}
	return 0;
}

/* A line that a power cut left incomplete is ended by the newline that each begins with. */
int arrived_add(struct lb_context *ctx, const char *token, const char *name)
{
	CLEANUP_FREE char *line = text_format("\n%s %s\n", token, name);
	CLEANUP_FD int fd = -1;
	int r = store_open(ctx);

	if (r < 0)
		return r;
	if (!line)
		return fail_memory(ctx);
	fd = openat(ctx->root_fd, STORE_ARRIVED, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : fd_write_all(fd, line, strlen(line));
	if (r == 0)
		r = files_sync((const int[]){ fd, ctx->root_fd }, 2);
	return r < 0 ? fail_errno(ctx, r, "cannot write down in %s/" STORE_ARRIVED " that container '%s' came",
				  ctx->config.root, name)
		     : 0;
}
