/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The next generation of a base: the newest one, changed by programs in a workshop, and sealed. */
#include <fcntl.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../events/event.h"
#include "apt.h"
#include "changes.h"
#include "numbers.h"
#include "stack.h"

static int join(const char *const *words, char **ret_text)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (; *words; words++)
		buffer_format(&text, "%s%s", text.length ? " " : "", *words);
	*ret_text = buffer_finish(&text);
	return *ret_text ? 0 : -ENOMEM;
}

static int run_script(struct workshop *shop, const char *script)
{
	static const char *const argv[] = { INSIDE_SCRIPT, NULL };

	shop->script = script;
	return workshop_run_command(shop, argv, script);
}

static int run_command(const struct workshop *shop, const char *const *command)
{
	CLEANUP_FREE char *what = NULL;

	if (join(command, &what) < 0)
		return fail_memory(shop->ctx);
	for (char *p = what; (p = strpbrk(p, "\n\t"));) /* of a command for a shell, usually */
		*p = ' ';
	return workshop_run_command(shop, command, text_printable(what));
}

static int change(struct workshop *shop, const struct lb_upgrade_options *options, struct text_list *security)
{
	if (options && options->script)
		return run_script(shop, options->script);
	if (options && options->command)
		return run_command(shop, options->command);
	if (!apt_is_there(shop->lower_fd))
		return fail(shop->ctx, -EINVAL,
			    "base '%s' has no apt-get: say what is to be done in it, with a script or a command",
			    shop->staging->name);
	return apt_upgrade(shop, security);
}

static int copy_record(const struct lb_base *base, struct generation_record *record)
{
	record->recipe = strdup(base->record.recipe);
	record->parent = strdup(base->record.parent);
	record->halt_signal = strdup(base->record.halt_signal);
	record->reboot_signal = strdup(base->record.reboot_signal);
	return record->recipe && record->parent && record->halt_signal && record->reboot_signal
		       ? 0
		       : fail_memory(base->ctx);
}

static int finish(const struct lb_base *base, struct workshop *shop, const struct text_list *security)
{
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	CLEANUP_FREE char *what = text_format("%s@%u", base->name, base->generation);
	struct staging *staging = shop->staging;
	int r = what ? copy_record(base, &record) : fail_memory(base->ctx);

	if (r == 0)
		r = numbers_check(base->ctx, shop->lower_fd, staging->tree_fd, what);
	if (r == 0)
		r = changes_write(base->ctx, staging->generation_fd, shop->lower_fd, staging->tree_fd, security);
	return r < 0 ? r : staging_publish(staging, &record);
}

/* 1 where nothing has changed. */
static int upgrade(const struct lb_base *base, const struct lb_upgrade_options *options)
{
	CLEANUP_STAGING struct staging staging = STAGING_EMPTY;
	CLEANUP_WORKSHOP struct workshop shop = WORKSHOP_EMPTY;
	CLEANUP_TEXT_LIST struct text_list security = { 0 };
	size_t changes;
	int r = staging_begin_next(base, &staging);

	if (r == 0)
		r = workshop_open(&staging, base->directory, 1, &shop);
	shop.is_stack = *base->record.parent;
	if (r == 0)
		r = change(&shop, options, &security);
	if (r == 0)
		r = workshop_seal(&shop, -1, &changes);
	if (r < 0)
		return r;
	return changes == 0 ? 1 : finish(base, &shop, &security);
}

/* Without anything said, a stack follows its parent. 1 where nothing has changed. */
static int upgrade_or_rebuild(struct lb_context *ctx, const struct lb_base *base,
			      const struct lb_upgrade_options *options)
{
	struct lb_base *parent = NULL;
	int r = 0;

	if (!options || (!options->script && !options->command))
		r = stack_find_newer_parent(ctx, base, &parent);
	if (r == 0)
		r = parent ? stack_rebuild(ctx, base, parent) : upgrade(base, options);
	lb_base_free(parent);
	return r;
}

static int check_options(struct lb_context *ctx, const struct lb_upgrade_options *options)
{
	struct stat st;
	int r = CHECK_INPUT(ctx, options, lb_upgrade_options);

	if (r < 0 || !options)
		return r;
	if (options->script && options->command)
		return fail(ctx, -EINVAL, "give either a script or a command");
	if (options->command && !options->command[0])
		return fail(ctx, -EINVAL, "the command has no words");
	if (options->script && stat(options->script, &st) < 0)
		return fail_errno(ctx, errno, "cannot read the script %s", options->script);
	if (options->script && !S_ISREG(st.st_mode))
		return fail(ctx, -EINVAL, "the script %s is not a file", options->script);
	return 0;
}

static int upgrade_base(struct lb_context *ctx, const char *name, const struct lb_upgrade_options *options,
			unsigned *ret_generation)
{
	struct lb_base *base;
	int r = check_options(ctx, options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = name_check(ctx, "base", name);
	if (r == 0)
		r = base_open(ctx, name, &base);
	if (r < 0)
		return r;
	r = upgrade_or_rebuild(ctx, base, options);
	if (r >= 0)
		*ret_generation = base->generation + (r == 0);
	lb_base_free(base);
	return r;
}

int lb_base_upgrade(struct lb_context *ctx, const char *name, const struct lb_upgrade_options *options,
		    unsigned *ret_generation)
{
	CLEANUP_FREE char *detail = NULL;
	unsigned generation = 0;
	const int r = upgrade_base(ctx, name, options, &generation);

	if (r >= 0 && ret_generation)
		*ret_generation = generation;
	detail = text_format("%s@%u", name, generation);
	return event_of(ctx, "base-upgrade", "", r, detail ? detail : name);
}
