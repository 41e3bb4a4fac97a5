/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <fcntl.h>
#include <stdio.h>

#include "../adapters/rights.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "../snapshot/fold.h"
#include "../util/file.h"
#include "../util/tree.h"

enum { OS_RELEASE_BYTES_MAX = 65536 };

static void planning_free(struct planning *planning)
{
	close_fd(planning->old_fd);
	close_fd(planning->new_fd);
	close_fd(planning->top_fd);
	layer_draft_end(&planning->folded);
	ownership_free(&planning->ownership);
	package_merge_free(&planning->packages);
	answers_free(&planning->answers);
	text_list_free(&planning->handled);
	text_list_free(&planning->alternatives);
	text_list_free(&planning->opaque);
}

static void rebase_cleanup(struct lb_rebase **rebase)
{
	lb_rebase_free(*rebase);
}

bool plan_is_handled(const struct planning *planning, const char *path)
{
	return text_list_has_sorted(&planning->handled, path);
}

/* ---- the trees ---- */

/* Where there are layers below it, one of all of them, to look at. */
static int open_top(struct planning *planning, int directory_fd, const struct record *record)
{
	const char *name = planning->rebase->name;
	int r = 0;

	if (!record->layers.count) {
		planning->top_fd = openat(directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} else {
		r = layers_fold_to_look(planning->ctx, directory_fd, name, record, &planning->folded);
		planning->top_fd = r < 0 ? -1 : fcntl(planning->folded.tree_fd, F_DUPFD_CLOEXEC, 0);
	}
	if (r == 0 && planning->top_fd < 0)
		r = fail_errno(planning->ctx, errno, "cannot open the top layer of container '%s'", name);
	return r;
}

static int open_trees(struct planning *planning, int directory_fd, const struct record *record)
{
	struct lb_context *ctx = planning->ctx;
	int r;

	planning->old_fd = base_open_tree(ctx, record->base, record->generation);
	if (planning->old_fd < 0)
		return planning->old_fd;
	planning->new_fd = base_open_tree(ctx, planning->rebase->to_base, planning->rebase->to_generation);
	if (planning->new_fd < 0)
		return planning->new_fd;
	r = open_top(planning, directory_fd, record);
	if (r < 0)
		return r;
	planning->views = (struct three_views){
		.old = { .base_fd = planning->old_fd, .top_fd = -1 },
		.new = { .base_fd = planning->new_fd, .top_fd = -1 },
		.own = { .base_fd = planning->old_fd, .top_fd = planning->top_fd },
	};
	return 0;
}

/* ---- another release? ---- */

/* ID and VERSION_ID (testing has none, so VERSION_CODENAME as well) of os-release(5), as one text. */
static char *release_of(int tree_fd)
{
	static const char *const keys[] = { "ID=", "VERSION_ID=", "VERSION_CODENAME=" };
	CLEANUP_BUFFER struct buffer release = { 0 };
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	buffer_add_text(&release, "");
	if (tree_read_in_root(tree_fd, "etc/os-release", OS_RELEASE_BYTES_MAX, &text) < 0)
		return buffer_finish(&release);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			if (text_after(line, keys[i]))
				buffer_format(&release, "%s%s", release.length ? " " : "", line);
	return buffer_finish(&release);
}

static int compare_releases(struct planning *planning)
{
	CLEANUP_FREE char *old = release_of(planning->old_fd);
	CLEANUP_FREE char *new = release_of(planning->new_fd);
	struct lb_rebase *rebase = planning->rebase;

	if (!old || !new)
		return fail_memory(planning->ctx);
	rebase->other_release = !text_equal(old, new);
	if (rebase->other_release)
		report_add(&rebase->report, LB_REBASE_RELEASE, LB_REBASE_CONFLICT, rebase->to,
			   "is another release of the distribution (%s, not %s): nothing that the packages' scripts "
			   "convert "
			   "between releases is converted",
			   text_printable(new), text_printable(old));
	return 0;
}

/* ---- the plan ---- */

static int resolve_target(struct lb_context *ctx, const struct record *record, const char *to, struct lb_rebase *rebase)
{
	struct lb_base *base;
	int r = base_open(ctx, text_empty(to) ? record->base : to, &base);

	if (r < 0)
		return r;
	text_copy(rebase->to_base, sizeof rebase->to_base, base->name);
	rebase->to_generation = base->generation;
	snprintf(rebase->from, sizeof rebase->from, "%s@%u", record->base, record->generation);
	snprintf(rebase->to, sizeof rebase->to, "%s@%u", base->name, base->generation);
	rebase->same = text_equal(rebase->from, rebase->to);
	r = base_hold(base, &rebase->base_fd, &rebase->generation_fd);
	lb_base_free(base);
	return r;
}

static int plan(struct planning *planning, int directory_fd, const struct record *record)
{
	int r = open_trees(planning, directory_fd, record);

	if (r == 0)
		r = answers_load(planning->ctx, &planning->answers);
	if (r == 0)
		r = compare_releases(planning);
	if (r == 0)
		r = plan_packages(planning);
	if (r == 0)
		r = plan_databases(planning);
	if (r == 0)
		r = plan_made_files(planning);
	if (r == 0)
		r = plan_files(planning);
	if (r == 0)
		r = plan_diverted(planning);
	if (r == 0)
		r = plan_top_packages(planning);
	if (r == 0)
		r = plan_covered_packages(planning);
	if (r == 0)
		r = plan_tasks(planning);
	if (r == 0 && (planning->rebase->report.failed || planning->rebase->changes.failed))
		r = fail_memory(planning->ctx);
	return r;
}

int plan_make(struct lb_context *ctx, const char *name, int directory_fd, const struct record *record, const char *to,
	      enum plan_fetch fetch, bool even_if_same, struct lb_rebase **ret_rebase)
{
	CLEANUP(rebase_cleanup) struct lb_rebase *rebase = calloc(1, sizeof *rebase);
	struct planning planning = {
		.ctx = ctx, .rebase = rebase, .fetch = fetch, .old_fd = -1, .new_fd = -1, .top_fd = -1,
		.folded = LAYER_DRAFT_EMPTY,
	};
	int r = rebase ? 0 : fail_memory(ctx);

	if (r < 0)
		return r;
	rebase->base_fd = rebase->generation_fd = -1;
	text_copy(rebase->name, sizeof rebase->name, name);
	r = resolve_target(ctx, record, to, rebase);
	if (r == 0 && (even_if_same || !rebase->same))
		r = plan(&planning, directory_fd, record);
	planning_free(&planning);
	if (r < 0)
		return r;
	r = rebase->same ? 1 : 0;
	*ret_rebase = TAKE_PTR(rebase);
	return r;
}

int plan_only(struct lb_context *ctx, const char *name, const char *to, enum plan_fetch fetch,
	      struct lb_rebase **ret_rebase)
{
	CLEANUP_FREE char *directory = NULL;
	CLEANUP_FD int fd = -1;
	struct record record = { 0 };
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	if (r == 0)
		r = store_open(ctx);
	if (r < 0)
		return r;
	directory = store_path(ctx, STORE_CONTAINERS "/%s", name);
	fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	r = record_read(ctx, fd, name, &record);
	if (r < 0)
		return r;
	r = plan_make(ctx, name, fd, &record, to, fetch, false, ret_rebase);
	record_free(&record);
	return r;
}

int lb_rebase_plan(struct lb_context *ctx, const char *name, const char *to, struct lb_rebase **ret_rebase)
{
	return plan_only(ctx, name, to, PLAN_FETCH_NOT, ret_rebase);
}

void lb_rebase_free(struct lb_rebase *rebase)
{
	if (!rebase)
		return;
	close_fd(rebase->base_fd);
	close_fd(rebase->generation_fd);
	report_free(&rebase->report);
	changes_free(&rebase->changes);
	text_list_free(&rebase->own_packages);
	text_list_free(&rebase->debs);
	text_list_free(&rebase->commands);
	free(rebase);
}

const char *lb_rebase_get_name(const struct lb_rebase *rebase)
{
	return rebase->name;
}

const char *lb_rebase_get_from(const struct lb_rebase *rebase)
{
	return rebase->from;
}

const char *lb_rebase_get_to(const struct lb_rebase *rebase)
{
	return rebase->to;
}

const struct lb_rebase_item *lb_rebase_get_item(const struct lb_rebase *rebase, size_t index)
{
	return index < rebase->report.count ? &rebase->report.items[index] : NULL;
}

size_t lb_rebase_get_conflicts(const struct lb_rebase *rebase)
{
	return rebase->report.conflicts;
}

const char *lb_rebase_kind_name(enum lb_rebase_kind kind)
{
	static const char *const names[] = { "release", "package", "account", "file", "task" };

	return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

const char *lb_rebase_outcome_name(enum lb_rebase_outcome outcome)
{
	static const char *const names[] = { "follows", "stays", "merged", "beside", "done", "reported", "conflict" };

	return (unsigned)outcome < sizeof names / sizeof *names ? names[outcome] : "unknown";
}
