/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id ranges and /etc/subuid, with files of the test's own bound over those of /etc. */
#include "unit.h"

#include "../../liblayerbox/adapters/subid.h"
#include "../../liblayerbox/container/id-range.h"
#include "../../liblayerbox/core/store.h"

static struct lb_context *ctx;

static int setup(void **state)
{
	char root[4096];
	const struct lb_context_options options = { .size = sizeof options, .root = root, .config_file = "/dev/null" };

	if (scratch_enter(state) < 0 || !getcwd(root, sizeof root) || mkdir("etc", 0755) < 0)
		return -1;
	/* Files are replaced by rename, so it is /etc itself that must be another one. */
	put_file("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	if (lb_context_new(&options, &ctx) < 0 || store_prepare(ctx) < 0)
		return -1;
	return mount("etc", "/etc", "none", MS_BIND, NULL);
}

static int teardown(void **state)
{
	lb_context_free(ctx);
	if (umount2("/etc", MNT_DETACH) < 0)
		return -1;
	return scratch_leave(state);
}

static int fresh(void **state)
{
	(void)state;
	unlink("id-ranges");
	put_file("etc/subuid", "");
	put_file("etc/subgid", "");
	return 0;
}

static uint32_t allocate(uint32_t above)
{
	uint32_t start = 0;

	if (id_range_allocate(ctx, "a", above, &start) < 0)
		fail_msg("%s", lb_context_error(ctx));
	return start;
}

static char *contents(const char *path)
{
	static char text[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof text - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static void test_never_twice(void **state)
{
	(void)state;
	assert_int_equal(allocate(0), 100000);
	assert_int_equal(allocate(0), 165536);
	assert_int_equal(allocate(0), 231072);
	/* A container whose line was lost in a power cut still keeps its range. */
	assert_int_equal(allocate(100000 + 10 * 65536), 100000 + 10 * 65536);
	assert_int_equal(allocate(0), 100000 + 11 * 65536);
}

static void test_torn_line(void **state)
{
	FILE *file;

	(void)state;
	assert_int_equal(allocate(0), 100000);
	file = fopen("id-ranges", "ae");
	fputs("16553", file);
	fclose(file);
	assert_int_equal(allocate(0), 165536);
	assert_contains(contents("id-ranges"), "100000 65536 a\n165536 65536 a\n");
}

static void test_damaged_table(void **state)
{
	uint32_t start;

	(void)state;
	put_file("id-ranges", "what is this\n");
	assert_int_equal(id_range_allocate(ctx, "a", 0, &start), -LB_ERR_DAMAGED);
	assert_contains(lb_context_error(ctx), "what is this");
}

static void test_exhausted(void **state)
{
	uint32_t start;

	(void)state;
	put_file("id-ranges", "4294900000 65536 a\n");
	assert_int_equal(id_range_allocate(ctx, "a", 0, &start), -LB_ERR_EXHAUSTED);
}

static void test_other_users_ranges(void **state)
{
	(void)state;
	put_file("etc/subuid", "alice:100000:65536\n");
	put_file("etc/subgid", "bob:200000:70000\n");
	assert_int_equal(allocate(0), 270000);
	/* Nobody else's line is touched, and root's own covers the range in both files. */
	assert_contains(contents("etc/subuid"), "alice:100000:65536\nroot:270000:");
	assert_contains(contents("etc/subgid"), "bob:200000:70000\nroot:270000:");
}

static void test_grant_ends_before_others(void **state)
{
	(void)state;
	put_file("etc/subuid", "alice:300000:65536\n");
	assert_int_equal(allocate(0), 100000);
	assert_contains(contents("etc/subuid"), "root:100000:200000\n");
	assert_int_equal(allocate(0), 165536);
	assert_int_equal(allocate(0), 231072); /* up to 296608, below alice's */
	assert_int_equal(allocate(0), 365536); /* behind alice's */
	assert_contains(contents("etc/subuid"), "root:365536:");
}

static void test_one_grant_for_many(void **state)
{
	char before[4096];

	(void)state;
	allocate(0);
	snprintf(before, sizeof before, "%s", contents("etc/subuid"));
	for (int i = 0; i < 200; i++)
		allocate(0);
	assert_string_equal(contents("etc/subuid"), before);
}

static void test_missing_files_and_last_newline(void **state)
{
	(void)state;
	unlink("etc/subuid");
	put_file("etc/subgid", "alice:900000000:65536");
	assert_int_equal(allocate(0), 100000);
	assert_contains(contents("etc/subuid"), "root:100000:");
	assert_contains(contents("etc/subgid"), "alice:900000000:65536\nroot:100000:");
}

static void test_ensure_after_restore(void **state)
{
	(void)state;
	allocate(0);
	put_file("etc/subuid", "");
	assert_int_equal(id_range_ensure(ctx, 100000, 65536), 0);
	assert_contains(contents("etc/subuid"), "root:100000:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_never_twice, fresh),
		cmocka_unit_test_setup(test_torn_line, fresh),
		cmocka_unit_test_setup(test_damaged_table, fresh),
		cmocka_unit_test_setup(test_exhausted, fresh),
		cmocka_unit_test_setup(test_other_users_ranges, fresh),
		cmocka_unit_test_setup(test_grant_ends_before_others, fresh),
		cmocka_unit_test_setup(test_one_grant_for_many, fresh),
		cmocka_unit_test_setup(test_missing_files_and_last_newline, fresh),
		cmocka_unit_test_setup(test_ensure_after_restore, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
