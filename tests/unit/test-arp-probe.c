/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In network namespaces of the test's own: a bridge, and somebody behind a veth on it. */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/adapters/arp-probe.h"
#include "../../liblayerbox/util/spawn.h"

static pid_t neighbour; /* keeps the other namespace */

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ip(8) with those words, in the bridge's namespace or the neighbour's. */
static void ip(bool there, const char *words)
{
	const struct spawn_options options = { 0 };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	if (there)
		assert_int_equal(text_list_format(&argv, "nsenter"), 0);
	if (there)
		assert_int_equal(text_list_format(&argv, "--net=/proc/%d/ns/net", (int)neighbour), 0);
	assert_int_equal(text_list_add(&argv, "ip"), 0);
	assert_int_equal(text_list_add_words(&argv, words), 0);
	assert_int_equal(spawn_run((const char *const *)argv.items, &options, &status, &output), 0);
	if (status != 0)
		fail_msg("ip %s: %s", words, output);
}

static void start_neighbour(void)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	neighbour = fork_mortal();
	if (neighbour == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

/* With more patience than a create has: the machine may be busy. */
static bool is_used(const char *ipv4, char mac[18])
{
	CLEANUP_ARP_PROBE struct arp_probe probe = ARP_PROBE_NONE;

	arp_probe_begin("br0", ipv4, &probe);
	assert_true(probe.fd >= 0);
	for (unsigned ms = 3; ms < 500; ms += 20)
		if (arp_probe_answered(&probe, ms, mac))
			return true;
	return false;
}

static int enter(void **state)
{
	CLEANUP_FREE char *move = NULL;

	if (scratch_enter(state) < 0)
		return -1;
	need_root();
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	start_neighbour();
	move = text_format("link add port0 type veth peer name eth0 netns %d", (int)neighbour);
	ip(false, "link add br0 address 00:16:3e:00:00:01 type bridge");
	ip(false, move);
	ip(false, "link set port0 master br0 up");
	ip(false, "address add 10.0.3.1/24 dev br0");
	ip(false, "link set br0 up");
	ip(true, "link set eth0 address 00:16:3e:11:22:33");
	ip(true, "address add 10.0.3.7/24 dev eth0");
	ip(true, "link set eth0 up");
	/* The kernel tells the bridge of its port's carrier when it has the time; what is asked before is lost. */
	for (int i = 0; i < 20 && !is_used("10.0.3.7", NULL); i++)
		;
	return 0;
}

static int leave(void **state)
{
	kill(neighbour, SIGKILL);
	end_of(neighbour);
	return scratch_leave(state);
}

static void test_a_used_address_answers(void **state)
{
	char mac[18] = "";

	(void)state;
	assert_true(is_used("10.0.3.7", mac));
	assert_string_equal(mac, "00:16:3e:11:22:33");
	assert_true(is_used("10.0.3.7", NULL));
}

static void test_a_free_address_does_not(void **state)
{
	CLEANUP_ARP_PROBE struct arp_probe probe = ARP_PROBE_NONE;
	char mac[18] = "untouched";
	int64_t begun;

	(void)state;
	assert_false(is_used("10.0.3.8", mac));
	assert_string_equal(mac, "untouched");
	/* The minimum is waited for, and what has passed since the beginning counts. */
	begun = now_us();
	arp_probe_begin("br0", "10.0.3.9", &probe);
	assert_false(arp_probe_answered(&probe, 200, NULL));
	assert_in_range(now_us() - begun, 200000, 10000000);
	begun = now_us();
	assert_false(arp_probe_answered(&probe, 200, NULL));
	assert_in_range(now_us() - begun, 0, 150000);
}

/* The user of yesterday, whom the kernel still remembers. */
static void test_an_address_given_back_is_free(void **state)
{
	(void)state;
	ip(true, "address add 10.0.3.30/24 dev eth0");
	assert_true(is_used("10.0.3.30", NULL));
	ip(true, "address del 10.0.3.30/24 dev eth0");
	assert_false(is_used("10.0.3.30", NULL));
	ip(false, "neigh replace 10.0.3.31 lladdr 00:16:3e:44:55:66 nud stale dev br0");
	assert_false(is_used("10.0.3.31", NULL));
}

static void test_what_an_administrator_has_set_counts(void **state)
{
	char mac[18] = "";

	(void)state;
	ip(false, "neigh replace 10.0.3.40 lladdr 00:16:3e:44:55:66 nud permanent dev br0");
	assert_true(is_used("10.0.3.40", mac));
	assert_string_equal(mac, "00:16:3e:44:55:66");
	assert_true(is_used("10.0.3.40", NULL));
}

/* The kernel would go on asking, and then say for a while that nobody can be there. */
static void test_nothing_is_left_of_a_question(void **state)
{
	const char *const argv[] = { "ip", "neigh", "show", "10.0.3.50", NULL };
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status;

	(void)state;
	assert_false(is_used("10.0.3.50", NULL));
	assert_int_equal(spawn_run(argv, &options, &status, &output), 0);
	assert_false(strstr(output, "INCOMPLETE") || strstr(output, "FAILED"));
}

static void test_a_bridge_that_is_not_there_or_down(void **state)
{
	struct arp_probe probe;

	(void)state;
	arp_probe_begin("br1", "10.0.3.7", &probe);
	assert_int_equal(probe.fd, -1);
	assert_false(arp_probe_answered(&probe, 3000, NULL));
	arp_probe_end(&probe);
	arp_probe_begin("br0", "not an address", &probe);
	assert_false(arp_probe_answered(&probe, 3000, NULL));
	arp_probe_end(&probe);
	ip(false, "link set br0 down");
	arp_probe_begin("br0", "10.0.3.7", &probe);
	assert_false(arp_probe_answered(&probe, 3, NULL));
	arp_probe_end(&probe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_used_address_answers),
		cmocka_unit_test(test_a_free_address_does_not),
		cmocka_unit_test(test_an_address_given_back_is_free),
		cmocka_unit_test(test_what_an_administrator_has_set_counts),
		cmocka_unit_test(test_nothing_is_left_of_a_question),
		cmocka_unit_test(test_a_bridge_that_is_not_there_or_down),
	};

	return cmocka_run_group_tests_name("arp-probe", tests, enter, leave);
}
