/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/egress.h"

/* What a text becomes, in its normal form; "!" for one that is refused. */
static const struct {
	const char *text, *normal;
} cases[] = {
	{ "allow 10.0.0.0/8, deny all", "allow 10.0.0.0/8, deny 0.0.0.0/0, deny ::/0" },
	{ "deny 192.0.2.1", "deny 192.0.2.1" },
	{ "deny 192.0.2.1/32", "deny 192.0.2.1" },
	{ "deny\t192.0.2.0/31 ,allow  0.0.0.0/0", "deny 192.0.2.0/31, allow 0.0.0.0/0" },
	{ "allow 128.0.0.0/1", "allow 128.0.0.0/1" },
	{ "deny 2001:DB8:0::/32", "deny 2001:db8::/32" },
	{ "deny 2001:db8::1/128", "deny 2001:db8::1" },
	{ "deny ::/0", "deny ::/0" },
	{ "deny 2001:db8:0:8000::/49", "deny 2001:db8:0:8000::/49" },
	{ "", "" },
	{ "deny 10.0.0.1/8", "!" },
	{ "deny 128.0.0.0/0", "!" },
	{ "deny 192.0.2.1/31", "!" },
	{ "deny 2001:db8::1/127", "!" },
	{ "deny 2001:db8:0:8000::/48", "!" },
	{ "deny 10.0.0.0/33", "!" },
	{ "deny 2001:db8::/129", "!" },
	{ "deny 10.0.0.0/", "!" },
	{ "deny 10.0.0.0/-1", "!" },
	{ "deny 10.0.0.0/255.0.0.0", "!" },
	{ "deny 10.0.0", "!" },
	{ "deny example.org", "!" },
	{ "deny", "!" },
	{ "deny ", "!" },
	{ "10.0.0.0/8", "!" },
	{ "drop 10.0.0.0/8", "!" },
	{ "DENY 10.0.0.0/8", "!" },
	{ "deny 10.0.0.0/8 10.1.0.0/16", "!" },
	{ "deny 10.0.0.0/8; accept", "!" },
	{ "deny 10.0.0.0/8\naccept", "!" },
	{ "deny 10.0.0.0/8,", "!" },
	{ "deny 10.0.0.0/8,,deny all", "!" },
	{ "deny 10.0.0.0/8, allow 10.0.0.0/8", "!" },
	{ ",", "!" },
	{ " ", "!" },
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct egress_list list = { 0 };
		const char *why = egress_list_parse(cases[i].text, &list);
		char *text = egress_list_format(&list);

		if (text_equal(cases[i].normal, "!") ? !why : why || !text_equal(text, cases[i].normal))
			fail_msg("\"%s\" became \"%s\" (%s)", cases[i].text, text, why ? why : "taken");
		free(text);
		egress_list_free(&list);
	}
}

static void test_sentence(void **state)
{
	struct egress_list list = { 0 };

	(void)state;
	assert_contains(egress_list_parse("deny 10.0.0.1/8", &list), "host bits");
	assert_null(list.items);
}

static void test_number(void **state)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	struct egress_list list = { 0 };

	(void)state;
	for (int i = 1; i < EGRESS_RULES_MAX; i++)
		buffer_format(&text, "deny 192.0.2.%d, ", i);
	buffer_add_text(&text, "deny 198.51.100.1");
	assert_null(egress_list_parse(text.data, &list));
	assert_int_equal(list.count, EGRESS_RULES_MAX);
	egress_list_free(&list);
	buffer_add_text(&text, ", deny 198.51.100.2");
	assert_contains(egress_list_parse(text.data, &list), "more than 64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
