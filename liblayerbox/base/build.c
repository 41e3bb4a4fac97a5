/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build.h"

#include "../adapters/rights.h"
#include "../events/event.h"
#include "../util/spawn.h"
#include "generalise.h"
#include "lay.h"
#include "stack.h"

static const char *const fixed_environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"LC_ALL=C.UTF-8",
	"HOME=/root",
	"DEBIAN_FRONTEND=noninteractive",
	"SYSTEMD_OFFLINE=1",
	NULL,
};

/* Locales and places that belong to the caller alone. */
static bool is_unwanted(const char *assignment)
{
	return text_after(assignment, "LC_") || text_after(assignment, "LANG") || text_after(assignment, "TMPDIR=");
}

static bool is_fixed(const char *assignment)
{
	size_t n = strcspn(assignment, "=") + 1;

	for (size_t i = 0; fixed_environment[i]; i++)
		if (strncmp(fixed_environment[i], assignment, n) == 0)
			return true;
	return false;
}

int build_environment(const char *tmpdir, struct text_list *ret_env)
{
	int r = tmpdir ? text_list_format(ret_env, "TMPDIR=%s", tmpdir) : 0;

	for (size_t i = 0; r == 0 && fixed_environment[i]; i++)
		r = text_list_add(ret_env, fixed_environment[i]);
	for (char **item = environ; r == 0 && item && *item; item++)
		if (!is_fixed(*item) && !is_unwanted(*item))
			r = text_list_add(ret_env, *item);
	return r;
}

int build_run_inside(struct lb_context *ctx, const struct staging *staging, const char *command)
{
	struct spawn_options options = { .root = staging->tree };
	CLEANUP_TEXT_LIST struct text_list words = { 0 };
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (text_list_add_words(&words, command) < 0 || build_environment(NULL, &env) < 0)
		return fail_memory(ctx);
	options.env = (const char *const *)env.items;
	progress(ctx, -1, "running %s", command);
	r = spawn_run((const char *const *)words.items, &options, &status, &output);
	if (r < 0)
		return fail_errno(ctx, r, "cannot run `%s` in the new base", command);
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "`%s` failed in the new base with status %d: %.500s", command,
			    status, text_last_line(output));
	return 0;
}

static int make_tree(struct lb_context *ctx, const struct recipe *recipe, const char *mirror, struct staging *staging)
{
	int r;

	if (recipe->method == RECIPE_METHOD_BUSYBOX)
		r = build_busybox(ctx, recipe, staging);
	else
		r = build_debian(ctx, recipe, mirror, staging);
	if (r == 0)
		r = lay_recipe(ctx, recipe, staging->tree_fd);
	for (size_t i = 0; r == 0 && i < recipe->commands.count; i++)
		r = build_run_inside(ctx, staging, recipe->commands.items[i]);
	if (r == 0)
		progress(ctx, -1, "making it generic");
	return r == 0 ? generalise(ctx, staging->tree_fd) : r;
}

static int build(struct lb_context *ctx, const struct recipe *recipe, const char *name, const char *mirror)
{
	CLEANUP_STAGING struct staging staging = STAGING_EMPTY;
	CLEANUP(generation_record_free)
	struct generation_record record = {
		.recipe = strdup(recipe->name),
		.halt_signal = strdup(recipe->halt_signal),
		.reboot_signal = strdup(recipe->reboot_signal),
	};
	int r;

	if (!record.recipe || !record.halt_signal || !record.reboot_signal)
		return fail_memory(ctx);
	r = staging_begin(ctx, name, &staging);
	if (r == 0)
		r = make_tree(ctx, recipe, mirror, &staging);
	return r == 0 ? staging_publish(&staging, &record) : r;
}

/* A mirror becomes an argument of a program and a line of a file. */
static int check_mirror(struct lb_context *ctx, const char *mirror)
{
	for (const char *p = mirror; *p; p++)
		if ((unsigned char)*p <= ' ')
			return fail(ctx, -LB_ERR_BAD_VALUE, "a mirror's URL has no spaces or control characters");
	if (*mirror && (*mirror == '-' || !strstr(mirror, ":/")))
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "\"%s\" is not the URL of a mirror: it begins with http://, https:// or "
			    "file:/",
			    mirror);
	return 0;
}

static int build_base(struct lb_context *ctx, const char *recipe_name, const struct lb_base_options *options)
{
	CLEANUP(recipe_free) struct recipe recipe = { 0 };
	const char *mirror, *name;
	int r = CHECK_INPUT(ctx, options, lb_base_options);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = recipe_load(ctx, recipe_name, &recipe);
	if (r < 0)
		return r;
	name = options && options->name ? options->name : recipe.name;
	if (recipe.method == RECIPE_METHOD_STACK && options && options->mirror)
		return fail(ctx, -LB_ERR_BAD_VALUE,
			    "%s is a stack: its packages come from where those of its parent, %s, come from",
			    recipe.name, recipe.parent);
	mirror = options && options->mirror ? options->mirror : ctx->config.mirror;
	r = name_check(ctx, "base", name);
	if (r == 0)
		r = check_mirror(ctx, mirror);
	if (r < 0)
		return r;
	return recipe.method == RECIPE_METHOD_STACK ? stack_build(ctx, &recipe, name)
						    : build(ctx, &recipe, name, mirror);
}

int lb_base_build(struct lb_context *ctx, const char *recipe_name, const struct lb_base_options *options)
{
	const char *name = options && options->name ? options->name : recipe_name;

	return event_of(ctx, "base-build", "", build_base(ctx, recipe_name, options), name);
}
