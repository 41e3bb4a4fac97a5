/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which backup is meant, and how the last one went. */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/backup/outcome.h"
#include "../../liblayerbox/backup/which.h"
#include "../../liblayerbox/core/store.h"
#include "../../liblayerbox/util/file.h"

static struct lb_context *ctx;

static int setup(void **state)
{
	char root[4096];
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root) || setenv("TZ", "UTC", 1) < 0)
		return -1;
	return lb_context_new(&options, &ctx) < 0 || store_prepare(ctx) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

/* ---- which one ---- */

static void test_which_parse(void **state)
{
	static const char *const bad[] = {
		"",         "@abcdef",     "a@",     "a@abc",       "a@2026",        "a@2026-13-01",
		"A",        "a/b",         "a@xyz1", "a@12:00",     "a@2026-11-21T", "a@2026-11-21T25:00",
		"a@ABCDEF", "a@abcdef@ef", "../a",   "a@20261121x", "a@12345"
	};
	struct backup_which which;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!backup_which_parse(bad[i], &which))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_null(backup_which_parse("a-b", &which));
	assert_string_equal(which.name, "a-b");
	assert_true(which.latest == INT64_MAX && !*which.id);
	assert_null(backup_which_parse("a@20261121", &which));
	assert_string_equal(which.id, "20261121");
	assert_null(backup_which_parse("a@2026-11-21", &which));
	assert_int_equal(which.latest, 1795305599); /* 23:59:59 */
	assert_null(backup_which_parse("a@2026-11-21T17:22", &which));
	assert_int_equal(which.latest, 1795281779);
	assert_null(backup_which_parse("a@2026-11-21 17:22:01", &which));
	assert_int_equal(which.latest, 1795281721);
}

static const struct backup_entry *choose(const char *text, struct backup_entry *items, size_t count, const char *host)
{
	const struct backup_entries entries = { .items = items, .count = count };
	struct backup_which which;
	const char *why = NULL;
	const struct backup_entry *entry;

	assert_null(backup_which_parse(text, &which));
	entry = backup_which_choose(&which, &entries, host, &why);
	assert_true(entry || why);
	return entry;
}

static void test_which_choose(void **state)
{
	static char id[3][8] = { "aaaaaa1", "aaaaaa2", "bbbbbb3" }, one[] = "one", two[] = "two";
	struct backup_entry items[] = {
		{ .full_id = id[0], .host = one, .created = 1795281700 },
		{ .full_id = id[1], .host = one, .created = 1795281800 },
		{ .full_id = id[2], .host = two, .created = 1795281900 },
	};

	(void)state;
	assert_null(choose("a", items, 0, "one"));
	assert_ptr_equal(choose("a", items, 3, "one"), &items[1]);
	assert_ptr_equal(choose("a", items, 3, "two"), &items[2]);
	assert_null(choose("a", items, 3, "three")); /* which of the two is not known */
	assert_ptr_equal(choose("a", items, 2, "three"), &items[1]);
	assert_ptr_equal(choose("a@2026-11-21T17:22", items, 3, "one"), &items[0]);
	assert_ptr_equal(choose("a@2026-11-21T17:22", items, 3, "three"), &items[0]);
	assert_null(choose("a@2026-11-20", items, 3, "one"));
	assert_ptr_equal(choose("a@bbbbbb", items, 3, "one"), &items[2]);
	assert_ptr_equal(choose("a@aaaaaa2", items, 3, "three"), &items[1]);
	assert_null(choose("a@aaaaaa", items, 3, "one")); /* two of them */
	assert_null(choose("a@cccccc", items, 3, "one"));
}

/* ---- how it went ---- */

static void is_alert(const char *expected)
{
	CLEANUP_FREE char *text = NULL;

	if (!expected) {
		assert_false(exists("alert"));
		return;
	}
	assert_int_equal(file_read(AT_FDCWD, "alert", 4096, &text, NULL), 0);
	assert_string_equal(text, expected);
	unlink("alert");
}

static void test_outcome(void **state)
{
	CLEANUP_FREE char *command = text_format("%s/alerter alert", ctx->config.root);
	struct outcome outcome = { 0 };
	CLEANUP_FD int fd = -1;
	int64_t success;

	(void)state;
	need_root();
	put_file("alerter", "#!/bin/sh\necho \"$LAYERBOX_EVENT $LAYERBOX_CONTAINER: $LAYERBOX_MESSAGE\" >> \"$1\"\n");
	assert_int_equal(chmod("alerter", 0755), 0);
	free(ctx->config.alert_command);
	ctx->config.alert_command = TAKE_PTR(command);
	assert_int_equal(mkdir("containers/a", 0700), 0);
	fd = open("containers/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(outcome_read(ctx, fd, "a", &outcome), 1);

	outcome_note(ctx, "a", time(NULL) - 5, 0, "");
	is_alert(NULL);
	assert_int_equal(outcome_read(ctx, fd, "a", &outcome), 0);
	assert_true(outcome.result == 0 && outcome.last_success > 0 && outcome.last_success == outcome.last_run);
	assert_true(outcome.duration_s >= 5 && outcome.duration_s < 60);
	success = outcome.last_success;

	outcome_note(ctx, "a", time(NULL) - 5, -LB_ERR_NO_REPOSITORY, "it is\nlocked \\");
	is_alert("backup-failed a: it is?locked \\\n");
	outcome_note(ctx, "a", time(NULL) - 5, -ENOSPC, "it is full");
	is_alert(NULL);
	assert_int_equal(outcome_read(ctx, fd, "a", &outcome), 0);
	assert_int_equal(outcome.result, -ENOSPC);
	assert_string_equal(outcome.error, "it is full");
	assert_int_equal(outcome.last_success, success);

	outcome_note(ctx, "a", time(NULL) - 5, 0, "");
	is_alert("backup-good a: the backup of container 'a' works again\n");
	outcome_note(ctx, "a", time(NULL) - 5, 0, "");
	is_alert(NULL);
	outcome_note(ctx, "gone", time(NULL) - 5, -ENOSPC, "x");
	is_alert(NULL);

	put_file("containers/a/backup-outcome", "rubbish\n");
	assert_int_equal(outcome_read(ctx, fd, "a", &outcome), 1);
	put_file("containers/a/backup-outcome", "last_run = x\n");
	assert_int_equal(outcome_read(ctx, fd, "a", &outcome), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_parse),
		cmocka_unit_test(test_which_choose),
		cmocka_unit_test(test_outcome),
	};

	return cmocka_run_group_tests_name("backup", tests, setup, teardown);
}
