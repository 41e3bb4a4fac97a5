/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"

enum { TRIES = 20 };

/* -EAGAIN where a sweep, which takes what is not locked for left behind, has come in between. */
static int make_locked(struct inbox *inbox)
{
	struct stat locked, present;
	uint64_t number;

	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return -EIO;
	snprintf(inbox->name, sizeof inbox->name, STORE_NEW_PREFIX "import.%016llx", (unsigned long long)number);
	if (mkdirat(inbox->parent_fd, inbox->name, 0700) < 0)
		return -errno;
	inbox->fd = openat(inbox->parent_fd, inbox->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inbox->fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (flock(inbox->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (fstat(inbox->fd, &locked) < 0)
		return -errno;
	if (fstatat(inbox->parent_fd, inbox->name, &present, AT_SYMLINK_NOFOLLOW) < 0 ||
	    locked.st_ino != present.st_ino)
		return -EAGAIN;
	return 0;
}

int inbox_begin(struct lb_context *ctx, struct inbox *ret_inbox)
{
	struct inbox inbox = { .ctx = ctx, .parent_fd = store_open_directory(ctx, STORE_CONTAINERS), .fd = -1 };
	int r = -EAGAIN;

	if (inbox.parent_fd < 0)
		return inbox.parent_fd;
	for (int tries = 0; r == -EAGAIN && tries < TRIES; tries++) {
		close_fd(take_fd(&inbox.fd));
		r = make_locked(&inbox);
	}
	if (r < 0)
		r = fail_errno(ctx, r, "cannot make a directory for the stream in %s/" STORE_CONTAINERS,
			       ctx->config.root);
	inbox.path = r < 0 ? NULL : store_path(ctx, STORE_CONTAINERS "/%s", inbox.name);
	if (r == 0 && !inbox.path)
		r = fail_memory(ctx);
	if (r < 0)
		inbox_end(&inbox);
	else
		*ret_inbox = inbox;
	return r;
}

void inbox_end(struct inbox *inbox)
{
	int r = inbox->fd >= 0 ? tree_remove(inbox->parent_fd, inbox->name) : 0;

	if (r < 0)
		log_message(inbox->ctx, LB_LOG_WARNING, "what was unpacked of a stream, %s, could not be removed: %s",
			    inbox->name, strerrordesc_np(-r));
	close_fd(take_fd(&inbox->fd));
	close_fd(take_fd(&inbox->parent_fd));
	free(TAKE_PTR(inbox->path));
}

int inbox_read(const struct inbox *inbox, const char *member, size_t max, char **ret_text)
{
	CLEANUP_FREE char *text = NULL;
	size_t length;
	int r = file_read(inbox->fd, member, max, &text, &length);

	if (r == -ENOENT)
		return fail(inbox->ctx, -LB_ERR_BAD_STREAM, "the stream has no %s", member);
	if (r == -EFBIG || (r == 0 && strlen(text) != length))
		return fail(inbox->ctx, -LB_ERR_BAD_STREAM, "%s of the stream is not such a file", member);
	if (r < 0)
		return fail_errno(inbox->ctx, r, "cannot read %s of the stream", member);
	*ret_text = TAKE_PTR(text);
	return 0;
}
