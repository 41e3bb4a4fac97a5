/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "installed.h"

#include "../util/tree.h"

/* What is needed of a stanza: values, which point into it. */
struct stanza {
	char *package, *status, *version, *architecture, *multi_arch;
};

void installed_free(struct installed *installed)
{
	free(installed->packages);
	text_list_free(&installed->names);
	free(installed->text);
	*installed = (struct installed){ 0 };
}

static void set_field(struct stanza *stanza, char *line)
{
	static const char *const names[] = { "Package:", "Status:", "Version:", "Architecture:", "Multi-Arch:" };
	char **const values[] = { &stanza->package, &stanza->status, &stanza->version, &stanza->architecture,
				  &stanza->multi_arch };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(line, names[i], n) == 0)
			*values[i] = text_printable(text_trim(line + n));
	}
}

/* "install ok installed": the third word is what it is, the first what is wanted. */
static bool is_installed(const char *status)
{
	const char *word = strrchr(status, ' ');

	return word && (text_equal(word, " installed") || text_equal(word, " triggers-pending") ||
			text_equal(word, " triggers-awaited"));
}

static int end_stanza(struct installed *installed, struct stanza *stanza)
{
	struct installed_package *packages;
	int r;

	if (!stanza->package || !stanza->version || !stanza->status || !is_installed(stanza->status)) {
		*stanza = (struct stanza){ 0 };
		return 0;
	}
	if (stanza->multi_arch && stanza->architecture && text_equal(stanza->multi_arch, "same"))
		r = text_list_format(&installed->names, "%s:%s", stanza->package, stanza->architecture);
	else
		r = text_list_add(&installed->names, stanza->package);
	packages = reallocarray(installed->packages, installed->count + 1, sizeof *packages);
	if (packages)
		installed->packages = packages;
	if (r < 0 || !packages)
		return -ENOMEM;
	packages[installed->count].name = installed->names.items[installed->names.count - 1];
	packages[installed->count++].version = stanza->version;
	*stanza = (struct stanza){ 0 };
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct installed_package *)a)->name, ((const struct installed_package *)b)->name);
}

int installed_parse(char *text, struct installed *ret_installed)
{
	CLEANUP_INSTALLED struct installed installed = { .text = text };
	struct stanza stanza = { 0 };
	int r = 0;

	while (r == 0 && text && *text) {
		char *line = strsep(&text, "\n");

		if (!*line)
			r = end_stanza(&installed, &stanza);
		else if (*line != ' ' && *line != '\t')
			set_field(&stanza, line);
	}
	if (r == 0)
		r = end_stanza(&installed, &stanza);
	if (r < 0)
		return r;
	if (installed.count > 1)
		qsort(installed.packages, installed.count, sizeof *installed.packages, compare_names);
	*ret_installed = installed;
	installed = (struct installed){ 0 };
	return 0;
}

int installed_read(struct lb_context *ctx, int tree_fd, const char *what, struct installed *ret_installed)
{
	char *text = NULL;
	int r = tree_read_in_root(tree_fd, INSTALLED_FILE, INSTALLED_BYTES_MAX, &text);

	if (r == -ENOENT || r == -ENOTDIR) {
		*ret_installed = (struct installed){ 0 };
		return 0;
	}
	if (r < 0)
		return fail_errno(ctx, r, "cannot read /" INSTALLED_FILE " of %s", what);
	return installed_parse(text, ret_installed) < 0 ? fail_memory(ctx) : 0;
}

size_t installed_compare(const struct installed *before, const struct installed *after, lb_difference_fn fn,
			 void *userdata)
{
	size_t i = 0, j = 0, count = 0;

	while (i < before->count || j < after->count) {
		const struct installed_package *old = i < before->count ? &before->packages[i] : NULL;
		const struct installed_package *new = j < after->count ? &after->packages[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->name, new->name);
		struct lb_difference difference = { .size = sizeof difference };

		i += order <= 0;
		j += order >= 0;
		if (order == 0 && text_equal(old->version, new->version))
			continue;
		difference.package = order <= 0 ? old->name : new->name;
		difference.before = order <= 0 ? old->version : NULL;
		difference.after = order >= 0 ? new->version : NULL;
		if (fn)
			fn(&difference, userdata);
		count++;
	}
	return count;
}
