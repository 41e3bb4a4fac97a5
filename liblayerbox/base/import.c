/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A base from someone else's tree. The tree is hostile: it is unpacked by a helper program, nothing in it is
 * ever executed, and every file of it is opened as if it were the root.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "../adapters/rights.h"
#include "../events/event.h"
#include "../util/spawn.h"
#include "../util/tree.h"
#include "generalise.h"
#include "import.h"
#include "lay.h"

#define HELPER PKGLIBEXECDIR "/layerbox-archive"

/* A directory that contains the root would be copied into itself without end. */
static int refuse_ancestor(struct lb_context *ctx, const char *source, const struct stat *source_st, int tree_fd)
{
	CLEANUP_FD int fd = openat(tree_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	while (fd >= 0 && fstat(fd, &st) == 0) {
		int parent;

		if (st.st_ino == source_st->st_ino && st.st_dev == source_st->st_dev)
			return fail(ctx, -EINVAL, "cannot import %s: it contains %s, where the copy would go", source,
				    ctx->config.root);
		if (fstatat(fd, "..", &above, 0) < 0 || (above.st_ino == st.st_ino && above.st_dev == st.st_dev))
			return 0;
		parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close_fd(fd);
		fd = parent;
	}
	return fail_errno(ctx, errno, "cannot look above %s", ctx->config.root);
}

static int unpack(struct lb_context *ctx, const char *source, const struct staging *staging, void *data)
{
	const struct stat *st = data;
	bool is_directory = S_ISDIR(st->st_mode);
	const char *const argv[] = { HELPER, is_directory ? "copy" : "unpack", "--", source, staging->tree, NULL };
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status, r = is_directory ? refuse_ancestor(ctx, source, st, staging->tree_fd) : 0;

	if (r < 0)
		return r;
	progress(ctx, -1, "copying %s", source);
	r = spawn_run(argv, &options, &status, &output);
	if (r == -ENOENT)
		return fail(ctx, -LB_ERR_NO_PROGRAM, "the program " HELPER " is missing; install layerbox again");
	if (r < 0)
		return fail_errno(ctx, r, "cannot run " HELPER);
	if (status != 0)
		return fail(ctx, status == 2 ? -ENOSPC : -LB_ERR_PROGRAM_FAILED, "cannot import %s: %.1000s", source,
			    *output ? text_printable(text_trim(output)) : "the helper program was killed");
	return 0;
}

static bool has(int tree_fd, const char *path)
{
	CLEANUP_FD int fd = tree_open_in_root(tree_fd, path, O_PATH, 0);

	return fd >= 0;
}

/* Lays over it what the tree's init needs in a container, and says how that init is stopped. */
static int adapt(struct lb_context *ctx, const char *source, int tree_fd, struct generation_record *record)
{
	CLEANUP(recipe_free) struct recipe part = { 0 };
	const char *halt = "SIGPWR", *reboot = "SIGINT";
	enum init_kind init = init_detect(tree_fd);
	int r;

	if (!has(tree_fd, "bin") && !has(tree_fd, "usr/bin"))
		return fail(ctx, -EINVAL, "%s is not the root of a system: it has neither /bin nor /usr/bin at its top",
			    source);
	if (init == INIT_NONE)
		return fail(ctx, -EINVAL,
			    "%s cannot be started as a container: it has no /sbin/init. A tree made for "
			    "application containers needs one, such as systemd-sysv or busybox",
			    source);
	if (init == INIT_BUSYBOX)
		halt = "SIGUSR2", reboot = "SIGTERM";
	if (init == INIT_SYSTEMD) {
		r = recipe_load_part(ctx, "systemd", &part);
		if (r == 0)
			r = lay_recipe(ctx, &part, tree_fd);
		if (r < 0)
			return r;
		halt = part.halt_signal ? part.halt_signal : "SIGRTMIN+3";
		reboot = part.reboot_signal ? part.reboot_signal : "SIGRTMIN+5";
	}
	record->recipe = strdup("import");
	record->halt_signal = strdup(halt);
	record->reboot_signal = strdup(reboot);
	return record->recipe && record->halt_signal && record->reboot_signal ? 0 : fail_memory(ctx);
}

int base_import_with(struct lb_context *ctx, const char *name, const char *source, import_fill_fn fill, void *data)
{
	CLEANUP_STAGING struct staging staging = STAGING_EMPTY;
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	int r = staging_begin(ctx, name, &staging);

	if (r == 0)
		r = fill(ctx, source, &staging, data);
	if (r == 0)
		r = adapt(ctx, source, staging.tree_fd, &record);
	if (r == 0)
		r = generalise(ctx, staging.tree_fd);
	return r < 0 ? r : staging_publish(&staging, &record);
}

static int import(struct lb_context *ctx, const char *name, const char *source)
{
	struct stat st;
	int r = name_check(ctx, "base", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r < 0)
		return r;
	if (stat(source, &st) < 0)
		return fail_errno(ctx, errno, "cannot import %s", source);
	return base_import_with(ctx, name, source, unpack, &st);
}

int lb_base_import(struct lb_context *ctx, const char *name, const char *source)
{
	return event_of(ctx, "base-import", "", import(ctx, name, source), name);
}
