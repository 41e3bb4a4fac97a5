/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "debs-apt.h"

#include <errno.h>
#include <fcntl.h>

#include "../adapters/inside.h"
#include "../util/file.h"
#include "../util/slice.h"
#include "apt.h"
#include "bootstrap-output.h"
#include "build.h"

#define ANSWER "answer"

enum { ANSWER_BYTES_MAX = 64 << 20 };

struct apt {
	const struct lb_base *base;
	const char *layers;
	int layers_fd;
	const char *const *env;
};

/* ---- running ---- */

/* What goes wrong stands in lines of errors only. */
static void on_line(const char *line, void *userdata)
{
	if (text_after(line, "E: "))
		bootstrap_output_line(line, userdata);
}

/* The program's standard output into the file ANSWER, where that is wanted. */
static int run(const struct apt *apt, const char *words, const struct text_list *packages, bool answer)
{
	struct lb_context *ctx = apt->base->ctx;
	const char *const lowers[] = { apt->base->directory, NULL };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FD int fd = -1;
	struct bootstrap_output output = { .ctx = ctx };
	struct inside inside = { .lowers = lowers,
				 .layers = apt->layers,
				 .upper = DEBS_UPPER,
				 .work = DEBS_WORK,
				 .network = true,
				 .env = apt->env,
				 .on_line = on_line,
				 .userdata = &output };
	CLEANUP_FREE char *why = NULL;
	int status, r = text_list_add_words(&argv, words);

	for (size_t i = 0; r == 0 && packages && i < packages->count; i++)
		r = text_list_add(&argv, packages->items[i]);
	if (r < 0)
		return fail_memory(ctx);
	if (answer) {
		fd = openat(apt->layers_fd, ANSWER, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0)
			return fail_errno(ctx, errno, "cannot make a file in %s", apt->layers);
		inside.output_fd = fd;
	}
	r = inside_run(ctx, &inside, (const char *const *)argv.items, &status, NULL);
	if (r < 0 || status == 0)
		return r;
	if (output.no_space)
		return fail(ctx, -ENOSPC, "there is no space left on the device of %s for packages of %s@%u",
			    ctx->config.root, apt->base->name, apt->base->generation);
	why = bootstrap_output_words(&output, output.unreachable ? 1 : COMPLAINTS_MAX);
	return fail(ctx, -LB_ERR_PROGRAM_FAILED, "`%s` failed in base %s@%u with status %d: %s%s", words,
		    apt->base->name, apt->base->generation, status, why ? why : "out of memory",
		    output.unreachable ? ". Look at the host's network and name server, and at the base's /etc/apt"
				       : "");
}

static int ask(const struct apt *apt, const char *words, const struct text_list *packages, char **ret_answer)
{
	int r = run(apt, words, packages, true);

	if (r == 0 && file_read(apt->layers_fd, ANSWER, ANSWER_BYTES_MAX, ret_answer, NULL) < 0)
		r = fail(apt->base->ctx, -LB_ERR_PROGRAM_FAILED, "`%s` gave no proper answer in base %s@%u", words,
			 apt->base->name, apt->base->generation);
	return r;
}

/* ---- choosing ---- */

/*
 * dpkg's rule, but for capitals and underscores, which no package of a distribution has: names come from a container,
 * and become arguments of the base's apt. Lower case letters, digits and -+. with a letter or digit in front, each part
 * of PACKAGE[:ARCH].
 */
static bool is_argument(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *colon = strchr(name, ':');

	if (!*name || !strchr(letters, *name) || (colon && (!colon[1] || !strchr(letters, colon[1]))))
		return false;
	for (; *name; name++)
		if (!strchr(letters, *name) && !strchr("-+.", *name) && name != colon)
			return false;
	return true;
}

static int find_names(const struct text_list *wanted, struct text_list *names)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->count; i++) {
		CLEANUP_FREE char *name = strndup(wanted->items[i], strcspn(wanted->items[i], "="));

		if (!name)
			return -ENOMEM;
		if (is_argument(name))
			r = text_list_add(names, name);
	}
	return r;
}

/* What stands behind @prefix, up to the next space; empty where the line does not begin so. */
static struct slice word_after(struct slice line, const char *prefix)
{
	size_t length = strlen(prefix);
	struct slice rest = { 0 };

	if (line.length > length && slice_is(slice_head(line, length), prefix))
		rest = slice_tail(line, length);
	return slice_head(rest, slice_until(rest, ' '));
}

/*
 * What apt-cache policy says of one package: `PACKAGE[:ARCH]:`, and indented behind it `Candidate: VERSION` and a table
 * with lines `     VERSION PRIORITY`. *ret_version: the one that is asked for where there is that, else apt's
 * candidate; empty where there is none.
 */
static void choose(const char *policy, const char *word, struct slice *ret_version)
{
	struct slice rest = slice_of(policy), name = slice_head(slice_of(word), strcspn(word, "="));
	const char *asked = strchr(word, '=');
	bool here = false;

	*ret_version = (struct slice){ 0 };
	while (rest.length) {
		struct slice line = slice_head(rest, slice_until(rest, '\n'));
		struct slice candidate = word_after(line, "  Candidate: ");

		rest = slice_tail(rest, line.length < rest.length ? line.length + 1 : line.length);
		if (line.length && line.data[0] != ' ')
			here = line.data[line.length - 1] == ':' &&
			       slice_equal(slice_head(line, line.length - 1), name);
		else if (here && candidate.length && !slice_is(candidate, "(none)"))
			*ret_version = candidate;
		else if (here && asked && slice_is(word_after(line, "     "), asked + 1))
			*ret_version = slice_of(asked + 1);
	}
}

static int choose_all(const char *policy, const struct text_list *wanted, struct text_list *chosen)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->count; i++) {
		const char *word = wanted->items[i];
		struct slice version;

		choose(policy, word, &version);
		if (version.length)
			r = text_list_format(chosen, "%.*s=%.*s", (int)strcspn(word, "="), word, SLICE_ARGS(version));
	}
	return r;
}

/* ---- all of it ---- */

static int download(const struct apt *apt, const struct text_list *names, const struct text_list *wanted,
		    struct text_list *ret_chosen, char **ret_stanzas)
{
	struct lb_context *ctx = apt->base->ctx;
	CLEANUP_FREE char *policy = NULL;
	int r;

	progress(ctx, -1, "fetching package lists of %s@%u", apt->base->name, apt->base->generation);
	/* By default what cannot be fetched is a warning. */
	r = run(apt, "/usr/bin/apt-get -q -y -o APT::Update::Error-Mode=any update", NULL, false);
	if (r == 0)
		r = ask(apt, "/usr/bin/apt-cache policy", names, &policy);
	if (r < 0)
		return r;
	if (choose_all(policy, wanted, ret_chosen) < 0)
		return fail_memory(ctx);
	if (ret_chosen->count == 0)
		return 0;
	progress(ctx, -1, "downloading %zu packages from the sources of %s@%u", ret_chosen->count, apt->base->name,
		 apt->base->generation);
	r = ask(apt, "/usr/bin/apt-cache show", ret_chosen, ret_stanzas);
	return r < 0 ? r : run(apt, "/usr/bin/apt-get -q -y download", ret_chosen, false);
}

int debs_download(const struct lb_base *base, const char *layers, int layers_fd, const struct text_list *wanted,
		  struct text_list *ret_chosen, char **ret_stanzas)
{
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int tree_fd = open(base->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct apt apt = { .base = base, .layers = layers, .layers_fd = layers_fd };

	if (tree_fd < 0)
		return fail_errno(base->ctx, errno, "cannot open %s", base->directory);
	if (find_names(wanted, &names) < 0 || build_environment(NULL, &env) < 0)
		return fail_memory(base->ctx);
	if (names.count == 0 || !apt_is_there(tree_fd))
		return 0;
	apt.env = (const char *const *)env.items;
	return download(&apt, &names, wanted, ret_chosen, ret_stanzas);
}
