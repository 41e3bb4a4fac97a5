/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packages, merged; and packages of the container's own that would break brought to versions that fit. Which ones
 * these are is known only step by step: what is brought may break others.
 */
#include "plan.h"

#include "../base/debs.h"

/* Those that were not asked for yet; 1 where there are none. */
static int add_wanted(struct text_list *asked, const struct text_list *wanted)
{
	size_t before = asked->count;

	for (size_t i = 0; i < wanted->count; i++)
		if (!text_list_has(asked, wanted->items[i]) && text_list_add(asked, wanted->items[i]) < 0)
			return -ENOMEM;
	return asked->count == before;
}

static int merge_fetched(struct planning *planning, const struct three_texts *status, const struct text_list *asked,
			 char *error, size_t error_size)
{
	struct lb_rebase *rebase = planning->rebase;
	CLEANUP_FREE char *fetched = NULL;
	int r = debs_fetch(planning->ctx, rebase->to_base, rebase->to_generation, asked,
			   planning->fetch == PLAN_FETCH_NOW, &fetched);

	if (r < 0)
		return r;
	package_merge_free(&planning->packages);
	return packages_merge_fetching(status, PACKAGES_FETCHED, fetched, &rebase->report, &planning->packages, error,
				       error_size);
}

int plan_merge(struct planning *planning, const struct three_texts *status, char *error, size_t error_size)
{
	struct report *report = &planning->rebase->report;
	const enum packages_fetch fetch = planning->fetch == PLAN_FETCH_NOT ? PACKAGES_FETCH_NOT : PACKAGES_FETCH_ANY;
	const size_t said = report->count, conflicts = report->conflicts;
	CLEANUP_TEXT_LIST struct text_list asked = { 0 };
	int r = packages_merge_fetching(status, fetch, NULL, report, &planning->packages, error, error_size);

	if (r < 0 || planning->fetch == PLAN_FETCH_NOT || planning->fetch == PLAN_FETCH_LATER)
		return r;
	while (r == 0 && (r = add_wanted(&asked, &planning->packages.wanted)) == 0) {
		report_cut(report, said, conflicts);
		r = merge_fetched(planning, status, &asked, error, error_size);
	}
	for (size_t i = 0; r >= 0 && i < planning->packages.fetched.count; i++)
		if (text_list_add(&planning->rebase->debs, planning->packages.fetched.items[i]) < 0)
			r = -ENOMEM;
	return r < 0 ? r : 0;
}
