/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stack.h"

#include <fcntl.h>
#include <stdio.h>

#include "apt.h"
#include "changes.h"
#include "lay.h"
#include "numbers.h"

#define LAID "laid"

struct making {
	struct lb_context *ctx;
	const struct recipe *recipe;
	const struct lb_base *parent;
	struct staging *staging;
	int last_fd;                  /* the tree of the stack's last generation; -1: there is none */
	struct text_list security;
};

static int open_tree_of(struct lb_context *ctx, const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail_errno(ctx, errno, "cannot open %s", directory) : fd;
}

/* ---- the tree ---- */

static int install(struct making *making)
{
	CLEANUP_WORKSHOP struct workshop shop = WORKSHOP_EMPTY;
	const struct recipe *recipe = making->recipe;
	size_t changes;
	int r = workshop_open(making->staging, making->parent->directory, 1, &shop);

	shop.is_stack = true;
	if (r == 0 && making->last_fd >= 0)
		r = numbers_carry(making->ctx, making->last_fd, shop.lower_fd, shop.upper_fd);
	if (r == 0 && recipe->packages.count > 0 && !apt_is_there(shop.lower_fd))
		r = fail(making->ctx, -LB_ERR_BAD_CONFIG,
			 "the recipe of the stack '%s' names packages, but its parent %s has no apt-get", recipe->name,
			 making->parent->name);
	if (r == 0 && recipe->packages.count > 0)
		r = apt_install(&shop, &recipe->packages, &making->security);
	return r < 0 ? r : workshop_seal(&shop, making->last_fd, &changes);
}

/* Over what has been laid: a command may use it. */
static int run_commands(struct making *making)
{
	CLEANUP_WORKSHOP struct workshop shop = WORKSHOP_EMPTY;
	CLEANUP_FREE char *laid = text_format("%s/" LAID, making->staging->scratch);
	const struct text_list *commands = &making->recipe->commands;
	size_t changes;
	int r = laid ? staging_set_aside(making->staging, LAID) : fail_memory(making->ctx);

	if (r == 0)
		r = workshop_open(making->staging, laid, 2, &shop);
	shop.is_stack = true;
	for (size_t i = 0; r == 0 && i < commands->count; i++) {
		CLEANUP_TEXT_LIST struct text_list words = { 0 };

		r = text_list_add_words(&words, commands->items[i]) < 0 ? fail_memory(making->ctx) : 0;
		if (r == 0)
			r = workshop_run_command(&shop, (const char *const *)words.items, commands->items[i]);
	}
	return r < 0 ? r : workshop_seal(&shop, making->last_fd, &changes);
}

static int make_tree(struct making *making)
{
	int r = install(making);

	/* Files are laid by renaming new ones into place: what they replace stays as it is in the parent. */
	if (r == 0)
		r = lay_recipe(making->ctx, making->recipe, making->staging->tree_fd);
	if (r == 0 && making->recipe->commands.count > 0)
		r = run_commands(making);
	return r;
}

/* ---- the record ---- */

static int describe(const struct making *making, struct generation_record *record)
{
	const struct recipe *recipe = making->recipe;
	const struct generation_record *parent = &making->parent->record;

	record->recipe = strdup(recipe->name);
	record->parent = text_format("%s@%u", making->parent->name, making->parent->generation);
	record->halt_signal = strdup(recipe->halt_signal ? recipe->halt_signal : parent->halt_signal);
	record->reboot_signal = strdup(recipe->reboot_signal ? recipe->reboot_signal : parent->reboot_signal);
	return record->recipe && record->parent && record->halt_signal && record->reboot_signal
		       ? 0
		       : fail_memory(making->ctx);
}

/* @before_fd: the tree that changes are told against; @what names it. */
static int finish(struct making *making, int before_fd, const char *what)
{
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	struct staging *staging = making->staging;
	int r = numbers_check(making->ctx, before_fd, staging->tree_fd, what);

	if (r == 0)
		r = changes_write(making->ctx, staging->generation_fd, before_fd, staging->tree_fd, &making->security);
	if (r == 0)
		r = describe(making, &record);
	return r < 0 ? r : staging_publish(staging, &record);
}

/* ---- the first generation ---- */

static int build_on(struct making *making)
{
	CLEANUP_FREE char *what = text_format("%s@%u", making->parent->name, making->parent->generation);
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int tree_fd = -1;
	int r = what ? base_hold(making->parent, &base_fd, &making->staging->previous_fd) : fail_memory(making->ctx);

	if (r < 0)
		return r;
	tree_fd = open_tree_of(making->ctx, making->parent->directory);
	r = tree_fd < 0 ? tree_fd : make_tree(making);
	return r < 0 ? r : finish(making, tree_fd, what);
}

int stack_build(struct lb_context *ctx, const struct recipe *recipe, const char *name)
{
	CLEANUP_STAGING struct staging staging = STAGING_EMPTY;
	struct making making = { .ctx = ctx, .recipe = recipe, .staging = &staging, .last_fd = -1 };
	struct lb_base *parent = NULL;
	int r = base_open(ctx, recipe->parent, &parent);

	if (r < 0)
		return fail_wrap(ctx, r, "cannot build the stack '%s': ", name);
	making.parent = parent;
	r = staging_begin(ctx, name, &staging);
	if (r == 0)
		r = build_on(&making);
	text_list_free(&making.security);
	lb_base_free(parent);
	return r;
}

/* ---- the others ---- */

int stack_find_newer_parent(struct lb_context *ctx, const struct lb_base *base, struct lb_base **ret_parent)
{
	char name[NAME_LENGTH_MAX + 1];
	unsigned generation;
	int r;

	*ret_parent = NULL;
	if (!name_parse_base(base->record.parent, name, &generation))
		return 0;
	r = base_open(ctx, name, ret_parent);
	if (r == 0 && (*ret_parent)->generation <= generation) {
		lb_base_free(*ret_parent);
		*ret_parent = NULL;
	}
	return r;
}

/* What became safe in the parent meanwhile is safe in the stack now. */
static int add_parents_security(struct making *making, int parent_base_fd, const char *old_parent)
{
	char name[NAME_LENGTH_MAX + 1], number[16];
	unsigned from;
	int r = 0;

	if (!name_parse_base(old_parent, name, &from))
		return 0;
	for (unsigned i = from + 1; r == 0 && i <= making->parent->generation; i++) {
		CLEANUP_FD int fd = -1;

		snprintf(number, sizeof number, "%u", i);
		fd = openat(parent_base_fd, number, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			r = changes_add_security(making->ctx, fd, &making->security);
	}
	return r;
}

static int rebuild_on(struct making *making, const struct lb_base *base)
{
	CLEANUP_FREE char *what = text_format("%s@%u", base->name, base->generation);
	CLEANUP_FD int parent_base_fd = -1;
	CLEANUP_FD int last_fd = -1;
	int generation_fd, r;

	if (!what)
		return fail_memory(making->ctx);
	r = base_hold(making->parent, &parent_base_fd, &generation_fd);
	if (r < 0)
		return r;
	/* Most files of the new generation are those of the parent's. */
	close_fd(making->staging->previous_fd);
	making->staging->previous_fd = generation_fd;
	last_fd = open_tree_of(making->ctx, base->directory);
	if (last_fd < 0)
		return last_fd;
	making->last_fd = last_fd;
	r = add_parents_security(making, parent_base_fd, base->record.parent);
	if (r == 0)
		r = make_tree(making);
	return r < 0 ? r : finish(making, last_fd, what);
}

int stack_rebuild(struct lb_context *ctx, const struct lb_base *base, const struct lb_base *parent)
{
	CLEANUP(recipe_free) struct recipe recipe = { 0 };
	CLEANUP_STAGING struct staging staging = STAGING_EMPTY;
	struct making making = { .ctx = ctx, .recipe = &recipe, .parent = parent, .staging = &staging, .last_fd = -1 };
	int r = recipe_load(ctx, base->record.recipe, &recipe);

	if (r < 0)
		return fail_wrap(ctx, r, "cannot build the stack '%s' on generation %u of '%s': ", base->name,
				 parent->generation, parent->name);
	r = staging_begin_next(base, &staging);
	if (r == 0)
		r = rebuild_on(&making, base);
	text_list_free(&making.security);
	return r;
}
