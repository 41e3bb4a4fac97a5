/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps containers from what their bases have: the plan of a rebase to the newest generation, read for that. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "deb-version.h"
#include "package-changes.h"
#include "plan.h"

/* As many containers have to carry a package, and half of all, before it is said to belong into a stack. */
enum { CARRIERS_MIN = 3 };

struct carrier {
	const char *package;
	uint64_t containers;
};

struct audit {
	struct lb_context *ctx;
	lb_audit_fn fn;
	void *userdata;
	struct text_list carried;     /* the own packages of each container */
	uint64_t containers;
	bool found;
	int first_failure;
	char first_error[ERROR_MAX];
};

static void audit_free(struct audit *audit)
{
	text_list_free(&audit->carried);
}

static void tell(struct audit *audit, const char *container, const char *kind, const char *subject, const char *text,
		 uint64_t bytes)
{
	const struct lb_audit_item item = {
		.size = sizeof item,
		.container = container,
		.kind = kind,
		.subject = subject,
		.text = text,
		.bytes = bytes,
	};

	audit->found = true;
	audit->fn(&item, audit->userdata);
}

/* ---- one container ---- */

/* Where the container's own hides something that a security update of the base's changed, that is what counts. */
static void tell_item(struct audit *audit, const struct lb_rebase *rebase, const struct lb_rebase_item *item,
		      const struct package_changes *changes)
{
	bool is_package = item->kind == LB_REBASE_PACKAGE;
	const char *package = is_package ? item->subject : item->package;
	bool hides = item->hides || (is_package && item->outcome == LB_REBASE_STAYS && item->own && item->after &&
				     deb_version_compare(item->own, item->after) < 0);

	if (item->kind == LB_REBASE_FILE && item->outcome == LB_REBASE_FOLLOWS)
		tell(audit, rebase->name, "wasted", item->subject, item->text, item->bytes);
	else if (hides && package && text_list_has(&changes->security, package))
		tell(audit, rebase->name, "hidden-security", item->subject, item->text, item->bytes);
	else if (hides)
		tell(audit, rebase->name, "frozen", item->subject, item->text, item->bytes);
}

static int note_carriers(struct audit *audit, const struct lb_rebase *rebase)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rebase->own_packages.count; i++)
		r = text_list_add(&audit->carried, rebase->own_packages.items[i]);
	return r;
}

static int examine_record(struct audit *audit, const char *name, int fd, const struct record *record)
{
	struct package_changes changes = { 0 };
	struct lb_rebase *rebase = NULL;
	int r = plan_make(audit->ctx, name, fd, record, NULL, PLAN_FETCH_NOT, true, &rebase);

	if (r >= 0)
		r = package_changes_load(audit->ctx, record->base, 0, rebase->to_generation, &changes);
	if (r >= 0) {
		for (size_t i = 0; i < rebase->report.count; i++)
			tell_item(audit, rebase, &rebase->report.items[i], &changes);
		if (note_carriers(audit, rebase) < 0)
			r = fail_memory(audit->ctx);
	}
	package_changes_free(&changes);
	lb_rebase_free(rebase);
	return r < 0 ? r : 0;
}

static int examine(struct audit *audit, const char *name)
{
	CLEANUP_FREE char *directory = store_path(audit->ctx, STORE_CONTAINERS "/%s", name);
	CLEANUP_FD int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	struct record record = { 0 };
	int r = name_check(audit->ctx, "container", name);

	if (r == 0)
		r = record_read(audit->ctx, fd, name, &record);
	if (r < 0)
		return r;
	r = examine_record(audit, name, fd, &record);
	record_free(&record);
	audit->containers += r == 0;
	return r;
}

/* ---- all of them ---- */

static int by_containers(const void *a, const void *b)
{
	const struct carrier *first = a, *second = b;

	if (first->containers != second->containers)
		return first->containers > second->containers ? -1 : 1;
	return strcmp(first->package, second->package);
}

/* Sorted and counted, which no number of packages makes slow. */
static int tell_candidates(struct audit *audit)
{
	CLEANUP_FREE struct carrier *carriers = calloc(audit->carried.count + 1, sizeof *carriers);
	size_t count = 0;

	if (!carriers)
		return fail_memory(audit->ctx);
	text_list_sort(&audit->carried);
	for (size_t i = 0; i < audit->carried.count; i++) {
		const char *package = audit->carried.items[i];

		if (count == 0 || !text_equal(carriers[count - 1].package, package))
			carriers[count++].package = package;
		carriers[count - 1].containers++;
	}
	qsort(carriers, count, sizeof *carriers, by_containers);
	for (size_t i = 0; i < count; i++) {
		const struct carrier *carrier = &carriers[i];
		struct lb_audit_item item = { .size = sizeof item, .kind = "stack", .subject = carrier->package };

		if (carrier->containers < CARRIERS_MIN || 2 * carrier->containers < audit->containers)
			break;
		item.text = "so many containers have it in their own layers that it belongs into a stack";
		item.containers = carrier->containers;
		audit->found = true;
		audit->fn(&item, audit->userdata);
	}
	return 0;
}

static bool is_there(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);

	return directory && access(directory, F_OK) == 0;
}

/* One that cannot be looked at keeps nobody from the others: it is told, and fails all of it in the end. */
static void examine_one_of_many(struct audit *audit, const char *name, bool was_there)
{
	int r = examine(audit, name);

	if (r == 0 || (r == -LB_ERR_NO_CONTAINER && was_there && !is_there(audit->ctx, name)))
		return;
	log_message(audit->ctx, LB_LOG_WARNING, "container '%s' is left out: %s", name, audit->ctx->error);
	if (audit->first_failure)
		return;
	audit->first_failure = r;
	text_copy(audit->first_error, sizeof audit->first_error, audit->ctx->error);
}

/* Those that are deleted while others are looked at are passed by. */
static int examine_many(struct audit *audit, const char *const *names)
{
	CLEANUP_TEXT_LIST struct text_list there = { 0 };

	for (; *names; names++) {
		if (!is_there(audit->ctx, *names))
			examine_one_of_many(audit, *names, false);
		else if (text_list_add(&there, *names) < 0)
			return fail_memory(audit->ctx);
	}
	for (size_t i = 0; i < there.count; i++)
		examine_one_of_many(audit, there.items[i], true);
	return 0;
}

int lb_audit(struct lb_context *ctx, const char *const *names, lb_audit_fn fn, void *userdata)
{
	CLEANUP(audit_free) struct audit audit = { .ctx = ctx, .fn = fn, .userdata = userdata };
	int r = rights_require_root(ctx);

	if (r == 0)
		r = store_open(ctx);
	if (r == 0 && *names)
		r = names[1] ? examine_many(&audit, names) : examine(&audit, *names);
	if (r == 0)
		r = tell_candidates(&audit);
	if (r < 0)
		return r;
	if (audit.first_failure)
		return fail(ctx, audit.first_failure, "%s", audit.first_error);
	return audit.found ? 0 : 1;
}
