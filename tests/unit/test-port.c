/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/port.h"

static void test_prefix(void **state)
{
	char one[PORT_PREFIX_SIZE], other[PORT_PREFIX_SIZE];

	(void)state;
	/* What containers were made with stays right: these are for ever. */
	port_prefix("lxcbr0", one);
	assert_string_equal(one, "lbc066-");
	port_prefix("a-long-bridge15", other);
	assert_int_equal(strlen(other), PORT_PREFIX_SIZE - 1);
	assert_string_not_equal(one, other);
}

static void test_name(void **state)
{
	char name[PORT_NAME_SIZE];

	(void)state;
	assert_true(port_name("lxcbr0", "00:16:3e:1a:2b:0c", name));
	assert_string_equal(name, "lbc066-1a2b0c");
	assert_true(port_name("lxcbr0", "02:00:00:ff:ff:ff", name));
	assert_string_equal(name, "lbc066-ffffff");
}

static void test_name_refuses(void **state)
{
	static const char *const cases[] = { "", "00:16:3e:1a:2b", "00:16:3e:1a:2b:3c:4d", "00:16:3E:1A:2B:3C",
					     "0016.3e1a.2b3c" };
	char name[PORT_NAME_SIZE] = "kept";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (port_name("lxcbr0", cases[i], name))
			fail_msg("\"%s\" was taken for a MAC", cases[i]);
	assert_string_equal(name, "kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_name_refuses),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
