/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/adapters/cgroup.h"

static void assert_items(int version, enum cgroup_controller controller, uint64_t amount, const char *expected)
{
	struct cgroup_layout layout = { .version = { version, version, version } };
	struct cgroup_item items[2];
	char got[256] = "";
	int n = cgroup_limit_items(&layout, controller, amount, items);

	for (int i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d:%s=%s", i ? " " : "", items[i].version,
			 items[i].key, items[i].value);
	assert_string_equal(got, expected);
}

static void test_version_2(void **state)
{
	(void)state;
	assert_items(2, CGROUP_MEMORY, 1 << 30, "2:memory.max=1073741824");
	assert_items(2, CGROUP_MEMORY, 0, "2:memory.max=max");
	assert_items(2, CGROUP_CPU, 1500, "2:cpu.max=150000 100000");
	assert_items(2, CGROUP_CPU, 0, "2:cpu.max=max 100000");
	assert_items(2, CGROUP_PIDS, 50, "2:pids.max=50");
	assert_items(2, CGROUP_PIDS, 0, "2:pids.max=max");
}

static void test_version_1(void **state)
{
	(void)state;
	assert_items(1, CGROUP_MEMORY, 1 << 30, "1:memory.limit_in_bytes=1073741824");
	assert_items(1, CGROUP_MEMORY, 0, "1:memory.limit_in_bytes=-1");
	assert_items(1, CGROUP_CPU, 250, "1:cpu.cfs_period_us=100000 1:cpu.cfs_quota_us=25000");
	assert_items(1, CGROUP_CPU, 0, "1:cpu.cfs_period_us=100000 1:cpu.cfs_quota_us=-1");
	assert_items(1, CGROUP_PIDS, 50, "1:pids.max=50");
}

static void test_without_controller(void **state)
{
	(void)state;
	assert_items(0, CGROUP_MEMORY, 1 << 30, "");
	assert_items(0, CGROUP_CPU, 1, "");
	assert_items(0, CGROUP_PIDS, 1, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_without_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
