/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/network/quarantine.h"
#include "../../liblayerbox/core/subnet.h"
#include "../../liblayerbox/util/file.h"

static struct lb_context *new_context(const char *setting)
{
	static const struct lb_context_options options = { .size = sizeof options, .config_file = "q.conf" };
	struct lb_context *ctx = NULL;

	put_file("q.conf", setting);
	unlink(QUARANTINE_FILE);
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	return ctx;
}

static int64_t until(const struct quarantine *quarantine, const char *ipv4)
{
	uint32_t address;

	assert_true(ipv4_parse(ipv4, &address));
	return quarantine_until(quarantine, address);
}

static void test_lines(void **state)
{
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	char text[] = "10.0.3.9 1010\n" /* rests */
		      "10.0.3.4 1000\n" /* over */
		      "10.0.3.5 999\n10.0.3.6\n10.0.3.7 \n10.0.3.8 12x\n 10.0.3.8 1010\nx 1010\n10.0.3 1010\n\n"
		      "10.0.3.10 88401\n" /* longer than a clock set back by a day explains */
		      "10.0.3.11 87000\n"
		      "10.0.3.2 1020\n10.0.3.2 1500\n10.0.3.2 1100\n" /* the longest counts */
		      "10.0.3.12 1010"; /* cut short, or not: it can be read */
	size_t over = 0;

	(void)state;
	assert_int_equal(quarantine_parse(text, 1000, 600, &quarantine, &over), 0);
	assert_int_equal(quarantine.count, 4);
	assert_int_equal(until(&quarantine, "10.0.3.9"), 1010);
	assert_int_equal(until(&quarantine, "10.0.3.2"), 1500);
	assert_int_equal(until(&quarantine, "10.0.3.11"), 87000);
	assert_int_equal(until(&quarantine, "10.0.3.12"), 1010);
	assert_int_equal(until(&quarantine, "10.0.3.4"), 0);
	assert_int_equal(until(&quarantine, "10.0.3.8"), 0);
	assert_int_equal(until(&quarantine, "10.0.3.10"), 0);
	assert_int_equal(over, 11);
}

static void test_without_quarantine_nothing_rests(void **state)
{
	struct lb_context *ctx = new_context("quarantine = 0\n");
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	char line[64];

	(void)state;
	assert_int_equal(quarantine_add(ctx, AT_FDCWD, "10.0.3.2"), 1);
	assert_false(exists(QUARANTINE_FILE));
	snprintf(line, sizeof line, "10.0.3.2 %lld\n", (long long)time(NULL) + 100);
	put_file(QUARANTINE_FILE, line);
	assert_int_equal(quarantine_load(ctx, AT_FDCWD, &quarantine), 0);
	assert_int_equal(quarantine.count, 0);
	lb_context_free(ctx);
}

static void test_add_and_load(void **state)
{
	struct lb_context *ctx = new_context("quarantine = 90s\n");
	CLEANUP_QUARANTINE struct quarantine none = { 0 }, quarantine = { 0 };
	int64_t now = time(NULL);
	struct stat st;

	(void)state;
	assert_int_equal(quarantine_load(ctx, AT_FDCWD, &none), 0);
	assert_int_equal(none.count, 0);
	assert_int_equal(quarantine_add(ctx, AT_FDCWD, "10.0.3.2"), 0);
	assert_int_equal(quarantine_add(ctx, AT_FDCWD, "10.0.3.200"), 0);
	assert_int_equal(stat(QUARANTINE_FILE, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(quarantine_load(ctx, AT_FDCWD, &quarantine), 0);
	assert_int_equal(quarantine.count, 2);
	assert_in_range(until(&quarantine, "10.0.3.2"), now + 90, now + 92);
	assert_in_range(until(&quarantine, "10.0.3.200"), now + 90, now + 92);
	lb_context_free(ctx);
}

/* As after a power failure. */
static void test_a_line_cut_short_takes_no_other_with_it(void **state)
{
	struct lb_context *ctx = new_context("");
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };

	(void)state;
	put_file(QUARANTINE_FILE, "10.0.3.2 17");
	assert_int_equal(quarantine_add(ctx, AT_FDCWD, "10.0.3.3"), 0);
	assert_int_equal(quarantine_load(ctx, AT_FDCWD, &quarantine), 0);
	assert_int_equal(quarantine.count, 1);
	assert_true(until(&quarantine, "10.0.3.3") > 0);
	lb_context_free(ctx);
}

static unsigned count_lines(void)
{
	CLEANUP_FREE char *text = NULL;
	unsigned count = 0;

	assert_int_equal(file_read(AT_FDCWD, QUARANTINE_FILE, 1 << 20, &text, NULL), 0);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		count++;
	return count;
}

static void fill(unsigned over, unsigned live)
{
	FILE *file = fopen(QUARANTINE_FILE, "we");

	assert_non_null(file);
	for (unsigned i = 0; i < over; i++)
		fprintf(file, "10.0.4.%u 1\n", i % 250);
	for (unsigned i = 0; i < live; i++)
		fprintf(file, "10.0.5.%u %lld\n", i % 250, (long long)time(NULL) + 100);
	assert_int_equal(fclose(file), 0);
}

static void test_the_file_does_not_grow_for_ever(void **state)
{
	struct lb_context *ctx = new_context("");
	static const struct {
		unsigned over, live, left;
	} cases[] = { { 63, 0, 63 }, { 64, 0, 0 }, { 100, 50, 50 }, { 100, 100, 200 }, { 1000, 3, 3 }, { 0, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };

		fill(cases[i].over, cases[i].live);
		assert_int_equal(quarantine_load(ctx, AT_FDCWD, &quarantine), 0);
		assert_int_equal(quarantine.count, cases[i].live);
		assert_int_equal(count_lines(), cases[i].left);
	}
	lb_context_free(ctx);
}

/* Adders that hold no lock in common with whoever compacts: no line of theirs may be lost. */
static void test_nothing_is_lost_between_processes(void **state)
{
	struct lb_context *ctx = new_context("");
	CLEANUP_QUARANTINE struct quarantine quarantine = { 0 };
	pid_t pids[4];

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		pids[k] = fork_mortal();
		assert_true(pids[k] >= 0);
		for (unsigned i = 0; pids[k] == 0 && i < 200; i++) {
			CLEANUP_QUARANTINE struct quarantine seen = { 0 };
			char ipv4[IPV4_TEXT_SIZE], junk[] = "10.9.9.9 1\n";
			int fd = open(QUARANTINE_FILE, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

			for (int n = 0; n < 10; n++)
				(void)!write(fd, junk, sizeof junk - 1);
			close(fd);
			snprintf(ipv4, sizeof ipv4, "10.0.%u.%u", k, i);
			if (quarantine_add(ctx, AT_FDCWD, ipv4) < 0 || quarantine_load(ctx, AT_FDCWD, &seen) < 0)
				_exit(1);
		}
		if (pids[k] == 0)
			_exit(0);
	}
	for (unsigned k = 0; k < 4; k++)
		assert_int_equal(end_of(pids[k]), 0);
	assert_int_equal(quarantine_load(ctx, AT_FDCWD, &quarantine), 0);
	assert_int_equal(quarantine.count, 800);
	assert_true(count_lines() < 800 + 64 + 800);
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_without_quarantine_nothing_rests),
		cmocka_unit_test(test_add_and_load),
		cmocka_unit_test(test_a_line_cut_short_takes_no_other_with_it),
		cmocka_unit_test(test_the_file_does_not_grow_for_ever),
		cmocka_unit_test(test_nothing_is_lost_between_processes),
	};

	return cmocka_run_group_tests_name("quarantine", tests, scratch_enter, scratch_leave);
}
