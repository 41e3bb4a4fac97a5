/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What alerts are made of: mail, and when the disk is told about. */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/adapters/sendmail.h"
#include "../../liblayerbox/watch/disk.h"

static char *compose(const char *to, const char *subject, const char *text)
{
	char *mail = mail_compose(&(struct mail){ .to = to, .subject = subject, .text = text, .time = 1700000000 });

	assert_non_null(mail);
	return mail;
}

static void test_mail(void **state)
{
	CLEANUP_FREE char *mail = NULL;

	(void)state;
	setenv("TZ", "UTC-5:30", 1);
	tzset();
	mail = compose("root admin@example.org", "host: tiger failed", "one\ntwo\n");
	assert_string_equal(mail, "To: root, admin@example.org\n"
				  "Subject: host: tiger failed\n"
				  "Date: Wed, 15 Nov 2023 03:43:20 +0530\n"
				  "Auto-Submitted: auto-generated\n"
				  "MIME-Version: 1.0\n"
				  "Content-Type: text/plain; charset=utf-8\n"
				  "Content-Transfer-Encoding: 8bit\n"
				  "\n"
				  "one\ntwo\n");
}

static void test_words_are_no_headers(void **state)
{
	CLEANUP_FREE char *mail = compose("root", "a\nBcc: b\r\n\nc \303\244", "text\r\nBcc: d");
	const char *body = strstr(mail, "\n\n");

	(void)state;
	assert_non_null(body);
	assert_contains(mail, "\nSubject: a?Bcc: b???c ??\n");
	assert_string_equal(body, "\n\ntext\r\nBcc: d\n");
	for (const char *line = mail; line < body; line = strchr(line, '\n') + 1)
		assert_null(text_after(line, "Bcc"));
}

static void test_long_lines(void **state)
{
	static char text[5000];
	CLEANUP_FREE char *mail = NULL;
	size_t characters = 0;

	(void)state;
	text[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\303\244", 2);
	mail = compose("root", "s", text);
	for (const char *line = strstr(mail, "\n\n") + 2; *line; line = strchr(line, '\n') + 1) {
		assert_in_range(strchr(line, '\n') - line, 1, 998);
		assert_true(*line == 'x' || *line == '\303'); /* no half characters */
		characters += (size_t)(strchr(line, '\n') - line);
	}
	assert_int_equal(characters, strlen(text));
}

static void test_disk(void **state)
{
	static const struct {
		unsigned space, inodes, limit;
		bool told;
		unsigned news;
	} cases[] = {
		{ 89, 10, 90, false, 0 },
		{ 90, 10, 90, false, DISK_SAY_FULL },
		{ 10, 95, 90, false, DISK_SAY_FULL },
		{ 90, 10, 90, true, 0 },
		{ 89, 10, 90, true, 0 }, /* it goes up and down */
		{ 88, 10, 90, true, DISK_SAY_OK },
		{ 88, 89, 90, true, 0 },
		{ 88, 10, 90, false, 0 },
		{ 0, 0, 90, true, 0 }, /* not known */
		{ 0, 0, 1, false, 0 },
		{ 100, 0, 100, false, DISK_SAY_FULL },
		{ 1, 0, 1, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct disk_usage usage = { .space = cases[i].space, .inodes = cases[i].inodes };

		if (disk_next(&usage, cases[i].limit, cases[i].told) != cases[i].news)
			fail_msg("case %zu", i);
	}
}

static void test_disk_look(void **state)
{
	struct disk_usage usage = { .space = 77, .inodes = 77 };

	(void)state;
	disk_look(".", &usage);
	assert_in_range(usage.space, 0, 100);
	disk_look("/not/there", &usage);
	assert_int_equal(usage.space, 0);
	assert_int_equal(usage.inodes, 0);
	need_root();
	assert_int_equal(mkdir("small", 0755), 0);
	assert_int_equal(mount("tmpfs", "small", "tmpfs", 0, "size=1M,nr_inodes=10"), 0);
	disk_look("small", &usage);
	assert_int_equal(usage.space, 0);
	assert_int_equal(usage.inodes, 10);
	put_file("small/a", "a");
	disk_look("small", &usage);
	assert_int_equal(usage.space, 1);
	assert_int_equal(usage.inodes, 20);
	assert_int_equal(umount("small"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail),	   cmocka_unit_test(test_words_are_no_headers),
		cmocka_unit_test(test_long_lines), cmocka_unit_test(test_disk),
		cmocka_unit_test(test_disk_look),
	};

	return cmocka_run_group_tests_name("alert", tests, scratch_enter, scratch_leave);
}
