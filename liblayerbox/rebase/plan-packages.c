/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packages: which side each is on, and how those of the container's side stay as they were over another base. */
#include <fcntl.h>

#include "../util/tree.h"
#include "plan.h"

#define STATUS "var/lib/dpkg/status"
#define INFO "var/lib/dpkg/info"

enum { STATUS_BYTES_MAX = 64 << 20 };

/* ---- the databases ---- */

static int read_status(struct planning *planning, const struct view *view, const char *whose, char **ret_text)
{
	int r = view_read(view, STATUS, STATUS_BYTES_MAX, ret_text);

	if (r == 0 || r == -ENOENT)
		return 0;
	return fail(planning->ctx, -LB_ERR_DAMAGED, "/" STATUS " of %s cannot be read (%s): mend it first", whose,
		    r == -EINVAL ? "it is no file of text" : strerrordesc_np(-r));
}

/* dpkg writes to updates/ before it writes to status: where something is left there, it was killed. */
static int refuse_unfinished(struct planning *planning)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = view_list(&planning->views.own, "var/lib/dpkg/updates", &names);

	if (r < 0)
		return fail_errno(planning->ctx, r, "cannot read /var/lib/dpkg/updates of container '%s'",
				  planning->rebase->name);
	if (names.count == 0)
		return 0;
	return fail(planning->ctx, -LB_ERR_CONFLICT,
		    "dpkg was interrupted in container '%s': start it and run `dpkg --configure -a` in it first",
		    planning->rebase->name);
}

int plan_packages(struct planning *planning)
{
	CLEANUP_FREE char *old = NULL;
	CLEANUP_FREE char *new = NULL;
	CLEANUP_FREE char *own = NULL;
	struct three_texts texts;
	char error[512];
	int r = read_status(planning, &planning->views.old, planning->rebase->from, &old);

	if (r == 0)
		r = read_status(planning, &planning->views.new, planning->rebase->to, &new);
	if (r == 0)
		r = read_status(planning, &planning->views.own, planning->rebase->name, &own);
	if (r == 0)
		r = refuse_unfinished(planning);
	if (r < 0)
		return r;
	texts = (struct three_texts){ .old = old, .new = new, .own = own };
	r = plan_merge(planning, &texts, error, sizeof error);
	if (r == -EINVAL)
		return fail(planning->ctx, -LB_ERR_CONFLICT, "container '%s' cannot be rebased: %s",
			    planning->rebase->name, error);
	for (size_t i = 0; r == 0 && i < planning->packages.count; i++) {
		const struct package_decision *package = &planning->packages.decisions[i];

		if (package->own && !package->before && !package->after)
			r = text_list_add(&planning->rebase->own_packages, package->name);
	}
	if (r == 0)
		r = ownership_load(&planning->views, &planning->packages, &planning->ownership);
	if (r == -E2BIG)
		return fail(planning->ctx, -LB_ERR_DAMAGED,
			    "the package lists in /" INFO
			    " of container '%s' name more files than a system can have: mend "
			    "them first",
			    planning->rebase->name);
	return r < 0 ? fail_errno(planning->ctx, r, "cannot read the package lists of container '%s'",
				  planning->rebase->name) : 0;
}

const struct package_decision *plan_package_of_info(const struct planning *planning, const char *path)
{
	const char *file = text_after(path, INFO "/"), *dot = file ? strrchr(file, '.') : NULL;
	CLEANUP_FREE char *name = dot ? strndup(file, (size_t)(dot - file)) : NULL;

	return name ? package_merge_find(&planning->packages, name) : NULL;
}

/* ---- what does not show through from the new base, and should ---- */

static bool is_in_opaque(const struct planning *planning, const char *path)
{
	for (size_t i = 0; i < planning->opaque.count; i++) {
		const char *rest = text_after(path, planning->opaque.items[i]);

		if (rest && *rest == '/')
			return true;
	}
	return false;
}

/*
 * A directory of the container's hides it: it gets a copy, unless something is there already, which was judged by
 * itself.
 */
static void uncover(struct planning *planning, const char *path)
{
	CLEANUP_FD int top_fd = -1;
	CLEANUP_FD int new_fd = -1;

	if (!is_in_opaque(planning, path))
		return;
	top_fd = tree_open_beneath(planning->top_fd, path, O_PATH);
	new_fd = tree_open_beneath(planning->new_fd, path, O_PATH);
	if (top_fd == -ENOENT && new_fd >= 0)
		changes_add_copy(&planning->rebase->changes, CHANGE_COPY_NEW, path, path, NULL);
}

static int uncover_info(struct planning *planning)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = view_list(&planning->views.new, INFO, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FREE char *path = text_format(INFO "/%s", names.items[i]);
		const struct package_decision *package = path ? plan_package_of_info(planning, path) : NULL;

		if (!path)
			return -ENOMEM;
		if (package && package->side == PACKAGE_BASE)
			uncover(planning, path);
	}
	return r;
}

/* What the container's version of a package had, and the container has no more, it has deleted. */
int plan_covered_packages(struct planning *planning)
{
	int r = planning->opaque.count ? uncover_info(planning) : 0;

	for (size_t i = 0; planning->opaque.count && i < planning->ownership.count; i++) {
		const struct owned_path *owned = &planning->ownership.paths[i];

		if (owned->package->side == PACKAGE_BASE && owned->in_new && !owned->in_own)
			uncover(planning, owned->path);
	}
	return r < 0 ? fail_errno(planning->ctx, r, "cannot compare the packages of container '%s' with its base",
				  planning->rebase->name) : 0;
}

/* ---- what shows through from the new base, and must not ---- */

static int look(const struct view *view, const char *path, int *ret_parent_fd, struct entry *ret_entry)
{
	const char *name;
	int fd = view_open_base_parent(view, path, &name);

	*ret_parent_fd = fd < 0 ? -1 : fd;
	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
		return fd;
	return entry_look(*ret_parent_fd, name, ret_entry);
}

/* The container saw old's @path, or nothing; with the new base below it shall see that still. */
static int preserve(struct planning *planning, const char *path)
{
	CLEANUP_FD int old_parent = -1;
	CLEANUP_FD int new_parent = -1;
	struct entry old, new;
	int r = look(&planning->views.old, path, &old_parent, &old);

	if (r == 0)
		r = look(&planning->views.new, path, &new_parent, &new);
	if (r < 0)
		return r;
	if ((new.there &&S_ISDIR(new.st.st_mode)) || (old.there && S_ISDIR(old.st.st_mode)) ||
	    (!old.there && !new.there))
		return 0;
	r = entry_same(&old, &new);
	if (r)
		return r < 0 ? r : 0;
	r = view_top_decides(&planning->views.own, path);
	if (r)
		return r < 0 ? r : 0;
	if (old.there)
		changes_add_copy(&planning->rebase->changes, CHANGE_COPY_OLD, path, path, NULL);
	else
		changes_add(&planning->rebase->changes, CHANGE_WHITEOUT, path);
	return 0;
}

static int preserve_info(struct planning *planning)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = view_list(&planning->views.old, INFO, &names);

	if (r == 0)
		r = view_list(&planning->views.new, INFO, &names);
	text_list_sort(&names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FREE char *path = text_format(INFO "/%s", names.items[i]);
		const struct package_decision *package = path ? plan_package_of_info(planning, path) : NULL;

		if (!path)
			return -ENOMEM;
		if (i && text_equal(names.items[i], names.items[i - 1]))
			continue;
		if (package && package->side == PACKAGE_TOP)
			r = preserve(planning, path);
	}
	return r;
}

static bool any_of_top(const struct package_merge *packages)
{
	for (size_t i = 0; i < packages->count; i++)
		if (packages->decisions[i].side == PACKAGE_TOP &&
		    (packages->decisions[i].before || packages->decisions[i].after))
			return true;
	return false;
}

int plan_top_packages(struct planning *planning)
{
	int r = 0;

	if (!any_of_top(&planning->packages))
		return 0;
	for (size_t i = 0; r == 0 && i < planning->ownership.count; i++) {
		const struct owned_path *owned = &planning->ownership.paths[i];

		if (owned->package->side == PACKAGE_TOP && (owned->in_old || owned->in_new))
			r = preserve(planning, owned->path);
	}
	if (r == 0)
		r = preserve_info(planning);
	return r < 0 ? fail_errno(planning->ctx, r, "cannot compare the packages of container '%s' with its base",
				  planning->rebase->name) : 0;
}
