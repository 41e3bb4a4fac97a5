/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/adapters/cgroup-usage.h"
#include "../../liblayerbox/adapters/process-time.h"

#define GROUP "lxc.payload.tiger"

static struct cgroup_meters meters;

static int open_directory(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Hierarchies of the test's own: one for each controller in version 1, one for all in version 2. */
static void use_version(int version)
{
	static const char *const names[METERS] = { "cpuacct", "memory", "pids", "blkio" };
	char path[128];

	for (int i = 0; i < METERS; i++) {
		const char *name = version == 2 ? "unified" : names[i];

		snprintf(path, sizeof path, "%s/" GROUP, name);
		tree_make_directories(AT_FDCWD, path, 0755);
		meters.fds[i] = open_directory(name);
		meters.versions[i] = version;
	}
	tree_make_directories(AT_FDCWD, "block/253:0/slaves/sda", 0755);
	tree_make_directories(AT_FDCWD, "block/8:0/slaves", 0755);
	meters.devices_fd = open_directory("block");
}

static int close_meters(void **state)
{
	static const char *const all[] = { "cpuacct", "memory", "pids", "blkio", "unified", "block" };

	(void)state;
	cgroup_meters_close(&meters);
	meters = (struct cgroup_meters){ 0 };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		tree_remove(AT_FDCWD, all[i]);
	return 0;
}

static const char groups_of_1[] = "9:name=systemd:/elsewhere\n"
				  "8:pids:/" GROUP "/init.scope\n"
				  "7:blkio:/" GROUP "\n"
				  "4:memory,hugetlb:/" GROUP "/system.slice/x.service\n"
				  "2:cpu,cpuacct:/" GROUP "\n"
				  "0::/\n";

static void test_version_1(void **state)
{
	struct cgroup_usage usage;

	(void)state;
	use_version(1);
	put_file("cpuacct/" GROUP "/cpuacct.usage", "1234567890\n");
	put_file("memory/" GROUP "/memory.usage_in_bytes", "5000000\n");
	put_file("memory/" GROUP "/memory.max_usage_in_bytes", "6000000\n");
	put_file("memory/" GROUP "/memory.limit_in_bytes", "67108864\n");
	put_file("memory/" GROUP "/memory.stat", "inactive_file 1\ntotal_inactive_file 4096\nx\n");
	put_file("pids/" GROUP "/pids.current", "7\n");
	put_file("pids/" GROUP "/pids.max", "max\n");
	put_file("blkio/" GROUP "/blkio.throttle.io_service_bytes_recursive",
		 "8:0 Read 100\n8:0 Write 200\n8:0 Sync 300\n8:0 Total 300\n253:0 Read 77\n253:0 Write 77\n"
		 "8:16 Read 1\n8:16 Write 2\nTotal 457\n");
	put_file("blkio/" GROUP "/blkio.throttle.io_serviced_recursive", "8:0 Read 3\n8:0 Write 4\nTotal 7\n");
	cgroup_usage_of(&meters, groups_of_1, &usage);
	assert_int_equal(usage.cpu_us, 1234567);
	assert_int_equal(usage.memory_bytes, 5000000);
	assert_int_equal(usage.memory_peak, 6000000);
	assert_int_equal(usage.memory_limit, 67108864);
	assert_int_equal(usage.memory_inactive, 4096);
	assert_int_equal(usage.processes, 7);
	assert_int_equal(usage.processes_limit, 0);
	assert_int_equal(usage.read_bytes, 101);
	assert_int_equal(usage.written_bytes, 202);
	assert_int_equal(usage.reads, 3);
	assert_int_equal(usage.writes, 4);
	put_file("memory/" GROUP "/memory.limit_in_bytes", "9223372036854771712\n");
	put_file("pids/" GROUP "/pids.max", "50\n");
	/* A kernel that has not begun to count. */
	put_file("blkio/" GROUP "/blkio.throttle.io_service_bytes_recursive", "Total 0\n");
	cgroup_usage_of(&meters, groups_of_1, &usage);
	assert_int_equal(usage.memory_limit, 0);
	assert_int_equal(usage.processes_limit, 50);
	assert_true(usage.read_bytes == CGROUP_UNKNOWN && usage.written_bytes == CGROUP_UNKNOWN);
}

static void test_version_2(void **state)
{
	struct cgroup_usage usage;

	(void)state;
	use_version(2);
	put_file("unified/" GROUP "/cpu.stat", "usage_usec 42\nuser_usec 40\nsystem_usec 2\n");
	put_file("unified/" GROUP "/memory.current", "5000000\n");
	put_file("unified/" GROUP "/memory.max", "max\n");
	put_file("unified/" GROUP "/memory.stat", "anon 1\ninactive_file 8192\n");
	put_file("unified/" GROUP "/pids.current", "9\n");
	put_file("unified/" GROUP "/pids.max", "50\n");
	put_file("unified/" GROUP "/io.stat", "8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=5 dios=6\n"
					      "253:0 rbytes=9 wbytes=9 rios=9 wios=9\n8:16 wbytes=1\n7:0 \n");
	cgroup_usage_of(&meters, "0::/" GROUP "/init.scope\n", &usage);
	assert_int_equal(usage.cpu_us, 42);
	assert_int_equal(usage.memory_bytes, 5000000);
	assert_int_equal(usage.memory_inactive, 8192);
	assert_int_equal(usage.memory_limit, 0);
	assert_true(usage.memory_peak == CGROUP_UNKNOWN); /* kernels before 5.19 */
	assert_int_equal(usage.processes, 9);
	assert_int_equal(usage.processes_limit, 50);
	assert_int_equal(usage.read_bytes, 100);
	assert_int_equal(usage.written_bytes, 201);
	assert_int_equal(usage.reads, 3);
	assert_int_equal(usage.writes, 4);
	/* A group without controllers has processors' time alone. */
	tree_remove(AT_FDCWD, "unified/" GROUP);
	tree_make_directories(AT_FDCWD, "unified/" GROUP, 0755);
	put_file("unified/" GROUP "/cpu.stat", "usage_usec 43\n");
	cgroup_usage_of(&meters, "0::/" GROUP "\n", &usage);
	assert_int_equal(usage.cpu_us, 43);
	assert_true(usage.memory_bytes == CGROUP_UNKNOWN && usage.memory_limit == CGROUP_UNKNOWN &&
		    usage.processes == CGROUP_UNKNOWN && usage.reads == CGROUP_UNKNOWN);
}

static void test_groups(void **state)
{
	static const struct {
		const char *groups;
		uint64_t cpu_us;
	} cases[] = {
		{ "0::/" GROUP "\n", 1 },
		{ "0::/" GROUP "/a/lxc.payload.other/b\n", 1 }, /* what it calls its own groups is nothing to us */
		{ "0::/" GROUP "-1/init.scope\n", 2 },
		{ "0::/customers/lion/init.scope\n", 3 }, /* an operator's name for it */
		{ "0::/customers/lion\n", 3 },
		{ "0::/\n", CGROUP_UNKNOWN },
		{ "0::/init.scope\n", CGROUP_UNKNOWN },
		{ "0::/../" GROUP "\n", CGROUP_UNKNOWN },
		{ "0::/gone\n", CGROUP_UNKNOWN },
		{ "0:x:/" GROUP "\n", CGROUP_UNKNOWN },
		{ "0:\n:\n\nrubbish", CGROUP_UNKNOWN },
		{ "", CGROUP_UNKNOWN },
	};
	struct cgroup_usage usage;

	(void)state;
	use_version(2);
	tree_make_directories(AT_FDCWD, "unified/" GROUP "-1", 0755);
	tree_make_directories(AT_FDCWD, "unified/customers/lion", 0755);
	put_file("unified/cpu.stat", "usage_usec 99\n");
	put_file("unified/" GROUP "/cpu.stat", "usage_usec 1\n");
	put_file("unified/" GROUP "-1/cpu.stat", "usage_usec 2\n");
	put_file("unified/customers/lion/cpu.stat", "usage_usec 3\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cgroup_usage_of(&meters, cases[i].groups, &usage);
		if (usage.cpu_us != cases[i].cpu_us)
			fail_msg("%s: %llu", cases[i].groups, (unsigned long long)usage.cpu_us);
	}
}

static void test_rubbish(void **state)
{
	static const char *const texts[] = { "", "x\n", "-1\n", "18446744073709551616\n", "1 2\n" };
	struct cgroup_usage usage;

	(void)state;
	use_version(2);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put_file("unified/" GROUP "/memory.current", texts[i]);
		put_file("unified/" GROUP "/memory.max", texts[i]);
		put_file("unified/" GROUP "/cpu.stat", texts[i]);
		put_file("unified/" GROUP "/io.stat", texts[i]);
		cgroup_usage_of(&meters, "0::/" GROUP "\n", &usage);
		if (usage.memory_bytes != CGROUP_UNKNOWN || usage.memory_limit != CGROUP_UNKNOWN ||
		    usage.cpu_us != CGROUP_UNKNOWN || usage.reads != 0)
			fail_msg("%s was taken for a number", texts[i]);
	}
}

static void test_start_time(void **state)
{
	int64_t booted = host_boot_time(), began = (int64_t)time(NULL), started;
	pid_t pid = fork_mortal();

	(void)state;
	if (pid == 0) {
		prctl(PR_SET_NAME, "a) R 1 (b");
		pause();
	}
	/* The kernel counts from its boot, which it knows to the second. */
	started = process_start_time(pid, booted);
	if (started < began - 2 || started > (int64_t)time(NULL) + 2)
		fail_msg("started at %lld instead of %lld", (long long)started, (long long)began);
	kill(pid, SIGKILL);
	end_of(pid);
	assert_int_equal(process_start_time(pid, booted), 0);
	assert_int_equal(process_start_time(0, booted), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_version_1, close_meters),
		cmocka_unit_test_teardown(test_version_2, close_meters),
		cmocka_unit_test_teardown(test_groups, close_meters),
		cmocka_unit_test_teardown(test_rubbish, close_meters),
		cmocka_unit_test(test_start_time),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
