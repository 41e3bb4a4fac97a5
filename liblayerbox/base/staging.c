/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "staging.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../core/lock.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "manifest.h"

#define FIRST_GENERATION "1"
#define SCRATCH "tmp"

static int already_there(struct staging *staging)
{
	return fail(staging->ctx, -LB_ERR_EXISTS,
		    "there is a base '%s' already; delete it first, or choose another name", staging->name);
}

/* mkdirat(2) whatever the caller's umask is, and the directory's descriptor. */
static int make_directory(int parent_fd, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(parent_fd, name, 0700) < 0)
		return -errno;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fchmod(fd, mode) < 0) {
		close_fd(fd);
		return -errno;
	}
	return fd < 0 ? -errno : fd;
}

/* Takes the name's hidden directory; everything in it comes later, without the root's lock. */
static int claim(struct staging *staging)
{
	struct lb_context *ctx = staging->ctx;
	CLEANUP_FD int lock = lock_root(ctx);
	int fd, r;

	if (lock < 0)
		return lock;
	r = store_sweep(ctx, staging->bases_fd, "base");
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s/%s", ctx->config.root, STORE_BASES);
	if (faccessat(staging->bases_fd, staging->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return already_there(staging);
	fd = make_directory(staging->bases_fd, staging->hidden, 0700);
	if (fd == -EEXIST)
		return fail(ctx, -LB_ERR_BUSY,
			    "another command is making a base '%s' just now; see who with `fuser -v %s/%s/%s`",
			    staging->name, ctx->config.root, STORE_BASES, staging->hidden);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot make base '%s'", staging->name);
	staging->fd = fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(ctx, errno, "cannot lock the new base '%s'", staging->name);
	return 0;
}

static int make_tree(struct staging *staging)
{
	staging->tree_fd = make_directory(staging->generation_fd, GENERATION_TREE, 0755);
	if (staging->tree_fd < 0)
		return fail_errno(staging->ctx, staging->tree_fd, "cannot make the tree of base '%s'", staging->name);
	return 0;
}

int staging_begin(struct lb_context *ctx, const char *name, struct staging *staging)
{
	int r;

	staging->ctx = ctx;
	text_copy(staging->name, sizeof staging->name, name);
	snprintf(staging->hidden, sizeof staging->hidden, STORE_NEW_PREFIX "%s", name);
	staging->tree = store_path(ctx, STORE_BASES "/%s/" FIRST_GENERATION "/" GENERATION_TREE, staging->hidden);
	staging->scratch = store_path(ctx, STORE_BASES "/%s/" SCRATCH, staging->hidden);
	if (!staging->tree || !staging->scratch)
		return fail_memory(ctx);
	staging->bases_fd = store_open_directory(ctx, STORE_BASES);
	if (staging->bases_fd < 0)
		return staging->bases_fd;
	r = claim(staging);
	if (r < 0)
		return r;
	if (mkdirat(staging->fd, SCRATCH, 0700) < 0)
		return fail_errno(ctx, errno, "cannot make %s", staging->scratch);
	/* 0700: what is in there has setuid programs of root. */
	staging->generation_fd = make_directory(staging->fd, FIRST_GENERATION, 0700);
	if (staging->generation_fd < 0)
		return fail_errno(ctx, staging->generation_fd, "cannot make base '%s'", name);
	return make_tree(staging);
}

int staging_restart(struct staging *staging)
{
	int r;

	close_fd(take_fd(&staging->tree_fd));
	r = tree_remove(staging->generation_fd, GENERATION_TREE);
	if (r < 0)
		return fail_errno(staging->ctx, r, "cannot empty %s", staging->tree);
	return make_tree(staging);
}

static int write_record(struct staging *staging, const struct generation_record *record)
{
	CLEANUP_FREE char *text = generation_to_text(record);
	int r;

	if (!text)
		return fail_memory(staging->ctx);
	r = file_write(staging->generation_fd, GENERATION_FILE, text, strlen(text), 0644, FILE_LAZY);
	return r < 0 ? fail_errno(staging->ctx, r, "cannot write the record of base '%s'", staging->name) : 0;
}

/* The tree's own directory, whatever made it; nothing is changed in it from here on. */
static int finish_tree(struct staging *staging)
{
	if (fchmod(staging->tree_fd, 0755) < 0 || fchown(staging->tree_fd, 0, 0) < 0)
		return fail_errno(staging->ctx, errno, "cannot finish the tree of base '%s'", staging->name);
	return 0;
}

/* One syncfs(2) for tens of thousands of files; errors of writing that came before it are reported by it. */
static int sync_all(struct staging *staging)
{
	progress(staging->ctx, -1, "writing to disk");
	if (fchmod(staging->fd, 0711) < 0 || syncfs(staging->fd) < 0)
		return fail_errno(staging->ctx, errno, "cannot write base '%s' to disk", staging->name);
	return 0;
}

int staging_publish(struct staging *staging, struct generation_record *record)
{
	struct lb_context *ctx = staging->ctx;
	CLEANUP_FD int lock = -1;
	int r;

	r = tree_remove(staging->fd, SCRATCH);
	if (r < 0)
		return fail_errno(ctx, r, "cannot remove %s", staging->scratch);
	r = finish_tree(staging);
	if (r == 0)
		r = generation_describe(ctx, staging->tree_fd, record);
	if (r == 0)
		r = manifest_write(ctx, staging->generation_fd, staging->tree_fd, -1);
	if (r == 0)
		r = write_record(staging, record);
	if (r == 0)
		r = sync_all(staging);
	if (r < 0)
		return r;
	lock = lock_root(ctx);
	if (lock < 0)
		return lock;
	if (renameat2(staging->bases_fd, staging->hidden, staging->bases_fd, staging->name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? already_there(staging)
				       : fail_errno(ctx, errno, "cannot give base '%s' its name", staging->name);
	close_fd(take_fd(&staging->fd));
	if (fsync(staging->bases_fd) < 0)
		return fail_errno(ctx, errno, "base '%s' is made, but its name could not be written to disk",
				  staging->name);
	return 0;
}

/* The descriptor of the hidden directory is the claim: without it there is nothing of ours to remove. */
void staging_end(struct staging *staging)
{
	int r = 0;

	close_fd(take_fd(&staging->tree_fd));
	close_fd(take_fd(&staging->generation_fd));
	if (staging->fd >= 0)
		r = tree_remove(staging->bases_fd, staging->hidden);
	if (r < 0)
		log_message(staging->ctx, LB_LOG_WARNING, "%s/%s/%s could not be removed: %s",
			    staging->ctx->config.root, STORE_BASES, staging->hidden, strerrordesc_np(-r));
	close_fd(take_fd(&staging->fd));
	close_fd(take_fd(&staging->bases_fd));
	free(TAKE_PTR(staging->tree));
	free(TAKE_PTR(staging->scratch));
}
