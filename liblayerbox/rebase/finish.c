/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "finish.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/inside.h"
#include "../base/debs.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "../util/tree.h"
#include "workspace.h"

#define SCRATCH WORKSPACE_SCRATCH
#define UPPER "upper"
#define WORK "work"
/* A layer that has nothing but one directory, which no container has, with packages in it. */
#define DEBS "debs"
#define DEBS_DIRECTORY "layerbox-debs"

/*
 * For all programs together. They are the container's own, which may mean harm, and somebody waits for the container.
 */
enum { DEPTH_MAX = 128, SECONDS_MAX = 600 };

/* ---- running ---- */

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8",
	"HOME=/root",
	"DEBIAN_FRONTEND=noninteractive",
	"SYSTEMD_OFFLINE=1",
	"container=lxc",
	NULL,
};

/* @command: words for sentences, those of @argv or the first of them. */
static int run(struct lb_context *ctx, const struct lb_rebase *rebase, const struct inside *inside, const char *command,
	       const struct text_list *argv)
{
	CLEANUP_FREE char *output = NULL;
	CLEANUP_FREE char *shown = strdup(command);
	int status, r;

	if (!shown)
		return fail_memory(ctx);
	progress(ctx, -1, "%s: running %s", rebase->name, text_printable(shown));
	r = inside_run(ctx, inside, (const char *const *)argv->items, &status, &output);
	if (r < 0)
		return r;
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "`%s` failed in container '%s' with status %d: %.500s", shown,
			    rebase->name, status, text_last_line(output));
	return 0;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int run_command(struct lb_context *ctx, const struct lb_rebase *rebase, const struct inside *inside,
		       const char *command)
{
	CLEANUP_TEXT_LIST struct text_list words = { 0 };

	return text_list_add_words(&words, command) < 0 ? fail_memory(ctx) : run(ctx, rebase, inside, command, &words);
}

/* As apt would have dpkg do it; files that the customer has changed stay. */
static int install_debs(struct lb_context *ctx, const struct lb_rebase *rebase, const struct inside *inside)
{
	static const char command[] = "/usr/bin/dpkg --force-confdef --force-confold --auto-deconfigure --install";
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	int r = text_list_add_words(&words, command);

	for (size_t i = 0; r == 0 && i < rebase->debs.count; i++)
		r = text_list_format(&words, "/" DEBS_DIRECTORY "/%s.deb", rebase->debs.items[i]);
	return r < 0 ? fail_memory(ctx) : run(ctx, rebase, inside, command, &words);
}

static int run_all(struct lb_context *ctx, const struct lb_rebase *rebase, const struct record *record)
{
	CLEANUP_FREE char *top = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_TOP, rebase->name);
	CLEANUP_FREE char *base =
		store_path(ctx, STORE_BASES "/%s/%u/" LAYOUT_ROOTFS, rebase->to_base, rebase->to_generation);
	CLEANUP_FREE char *layers = store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_REBASE "/" SCRATCH, rebase->name);
	CLEANUP_FREE char *debs =
		store_path(ctx, STORE_CONTAINERS "/%s/" LAYOUT_REBASE "/" SCRATCH "/" DEBS, rebase->name);
	const char *const lowers[] = { debs, top, base, NULL };
	struct inside inside = {
		.lowers = lowers + !rebase->debs.count,
		.layers = layers,
		.upper = UPPER,
		.work = WORK,
		.id_start = record->id_start,
		.id_count = record->id_count,
		.env = environment,
	};
	int r = top && base && layers && debs ? 0 : fail_memory(ctx);
	time_t end = seconds() + SECONDS_MAX;

	inside.timeout_s = SECONDS_MAX;
	if (r == 0 && rebase->debs.count)
		r = install_debs(ctx, rebase, &inside);
	for (size_t i = 0; r == 0 && i < rebase->commands.count; i++) {
		time_t left = end - seconds();

		if (left <= 0)
			return fail(ctx, -LB_ERR_PROGRAM_FAILED,
				    "the programs that finish the rebase in container '%s' took longer than the %d "
				    "seconds that they have together",
				    rebase->name, SECONDS_MAX);
		inside.timeout_s = (unsigned)left;
		r = run_command(ctx, rebase, &inside, rebase->commands.items[i]);
	}
	return r;
}

/* ---- what they left ---- */

/* The same directory in three trees; -1: not there. */
struct level {
	int scratch_fd, top_fd, base_fd;
	const char *path;
	int depth;
};

struct gathering {
	struct lb_context *ctx;
	const struct lb_rebase *rebase;
	struct transaction *transaction;
};

static int gather(struct gathering *gathering, const struct level *level);

static int open_if_directory(const struct entry *entry)
{
	if (!entry->there || !S_ISDIR(entry->st.st_mode))
		return -1;
	return openat(entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int gather_directory(struct gathering *gathering, const struct level *level, const char *path,
			    const struct entry *scratch, const struct entry *top, const struct entry *base)
{
	CLEANUP_FD int scratch_fd = open_if_directory(scratch);
	CLEANUP_FD int top_fd = open_if_directory(top);
	CLEANUP_FD int base_fd = open_if_directory(base);
	struct level below = { scratch_fd, top_fd, base_fd, path, level->depth + 1 };
	int r;

	if (scratch_fd < 0 || level->depth >= DEPTH_MAX)
		return fail_errno(gathering->ctx, scratch_fd < 0 ? errno : ELOOP, "cannot open /%s of container '%s'",
				  path, gathering->rebase->name);
	/* Nothing of the base's shows in it. */
	if (top_fd >= 0 && entry_is_opaque(top_fd))
		below.base_fd = -1;
	/* Only visited: policy-rc.d was laid into it, for example. */
	if (!top->there && base_fd >= 0 && !entry_is_opaque(scratch_fd) && entry_same_attributes(scratch, base) == 1)
		return gather(gathering, &below);
	if (top_fd < 0 || entry_is_opaque(scratch_fd))
		return transaction_put_entry(gathering->transaction, path, level->scratch_fd, scratch->name);
	r = entry_same_attributes(scratch, top);
	if (r == 0)
		r = transaction_set_attributes(gathering->transaction, path, &scratch->st);
	return r < 0 ? r : gather(gathering, &below);
}

static int gather_entry(struct gathering *gathering, const struct level *level, const char *name)
{
	CLEANUP_FREE char *path = text_format("%s%s%s", level->path, *level->path ? "/" : "", name);
	struct entry scratch, top, base;
	int r = path ? entry_look(level->scratch_fd, name, &scratch) : -ENOMEM;

	if (r == 0)
		r = entry_look(level->top_fd, name, &top);
	if (r == 0)
		r = entry_look(level->base_fd, name, &base);
	if (r < 0)
		return fail_errno(gathering->ctx, r, "cannot look at /%s of container '%s'", path,
				  gathering->rebase->name);
	if (S_ISDIR(scratch.st.st_mode))
		return gather_directory(gathering, level, path, &scratch, &top, &base);
	if (entry_is_whiteout(&scratch) && !base.there)
		return top.there ? transaction_drop(gathering->transaction, path) : 0;
	/* Only copied up, and left as it was; or made anew as the base has it. */
	if (entry_same(&scratch, top.there ? &top : &base) == 1)
		return 0;
	if (top.there && entry_same(&scratch, &base) == 1)
		return transaction_drop(gathering->transaction, path);
	return transaction_put_entry(gathering->transaction, path, level->scratch_fd, name);
}

static int gather(struct gathering *gathering, const struct level *level)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = tree_list_names(level->scratch_fd, &names);

	if (r < 0)
		return fail_errno(gathering->ctx, r, "cannot read /%s of container '%s'", level->path,
				  gathering->rebase->name);
	for (size_t i = 0; r >= 0 && i < names.count; i++)
		r = gather_entry(gathering, level, names.items[i]);
	return r < 0 ? r : 0;
}

static int gather_all(struct lb_context *ctx, int container_fd, int scratch_fd, const struct lb_rebase *rebase,
		      struct transaction *transaction)
{
	CLEANUP_FD int base_fd = base_open_tree(ctx, rebase->to_base, rebase->to_generation);
	CLEANUP_FD int upper_fd = openat(scratch_fd, UPPER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int top_fd = openat(container_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct gathering gathering = { .ctx = ctx, .rebase = rebase, .transaction = transaction };
	const struct level level = { upper_fd, top_fd, base_fd, "", 0 };
	int r;

	if (base_fd < 0)
		return base_fd;
	if (upper_fd < 0 || top_fd < 0)
		return fail_errno(ctx, errno, "cannot open the layers of container '%s'", rebase->name);
	r = gather(&gathering, &level);
	return r == 0 ? transaction_commit(transaction) : r;
}

/* ---- all of it ---- */

static int make_directory(int parent_fd, const char *name, mode_t mode)
{
	return mkdirat(parent_fd, name, mode) < 0 || fchmodat(parent_fd, name, mode, 0) < 0 ? -errno : 0;
}

static int make_scratch(int rebase_fd)
{
	CLEANUP_FD int fd = -1;
	int r = tree_remove(rebase_fd, SCRATCH);

	if (r < 0)
		return r;
	if (mkdirat(rebase_fd, SCRATCH, 0700) < 0)
		return -errno;
	fd = openat(rebase_fd, SCRATCH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = make_directory(fd, UPPER, 0755);
	if (r == 0)
		r = make_directory(fd, WORK, 0700);
	return r < 0 ? r : take_fd(&fd);
}

/* Here, and not where they are kept: no layer changes beneath a mount. */
static int lay_debs(struct lb_context *ctx, const struct lb_rebase *rebase, int scratch_fd)
{
	CLEANUP_FD int fd = -1;
	int r = make_directory(scratch_fd, DEBS, 0755);

	if (r == 0)
		r = make_directory(scratch_fd, DEBS "/" DEBS_DIRECTORY, 0755);
	fd = r < 0 ? -1 : openat(scratch_fd, DEBS "/" DEBS_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(ctx, r < 0 ? r : errno, "cannot make a layer for packages of container '%s'",
				  rebase->name);
	return debs_put(ctx, rebase->to_base, rebase->to_generation, &rebase->debs, fd);
}

static int forget_debs(struct lb_context *ctx, const struct lb_rebase *rebase, int scratch_fd)
{
	CLEANUP_FD int fd = openat(scratch_fd, UPPER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : tree_remove(fd, DEBS_DIRECTORY);

	return r < 0 ? fail_errno(ctx, r, "cannot clean the scratch layer of container '%s'", rebase->name) : 0;
}

int finish_run(struct lb_context *ctx, int container_fd, const struct lb_rebase *rebase, const struct record *record,
	       struct transaction *transaction)
{
	CLEANUP_FD int rebase_fd = -1;
	CLEANUP_FD int scratch_fd = -1;
	int r;

	if (rebase->commands.count == 0 && rebase->debs.count == 0)
		return 0;
	rebase_fd = openat(container_fd, LAYOUT_REBASE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scratch_fd = rebase_fd < 0 ? -errno : make_scratch(rebase_fd);
	if (scratch_fd < 0)
		return fail_errno(ctx, scratch_fd, "cannot make a scratch layer for container '%s'", rebase->name);
	r = rebase->debs.count ? lay_debs(ctx, rebase, scratch_fd) : 0;
	if (r == 0)
		r = run_all(ctx, rebase, record);
	/* A script of a package may have written there: what it changed was never the container's. */
	if (r == 0 && rebase->debs.count)
		r = forget_debs(ctx, rebase, scratch_fd);
	if (r == 0)
		r = gather_all(ctx, container_fd, scratch_fd, rebase, transaction);
	tree_remove(rebase_fd, SCRATCH);
	return r;
}
