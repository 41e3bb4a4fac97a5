/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../container/record.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../util/tree.h"
#include "debs.h"
#include "generation-list.h"
#include "generation.h"

enum { USERS_NAMED_MAX = 5 };

/* ---- which bases there are ---- */

int base_list_names(struct lb_context *ctx, struct text_list *ret_names)
{
	int fd = store_open_directory(ctx, STORE_BASES);
	CLEANUP_DIR DIR *dir = take_dir(fd);
	struct dirent *entry;

	if (!dir)
		return fd < 0 ? fd : fail_errno(ctx, errno, "cannot read %s/%s", ctx->config.root, STORE_BASES);
	while ((entry = readdir(dir)))
		if (name_is_valid(entry->d_name) && text_list_add(ret_names, entry->d_name) < 0)
			return fail_memory(ctx);
	text_list_sort(ret_names);
	return 0;
}

static int no_base(struct lb_context *ctx, const char *text)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_BUFFER struct buffer list = { 0 };

	if (base_list_names(ctx, &names) < 0 || names.count == 0)
		return fail(ctx, -LB_ERR_NO_BASE,
			    "there is no base '%s', nor any other yet; build one with "
			    "`layerbox base build debian-bookworm`",
			    text);
	for (size_t i = 0; i < names.count; i++)
		buffer_format(&list, "%s%s", i ? ", " : "", names.items[i]);
	return fail(ctx, -LB_ERR_NO_BASE, "there is no base '%s'; there %s %.1000s", text,
		    names.count == 1 ? "is" : "are", list.length ? list.data : "");
}

/* ---- handles ---- */

static void base_cleanup(struct lb_base **base)
{
	lb_base_free(*base);
}

int base_open(struct lb_context *ctx, const char *text, struct lb_base **ret_base)
{
	CLEANUP(base_cleanup) struct lb_base *base = calloc(1, sizeof *base);
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int generation_fd = -1;
	char path[NAME_LENGTH_MAX + 32];
	int r;

	if (!base)
		return fail_memory(ctx);
	base->ctx = ctx;
	r = name_split_base(ctx, text, base->name, &base->generation);
	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, STORE_BASES "/%s", base->name);
	base_fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (base_fd < 0)
		return errno == ENOENT ? no_base(ctx, text)
				       : fail_errno(ctx, errno, "cannot open base '%s'", base->name);
	if (base->generation == 0 && generation_find_newest(base_fd, &base->generation) < 0)
		return fail(ctx, -LB_ERR_DAMAGED, "base '%s' has no generation; delete it and build it again",
			    base->name);
	snprintf(path, sizeof path, "%u", base->generation);
	generation_fd = openat(base_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (generation_fd < 0 && errno == ENOENT)
		return fail(ctx, -LB_ERR_NO_BASE, "base '%s' has no generation %u", base->name, base->generation);
	if (generation_fd < 0)
		return fail_errno(ctx, errno, "cannot open generation %u of base '%s'", base->generation, base->name);
	r = generation_read(ctx, generation_fd, base->name, base->generation, &base->record);
	if (r < 0)
		return r;
	base->directory = store_path(ctx, STORE_BASES "/%s/%u/" GENERATION_TREE, base->name, base->generation);
	if (!base->directory)
		return fail_memory(ctx);
	base->own_bytes = base->record.bytes;
	*ret_base = TAKE_PTR(base);
	return 0;
}

/* Is it still what the name leads to? */
static bool is_in_place(struct lb_context *ctx, const char *path, int fd)
{
	struct stat held, present;

	return fstat(fd, &held) == 0 && fstatat(ctx->root_fd, path, &present, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == present.st_ino && held.st_dev == present.st_dev;
}

int base_hold(const struct lb_base *base, int *ret_base_fd, int *ret_generation_fd)
{
	struct lb_context *ctx = base->ctx;
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int fd = -1;
	char path[NAME_LENGTH_MAX + 32], number[16];

	snprintf(path, sizeof path, STORE_BASES "/%s", base->name);
	snprintf(number, sizeof number, "%u", base->generation);
	base_fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (base_fd >= 0 && flock(base_fd, LOCK_SH | LOCK_NB) < 0)
		return fail(ctx, -LB_ERR_BUSY, "another command changes base '%s' just now; try again later",
			    base->name);
	if (base_fd >= 0 && is_in_place(ctx, path, base_fd))
		fd = openat(base_fd, number, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(ctx, -LB_ERR_NO_BASE, "generation %u of base '%s' was removed just now", base->generation,
			    base->name);
	*ret_base_fd = take_fd(&base_fd);
	*ret_generation_fd = take_fd(&fd);
	return 0;
}

int base_open_tree(struct lb_context *ctx, const char *name, unsigned generation)
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_BASES "/%s/%u/" GENERATION_TREE, name, generation);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (!path)
		return fail_memory(ctx);
	if (fd < 0 && errno == ENOENT)
		return fail(ctx, -LB_ERR_NO_BASE, "base %s@%u is gone: %s does not exist", name, generation, path);
	return fd < 0 ? fail_errno(ctx, errno, "cannot open base %s@%u", name, generation) : fd;
}

int lb_base_open(struct lb_context *ctx, const char *name, struct lb_base **ret_base)
{
	CLEANUP(base_cleanup) struct lb_base *base = NULL;
	int r = base_open(ctx, name, &base);

	if (r == 0)
		r = record_base_users(ctx, base->name, strchr(name, '@') ? base->generation : 0, &base->users);
	if (r < 0)
		return r;
	*ret_base = TAKE_PTR(base);
	return 0;
}

void lb_base_free(struct lb_base *base)
{
	if (!base)
		return;
	free(base->directory);
	generation_record_free(&base->record);
	text_list_free(&base->users);
	free(base);
}

int lb_base_list(struct lb_context *ctx, struct lb_base ***ret_bases, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	struct lb_base **bases;
	size_t count = 0;
	int r = base_list_names(ctx, &names);

	if (r < 0)
		return r;
	bases = calloc(names.count + 1, sizeof *bases);
	if (!bases)
		return fail_memory(ctx);
	for (size_t i = 0; i < names.count; i++) {
		r = lb_base_open(ctx, names.items[i], &bases[count]);
		if (r == 0)
			count++;
		else if (r != -LB_ERR_NO_BASE) /* else it was deleted just now */
			log_message(ctx, LB_LOG_WARNING, "base '%s' is left out: %s", names.items[i], ctx->error);
	}
	*ret_bases = bases;
	if (ret_count)
		*ret_count = count;
	return 0;
}

void lb_base_list_free(struct lb_base **bases)
{
	for (size_t i = 0; bases && bases[i]; i++)
		lb_base_free(bases[i]);
	free(bases);
}

const char *lb_base_get_name(const struct lb_base *base)
{
	return base->name;
}

unsigned lb_base_get_generation(const struct lb_base *base)
{
	return base->generation;
}

const char *lb_base_get_recipe(const struct lb_base *base)
{
	return base->record.recipe;
}

const char *lb_base_get_os(const struct lb_base *base)
{
	return base->record.os;
}

int64_t lb_base_get_created(const struct lb_base *base)
{
	return base->record.created;
}

uint64_t lb_base_get_bytes(const struct lb_base *base)
{
	return base->record.bytes;
}

uint64_t lb_base_get_own_bytes(const struct lb_base *base)
{
	return base->own_bytes;
}

const char *lb_base_get_parent(const struct lb_base *base)
{
	return base->record.parent;
}

const char *lb_base_get_directory(const struct lb_base *base)
{
	return base->directory;
}

const char *const *lb_base_get_users(const struct lb_base *base)
{
	static const char *const nobody[] = { NULL };

	return base->users.count ? (const char *const *)base->users.items : nobody;
}

/* ---- delete ---- */

static int refuse_while_used(struct lb_context *ctx, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list users = { 0 };
	CLEANUP_BUFFER struct buffer list = { 0 };
	int r = record_base_users(ctx, name, 0, &users);

	if (r < 0 || users.count == 0)
		return r;
	for (size_t i = 0; i < users.count && i < USERS_NAMED_MAX; i++)
		buffer_format(&list, "%s'%s'", i ? ", " : "", users.items[i]);
	if (users.count > USERS_NAMED_MAX)
		buffer_format(&list, " and %zu more", users.count - USERS_NAMED_MAX);
	return fail(ctx, -LB_ERR_BASE_IN_USE, "base '%s' is in use by container%s %s; delete %s first", name,
		    users.count == 1 ? "" : "s", list.length ? list.data : "", users.count == 1 ? "it" : "them");
}

static int refuse_while_parent(struct lb_context *ctx, const char *name)
{
	struct lb_base **bases;
	size_t count;
	int r = generation_list_all(ctx, false, &bases, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *rest = text_after(bases[i]->record.parent, name);

		if (rest && *rest == '@' && !text_equal(bases[i]->name, name))
			r = fail(ctx, -LB_ERR_BASE_IN_USE,
				 "base '%s' is the parent of the stack '%s'; delete that first", name, bases[i]->name);
	}
	lb_base_list_free(bases);
	return r;
}

/* Takes the base out of sight, under the root's lock: no container can be created on it meanwhile. */
static int hide(struct lb_context *ctx, int bases_fd, const char *name, char ret_hidden[128], int *ret_fd)
{
	CLEANUP_FD int lock = lock_root(ctx);
	CLEANUP_FD int fd = -1;
	int r;

	if (lock < 0)
		return lock;
	r = store_sweep(ctx, bases_fd, "base");
	if (r < 0)
		return fail_errno(ctx, r, "cannot read %s/%s", ctx->config.root, STORE_BASES);
	fd = openat(bases_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? no_base(ctx, name) : fail_errno(ctx, errno, "cannot open base '%s'", name);
	r = refuse_while_used(ctx, name);
	if (r == 0)
		r = refuse_while_parent(ctx, name);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return fail(ctx, -LB_ERR_BUSY, "another command works on base '%s'; try again later", name);
	r = store_hide(ctx, bases_fd, name, ret_hidden);
	if (r < 0)
		return r;
	*ret_fd = take_fd(&fd);
	debs_sweep(ctx);
	return fsync(bases_fd) < 0 ? fail_errno(ctx, errno, "cannot write the removal of base '%s' to disk", name) : 0;
}

static int delete(struct lb_context *ctx, const char *name)
{
	CLEANUP_FD int bases_fd = -1;
	CLEANUP_FD int fd = -1;
	char hidden[128];
	int r = name_check(ctx, "base", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	bases_fd = store_open_directory(ctx, STORE_BASES);
	if (bases_fd < 0)
		return bases_fd;
	r = hide(ctx, bases_fd, name, hidden, &fd);
	if (r < 0)
		return r;
	r = tree_remove(bases_fd, hidden);
	if (r < 0)
		return fail_errno(ctx, r,
				  "base '%s' is deleted, but not all of its files could be removed from %s/%s/%s", name,
				  ctx->config.root, STORE_BASES, hidden);
	return 0;
}

int lb_base_delete(struct lb_context *ctx, const char *name)
{
	return event_of(ctx, "base-delete", "", delete(ctx, name), name);
}
