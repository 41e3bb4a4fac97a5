/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/adapters/sysctl.h"
#include "../../liblayerbox/care/host-limits.h"

static const struct host_limit *find(const char *key)
{
	const struct host_limit *limit;

	for (size_t i = 0; (limit = host_limit_at(i)); i++)
		if (strcmp(limit->key, key) == 0)
			return limit;
	fail_msg("there is no limit %s", key);
	return NULL;
}

/* Where nobody has changed anything, a few containers are no reason to say a word. */
static void test_defaults_are_enough_for_a_few(void **state)
{
	static const struct {
		const char *key;
		uint64_t by_default;
	} defaults[] = {
		{ "fs/inotify/max_user_instances", 128 }, { "fs/inotify/max_user_watches", 8192 },
		{ "kernel/keys/maxkeys", 200 },           { "kernel/keys/maxbytes", 20000 },
		{ "kernel/pty/max", 4096 },               { "kernel/pid_max", 32768 },
		{ "net/ipv4/neigh/default/gc_thresh3", 1024 }, { "net/ipv6/neigh/default/gc_thresh3", 1024 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
		const struct host_limit *limit = find(defaults[i].key);

		assert_int_equal(host_limit_needed(limit, 0), 0);
		assert_true(host_limit_needed(limit, 8) <= defaults[i].by_default);
		/* Each is a wall for so many as others have reported, but that of who counts alone. */
		assert_int_equal(host_limit_needed(limit, 400) > defaults[i].by_default, limit->each != 0);
	}
	assert_null(host_limit_at(sizeof defaults / sizeof *defaults));
}

/* The file says what the table says, and it is enough for what it promises. */
static void test_file_is_enough(void **state)
{
	char path[4096], line[512], text[16384] = "\n";
	const struct host_limit *limit;
	FILE *file;

	(void)state;
	snprintf(path, sizeof path, "%s/sysctl/40-layerbox.conf", getenv("abs_top_srcdir"));
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (*line != '#')
			strncat(text, line, sizeof text - strlen(text) - 1);
	fclose(file);
	for (size_t i = 0; (limit = host_limit_at(i)); i++) {
		char name[128];

		host_limit_name(limit, name, sizeof name);
		snprintf(line, sizeof line, "\n%s = %llu\n", name, (unsigned long long)limit->shipped);
		assert_contains(text, line);
		assert_true(host_limit_needed(limit, 1000) <= limit->shipped);
	}
}

static void test_sysctl_read(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_true(sysctl_read("kernel/pid_max", &number));
	assert_true(number > 100);
	number = 7;
	assert_false(sysctl_read("kernel/no_such_key", &number));
	assert_false(sysctl_read("kernel/ostype", &number));
	assert_int_equal(number, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_enough_for_a_few),
		cmocka_unit_test(test_file_is_enough),
		cmocka_unit_test(test_sysctl_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
