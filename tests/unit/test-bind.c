/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/container/bind.h"
#include "../../liblayerbox/container/settings.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

static void test_values(void **state)
{
	static const char *const good[] = {
		"/etc/tiger/certs:/etc/mosquitto/certs:ro", "/srv/data:/data", "/a:/b", "/a b/c:/d e", "/...:/..a/.b",
		"/srv/x:/runs/x", "/srv/x:/devices", "/a=b:/c=d:ro", "/run/secret:/etc/secret:ro", "/a:/var/running",
		"/" FIVE_HUNDRED ":/" HUNDRED HUNDRED HUNDRED HUNDRED,
	};
	static const char *const bad[] = {
		"x", "/a", "/a:", ":/a", ":", "/a:b", "a:/b", "/a:/b:", "/a:/b:rw", "/a:/b:ro:", "/a:/b:ro:ro", "/a:/b:RO",
		"/:/b", "/a:/", "//a:/b", "/a//b:/c", "/a/:/b", "/a:/b/", "/a/../b:/c", "/a:/b/..", "/a:/../b", "/..:/b",
		"/a/./b:/c", "/a:/.", "/a\n:/b", "/a:/b\tc", "/a:/b ", "/a:/b\\", " /a:/b", "/a:/proc", "/a:/proc/sys",
		"/a:/sys/x", "/a:/dev", "/a:/dev/shm", "/a:/run", "/a:/run/secrets", "/a:/var/run/x", "/a:/tmp/x",
		"/a:/var/tmp", "/" FIVE_HUNDRED ":/" FIVE_HUNDRED,
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CLEANUP_BIND_LIST struct bind_list list = { 0 };
		CLEANUP_FREE char *text = NULL;
		const char *why = bind_list_set(&list, "mount.x", good[i]);

		if (why)
			fail_msg("%s: it %s", good[i], why);
		text = bind_format(bind_list_find(&list, "mount.x"));
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP_BIND_LIST struct bind_list list = { 0 };

		if (!bind_list_set(&list, "mount.x", bad[i]))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(list.count, 0);
	}
}

static void test_keys(void **state)
{
	(void)state;
	assert_true(bind_is_key("mount.a"));
	assert_true(bind_is_key("mount.my-certs-2"));
	assert_true(bind_is_key("mount." HUNDRED) == false);
	assert_false(bind_is_key("mount."));
	assert_false(bind_is_key("mount"));
	assert_false(bind_is_key("mount.A"));
	assert_false(bind_is_key("mount.a.b"));
	assert_false(bind_is_key("mount.-a"));
	assert_false(bind_is_key("mount.a b"));
	assert_false(bind_is_key("amount.a"));
}

/* Whatever the order in which they are set, what lies in another one comes behind it. */
static void test_order(void **state)
{
	CLEANUP_BIND_LIST struct bind_list list = { 0 };

	(void)state;
	assert_null(bind_list_set(&list, "mount.a", "/1:/data/in/it"));
	assert_null(bind_list_set(&list, "mount.b", "/2:/data"));
	assert_null(bind_list_set(&list, "mount.c", "/3:/data/in:ro"));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].target, "/data");
	assert_string_equal(list.items[1].target, "/data/in");
	assert_true(list.items[1].read_only);
	assert_string_equal(list.items[2].target, "/data/in/it");
	assert_null(bind_list_set(&list, "mount.b", "/2:/zdata"));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[2].key, "mount.b");
	assert_null(bind_list_set(&list, "mount.c", ""));
	assert_null(bind_list_set(&list, "mount.c", ""));
	assert_null(bind_list_find(&list, "mount.c"));
	assert_int_equal(list.count, 2);
}

static void test_what_is_refused_changes_nothing(void **state)
{
	CLEANUP_BIND_LIST struct bind_list list = { 0 };
	CLEANUP_FREE char *text = NULL;

	(void)state;
	assert_null(bind_list_set(&list, "mount.a", "/1:/data"));
	assert_non_null(bind_list_set(&list, "mount.b", "/2:/data:ro"));
	assert_non_null(bind_list_set(&list, "mount.a", "/1:data"));
	assert_int_equal(list.count, 1);
	text = bind_format(bind_list_find(&list, "mount.a"));
	assert_string_equal(text, "/1:/data");
	assert_null(bind_list_set(&list, "mount.a", "/1:/data:ro"));
	assert_true(bind_list_find(&list, "mount.a")->read_only);
}

static void test_bound(void **state)
{
	CLEANUP_BIND_LIST struct bind_list list = { 0 };
	char key[32], value[32];

	(void)state;
	for (int i = 0; i <= BINDS_MAX; i++) {
		snprintf(key, sizeof key, "mount.m%d", i);
		snprintf(value, sizeof value, "/a:/b%d", i);
		if (i < BINDS_MAX)
			assert_null(bind_list_set(&list, key, value));
		else
			assert_non_null(bind_list_set(&list, key, value));
	}
	assert_int_equal(list.count, BINDS_MAX);
	assert_null(bind_list_set(&list, "mount.m3", "/a:/elsewhere"));
}

/* As settings of a record, whose text brings them back. */
static void test_in_a_record(void **state)
{
	struct record record = { .base = "b", .generation = 1, .privileged = true }, again = { 0 };
	CLEANUP_TEXT_LIST struct text_list taken = { 0 };
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *got = NULL;
	const struct lb_context_options options = { .size = sizeof options, .root = "/none" };
	struct lb_context *ctx;

	(void)state;
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	text_copy(record.identity.mac, sizeof record.identity.mac, "00:16:3e:00:00:01");
	text_copy(record.identity.ipv4, sizeof record.identity.ipv4, "10.0.3.2");
	assert_null(settings_set(&record, "mount.b", "/2:/y"));
	assert_null(settings_set(&record, "mount.a", "/1:/x:ro"));
	assert_null(settings_set(&record, "memory", "1G"));
	assert_null(settings_set(&record, "alert.mail", "a@example.net"));
	assert_non_null(settings_set(&record, "mount.A", "/1:/x"));
	text = record_to_text(&record);
	assert_non_null(strstr(text, "mount.a = /1:/x:ro\nmount.b = /2:/y\n"));
	assert_int_equal(record_parse(ctx, text, "record", &again), 0);
	got = settings_get(&again, "mount.a");
	assert_string_equal(got, "/1:/x:ro");
	assert_int_equal(settings_take_of_host(&again, &taken), 0);
	assert_int_equal(taken.count, 3);
	assert_true(text_list_has(&taken, "mount.a=/1:/x:ro"));
	assert_true(text_list_has(&taken, "mount.b=/2:/y"));
	assert_int_equal(again.binds.count, 0);
	assert_int_equal(again.limits.memory_bytes, 1 << 30);
	record_free(&record);
	record_free(&again);
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_refused_changes_nothing),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_in_a_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
