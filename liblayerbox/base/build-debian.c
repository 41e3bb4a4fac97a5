/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build.h"

#include <fcntl.h>

#include "../util/file.h"
#include "../util/spawn.h"
#include "../util/tree.h"
#include "bootstrap-output.h"

#define SOURCES "etc/apt/sources.list"

enum { SOURCES_BYTES_MAX = 65536 };

struct bootstrap {
	struct lb_context *ctx;
	const struct recipe *recipe;
	const char *mirror;           /* "" for the program's own */
	struct staging *staging;
};

static int join(const struct text_list *list, char **ret_text)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	for (size_t i = 0; i < list->count; i++)
		buffer_format(&text, "%s%s", i ? "," : "", list->items[i]);
	*ret_text = buffer_finish(&text);
	return *ret_text ? 0 : -ENOMEM;
}

static int add_source(const struct bootstrap *bootstrap, const char *url, const char *suffix, const char *suite,
		      struct text_list *lines)
{
	CLEANUP_BUFFER struct buffer line = { 0 };

	if (!suite)
		return 0;
	buffer_add_text(&line, "deb ");
	if (bootstrap->recipe->keyring)
		buffer_format(&line, "[signed-by=%s] ", bootstrap->recipe->keyring);
	buffer_format(&line, "%s%s %s", url, suffix, suite);
	for (size_t i = 0; i < bootstrap->recipe->components.count; i++)
		buffer_format(&line, " %s", bootstrap->recipe->components.items[i]);
	return line.failed ? -ENOMEM : text_list_add(lines, line.data);
}

/*
 * The lines of sources.list for a mirror: the bootstrap programs would take the release alone, without the
 * updates that mend it. Security updates lie beside a mirror: .../debian and .../debian-security.
 */
static int list_sources(const struct bootstrap *bootstrap, const char *url, bool with_security, struct text_list *lines)
{
	const struct recipe *recipe = bootstrap->recipe;
	CLEANUP_FREE char *trimmed = strdup(url);
	int r;

	if (!trimmed)
		return -ENOMEM;
	for (size_t n = strlen(trimmed); n > 1 && trimmed[n - 1] == '/'; n--)
		trimmed[n - 1] = '\0';
	r = add_source(bootstrap, trimmed, "", recipe->suite, lines);
	if (r == 0)
		r = add_source(bootstrap, trimmed, "", recipe->updates, lines);
	if (r == 0 && with_security)
		r = add_source(bootstrap, trimmed, "-security", recipe->security, lines);
	return r;
}

/* ---- failures ---- */

static int failed(const struct bootstrap *bootstrap, const char *program, int status,
		  const struct bootstrap_output *output)
{
	struct lb_context *ctx = bootstrap->ctx;
	CLEANUP_FREE char *words = bootstrap_output_words(output, output->unreachable ? 1 : COMPLAINTS_MAX);

	if (!words)
		return fail_memory(ctx);
	if (output->no_space)
		return fail(ctx, -ENOSPC, "there is no space left on the device of %s: base '%s' needs about 500 MB",
			    ctx->config.root, bootstrap->staging->name);
	if (output->unreachable)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED,
			    "cannot build base '%s': %s cannot be reached (%s). Look at the host's network and name "
			    "server, or give another mirror with --mirror URL; `layerbox base build busybox` needs no "
			    "network",
			    bootstrap->staging->name, *bootstrap->mirror ? bootstrap->mirror : "the Debian mirror",
			    words);
	return fail(ctx, -LB_ERR_PROGRAM_FAILED, "cannot build base '%s': %s failed with status %d: %s",
		    bootstrap->staging->name, program, status, words);
}

static int run(const struct bootstrap *bootstrap, const struct text_list *argv, const char *tmpdir,
	       struct bootstrap_output *ret_output, int *ret_status)
{
	struct spawn_options options = { .own_namespaces = true, .on_line = bootstrap_output_line };
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	int r;

	if (build_environment(tmpdir, &env) < 0)
		return fail_memory(bootstrap->ctx);
	*ret_output = (struct bootstrap_output){ .ctx = bootstrap->ctx };
	options.env = (const char *const *)env.items;
	options.userdata = ret_output;
	r = spawn_run((const char *const *)argv->items, &options, ret_status, NULL);
	return r < 0 ? fail_errno(bootstrap->ctx, r, "cannot run %s", argv->items[0]) : 0;
}

/* What both programs take alike: @command, and which packages are wanted. */
static int common_arguments(const struct recipe *recipe, const char *command, struct text_list *argv)
{
	CLEANUP_FREE char *components = NULL;
	CLEANUP_FREE char *packages = NULL;
	int r = join(&recipe->components, &components);

	if (r == 0)
		r = join(&recipe->packages, &packages);
	if (r == 0)
		r = text_list_add_words(argv, command);
	if (r == 0)
		r = text_list_format(argv, "--variant=%s", recipe->variant ? recipe->variant : "minbase");
	if (r == 0)
		r = text_list_format(argv, "--components=%s", components);
	if (r == 0 && *packages)
		r = text_list_format(argv, "--include=%s", packages);
	return r;
}

/* ---- mmdebstrap ---- */

static int mmdebstrap_arguments(const struct bootstrap *bootstrap, bool with_security, struct text_list *argv)
{
	const struct recipe *recipe = bootstrap->recipe;
	int r = common_arguments(recipe, "mmdebstrap --mode=root --format=directory --verbose", argv);

	if (r == 0)
		r = text_list_add(argv, recipe->suite);
	if (r == 0)
		r = text_list_add(argv, bootstrap->staging->tree);
	if (r == 0 && *bootstrap->mirror)
		r = list_sources(bootstrap, bootstrap->mirror, with_security, argv);
	return r;
}

static int mmdebstrap(const struct bootstrap *bootstrap, bool with_security)
{
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	struct bootstrap_output output;
	int status, r;

	if (mmdebstrap_arguments(bootstrap, with_security, &argv) < 0)
		return fail_memory(bootstrap->ctx);
	r = run(bootstrap, &argv, bootstrap->staging->scratch, &output, &status);
	if (r < 0 || status == 0)
		return r;
	if (!output.not_found || !with_security || !*bootstrap->mirror || !bootstrap->recipe->security)
		return failed(bootstrap, argv.items[0], status, &output);
	/* Not every mirror has security updates beside it. */
	log_message(bootstrap->ctx, LB_LOG_WARNING,
		    "the mirror %s has no security updates beside it (%s-security): the base is built without them",
		    bootstrap->mirror, bootstrap->mirror);
	r = staging_restart(bootstrap->staging);
	return r < 0 ? r : mmdebstrap(bootstrap, false);
}

/* ---- debootstrap ---- */

static int debootstrap_arguments(const struct bootstrap *bootstrap, struct text_list *argv)
{
	const struct recipe *recipe = bootstrap->recipe;
	int r = common_arguments(recipe, "debootstrap", argv);

	if (r == 0 && recipe->keyring)
		r = text_list_format(argv, "--keyring=%s", recipe->keyring);
	if (r == 0)
		r = text_list_add(argv, recipe->suite);
	if (r == 0)
		r = text_list_add(argv, bootstrap->staging->tree);
	if (r == 0 && *bootstrap->mirror)
		r = text_list_add(argv, bootstrap->mirror);
	return r;
}

/* debootstrap has written "deb URL SUITE COMPONENTS" with the mirror that it used. */
static int find_used_mirror(const struct bootstrap *bootstrap, char url[512])
{
	CLEANUP_FREE char *text = NULL;
	const char *name;
	CLEANUP_FD int parent = tree_open_parent_in_root(bootstrap->staging->tree_fd, SOURCES, &name);
	int r = parent < 0 ? parent : file_read(parent, name, SOURCES_BYTES_MAX, &text, NULL);

	if (r == 0 && sscanf(text, "deb %511s", url) == 1)
		return 0;
	return fail(bootstrap->ctx, -LB_ERR_PROGRAM_FAILED,
		    "debootstrap left no mirror in /" SOURCES " of the new base");
}

static int write_sources(const struct bootstrap *bootstrap, const char *url, bool with_security)
{
	CLEANUP_TEXT_LIST struct text_list lines = { 0 };
	CLEANUP_BUFFER struct buffer text = { 0 };
	const char *name;
	CLEANUP_FD int parent = tree_open_parent_in_root(bootstrap->staging->tree_fd, SOURCES, &name);
	int r = list_sources(bootstrap, url, with_security, &lines);

	for (size_t i = 0; i < lines.count; i++)
		buffer_format(&text, "%s\n", lines.items[i]);
	if (r == 0 && text.failed)
		r = -ENOMEM;
	if (r == 0 && parent < 0)
		r = parent;
	if (r == 0)
		r = file_write(parent, name, text.data, text.length, 0644, FILE_LAZY);
	return r < 0 ? fail_errno(bootstrap->ctx, r, "cannot write /" SOURCES " of the new base") : 0;
}

/* debootstrap takes one suite; the updates come with apt in the tree, for which it has left a resolv.conf. */
static int debootstrap_updates(const struct bootstrap *bootstrap)
{
	struct lb_context *ctx = bootstrap->ctx;
	const char *update = "/usr/bin/apt-get -q update --error-on=any";
	char url[512] = "";
	int r = find_used_mirror(bootstrap, url);

	if (r == 0)
		r = write_sources(bootstrap, url, true);
	if (r == 0)
		r = build_run_inside(ctx, bootstrap->staging, update);
	if (r == -LB_ERR_PROGRAM_FAILED) {
		log_message(ctx, LB_LOG_WARNING,
			    "no security updates at %s-security, the base is built without them: %s", url, ctx->error);
		r = write_sources(bootstrap, url, false);
		if (r == 0)
			r = build_run_inside(ctx, bootstrap->staging, update);
	}
	if (r == 0)
		r = build_run_inside(ctx, bootstrap->staging, "/usr/bin/apt-get -q -y dist-upgrade");
	return r < 0 ? r : build_run_inside(ctx, bootstrap->staging, "/usr/bin/apt-get clean");
}

static int debootstrap(const struct bootstrap *bootstrap)
{
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	struct bootstrap_output output;
	int status, r;

	if (debootstrap_arguments(bootstrap, &argv) < 0)
		return fail_memory(bootstrap->ctx);
	/* No TMPDIR: it would reach the packages' scripts, which run in the tree. */
	r = run(bootstrap, &argv, NULL, &output, &status);
	if (r < 0)
		return r;
	return status == 0 ? debootstrap_updates(bootstrap) : failed(bootstrap, argv.items[0], status, &output);
}

int build_debian(struct lb_context *ctx, const struct recipe *recipe, const char *mirror, struct staging *staging)
{
	const struct bootstrap bootstrap = { .ctx = ctx, .recipe = recipe, .mirror = mirror, .staging = staging };
	CLEANUP_FREE char *path = NULL;

	if (recipe->keyring && access(recipe->keyring, R_OK) < 0)
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "%s, which signs Debian's packages, is not there; "
			    "`apt install debian-archive-keyring`",
			    recipe->keyring);
	if (spawn_find("mmdebstrap", &path))
		return mmdebstrap(&bootstrap, true);
	if (spawn_find("debootstrap", &path))
		return debootstrap(&bootstrap);
	return fail(ctx, -LB_ERR_NO_PROGRAM,
		    "building a Debian base needs mmdebstrap; `apt install mmdebstrap`. "
		    "`layerbox base build busybox` needs only busybox-static");
}
