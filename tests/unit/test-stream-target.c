/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/stream/target.h"

static struct lb_context *ctx;

static int setup(void **state)
{
	const struct lb_context_options options = { .size = sizeof options, .config_file = "/dev/null" };

	(void)state;
	return lb_context_new(&options, &ctx);
}

static int teardown(void **state)
{
	(void)state;
	lb_context_free(ctx);
	return 0;
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *user, *host, *port;
	} good[] = {
		{ "ssh://host", "", "host", "" },
		{ "ssh://host/", "", "host", "" },
		{ "ssh://root@host.example.org:2222", "root", "host.example.org", "2222" },
		{ "ssh://10.0.0.1:22/", "", "10.0.0.1", "22" },
		{ "ssh://[2001:db8::1]", "", "2001:db8::1", "" },
		{ "ssh://a.b-c@[2001:db8::1]:65535", "a.b-c", "2001:db8::1", "65535" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct target target;

		assert_int_equal(target_parse(ctx, good[i].text, &target), 0);
		assert_string_equal(target.user, good[i].user);
		assert_string_equal(target.host, good[i].host);
		assert_string_equal(target.port, good[i].port);
	}
}

static void test_refuses(void **state)
{
	static const char *const bad[] = {
		"", "host", "http://host", "ssh:host", "ssh://", "ssh:///", "ssh://@host", "ssh://-oProxyCommand=x", "ssh://-l@host",
		"ssh://a@b@c", "ssh://host:", "ssh://host:0", "ssh://host:65536", "ssh://host:22x", "ssh://host:-1", "ssh://host/x",
		"ssh://host:22/x", "ssh://ho st", "ssh://ho;st", "ssh://$(x)", "ssh://a b@host", "ssh://[::1", "ssh://[]",
		"ssh://[::1]x", "ssh://[-x]", "ssh://[host]", "ssh://host\n", "ssh://\x1b[31m",
		"ssh://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@host",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct target target;

		if (target_parse(ctx, bad[i], &target) != -LB_ERR_BAD_VALUE)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void expect(const char *text, const char *ssh, const char *const *words)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	struct target target;
	size_t count = 0;

	assert_int_equal(target_parse(ctx, text, &target), 0);
	assert_int_equal(target_words(&target, ssh, (const char *const[]){ "layerbox", "receive", NULL }, &list), 0);
	for (; words[count]; count++) {
		assert_true(count < list.count);
		assert_string_equal(list.items[count], words[count]);
	}
	assert_int_equal(list.count, count);
}

static void test_words(void **state)
{
	static const char *const bad[] = { "a b", "a;b", "$(x)", "", "a'b", "a\nb", "*", "~", "a\\b", "a&" };
	const struct target target = { .host = "h" };

	(void)state;
	expect("ssh://h", "ssh", (const char *const[]){ "ssh", "--", "h", "layerbox", "receive", NULL });
	expect("ssh://u@h:22", "/opt/ssh -i /k",
	       (const char *const[]){ "/opt/ssh", "-i", "/k", "-p", "22", "-l", "u", "--", "h", "layerbox", "receive", NULL });
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP_TEXT_LIST struct text_list list = { 0 };

		assert_int_equal(target_words(&target, "ssh", (const char *const[]){ bad[i], NULL }, &list), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("stream-target", tests, setup, teardown);
}
