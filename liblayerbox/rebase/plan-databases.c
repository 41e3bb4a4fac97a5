/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that are lists of entries: merged entry by entry, each by its own rule. */
#include <fcntl.h>

#include "accounts.h"
#include "alternatives.h"
#include "keyed-merge.h"
#include "../util/tree.h"
#include "plan.h"

#define DPKG "var/lib/dpkg/"
#define ALTERNATIVES DPKG "alternatives"
#define TRIGGERS DPKG "triggers"

enum { DATABASE_BYTES_MAX = 64 << 20 };

/* The three versions of a file, with the memory they are in. */
struct versions {
	char *old, *new, *own;
	bool in_top;                  /* else own is old's, and there is nothing to merge */
};

static void versions_free(struct versions *versions)
{
	free(versions->old);
	free(versions->new);
	free(versions->own);
}

#define CLEANUP_VERSIONS CLEANUP(versions_free)

static struct three_texts texts_of(const struct versions *versions)
{
	return (struct three_texts){ .old = versions->old, .new = versions->new, .own = versions->own };
}

static int read_one(struct planning *planning, const struct view *view, const char *whose, const char *path,
		    char **ret_text)
{
	int r = view_read(view, path, DATABASE_BYTES_MAX, ret_text);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (r == -EINVAL || r == -EFBIG)
		return fail(planning->ctx, -LB_ERR_DAMAGED, "/%s of %s is %s: mend it first", path, whose,
			    r == -EFBIG ? "larger than 64 MiB" : "no file of text");
	return fail_errno(planning->ctx, r, "cannot read /%s of %s", path, whose);
}

static int read_versions(struct planning *planning, const char *path, struct versions *ret_versions)
{
	CLEANUP_FREE char *whose = text_format("container '%s'", planning->rebase->name);
	int r = view_top_decides(&planning->views.own, path);

	if (!whose)
		return fail_memory(planning->ctx);
	if (r < 0)
		return fail_errno(planning->ctx, r, "cannot look for /%s of %s", path, whose);
	ret_versions->in_top = r;
	if (!r)
		return 0;
	r = read_one(planning, &planning->views.old, planning->rebase->from, path, &ret_versions->old);
	if (r == 0)
		r = read_one(planning, &planning->views.new, planning->rebase->to, path, &ret_versions->new);
	return r == 0 ? read_one(planning, &planning->views.own, whose, path, &ret_versions->own) : r;
}

/* Mode and owner as in the container, else as in the new base. */
static int stat_like(struct planning *planning, const char *path, struct stat *ret_like)
{
	CLEANUP_FD int own = view_open(&planning->views.own, path, 0);
	CLEANUP_FD int new = own < 0 ? view_open(&planning->views.new, path, 0) : -1;

	if (own < 0 && new < 0)
		*ret_like = (struct stat){ .st_mode = S_IFREG | 0644 };
	else if (fstat(own < 0 ? new : own, ret_like) < 0)
		return fail_errno(planning->ctx, errno, "cannot look at /%s", path);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? text_equal(a, b) : a == b;
}

/* The container's own, or its whiteout, goes, where it has one. */
static void take_away(struct planning *planning, const char *path)
{
	CLEANUP_FD int fd = tree_open_beneath(planning->top_fd, path, O_PATH);

	if (fd >= 0)
		changes_add(&planning->rebase->changes, CHANGE_DROP, path);
}

/*
 * Plans that @path has @merged; NULL: that it is not there. Where a directory hides the base's, the base's has to be
 * copied.
 */
static int put(struct planning *planning, const char *path, char *merged, const struct versions *versions)
{
	struct changes *changes = &planning->rebase->changes;
	CLEANUP_FREE char *text = merged;
	int covered = view_is_covered(&planning->views.own, path), r;
	struct stat like;

	if (covered < 0)
		return fail_errno(planning->ctx, covered, "cannot look for /%s", path);
	if (text_list_add(&planning->handled, path) < 0)
		return fail_memory(planning->ctx);
	if (same_text(text, versions->new) && !(covered && text)) {
		if (versions->in_top)
			take_away(planning, path);
		return 0;
	}
	if (!text) {
		covered ? take_away(planning, path) : changes_add(changes, CHANGE_WHITEOUT, path);
		return 0;
	}
	r = stat_like(planning, path, &like);
	if (r == 0)
		changes_add_data(changes, path, TAKE_PTR(text), strlen(merged), &like);
	return r;
}

/* ---- what dpkg and its kin keep ---- */

static int merge_status(struct planning *planning)
{
	CLEANUP_VERSIONS struct versions versions = { 0 };
	int r = read_versions(planning, DPKG "status", &versions);
	char *status;

	if (r < 0 || !versions.in_top)
		return r;
	status = strdup(planning->packages.status ? planning->packages.status : "");
	return status ? put(planning, DPKG "status", status, &versions) : fail_memory(planning->ctx);
}

static bool has_damaged_states(const char *text)
{
	const struct three_texts alone = { .own = text };
	CLEANUP_FREE char *merged = NULL;

	return extended_states_merge(&alone, &merged) == -EINVAL;
}

static int refuse_extended_states(struct planning *planning, const char *path, const struct versions *versions)
{
	CLEANUP_FREE char *own = text_format("container '%s'", planning->rebase->name);
	const char *whose = own;

	if (!own)
		return fail_memory(planning->ctx);
	if (!has_damaged_states(versions->own))
		whose = has_damaged_states(versions->new) ? planning->rebase->to : planning->rebase->from;
	return fail(planning->ctx, -LB_ERR_DAMAGED,
		    "/%s of %s is damaged: a stanza has no Package, or a line is no `Name: value`; mend it first", path,
		    whose);
}

static int merge_extended_states(struct planning *planning)
{
	static const char path[] = "var/lib/apt/extended_states";
	CLEANUP_VERSIONS struct versions versions = { 0 };
	int r = read_versions(planning, path, &versions);
	struct three_texts texts;
	char *merged = NULL;

	if (r < 0 || !versions.in_top)
		return r;
	texts = texts_of(&versions);
	r = extended_states_merge(&texts, &merged);
	if (r == -EINVAL)
		return refuse_extended_states(planning, path, &versions);
	if (r < 0)
		return fail_memory(planning->ctx);
	return put(planning, path, merged, &versions);
}

static int merge_keyed(struct planning *planning, enum keyed_form form, const char *path)
{
	CLEANUP_VERSIONS struct versions versions = { 0 };
	int r = read_versions(planning, path, &versions);
	struct three_texts texts;
	char *merged;

	/* What the container has deleted stays deleted; what it has not because a directory hides it, it gets. */
	if (r < 0 || !versions.in_top || (!versions.own && (versions.old || !versions.new)))
		return r;
	texts = texts_of(&versions);
	if (keyed_merge(form, &texts, &merged) < 0)
		return fail_memory(planning->ctx);
	return put(planning, path, merged, &versions);
}

/*
 * The names in a directory of the top layer; whiteouts are not among them, but what the new base has and the layer
 * hides. Sorted; twice in both.
 */
static int list_top(struct planning *planning, const char *path, struct text_list *names)
{
	const struct view top = { .base_fd = planning->top_fd, .top_fd = -1 };
	CLEANUP_FREE char *inside = text_format("%s/.", path);
	int r = inside ? view_list(&top, path, names) : -ENOMEM;

	if (r == 0)
		r = view_is_covered(&planning->views.own, inside);
	if (r == 1)
		r = view_list(&planning->views.new, path, names);
	return r < 0 ? fail_errno(planning->ctx, r, "cannot read /%s of container '%s'", path, planning->rebase->name)
		     : 0;
}

/* triggers/File, triggers/Unincorp, and a file for each named trigger: lines that are their own keys. */
static int merge_triggers(struct planning *planning)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = list_top(planning, TRIGGERS, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FREE char *path = text_format(TRIGGERS "/%s", names.items[i]);

		if (!path)
			return fail_memory(planning->ctx);
		if (!text_equal(names.items[i], "Lock") && !(i && text_equal(names.items[i], names.items[i - 1])))
			r = merge_keyed(planning, KEYED_LINES, path);
	}
	return r;
}

static int merge_alternative(struct planning *planning, const char *name)
{
	CLEANUP_FREE char *path = text_format(ALTERNATIVES "/%s", name);
	CLEANUP_VERSIONS struct versions versions = { 0 };
	bool automatic = false;
	struct three_texts texts;
	char *merged = NULL;
	int r = path ? read_versions(planning, path, &versions) : fail_memory(planning->ctx);

	if (r < 0)
		return r;
	texts = texts_of(&versions);
	r = alternative_merge(&texts, &merged, &automatic);
	if (r == -EINVAL) /* the walk over files tells of it, and keeps the container's */
		return 0;
	if (r == 0 && automatic && text_list_add(&planning->alternatives, name) < 0)
		r = -ENOMEM;
	if (r < 0) {
		free(merged);
		return fail_memory(planning->ctx);
	}
	return put(planning, path, merged, &versions);
}

static int merge_alternatives(struct planning *planning)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = list_top(planning, ALTERNATIVES, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (i == 0 || !text_equal(names.items[i], names.items[i - 1]))
			r = merge_alternative(planning, names.items[i]);
	return r;
}

/* ---- accounts ---- */

static int merge_accounts(struct planning *planning)
{
	struct versions versions[ACCOUNT_FILES] = { 0 };
	struct three_texts texts[ACCOUNT_FILES];
	char *merged[ACCOUNT_FILES] = { 0 };
	bool any = false;
	int r = 0;

	for (enum account_file i = 0; r == 0 && i < ACCOUNT_FILES; i++) {
		r = read_versions(planning, account_file_path(i), &versions[i]);
		any = any || versions[i].in_top;
	}
	/* Numbers are compared between files: what the top layer has not is read as well. */
	for (enum account_file i = 0; r == 0 && any && i < ACCOUNT_FILES; i++) {
		const char *path = account_file_path(i);

		if (!versions[i].in_top) {
			r = read_one(planning, &planning->views.old, planning->rebase->from, path, &versions[i].old);
			if (r == 0)
				r = read_one(planning, &planning->views.new, planning->rebase->to, path,
					     &versions[i].new);
			if (r == 0)
				r = read_one(planning, &planning->views.old, planning->rebase->from, path,
					     &versions[i].own);
		}
		texts[i] = texts_of(&versions[i]);
	}
	if (r == 0 && any)
		r = accounts_merge(texts, &planning->rebase->report, merged) < 0 ? fail_memory(planning->ctx) : 0;
	for (enum account_file i = 0; i < ACCOUNT_FILES; i++) {
		if (r == 0 && any && (versions[i].in_top || !same_text(merged[i], versions[i].new)))
			r = put(planning, account_file_path(i), TAKE_PTR(merged[i]), &versions[i]);
		free(merged[i]);
		versions_free(&versions[i]);
	}
	return r;
}

/* ---- all of them ---- */

int plan_databases(struct planning *planning)
{
	static const struct {
		enum keyed_form form;
		const char *path;
	} keyed[] = {
		{ KEYED_DIVERSIONS, DPKG "diversions" },
		{ KEYED_STATOVERRIDE, DPKG "statoverride" },
		{ KEYED_DEBCONF, "var/cache/debconf/config.dat" },
		{ KEYED_DEBCONF, "var/cache/debconf/templates.dat" },
		{ KEYED_UCF_HASHES, "var/lib/ucf/hashfile" },
		{ KEYED_UCF_REGISTRY, "var/lib/ucf/registry" },
	};
	int r = merge_status(planning);

	if (r == 0)
		r = merge_extended_states(planning);
	for (size_t i = 0; r == 0 && i < sizeof keyed / sizeof *keyed; i++)
		r = merge_keyed(planning, keyed[i].form, keyed[i].path);
	if (r == 0)
		r = merge_triggers(planning);
	if (r == 0)
		r = merge_alternatives(planning);
	if (r == 0)
		r = merge_accounts(planning);
	text_list_sort(&planning->handled);
	return r;
}
