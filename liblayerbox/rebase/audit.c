/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keeps containers from what their bases have: the plan of a rebase to the newest generation, read for that. */
#include <fcntl.h>
#include <stdio.h>

#include "../adapters/rights.h"
#include "../core/store.h"
#include "../util/array.h"
#include "deb-version.h"
#include "package-changes.h"
#include "plan.h"

/* As many containers have to carry a package, and half of all, before it is said to belong into a stack. */
enum { CARRIERS_MIN = 3 };

struct carrier {
	char *package;
	uint64_t containers;
};

struct audit {
	struct lb_context *ctx;
	lb_audit_fn fn;
	void *userdata;
	struct carrier *carriers;
	size_t count, capacity;
	uint64_t containers;
	bool found;
};

static void audit_free(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++)
		free(audit->carriers[i].package);
	free(audit->carriers);
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
	for (size_t i = 0; i < rebase->own_packages.count; i++) {
		const char *name = rebase->own_packages.items[i];
		size_t k = 0;

		while (k < audit->count && !text_equal(audit->carriers[k].package, name))
			k++;
		if (k == audit->count) {
			struct carrier *carriers =
				array_grow(audit->carriers, audit->count, &audit->capacity, sizeof *carriers);

			if (!carriers)
				return -ENOMEM;
			audit->carriers = carriers;
			audit->carriers[k] = (struct carrier){ .package = strdup(name) };
			if (!audit->carriers[k].package)
				return -ENOMEM;
			audit->count++;
		}
		audit->carriers[k].containers++;
	}
	return 0;
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
	audit->containers++;
	r = examine_record(audit, name, fd, &record);
	record_free(&record);
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

static void tell_candidates(struct audit *audit)
{
	if (audit->count)
		qsort(audit->carriers, audit->count, sizeof *audit->carriers, by_containers);
	for (size_t i = 0; i < audit->count; i++) {
		const struct carrier *carrier = &audit->carriers[i];
		struct lb_audit_item item = { .size = sizeof item, .kind = "stack", .subject = carrier->package };

		if (carrier->containers < CARRIERS_MIN || 2 * carrier->containers < audit->containers)
			break;
		item.text = "so many containers have it in their own layers that it belongs into a stack";
		item.containers = carrier->containers;
		audit->found = true;
		audit->fn(&item, audit->userdata);
	}
}

int lb_audit(struct lb_context *ctx, const char *const *names, lb_audit_fn fn, void *userdata)
{
	CLEANUP(audit_free) struct audit audit = { .ctx = ctx, .fn = fn, .userdata = userdata };
	int r = rights_require_root(ctx);

	if (r == 0)
		r = store_open(ctx);
	for (; r == 0 && *names; names++)
		r = examine(&audit, *names);
	if (r < 0)
		return r;
	tell_candidates(&audit);
	return audit.found ? 0 : 1;
}
