/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "apt.h"

#include <fcntl.h>

#include "../util/tree.h"
#include "bootstrap-output.h"

#define APT_GET "/usr/bin/apt-get"

/* What one apt-get prints, and what is wanted of it. */
struct run {
	struct bootstrap_output output;
	bool quiet;                   /* no progress: what is fetched are not packages */
	struct text_list *security;   /* or NULL */
};

bool apt_is_there(int tree_fd)
{
	CLEANUP_FD int fd = tree_open_in_root(tree_fd, APT_GET, O_PATH, 0);

	return fd >= 0;
}

/*
 * Of a simulation: "Inst libc6 [2.36-9+deb12u3] (2.36-9+deb12u7 Debian-Security:12/stable-security [amd64])". A package
 * that is in several archives names all of them.
 */
static void take_origin(struct text_list *security, const char *line)
{
	const char *name = text_after(line, "Inst "), *origins = name ? strchr(name, '(') : NULL;

	if (origins && (strstr(origins, "-Security:") || strstr(origins, "-security")))
		text_list_format(security, "%.*s", (int)strcspn(name, " :"), name);
}

static void on_line(const char *line, void *userdata)
{
	struct run *run = userdata;

	if (run->security)
		take_origin(run->security, line);
	if (!run->quiet || text_after(line, "E: "))
		bootstrap_output_line(line, &run->output);
}

static int failed(const struct workshop *shop, const char *what, int status, const struct bootstrap_output *output)
{
	struct lb_context *ctx = shop->ctx;
	CLEANUP_FREE char *words = bootstrap_output_words(output, output->unreachable ? 1 : COMPLAINTS_MAX);

	if (!words)
		return fail_memory(ctx);
	if (output->no_space)
		return fail(ctx, -ENOSPC, "there is no space left on the device of %s for a generation of base '%s'",
			    ctx->config.root, shop->staging->name);
	return fail(ctx, -LB_ERR_PROGRAM_FAILED, "`apt-get %s` failed in base '%s' with status %d: %s%s", what,
		    shop->staging->name, status, words,
		    output->unreachable ? ". Look at the host's network and name server, and at the base's /etc/apt"
					: "");
}

/* @words: options and the command, split at spaces; @packages (may be NULL) behind it. */
static int run_apt(const struct workshop *shop, const char *words, const struct text_list *packages, struct run *run)
{
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	const char *space = strrchr(words, ' ');
	int status, r = text_list_add_words(&argv, APT_GET " -q -y");

	if (r == 0)
		r = text_list_add_words(&argv, words);
	for (size_t i = 0; r == 0 && packages && i < packages->count; i++)
		r = text_list_add(&argv, packages->items[i]);
	if (r < 0)
		return fail_memory(shop->ctx);
	run->output.ctx = shop->ctx;
	r = workshop_run(shop, (const char *const *)argv.items, on_line, run, &status, &output);
	if (r < 0)
		return r;
	return status == 0 ? 0 : failed(shop, space ? space + 1 : words, status, &run->output);
}

/* @what: the command and its options. Files that an operator has changed stay as they are. */
static int change(const struct workshop *shop, const char *what, const struct text_list *packages,
		  struct text_list *security)
{
	CLEANUP_FREE char *simulation = text_format("-s -o APT::Install-Recommends=false %s", what);
	CLEANUP_FREE char *command = text_format("-o APT::Install-Recommends=false -o Dpkg::Options::=--force-confdef "
						 "-o Dpkg::Options::=--force-confold %s",
						 what);
	struct run update = { .quiet = true }, look = { .quiet = true, .security = security }, run = { 0 },
		   last = { 0 };
	int r;

	if (!simulation || !command)
		return fail_memory(shop->ctx);
	progress(shop->ctx, -1, "fetching package lists");
	/* By default what cannot be fetched is a warning, and nothing would be upgraded. */
	r = run_apt(shop, "-o APT::Update::Error-Mode=any update", NULL, &update);
	if (r == 0)
		r = run_apt(shop, simulation, packages, &look);
	if (r == 0)
		r = run_apt(shop, command, packages, &run);
	return r < 0 ? r : run_apt(shop, "clean", NULL, &last);
}

int apt_upgrade(const struct workshop *shop, struct text_list *security)
{
	return change(shop, "full-upgrade", NULL, security);
}

int apt_install(const struct workshop *shop, const struct text_list *packages, struct text_list *security)
{
	return change(shop, "install", packages, security);
}
