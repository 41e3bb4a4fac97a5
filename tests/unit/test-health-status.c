/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/health/status-file.h"

static void test_round_trip(void **state)
{
	struct health_entry entries[] = {
		{ .name = "a", .state = HEALTH_HEALTHY, .pid = 12, .since_ms = 1234567890123 },
		{ .name = "b-2", .start_ms = 99, .failures = 4, .restarts = 3, .told = HEALTH_TOLD_FAILED,
		  .was_cured = true, .born = UINT64_MAX },
	};
	struct health_status status = { .entries = entries, .count = 2, .disk_told = true }, read = { 0 };

	(void)state;
	assert_int_equal(health_status_save("status", &status), 0);
	health_status_load("status", &read);
	assert_int_equal(read.count, 2);
	assert_true(read.disk_told);
	assert_memory_equal(read.entries, entries, sizeof entries);
	assert_int_equal(health_status_find(&read, "b-2")->failures, 4);
	assert_null(health_status_find(&read, "b"));
	health_status_free(&read);
	health_status_load("not-there", &read);
	assert_int_equal(read.count, 0);
	assert_null(health_status_find(&read, "a"));
	health_status_free(&read);
}

static size_t count_of(const char *text)
{
	CLEANUP(health_status_free) struct health_status status = { 0 };
	CLEANUP_FREE char *copy = strdup(text);

	health_status_parse(copy, &status);
	return status.count;
}

static void test_damaged(void **state)
{
	(void)state;
	assert_int_equal(count_of(""), 0);
	assert_int_equal(count_of("a 2 1 1 0 0 0 0 0\n"), 0);
	assert_int_equal(count_of("layerbox-health 2 disk-ok\na 2 1 1 0 0 0 0 0\n"), 0);
	assert_int_equal(count_of("layerbox-health 1 disk-ok\na 2 1 1 0 0 0 0 0\n"), 1);
	assert_int_equal(count_of("layerbox-health 1 disk-ok\nb 2 1 1 0 0 0 0 0\na 2 1 1 0 0 0 0 0"), 2);
	assert_int_equal(count_of("layerbox-health 1 disk-ok\na 2 1 1 0 0 0 0"), 0);
	assert_int_equal(count_of("layerbox-health 1 disk-ok\na 6 1 1 0 0 0 0 0\nA 2 1 1 0 0 0 0 0\n"
				  "a 2 -1 1 0 0 0 0 0\na 2 1 1 0 0 0 4 0\na 2 1 1 0 0 0 0 2\n"
				  "a 2 99999999999 1 0 0 0 0 0\n\n \n../a 2 1 1 0 0 0 0 0\n"),
			 0);
}

static void test_lock(void **state)
{
	CLEANUP_FREE char *path = NULL;
	int fd, dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child;

	(void)state;
	need_root();
	path = health_status_path(dir_fd);
	assert_non_null(path);
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, ""), 0);
	assert_false(health_status_is_locked(path));
	fd = health_status_lock(path);
	assert_true(fd >= 0);
	assert_true(health_status_is_locked(path));
	assert_int_equal(health_status_lock(path), -EBUSY);
	assert_true(health_status_is_locked(path));
	close(fd);
	assert_false(health_status_is_locked(path));
	/* It ends with its holder. */
	child = fork_mortal();
	if (child == 0) {
		health_status_lock(path);
		_exit(0);
	}
	assert_int_equal(end_of(child), 0);
	assert_false(health_status_is_locked(path));
	assert_int_equal(umount("/run"), 0);
	close(dir_fd);
}

static void test_shown(void **state)
{
	const struct health_entry healthy = { .state = HEALTH_HEALTHY, .pid = 7 }, none = { .pid = 7 };
	const struct health_entry failed = { .state = HEALTH_FAILED }, waiting = { .start_ms = 5 };
	const struct {
		const struct health_entry *entry;
		struct health_sight sight;
		const char *shown;
	} cases[] = {
		{ &healthy, { true, true, true, true }, "healthy" },
		{ &healthy, { false, true, true, true }, "unknown" },
		{ &healthy, { true, false, true, true }, "" }, /* the check was taken away a moment ago */
		{ &healthy, { true, true, true, false }, "starting" },
		{ &healthy, { true, true, false, false }, "" },
		{ &none, { true, true, true, true }, "starting" },
		{ &none, { true, false, true, true }, "" },
		{ NULL, { true, true, true, false }, "starting" },
		{ NULL, { false, true, true, false }, "unknown" },
		{ NULL, { false, false, true, false }, "" },
		{ NULL, { true, true, false, false }, "" },
		{ &failed, { true, false, false, false }, "failed" },
		{ &failed, { false, true, false, false }, "failed" },
		{ &failed, { true, false, true, false }, "" },
		{ &failed, { true, true, true, false }, "starting" },
		{ &waiting, { true, false, false, false }, "starting" },
		{ &waiting, { false, false, false, false }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (strcmp(health_shown(cases[i].entry, &cases[i].sight), cases[i].shown) != 0)
			fail_msg("case %zu is not '%s'", i, cases[i].shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests_name("health-status", tests, scratch_enter, scratch_leave);
}
