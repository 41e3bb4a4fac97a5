/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/rebase/packages.h"

#define DPKG "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"

struct outcome {
	struct report report;
	struct package_merge merge;
	char error[300];
	int result;
};

static void outcome_free(struct outcome *outcome)
{
	report_free(&outcome->report);
	package_merge_free(&outcome->merge);
}

#define CLEANUP_OUTCOME CLEANUP(outcome_free)

static void merge(const char *old, const char *new, const char *own, struct outcome *ret_outcome)
{
	const struct three_texts status = { .old = old, .new = new, .own = own };

	*ret_outcome = (struct outcome){ 0 };
	ret_outcome->result = packages_merge(&status, &ret_outcome->report, &ret_outcome->merge, ret_outcome->error,
					     sizeof ret_outcome->error);
	assert_false(ret_outcome->report.failed);
}

/* dpkg, and p: "1" is installed, "hold 1" with that selection, "rc 1" removed but for its files; "-" is not there. */
static char *make_status(const char *what)
{
	const char *version = strrchr(what, ' '), *held = text_after(what, "hold ");

	version = version ? version + 1 : what;
	if (text_equal(what, "-"))
		return strdup(DPKG);
	if (text_equal(what, "hold -"))
		return strdup(DPKG "Package: p\nStatus: hold ok not-installed\n\n");
	if (text_after(what, "rc "))
		return text_format(
			DPKG "Package: p\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: %s\n\n",
			version);
	return text_format(DPKG "Package: p\nStatus: %s ok installed\nArchitecture: amd64\nVersion: %s\n\n",
			   held                             ? "hold"
			   : text_after(what, "deinstall ") ? "deinstall"
							    : "install",
			   version);
}

/* Every row of the table in docs/generations.md, and what lies between them. */
static const struct row {
	const char *own, *old, *new;
	const char *result; /* what the merged database has */
	const char *decision; /* "base", "top", "held", or NULL: none */
	const char *text; /* of the item */
} rows[] = {
	/* the same: base */
	{ "1", "1", "1", "1", NULL, NULL },
	{ "-", "-", "-", "-", NULL, NULL },
	{ "1", "1", "2", "2", "base", "p goes from 1 to 2 with the base" },
	{ "2", "2", "1", "1", "base", "p goes from 2 to 1 with the base" },
	{ "1", "1", "-", "-", "base", "p 1 goes, as the base has it no more" },
	{ "1", "1", "rc 1", "rc 1", "base", "p 1 goes, as the base has it no more" },
	{ "-", "-", "2", "2", "base", "p 2 comes with the base" },
	{ "rc 1", "rc 1", "2", "2", "base", "p 2 comes with the base" },
	{ "rc 1", "rc 1", "-", "-", "base", "p is not installed, in the container as in the base" },
	{ "rc 1", "rc 1", "rc 1", "rc 1", NULL, NULL },
	/* changed or its own, and the base's the same or not there: top */
	{ "1", "-", "-", "1", "top", "p stays at 1, the container's own" },
	{ "2", "1", "1", "2", "top", "p stays at the container's own 2; the base has 1" },
	{ "1", "2", "2", "1", "top", "p stays at the container's own 1; the base has 2" },
	{ "2", "1", "-", "2", "top", "p stays at 2, the container's own; the base has it no more" },
	{ "2", "1", "rc 1", "2", "top", "p stays at 2, the container's own; the base has it no more" },
	{ "1", "rc 1", "rc 1", "1", "top", "p stays at 1, the container's own" },
	/* the version that new has: base */
	{ "2", "1", "2", "2", "base", "p stays at 2, which is now the base's: the container's copy goes" },
	{ "2", "-", "2", "2", "base", "p stays at 2, which is now the base's: the container's copy goes" },
	{ "0:2", "1", "2-0", "2-0", "base", "p stays at 0:2, which is now the base's" },
	{ "-", "1", "-", "-", "base", "p is not installed, in the container as in the base" },
	/* above new's: top; below: base */
	{ "3", "1", "2", "3", "top", "p stays at the container's own 3; the base has 2" },
	{ "3", "-", "2", "3", "top", "p stays at the container's own 3; the base has 2" },
	{ "1.10", "1", "1.9", "1.10", "top", "p stays at the container's own 1.10" },
	{ "2", "1", "3", "3", "base", "p goes from the container's own 2 to the base's later 3" },
	{ "2", "-", "3", "3", "base", "p goes from the container's own 2 to the base's later 3" },
	{ "2~rc1", "1", "2", "2", "base", "p goes from the container's own 2~rc1 to the base's later 2" },
	/* removed: top */
	{ "-", "1", "1", "-", "top", "p stays uninstalled in the container; the base has 1" },
	{ "-", "1", "2", "-", "top", "p stays uninstalled in the container; the base has 2" },
	{ "rc 1", "1", "2", "rc 1", "top", "p stays uninstalled in the container; the base has 2" },
	{ "rc 1", "1", "-", "rc 1", "top", "p stays uninstalled in the container; its configuration files stay" },
	{ "rc 1", "-", "-", "rc 1", "top", "its configuration files stay" },
	{ "rc 1", "-", "2", "rc 1", "top", "p stays uninstalled in the container; the base has 2" },
	/* held by its owner: top */
	{ "hold 1", "1", "2", "hold 1", "held",
	  "p is held at 1, older than the base's 2: updates of the base do not reach it" },
	{ "hold 1", "1", "-", "hold 1", "held", "p is held at 1, while the base has it no more" },
	{ "hold 2", "1", "3", "hold 2", "held", "p is held at 2, older than the base's 3" },
	{ "hold 1", "-", "2", "hold 1", "held", "p is held at 1, older than the base's 2" },
	{ "hold 3", "1", "2", "hold 3", "top", "p stays at the container's own 3; the base has 2" },
	{ "hold -", "-", "1", "hold -", "top", "p stays uninstalled in the container; the base has 1" },
	/* held, but nothing is kept back by it; or by the base, which goes on itself */
	{ "hold 1", "1", "1", "hold 1", NULL, NULL },
	{ "hold 2", "1", "2", "hold 2", "base", "which is now the base's" },
	{ "hold 1", "hold 1", "2", "2", "base", "p goes from 1 to 2 with the base" },
	{ "hold 1", "hold 1", "hold 2", "hold 2", "base", "p goes from 1 to 2 with the base" },
	{ "hold -", "-", "-", "hold -", NULL, NULL },
	/* selections: the owner's where it was changed, else the base's */
	{ "deinstall 1", "1", "2", "deinstall 2", "base", "p goes from 1 to 2 with the base" },
	{ "1", "hold 1", "hold 2", "2", "base", "p goes from 1 to 2 with the base" },
	{ "1", "1", "hold 1", "hold 1", NULL, NULL },
	{ "1", "1", "deinstall 2", "deinstall 2", "base", "p goes from 1 to 2 with the base" },
};

static void check_decision(const struct row *row, const struct outcome *outcome)
{
	const struct package_decision *decision = package_merge_find(&outcome->merge, "p");
	const struct lb_rebase_item *item = outcome->report.items;

	assert_int_equal(outcome->report.count, row->decision != NULL);
	assert_int_equal(outcome->merge.count, row->decision != NULL);
	if (!row->decision) {
		assert_null(decision);
		return;
	}
	assert_non_null(decision);
	assert_string_equal(decision->side == PACKAGE_BASE ? "base" : decision->held ? "held" : "top", row->decision);
	assert_string_equal(item->subject, "p");
	assert_contains(item->text, row->text);
	assert_int_equal(item->kind, LB_REBASE_PACKAGE);
	assert_int_equal(item->outcome, decision->side == PACKAGE_BASE ? LB_REBASE_FOLLOWS : LB_REBASE_STAYS);
}

/* "hold 2" gives "2"; what is not installed gives "". */
static const char *version_in(const char *what)
{
	const char *space = strrchr(what, ' ');

	return strchr(what, '-') == what || text_after(what, "rc ") || text_equal(what, "hold -") ? ""
	       : space                                                                            ? space + 1
												  : what;
}

static void check_versions(const struct row *row, const struct outcome *outcome)
{
	const struct package_decision *decision = outcome->merge.decisions;
	const struct lb_rebase_item *item = outcome->report.items;

	if (!row->decision)
		return;
	assert_string_equal(decision->before ? decision->before : "", version_in(row->old));
	assert_string_equal(decision->after ? decision->after : "", version_in(row->new));
	assert_string_equal(decision->own ? decision->own : "", version_in(row->own));
	assert_string_equal(item->before ? item->before : "", version_in(row->old));
	assert_string_equal(item->after ? item->after : "", version_in(row->new));
	assert_string_equal(item->own ? item->own : "", version_in(row->own));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CLEANUP_FREE char *old = make_status(rows[i].old), *new = make_status(rows[i].new);
		CLEANUP_FREE char *own = make_status(rows[i].own), *result = make_status(rows[i].result);
		CLEANUP_OUTCOME struct outcome outcome;

		merge(old, new, own, &outcome);
		print_message("# own %s, old %s, new %s\n", rows[i].own, rows[i].old, rows[i].new);
		assert_int_equal(outcome.result, 0);
		assert_string_equal(outcome.merge.status, result);
		check_decision(rows + i, &outcome);
		check_versions(rows + i, &outcome);
		assert_int_equal(outcome.report.conflicts, 0);
	}
}

#define STANZA(name, version)                                                                                          \
	"Package: " name "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " version "\n"

/* In the base's order, the container's own behind; stanzas are nobody's text but the one's they were taken from. */
static void test_order_and_text(void **state)
{
	static const char old[] = DPKG STANZA("z", "1") "\n" STANZA("b", "1") "\n";
	static const char new[] = DPKG STANZA("z", "2") "X-New: yes\nConffiles:\n /etc/z 1\n\n" STANZA(
		"b", "1") "\n" STANZA("c", "1") "\n";
	static const char own[] = DPKG STANZA("y", "1") "X-Own: yes\n\n\n" STANZA("z", "1") "\n" STANZA(
		"a", "1") "\n" STANZA("b", "2") "X: y\n\n";
	CLEANUP_OUTCOME struct outcome outcome, same;

	(void)state;
	merge(old, new, own, &outcome);
	assert_string_equal(
		outcome.merge.status,
		DPKG STANZA("z", "2") "X-New: yes\nConffiles:\n /etc/z 1\n\n" STANZA("b", "2") "X: y\n\n" STANZA(
			"c", "1") "\n" STANZA("y", "1") "X-Own: yes\n\n" STANZA("a", "1") "\n");
	assert_int_equal(outcome.merge.count, 5);
	assert_string_equal(outcome.merge.decisions[0].name, "a");
	assert_string_equal(outcome.merge.decisions[4].name, "z");
	assert_null(package_merge_find(&outcome.merge, "dpkg"));
	assert_null(package_merge_find(&outcome.merge, "unknown"));
	merge(old, new, old, &same);
	assert_string_equal(same.merge.status, new);
}

static void test_conffiles(void **state)
{
	static const char old[] = DPKG STANZA("p", "1") "Conffiles:\n /etc/old 11\n\n";
	static const char own[] =
		DPKG STANZA("p", "2") "Conffiles:\n /etc/p 22\n /etc/with space 33 obsolete\n\n" STANZA("q", "1") "\n";
	CLEANUP_OUTCOME struct outcome outcome, gone;

	(void)state;
	merge(old, old, own, &outcome);
	assert_string_equal(package_merge_find(&outcome.merge, "p")->conffiles,
			    "/etc/p 22\n/etc/with space 33 obsolete\n");
	assert_string_equal(package_merge_find(&outcome.merge, "q")->conffiles, "");
	merge(old, old, DPKG, &gone);
	assert_null(package_merge_find(&gone.merge, "p")->conffiles);
}

#define LIB(name, architecture, version, kind)                                                                         \
	"Package: " name "\nStatus: install ok installed\nArchitecture: " architecture "\nVersion: " version           \
	"\nMulti-Arch: " kind "\n\n"

static void test_names_in_info(void **state)
{
	static const char old[] = DPKG LIB("lib", "amd64", "1", "same") LIB("tool", "amd64", "1", "foreign")
		LIB("data", "all", "1", "foreign");
	static const char new[] = DPKG LIB("lib", "amd64", "2", "same") LIB("tool", "amd64", "2", "no")
		LIB("data", "amd64", "2", "allowed");
	CLEANUP_OUTCOME struct outcome outcome;

	(void)state;
	merge(old, new, old, &outcome);
	assert_int_equal(outcome.merge.count, 3);
	assert_non_null(package_merge_find(&outcome.merge, "lib:amd64"));
	assert_null(package_merge_find(&outcome.merge, "lib"));
	assert_string_equal(package_merge_find(&outcome.merge, "tool")->own, "1");
	assert_string_equal(package_merge_find(&outcome.merge, "data")->after, "2");
	assert_int_equal(outcome.report.conflicts, 0);
}

/* Its files have other names now, yet it is one package: the container's older one does not stay beside it. */
static void test_package_becomes_multi_arch(void **state)
{
	static const char old[] = DPKG LIB("lib", "amd64", "1", "no"), own[] = DPKG LIB("lib", "amd64", "2", "no");
	static const char new[] = DPKG LIB("lib", "amd64", "3", "same");
	CLEANUP_OUTCOME struct outcome outcome;

	(void)state;
	merge(old, new, own, &outcome);
	assert_string_equal(outcome.merge.status, new);
	assert_int_equal(outcome.merge.count, 2);
	assert_int_equal(package_merge_find(&outcome.merge, "lib")->side, PACKAGE_BASE);
	assert_string_equal(package_merge_find(&outcome.merge, "lib")->own, "2");
	assert_string_equal(package_merge_find(&outcome.merge, "lib:amd64")->own, "2");
	assert_int_equal(outcome.report.count, 1);
}

/* The same name in info/, for another architecture. */
static void test_package_changes_architecture(void **state)
{
	static const char old[] = DPKG LIB("tool", "amd64", "1", "no"), own[] = DPKG LIB("tool", "i386", "1", "no");
	CLEANUP_OUTCOME struct outcome outcome;

	(void)state;
	merge(old, old, own, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_string_equal(outcome.merge.status, own);
	assert_int_equal(outcome.merge.count, 1);
	assert_int_equal(outcome.merge.decisions->side, PACKAGE_TOP);
	assert_string_equal(outcome.merge.decisions->before, "1");
	assert_string_equal(outcome.merge.decisions->own, "1");
}

#define IN_STATE(state, version) "Package: p\nStatus: install ok " state "\nArchitecture: amd64\nVersion: " version "\n"

static void test_triggers(void **state)
{
	static const char old[] = DPKG STANZA("p", "1") "\n", new[] = DPKG STANZA("p", "2") "\n";
	static const char pending[] = DPKG IN_STATE("triggers-pending", "1") "Triggers-Pending: /a\n\n";
	static const char awaited[] = DPKG IN_STATE("triggers-awaited", "1") "Triggers-Awaited: q\n\n";
	CLEANUP_OUTCOME struct outcome stays, goes_on, ends;

	(void)state;
	merge(old, old, pending, &stays);
	assert_string_equal(stays.merge.status, pending);
	assert_int_equal(stays.merge.count, 0);
	merge(old, new, pending, &goes_on);
	assert_string_equal(goes_on.merge.status,
			    DPKG "Package: p\nStatus: install ok triggers-pending\nTriggers-Pending: /a\n"
				 "Architecture: amd64\nVersion: 2\n\n");
	merge(old, new, awaited, &ends);
	assert_string_equal(ends.merge.status, new);
}

static void test_packages_that_are_not_finished(void **state)
{
	static const char old[] = DPKG STANZA("p", "1") "\n";
	static const struct {
		const char *own, *error;
	} cases[] = {
		{ DPKG IN_STATE("unpacked", "2"),
		  "package p in the container is unpacked; run `dpkg --configure -a` in it first" },
		{ DPKG IN_STATE("half-configured", "1"),
		  "package p in the container is half-configured; run `dpkg --configure -a`" },
		{ DPKG IN_STATE("half-installed", "1"),
		  "package p in the container is half-installed; run `apt-get install --reinstall p`" },
		{ DPKG "Package: p\nStatus: install reinstreq installed\nVersion: 1\n",
		  "package p in the container is to be installed again; run `apt-get install --reinstall p`" },
	};
	CLEANUP_OUTCOME struct outcome base, as_old;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_OUTCOME struct outcome outcome;

		merge(old, old, cases[i].own, &outcome);
		assert_int_equal(outcome.result, -EINVAL);
		assert_contains(outcome.error, cases[i].error);
		assert_null(outcome.merge.status);
	}
	merge(old, cases[0].own, old, &base);
	assert_int_equal(base.result, -EINVAL);
	assert_contains(base.error, "package p of the new base is unpacked; upgrade the base once more");
	merge(cases[1].own, old, cases[1].own, &as_old);
	assert_int_equal(as_old.result, 0);
	assert_string_equal(as_old.merge.status, old);
}

static void test_damaged(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ DPKG "Package: p\nStatus: install ok installed\nVersion: 1",
		  "a line is no `Name: value`, in the stanza at line 6; mend it" },
		{ DPKG "Package: p\nStatus: install ok instal", "a line is no `Name: value`" },
		{ DPKG "Package: p\n", "a Status is not three words" },
		{ DPKG "Package: p\nStatus: install ok installed\n", "no proper Version" },
		{ DPKG "Package: p\nStatus: install ok installed\nVersion: 1 2\n", "no proper Version" },
		{ DPKG "Package: p\nStatus: install ok installed\nVersion: 1\n 2\n", "no proper Version" },
		{ DPKG "Status: install ok installed\nVersion: 1\n", "a stanza has no Package" },
		{ DPKG "Package: ../p\nStatus: install ok installed\nVersion: 1\n", "no name of a package" },
		{ DPKG "Package: p/q\nStatus: install ok installed\nVersion: 1\n", "no name of a package" },
		{ DPKG "Package:\nStatus: install ok installed\nVersion: 1\n", "no name of a package" },
		{ DPKG "Package: p\nArchitecture: ../x\nStatus: install ok installed\nVersion: 1\n",
		  "no architecture" },
		{ DPKG "Package: p\nMulti-Arch: maybe\nStatus: install ok installed\nVersion: 1\n",
		  "Multi-Arch is unknown" },
		{ DPKG "Package: p\nPackage: q\nStatus: install ok installed\nVersion: 1\n", "has a field twice" },
		{ DPKG "Package: p\nStatus: install ok\nVersion: 1\n", "not three words" },
		{ DPKG "Package: p\nStatus: install ok installed now\nVersion: 1\n", "not three words" },
		{ DPKG "Package: p\nStatus: maybe ok installed\nVersion: 1\n", "selection in a Status is unknown" },
		{ DPKG "Package: p\nStatus: install no installed\nVersion: 1\n", "flag in a Status is unknown" },
		{ DPKG "Package: p\nStatus: install ok there\nVersion: 1\n", "state in a Status is unknown" },
		{ DPKG STANZA("p", "1") "\n" STANZA("p", "1"), "a package is there twice, in the stanza at line 11" },
		{ "\x7f"
		  "ELF\n",
		  "a line is no `Name: value`" },
		{ "", "has no package in it, while its base has" },
		{ NULL, "has no package in it, while its base has" },
		{ "Package: p\nStatus: deinstall ok config-files\nVersion: 1\n", "has no package in it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_OUTCOME struct outcome outcome;

		merge(DPKG, DPKG, cases[i].text, &outcome);
		print_message("# case %zu: %s\n", i, outcome.error);
		assert_int_equal(outcome.result, -EINVAL);
		assert_contains(outcome.error, "the container's package database, var/lib/dpkg/status, ");
		assert_contains(outcome.error, cases[i].error);
		assert_null(outcome.merge.status);
	}
}

static void test_damaged_base(void **state)
{
	CLEANUP_OUTCOME struct outcome old, new;

	(void)state;
	merge("x", DPKG, DPKG, &old);
	assert_int_equal(old.result, -EINVAL);
	assert_contains(old.error, "the old base's package database");
	merge(DPKG, "x", DPKG, &new);
	assert_int_equal(new.result, -EINVAL);
	assert_contains(new.error, "the new base's package database");
	assert_contains(new.error, "build the base again");
}

/* What is only selected can be there for several architectures, and beside what is installed. */
static void test_selections_of_other_architectures(void **state)
{
	static const char own[] = DPKG STANZA("p", "1") "\n"
							"Package: p\nStatus: deinstall ok not-installed\n\n";
	CLEANUP_OUTCOME struct outcome outcome;

	(void)state;
	merge(DPKG, DPKG, own, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_string_equal(outcome.merge.status, DPKG STANZA("p", "1") "\n");
}

static void test_without_dpkg(void **state)
{
	CLEANUP_OUTCOME struct outcome nobody, own, base;

	(void)state;
	merge(NULL, NULL, NULL, &nobody);
	assert_int_equal(nobody.result, 0);
	assert_null(nobody.merge.status);
	assert_null(package_merge_find(&nobody.merge, "p"));
	merge(NULL, NULL, DPKG, &own);
	assert_string_equal(own.merge.status, DPKG);
	merge(NULL, DPKG, NULL, &base);
	assert_string_equal(base.merge.status, DPKG);
}

static void test_other_architecture_of_the_base(void **state)
{
	static const char arm[] = "Package: dpkg\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1\n\n";
	CLEANUP_OUTCOME struct outcome outcome;

	(void)state;
	merge(DPKG, arm, DPKG, &outcome);
	assert_int_equal(outcome.result, 0);
	assert_true(outcome.report.conflicts > 0);
	assert_string_equal(
		outcome.report.items[0].text,
		"dpkg of the container is for amd64, that of the new base for arm64; choose a base for the same");
}

#define MARK(name, value) "Package: " name "\nArchitecture: amd64\nAuto-Installed: " value "\n\n"

static void test_extended_states(void **state)
{
	static const struct {
		const char *old, *new, *own, *result;
	} cases[] = {
		{ NULL, NULL, NULL, NULL },
		{ MARK("a", "1"), NULL, NULL, NULL },
		{ NULL, MARK("a", "1"), NULL, MARK("a", "1") },
		{ NULL, NULL, MARK("a", "1"), MARK("a", "1") },
		{ MARK("a", "1"), "", MARK("a", "1"), "" },
		{ MARK("a", "1"), MARK("a", "0"), MARK("a", "1"), MARK("a", "0") },
		{ MARK("a", "1"), MARK("a", "1"), MARK("a", "0"), MARK("a", "0") },
		{ MARK("a", "1"), MARK("a", "1"), "", "" },
		{ MARK("a", "1"), "", MARK("a", "0"), MARK("a", "0") },
		{ "", MARK("a", "1"), MARK("a", "0"), MARK("a", "0") },
		{ MARK("a", "0"), MARK("a", "0") MARK("a", "1"), MARK("a", "0"), MARK("a", "1") },
		{ MARK("z", "1") MARK("b", "1"), MARK("z", "1") MARK("c", "1"),
		  MARK("y", "1") MARK("a", "1") MARK("z", "0") MARK("b", "1"),
		  MARK("z", "0") MARK("c", "1") MARK("y", "1") MARK("a", "1") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct three_texts texts = { .old = cases[i].old, .new = cases[i].new, .own = cases[i].own };
		CLEANUP_FREE char *text = NULL;

		assert_int_equal(extended_states_merge(&texts, &text), 0);
		if (!cases[i].result)
			assert_null(text);
		else
			assert_string_equal(text, cases[i].result);
	}
}

static void test_extended_states_damaged(void **state)
{
	static const char *const cases[] = { "x", "Package: a", "Auto-Installed: 1\n", "Package:\n" };
	char *text = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct three_texts texts = { .old = MARK("a", "1"), .new = MARK("a", "1"), .own = cases[i] };

		assert_int_equal(extended_states_merge(&texts, &text), -EINVAL);
		assert_null(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_order_and_text),
		cmocka_unit_test(test_conffiles),
		cmocka_unit_test(test_names_in_info),
		cmocka_unit_test(test_package_becomes_multi_arch),
		cmocka_unit_test(test_package_changes_architecture),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_packages_that_are_not_finished),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_damaged_base),
		cmocka_unit_test(test_selections_of_other_architectures),
		cmocka_unit_test(test_without_dpkg),
		cmocka_unit_test(test_other_architecture_of_the_base),
		cmocka_unit_test(test_extended_states),
		cmocka_unit_test(test_extended_states_damaged),
	};

	return cmocka_run_group_tests_name("packages", tests, NULL, NULL);
}
