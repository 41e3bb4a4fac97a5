/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "package-row.h"

/* What the plan says about a package; versions are printable and bounded since package_db_read(). */
struct saying {
	const char *name;
	struct slice before, after, own; /* versions, where it is installed */
	bool to_be_fetched;
};

static struct slice version_of(const struct package *package)
{
	return package_installed(package) ? package->fields[FIELD_VERSION] : (struct slice){ 0 };
}

static struct lb_rebase_item *say_follows(const struct package_row *row, const struct saying *it, struct report *report)
{
	const enum lb_rebase_kind kind = LB_REBASE_PACKAGE;

	if (!package_installed(row->new) && !package_installed(row->own))
		return report_add(report, kind, LB_REBASE_FOLLOWS, it->name,
				  "%s is not installed, in the container as in the base", it->name);
	if (!package_installed(row->new))
		return report_add(report, kind, LB_REBASE_FOLLOWS, it->name, "%s %.*s goes, as the base has it no more",
				  it->name, SLICE_ARGS(it->own));
	if (!package_installed(row->own))
		return report_add(report, kind, LB_REBASE_FOLLOWS, it->name, "%s %.*s comes with the base", it->name,
				  SLICE_ARGS(it->after));
	if (package_same(row->own, row->new))
		return report_add(report, kind, LB_REBASE_FOLLOWS, it->name,
				  "%s stays at %.*s, which is now the base's: the container's copy goes", it->name,
				  SLICE_ARGS(it->own));
	if (package_same(row->own, row->old))
		return report_add(report, kind, LB_REBASE_FOLLOWS, it->name, "%s goes from %.*s to %.*s with the base",
				  it->name, SLICE_ARGS(it->own), SLICE_ARGS(it->after));
	return report_add(report, kind, LB_REBASE_FOLLOWS, it->name,
			  "%s goes from the container's own %.*s to the base's later %.*s", it->name,
			  SLICE_ARGS(it->own), SLICE_ARGS(it->after));
}

static struct lb_rebase_item *say_held(const struct package_row *row, const struct saying *it, struct report *report)
{
	const enum lb_rebase_kind kind = LB_REBASE_PACKAGE;

	if (!package_installed(row->new))
		return report_add(
			report, kind, LB_REBASE_STAYS, it->name,
			"%s is held at %.*s, while the base has it no more: updates of the base do not reach it",
			it->name, SLICE_ARGS(it->own));
	return report_add(report, kind, LB_REBASE_STAYS, it->name,
			  "%s is held at %.*s, older than the base's %.*s: updates of the base do not reach it",
			  it->name, SLICE_ARGS(it->own), SLICE_ARGS(it->after));
}

static struct lb_rebase_item *say_stays(const struct package_row *row, const struct saying *it, struct report *report)
{
	const enum lb_rebase_kind kind = LB_REBASE_PACKAGE;

	if (row->held)
		return say_held(row, it, report);
	if (!package_installed(row->own) && package_installed(row->new))
		return report_add(report, kind, LB_REBASE_STAYS, it->name,
				  "%s stays uninstalled in the container; the base has %.*s", it->name,
				  SLICE_ARGS(it->after));
	if (!package_installed(row->own))
		return report_add(
			report, kind, LB_REBASE_STAYS, it->name, "%s stays uninstalled in the container%s", it->name,
			package_presence(row->own) == PACKAGE_REMOVED ? "; its configuration files stay" : "");
	if (package_installed(row->new))
		return report_add(report, kind, LB_REBASE_STAYS, it->name,
				  "%s stays at the container's own %.*s; the base has %.*s", it->name,
				  SLICE_ARGS(it->own), SLICE_ARGS(it->after));
	return report_add(report, kind, LB_REBASE_STAYS, it->name, "%s stays at %.*s, the container's own%s", it->name,
			  SLICE_ARGS(it->own), package_installed(row->old) ? "; the base has it no more" : "");
}

static struct lb_rebase_item *say_fetched(const struct saying *it, struct report *report)
{
	const enum lb_rebase_kind kind = LB_REBASE_PACKAGE;

	if (it->to_be_fetched)
		return report_add(report, kind, LB_REBASE_DONE, it->name,
				  "%s %.*s, the container's own, is to be brought to a version that fits the base, "
				  "which "
				  "would be fetched",
				  it->name, SLICE_ARGS(it->own));
	return report_add(report, kind, LB_REBASE_DONE, it->name,
			  "%s, the container's own, is brought from %.*s to %.*s with the base's", it->name,
			  SLICE_ARGS(it->own), SLICE_ARGS(it->after));
}

static char *copy_version(struct slice version, struct report *report)
{
	char *copy = version.length ? strndup(version.data, version.length) : NULL;

	report->failed = report->failed || (version.length && !copy);
	return copy;
}

void package_row_say(const struct package_row *row, enum packages_fetch fetch, struct report *report)
{
	const struct package *named = row->own ? row->own : row->new ? row->new : row->old;
	CLEANUP_FREE char *name = package_info_name(named);
	struct saying it = {
		.name = name,
		.before = version_of(row->old),
		.after = version_of(row->fetched ? row->fetched : row->new),
		.own = version_of(row->own),
		.to_be_fetched = fetch == PACKAGES_FETCH_ANY && row->wanted,
	};
	struct lb_rebase_item *item;

	if (!name) {
		report->failed = true;
		return;
	}
	if (row->fetched || it.to_be_fetched)
		item = say_fetched(&it, report);
	else
		item = row->side == PACKAGE_BASE ? say_follows(row, &it, report) : say_stays(row, &it, report);
	if (report->failed)
		return;
	item->before = copy_version(it.before, report);
	item->after = copy_version(it.after, report);
	item->own = copy_version(it.own, report);
}
