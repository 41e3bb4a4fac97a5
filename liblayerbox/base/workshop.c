/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "workshop.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "../util/attributes.h"
#include "build.h"
#include "generalise.h"
#include "seal.h"

static int make_layers(struct workshop *shop)
{
	struct lb_context *ctx = shop->ctx;
	CLEANUP_FD int scratch = open(shop->staging->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (scratch < 0 || mkdirat(scratch, shop->upper, 0700) < 0 || mkdirat(scratch, shop->work, 0700) < 0)
		return fail_errno(ctx, errno, "cannot make layers in %s", shop->staging->scratch);
	shop->upper_fd = openat(scratch, shop->upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (shop->upper_fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", shop->upper_path);
	/* overlayfs shows what the upper layer's own directory has. */
	r = attributes_copy(shop->lower_fd, shop->upper_fd);
	return r < 0 ? fail_errno(ctx, r, "cannot give attributes to %s", shop->upper_path) : 0;
}

int workshop_open(struct staging *staging, const char *lower, unsigned number, struct workshop *shop)
{
	struct lb_context *ctx = staging->ctx;

	shop->ctx = ctx;
	shop->staging = staging;
	snprintf(shop->upper, sizeof shop->upper, "upper%u", number);
	snprintf(shop->work, sizeof shop->work, "work%u", number);
	shop->lower = strdup(lower);
	shop->upper_path = text_format("%s/%s", staging->scratch, shop->upper);
	if (!shop->lower || !shop->upper_path)
		return fail_memory(ctx);
	shop->lower_fd = open(lower, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (shop->lower_fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", lower);
	return make_layers(shop);
}

void workshop_close(struct workshop *shop)
{
	close_fd(take_fd(&shop->upper_fd));
	close_fd(take_fd(&shop->lower_fd));
	free(TAKE_PTR(shop->upper_path));
	free(TAKE_PTR(shop->lower));
}

/* That of a build, with the programs for accounts in front, for apt as well. */
static int make_environment(struct text_list *env)
{
	CLEANUP_TEXT_LIST struct text_list usual = { 0 };
	int r = build_environment(NULL, &usual);

	if (r == 0)
		r = text_list_add(env, "APT_CONFIG=" INSIDE_APT_CONFIG);
	for (size_t i = 0; r == 0 && i < usual.count; i++) {
		const char *path = text_after(usual.items[i], "PATH=");

		if (path)
			r = text_list_format(env, "PATH=" INSIDE_PATH ":%s", path);
		else if (!text_after(usual.items[i], "APT_CONFIG="))
			r = text_list_add(env, usual.items[i]);
	}
	return r;
}

int workshop_run(const struct workshop *shop, const char *const *argv, spawn_line_fn on_line, void *userdata,
		 int *ret_status, char **ret_output)
{
	const char *const lowers[] = { shop->lower, NULL };
	uint32_t first = shop->is_stack ? NUMBERS_STACK_FIRST : NUMBERS_BASE_FIRST;
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	struct inside inside = {
		.lowers = lowers,
		.layers = shop->staging->scratch,
		.upper = shop->upper,
		.work = shop->work,
		.network = true,
		.ids_first = first,
		.ids_last = first + NUMBERS_COUNT - 1,
		.script = shop->script,
		.on_line = on_line,
		.userdata = userdata,
	};

	if (make_environment(&env) < 0)
		return fail_memory(shop->ctx);
	inside.env = (const char *const *)env.items;
	return inside_run(shop->ctx, &inside, argv, ret_status, ret_output);
}

int workshop_run_command(const struct workshop *shop, const char *const *argv, const char *what)
{
	struct lb_context *ctx = shop->ctx;
	CLEANUP_FREE char *output = NULL;
	int status, r;

	progress(ctx, -1, "running %s", what);
	r = workshop_run(shop, argv, NULL, NULL, &status, &output);
	if (r < 0)
		return r;
	if (status != 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "`%s` failed in base '%s' with status %d: %.500s", what,
			    shop->staging->name, status, *output ? text_last_line(output) : "it said nothing");
	return 0;
}

int workshop_seal(const struct workshop *shop, int other_fd, size_t *ret_changes)
{
	const struct seal_trees trees = {
		.lower_fd = shop->lower_fd,
		.upper_fd = shop->upper_fd,
		.other_fd = other_fd,
		.out_fd = shop->staging->tree_fd,
	};
	int r;

	progress(shop->ctx, -1, "making it generic");
	/* The tree below is generic already: what the rules take from the upper layer shows as it is there. */
	r = generalise(shop->ctx, shop->upper_fd);
	if (r == 0)
		progress(shop->ctx, -1, "putting it together");
	return r < 0 ? r : seal(shop->ctx, &trees, ret_changes);
}
