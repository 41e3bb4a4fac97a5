/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <net/if.h>

#include "../../liblayerbox/network/port.h"

/* Rules and configurations of running containers hold these names: they must never change. */
static void test_names_are_what_they_were(void **state)
{
	char name[PORT_NAME_SIZE];

	(void)state;
	port_prefix("lxcbr0", name);
	assert_string_equal(name, "lbc066-");
	port_name("lxcbr0", "00:16:3e:62:d6:94", name);
	assert_string_equal(name, "lbc066-62d694");
	port_prefix("a", name); /* FNV-1a's own test vector: e40c292c */
	assert_string_equal(name, "lb292c-");
	port_prefix("", name); /* and 811c9dc5 */
	assert_string_equal(name, "lb9dc5-");
}

static void test_networks_and_containers_differ(void **state)
{
	char one[PORT_NAME_SIZE], other[PORT_NAME_SIZE];

	(void)state;
	port_name("lxcbr0", "00:16:3e:00:00:01", one);
	port_name("lxcbr1", "00:16:3e:00:00:01", other);
	assert_string_not_equal(one, other);
	port_name("lxcbr0", "00:16:3e:00:00:02", other);
	assert_string_not_equal(one, other);
}

/* The kernel takes IFNAMSIZ - 1 bytes, whatever the bridge is called. */
static void test_length(void **state)
{
	char name[PORT_NAME_SIZE];

	(void)state;
	port_name("fifteen-bytes-x", "ff:ff:ff:ff:ff:ff", name);
	assert_int_equal(strlen(name), 13);
	port_name("b", "not a MAC", name);
	assert_int_equal(strlen(name), 13);
	assert_true((int)PORT_NAME_SIZE == IFNAMSIZ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_what_they_were),
		cmocka_unit_test(test_networks_and_containers_differ),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
