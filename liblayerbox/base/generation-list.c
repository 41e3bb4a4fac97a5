/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All generations of bases, and what of the disk each has for itself. */
#include <fcntl.h>

#include "../container/record.h"
#include "../core/store.h"
#include "../util/tree.h"
#include "generation-list.h"
#include "generation.h"

struct list {
	struct lb_base **items;       /* NULL-terminated */
	size_t count;
};

static int add(struct lb_context *ctx, struct list *list, struct lb_base *base)
{
	struct lb_base **items = reallocarray(list->items, list->count + 2, sizeof *items);

	if (!items) {
		lb_base_free(base);
		return fail_memory(ctx);
	}
	list->items = items;
	items[list->count++] = base;
	items[list->count] = NULL;
	return 0;
}

static int read_numbers(struct lb_context *ctx, const char *name, unsigned **ret_generations, size_t *ret_count)
{
	CLEANUP_FREE char *path = text_format(STORE_BASES "/%s", name);
	CLEANUP_FD int fd = -1;
	int r;

	if (!path)
		return fail_memory(ctx);
	fd = openat(ctx->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : generation_list(fd, ret_generations, ret_count);
	return r < 0 ? fail_errno(ctx, r, "cannot read the generations of base '%s'", name) : 0;
}

/* With @all, every one is needed. Else one that cannot be read is left out with a warning. */
static int add_base(struct lb_context *ctx, const char *name, bool all, struct list *list)
{
	CLEANUP_FREE unsigned *generations = NULL;
	size_t count = 0;
	int r = read_numbers(ctx, name, &generations, &count);

	if (r < 0)
		return r;
	if (count == 0 && !all)
		log_message(ctx, LB_LOG_WARNING, "base '%s' is left out: it has no generation", name);
	for (size_t i = 0; i < count; i++) {
		char text[BASE_TEXT_SIZE];
		struct lb_base *base;

		snprintf(text, sizeof text, "%s@%u", name, generations[i]);
		r = base_open(ctx, text, &base);
		if (r == 0)
			r = add(ctx, list, base);
		if (r < 0 && all)
			return r;
		if (r < 0 && r != -LB_ERR_NO_BASE) /* else it was removed just now */
			log_message(ctx, LB_LOG_WARNING, "%s is left out: %s", text, ctx->error);
	}
	return 0;
}

int generation_list_all(struct lb_context *ctx, bool all, struct lb_base ***ret_bases, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	struct list list = { .items = calloc(1, sizeof *list.items) };
	int r = list.items ? base_list_names(ctx, &names) : fail_memory(ctx);

	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_base(ctx, names.items[i], all, &list);
	if (r < 0) {
		lb_base_list_free(list.items);
		return r;
	}
	*ret_bases = list.items;
	*ret_count = list.count;
	return 0;
}

void generation_sweep(struct lb_context *ctx)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	if (base_list_names(ctx, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *path = text_format(STORE_BASES "/%s", names.items[i]);
		CLEANUP_FD int fd = path ? store_open_directory(ctx, path) : -1;

		if (fd >= 0)
			store_sweep(ctx, fd, "generation");
	}
}

/* ---- what each has for itself ---- */

static bool is_parent(struct lb_base *const *bases, const struct lb_base *base)
{
	for (; *bases; bases++) {
		const char *rest = text_after((*bases)->record.parent, base->name);

		if (rest && *rest == '@')
			return true;
	}
	return false;
}

/* Files are shared by generations of a base, and by a stack's with its parent's. */
static bool may_share(struct lb_base *const *bases, const struct lb_base *base)
{
	size_t generations = 0;

	for (size_t i = 0; bases[i]; i++)
		generations += text_equal(bases[i]->name, base->name);
	return generations > 1 || !text_empty(base->record.parent) || is_parent(bases, base);
}

static int look(struct lb_context *ctx, struct lb_base *const *bases, struct lb_base *base)
{
	int r = record_base_users(ctx, base->name, base->generation, &base->users);

	if (r < 0 || !may_share(bases, base))
		return r;
	r = tree_own_usage(AT_FDCWD, base->directory, &base->own_bytes);
	if (r < 0 && r != -ENOENT)
		return fail_errno(ctx, r, "cannot measure %s", base->directory);
	return 0;
}

/* Moves those of one base to the front, and frees the others. */
static size_t keep_only(struct lb_base **bases, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; bases[i]; i++) {
		if (text_equal(bases[i]->name, name))
			bases[kept++] = bases[i];
		else
			lb_base_free(bases[i]);
	}
	bases[kept] = NULL;
	return kept;
}

int lb_base_list_generations(struct lb_context *ctx, const char *name, struct lb_base ***ret_bases, size_t *ret_count)
{
	struct lb_base **bases, *newest;
	size_t count;
	int r = name ? name_check(ctx, "base", name) : 0;

	if (r == 0 && name) { /* for the sentence of a base that is not there */
		r = base_open(ctx, name, &newest);
		if (r == 0)
			lb_base_free(newest);
	}
	if (r == 0)
		r = generation_list_all(ctx, false, &bases, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!name || text_equal(bases[i]->name, name))
			r = look(ctx, bases, bases[i]);
	if (r < 0) {
		lb_base_list_free(bases);
		return r;
	}
	if (name)
		count = keep_only(bases, name);
	*ret_bases = bases;
	if (ret_count)
		*ret_count = count;
	return 0;
}
