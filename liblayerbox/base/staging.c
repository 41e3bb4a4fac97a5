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

/* Makes and locks the hidden directory; everything in it comes later, without the root's lock, which the caller has. */
static int claim(struct staging *staging)
{
	struct lb_context *ctx = staging->ctx;
	int fd = make_directory(staging->parent_fd, staging->hidden, 0700);

	if (fd == -EEXIST)
		return fail(ctx, -LB_ERR_BUSY,
			    "another command is making generation %u of base '%s' just now; see who with `fuser -v %s`",
			    staging->generation, staging->name, staging->directory);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot make %s", staging->directory);
	staging->fd = fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(ctx, errno, "cannot lock %s", staging->directory);
	return 0;
}

static int claim_first(struct staging *staging)
{
	struct lb_context *ctx = staging->ctx;
	CLEANUP_FD int lock = lock_root(ctx);
	int r;

	if (lock < 0)
		return lock;
	r = store_sweep(ctx, staging->parent_fd, "base");
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s/%s", ctx->config.root, STORE_BASES);
	if (faccessat(staging->parent_fd, staging->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return already_there(staging);
	return claim(staging);
}

static int claim_next(const struct lb_base *base, struct staging *staging)
{
	struct lb_context *ctx = staging->ctx;
	CLEANUP_FD int lock = lock_root(ctx);
	unsigned newest;
	int r;

	if (lock < 0)
		return lock;
	r = base_hold(base, &staging->parent_fd, &staging->previous_fd);
	if (r < 0)
		return r;
	r = store_sweep(ctx, staging->parent_fd, "generation");
	if (r == 0)
		r = generation_find_newest(staging->parent_fd, &newest);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the generations of base '%s'", base->name);
	if (newest != base->generation)
		return fail(ctx, -LB_ERR_BUSY, "another command has upgraded base '%s' just now", base->name);
	return claim(staging);
}

static int make_tree(struct staging *staging)
{
	staging->tree_fd = make_directory(staging->generation_fd, GENERATION_TREE, 0755);
	if (staging->tree_fd < 0)
		return fail_errno(staging->ctx, staging->tree_fd, "cannot make the tree of base '%s'", staging->name);
	return 0;
}

/* @below: from the hidden directory to the generation's. */
static int set_paths(struct staging *staging, const char *below)
{
	if (!staging->directory)
		return fail_memory(staging->ctx);
	staging->hidden = strrchr(staging->directory, '/') + 1;
	staging->tree = text_format("%s%s/" GENERATION_TREE, staging->directory, below);
	staging->scratch = text_format("%s/" SCRATCH, staging->directory);
	return staging->tree && staging->scratch ? 0 : fail_memory(staging->ctx);
}

static int make_scratch(struct staging *staging)
{
	if (mkdirat(staging->fd, SCRATCH, 0700) < 0)
		return fail_errno(staging->ctx, errno, "cannot make %s", staging->scratch);
	return 0;
}

int staging_begin(struct lb_context *ctx, const char *name, struct staging *staging)
{
	int r;

	staging->ctx = ctx;
	staging->generation = 1;
	text_copy(staging->name, sizeof staging->name, name);
	staging->directory = store_path(ctx, STORE_BASES "/" STORE_NEW_PREFIX "%s", name);
	r = set_paths(staging, "/" FIRST_GENERATION);
	if (r < 0)
		return r;
	staging->parent_fd = store_open_directory(ctx, STORE_BASES);
	if (staging->parent_fd < 0)
		return staging->parent_fd;
	r = claim_first(staging);
	if (r == 0)
		r = make_scratch(staging);
	if (r < 0)
		return r;
	/* 0700: what is in there has setuid programs of root. */
	staging->generation_fd = make_directory(staging->fd, FIRST_GENERATION, 0700);
	if (staging->generation_fd < 0)
		return fail_errno(ctx, staging->generation_fd, "cannot make base '%s'", name);
	return make_tree(staging);
}

int staging_begin_next(const struct lb_base *base, struct staging *staging)
{
	struct lb_context *ctx = base->ctx;
	int r;

	staging->ctx = ctx;
	staging->generation = base->generation + 1;
	text_copy(staging->name, sizeof staging->name, base->name);
	if (staging->generation > GENERATION_MAX)
		return fail(ctx, -LB_ERR_EXHAUSTED, "base '%s' has had %u generations", base->name, base->generation);
	staging->directory =
		store_path(ctx, STORE_BASES "/%s/" STORE_NEW_PREFIX "%u", base->name, staging->generation);
	r = set_paths(staging, "");
	if (r == 0)
		r = claim_next(base, staging);
	if (r == 0)
		r = make_scratch(staging);
	if (r < 0)
		return r;
	staging->generation_fd = fcntl(staging->fd, F_DUPFD_CLOEXEC, 0);
	if (staging->generation_fd < 0)
		return fail_errno(ctx, errno, "cannot make generation %u of base '%s'", staging->generation,
				  base->name);
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

int staging_set_aside(struct staging *staging, const char *name)
{
	CLEANUP_FD int scratch = open(staging->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close_fd(take_fd(&staging->tree_fd));
	if (scratch < 0 || renameat(staging->generation_fd, GENERATION_TREE, scratch, name) < 0)
		return fail_errno(staging->ctx, errno, "cannot move %s", staging->tree);
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
	if ((staging->generation == 1 && fchmod(staging->fd, 0711) < 0) || syncfs(staging->fd) < 0)
		return fail_errno(staging->ctx, errno, "cannot write base '%s' to disk", staging->name);
	return 0;
}

int staging_publish(struct staging *staging, struct generation_record *record)
{
	struct lb_context *ctx = staging->ctx;
	CLEANUP_FD int lock = -1;
	char number[16];
	int r;

	r = tree_remove(staging->fd, SCRATCH);
	if (r < 0)
		return fail_errno(ctx, r, "cannot remove %s", staging->scratch);
	r = finish_tree(staging);
	if (r == 0)
		r = generation_describe(ctx, staging->tree_fd, record);
	if (r == 0)
		r = manifest_write(ctx, staging->generation_fd, staging->tree_fd, staging->previous_fd);
	if (r == 0)
		r = write_record(staging, record);
	if (r == 0)
		r = sync_all(staging);
	if (r < 0)
		return r;
	lock = lock_root(ctx);
	if (lock < 0)
		return lock;
	snprintf(number, sizeof number, "%u", staging->generation);
	r = renameat2(staging->parent_fd, staging->hidden, staging->parent_fd,
		      staging->generation == 1 ? staging->name : number, RENAME_NOREPLACE);
	if (r < 0)
		return errno == EEXIST ? already_there(staging)
				       : fail_errno(ctx, errno, "cannot give base '%s' its name", staging->name);
	close_fd(take_fd(&staging->fd));
	if (fsync(staging->parent_fd) < 0)
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
		r = tree_remove(staging->parent_fd, staging->hidden);
	if (r < 0)
		log_message(staging->ctx, LB_LOG_WARNING, "%s could not be removed: %s", staging->directory,
			    strerrordesc_np(-r));
	close_fd(take_fd(&staging->fd));
	close_fd(take_fd(&staging->previous_fd));
	close_fd(take_fd(&staging->parent_fd));
	free(TAKE_PTR(staging->tree));
	free(TAKE_PTR(staging->scratch));
	free(TAKE_PTR(staging->directory));
}
