/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/network/forward.h"

/* What a text becomes, in its normal form; "!" for one that is refused. */
static const struct {
	const char *text, *normal;
} cases[] = {
	{ "8883:1883/tcp", "8883:1883/tcp" },
	{ "8883:1883", "8883:1883/tcp" },
	{ "8883", "8883:8883/tcp" },
	{ "5353:53/udp", "5353:53/udp" },
	{ "53/udp", "53:53/udp" },
	{ "1:65535/tcp", "1:65535/tcp" },
	{ "192.0.2.1:80:8080/tcp", "192.0.2.1:80:8080/tcp" },
	{ "192.0.2.1:80", "192.0.2.1:80:80/tcp" },
	{ "[2001:db8::1]:80:8080/tcp", "[2001:db8::1]:80:8080/tcp" },
	{ "[2001:DB8:0::0:1]:80", "[2001:db8::1]:80:80/tcp" },
	{ "80:80/tcp, 80:81/udp ,81", "80:80/tcp, 80:81/udp, 81:81/tcp" },
	{ "192.0.2.1:80,192.0.2.2:80", "192.0.2.1:80:80/tcp, 192.0.2.2:80:80/tcp" },
	{ "", "" },
	{ "0:80/tcp", "!" },
	{ "80:0/tcp", "!" },
	{ "65536:80/tcp", "!" },
	{ "80:65536/tcp", "!" },
	{ "-1:80", "!" },
	{ "+1:80", "!" },
	{ "80:", "!" },
	{ ":80", "!" },
	{ ":", "!" },
	{ "/tcp", "!" },
	{ "80/", "!" },
	{ "80/sctp", "!" },
	{ "80/TCP", "!" },
	{ "80/tcp/udp", "!" },
	{ "80:81:82/tcp", "!" },
	{ "80-90:80/tcp", "!" },
	{ "http", "!" },
	{ "80 :81", "!" },
	{ "192.0.2.1", "!" },
	{ "192.0.2:80", "!" },
	{ "192.0.2.256:80", "!" },
	{ "example.org:80", "!" },
	{ "0.0.0.0:80", "!" },
	{ "127.0.0.1:80", "!" },
	{ "224.0.0.1:80", "!" },
	{ "255.255.255.255:80", "!" },
	{ "2001:db8::1:80", "!" },
	{ "[2001:db8::1]", "!" },
	{ "[2001:db8::1]80", "!" },
	{ "[2001:db8::1:80", "!" },
	{ "[192.0.2.1]:80", "!" },
	{ "[]:80", "!" },
	{ "[::]:80", "!" },
	{ "[::1]:80", "!" },
	{ "[fe80::1]:80", "!" },
	{ "[fe80::1%eth0]:80", "!" },
	{ "[ff02::1]:80", "!" },
	{ "[::ffff:192.0.2.1]:80", "!" },
	{ "80:80/tcp, 80:81/tcp", "!" },
	{ "80:80/tcp, 192.0.2.1:80:81/tcp", "!" },
	{ "80,,81", "!" },
	{ "80,", "!" },
	{ ",", "!" },
	{ " ", "!" },
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct forward_list list = { 0 };
		const char *why = forward_list_parse(cases[i].text, &list);
		char *text = forward_list_format(&list);

		if (text_equal(cases[i].normal, "!") ? !why : why || !text_equal(text, cases[i].normal))
			fail_msg("\"%s\" became \"%s\" (%s)", cases[i].text, text, why ? why : "taken");
		free(text);
		forward_list_free(&list);
	}
}

static void test_number(void **state)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	struct forward_list list = { 0 };

	(void)state;
	for (int i = 1; i <= FORWARDS_MAX; i++)
		buffer_format(&text, "%s%d", i > 1 ? "," : "", i);
	assert_null(forward_list_parse(text.data, &list));
	assert_int_equal(list.count, FORWARDS_MAX);
	forward_list_free(&list);
	buffer_add_text(&text, ",1000");
	assert_string_equal(forward_list_parse(text.data, &list), "must not be more than 64");
	assert_null(list.items);
}

static bool overlap(const char *first, const char *second)
{
	struct forward a, b;

	assert_null(forward_parse(first, &a));
	assert_null(forward_parse(second, &b));
	assert_int_equal(forward_overlaps(&a, &b), forward_overlaps(&b, &a));
	return forward_overlaps(&a, &b);
}

static void test_overlaps(void **state)
{
	(void)state;
	assert_true(overlap("80:1/tcp", "80:2/tcp"));
	assert_true(overlap("80", "192.0.2.1:80"));
	assert_true(overlap("80", "[2001:db8::1]:80"));
	assert_true(overlap("[2001:db8::1]:80", "[2001:db8:0::1]:80"));
	assert_false(overlap("80:1/tcp", "80:1/udp"));
	assert_false(overlap("80", "81"));
	assert_false(overlap("192.0.2.1:80", "192.0.2.2:80"));
	assert_false(overlap("192.0.2.1:80", "[2001:db8::1]:80"));
}

static void test_editing(void **state)
{
	struct forward_list list = { 0 }, copy = { 0 };
	char *text;

	(void)state;
	assert_null(forward_list_parse("80,81,82", &list));
	assert_int_equal(forward_list_copy(&list, &copy), 0);
	forward_list_remove(&copy, 1);
	text = forward_list_format(&copy);
	assert_string_equal(text, "80:80/tcp, 82:82/tcp");
	free(text);
	assert_int_equal(list.count, 3);
	assert_false(forward_equal(list.items, list.items + 1));
	assert_true(forward_equal(list.items, copy.items));
	forward_list_remove(&copy, 1);
	forward_list_remove(&copy, 0);
	assert_int_equal(copy.count, 0);
	forward_list_free(&copy);
	forward_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_editing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
