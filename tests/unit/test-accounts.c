/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <time.h>

#include "../../liblayerbox/rebase/account-line.h"
#include "../../liblayerbox/rebase/accounts.h"
#include "../../liblayerbox/util/text.h"

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define SYNC "sync:x:4:65534:sync:/bin:/bin/sync\n"
#define MAIL "mail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n"
#define JANE "jane:x:1000:1000:Jane:/home/jane:/bin/zsh\n"
#define BASE ROOT SYNC MAIL

struct expected {
	enum lb_rebase_outcome outcome;
	const char *subject, *part;
};

static const struct {
	enum account_file file;
	struct three_texts texts;
	const char *merged;
	struct expected reports[3];
} cases[] = {
	/* 0: whole texts */
	{ ACCOUNT_PASSWD, { NULL, NULL, NULL }, NULL, { { 0 } } },
	{ ACCOUNT_PASSWD, { BASE, NULL, NULL }, NULL, { { 0 } } },
	{ ACCOUNT_PASSWD, { BASE, BASE, JANE "\n" BASE }, JANE "\n" BASE, { { 0 } } },
	{ ACCOUNT_PASSWD, { NULL, BASE, NULL }, BASE, { { 0 } } },
	{ ACCOUNT_PASSWD, { NULL, NULL, JANE "rubbish" }, JANE "rubbish", { { 0 } } },
	/* 5: added by both, each side's order */
	{ ACCOUNT_PASSWD, { ROOT MAIL, ROOT "n:x:5:5::/:/\n" MAIL, JANE MAIL ROOT }, ROOT "n:x:5:5::/:/\n" MAIL JANE, { { 0 } } },
	/* removed by the base: stays, whether or not the container changed it */
	{ ACCOUNT_PASSWD, { BASE, ROOT MAIL, BASE }, ROOT MAIL SYNC, { { 0 } } },
	{ ACCOUNT_PASSWD, { BASE, NULL, BASE }, BASE, { { 0 } } },
	{ ACCOUNT_PASSWD, { BASE, ROOT MAIL, ROOT "sync:x:4:65534:mine:/bin:/bin/sync\n" MAIL },
	  ROOT MAIL "sync:x:4:65534:mine:/bin:/bin/sync\n", { { 0 } } },
	/* 9: removed by the container: stays removed */
	{ ACCOUNT_PASSWD, { BASE, ROOT SYNC "mail:x:8:8:other:/var/mail:/bin/sh\n", ROOT SYNC }, ROOT SYNC, { { 0 } } },
	{ ACCOUNT_PASSWD, { BASE, BASE "n:x:5:5::/:/\n", NULL }, "n:x:5:5::/:/\n", { { 0 } } },
	/* 11: fields of one account */
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:G:/h:/s\n", "a:x:1:1:g:/h:/S\n" JANE }, "a:x:1:1:G:/h:/S\n" JANE,
	  { { LB_REBASE_MERGED, "a", "both count" } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:G:/n:/N\n", "a:x:1:1:g:/o:/O\n" }, "a:x:1:1:G:/o:/O\n",
	  { { LB_REBASE_STAYS, "a", "changed the user a in /etc/passwd: home directory and shell as in the container" } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:G:/n:/N\n", "a:x:1:1:o:/o:/O\n" }, "a:x:1:1:o:/o:/O\n",
	  { { LB_REBASE_STAYS, "a", "description, home directory and shell as" } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:G:/h:/s\n", "a:x:1:1:g:/h:/s\n" JANE }, "a:x:1:1:G:/h:/s\n" JANE, { { 0 } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:G:/h:/s\n", "a:x:1:1:G:/h:/s\n" JANE }, "a:x:1:1:G:/h:/s\n" JANE, { { 0 } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:g:/h:/s\n" MAIL, "a:x:1:1:g:/h:/S\n" }, "a:x:1:1:g:/h:/S\n" MAIL, { { 0 } } },
	{ ACCOUNT_PASSWD, { ROOT, ROOT "r:x:9:9::/n:/s\n", ROOT "r:x:9:9::/o:/s\n" }, ROOT "r:x:9:9::/o:/s\n",
	  { { LB_REBASE_STAYS, "r", "both the container and the new base brought the user r in /etc/passwd: home directory as" } } },
	{ ACCOUNT_PASSWD, { ROOT, ROOT MAIL, ROOT MAIL JANE }, ROOT MAIL JANE, { { 0 } } },
	/* 19: one number for two */
	{ ACCOUNT_PASSWD, { ROOT, ROOT "chrony:x:105:5::/:/\n", ROOT "redis:x:105:6::/:/\n" },
	  ROOT "chrony:x:105:5::/:/\n" "redis:x:105:6::/:/\n",
	  { { LB_REBASE_CONFLICT, "redis", "number 105 would belong to two: to the user redis of the container, and to the user chrony" } } },
	{ ACCOUNT_PASSWD, { ROOT MAIL, ROOT "new:x:8:8::/:/\n", ROOT MAIL }, ROOT "new:x:8:8::/:/\n" MAIL,
	  { { LB_REBASE_CONFLICT, "mail", "usermod --uid" } } },
	{ ACCOUNT_PASSWD, { ROOT MAIL, ROOT MAIL "n:x:0012:8::/:/\n", ROOT "mail:x:12:8:mail:/var/mail:/usr/sbin/nologin\n" },
	  ROOT "mail:x:12:8:mail:/var/mail:/usr/sbin/nologin\n" "n:x:0012:8::/:/\n",
	  { { LB_REBASE_CONFLICT, "mail", "the user n " } } },
	{ ACCOUNT_GROUP, { "a:x:1:\n", "a:x:1:\nn:x:7:\n", "a:x:1:\no:x:7:\n" }, "a:x:1:\nn:x:7:\no:x:7:\n",
	  { { LB_REBASE_CONFLICT, "o", "groupmod --gid" } } },
	{ ACCOUNT_PASSWD, { ROOT, ROOT "n:x:5:5::/:/\nm:x:5:5::/:/\n", ROOT "o:x:5:6::/:/\np:x:5:5::/:/\n" },
	  ROOT "n:x:5:5::/:/\nm:x:5:5::/:/\no:x:5:6::/:/\np:x:5:5::/:/\n",
	  { { LB_REBASE_CONFLICT, "o", "user m " }, { LB_REBASE_CONFLICT, "o", "user n " } } },
	/* 24: that the container or the base has on purpose: no conflict */
	{ ACCOUNT_PASSWD, { ROOT, ROOT MAIL, ROOT "toor:x:0:0::/root:/bin/sh\n" JANE "jim:x:1000:1000::/:/\n" },
	  ROOT MAIL "toor:x:0:0::/root:/bin/sh\n" JANE "jim:x:1000:1000::/:/\n", { { 0 } } },
	{ ACCOUNT_PASSWD, { ROOT, ROOT "toor:x:0:0::/:/\n", ROOT JANE }, ROOT "toor:x:0:0::/:/\n" JANE, { { 0 } } },
	{ ACCOUNT_PASSWD, { ROOT MAIL, ROOT MAIL SYNC, ROOT "o:x:8:8::/:/\n" }, ROOT SYNC "o:x:8:8::/:/\n", { { 0 } } },
	/* 27: one account, two numbers */
	{ ACCOUNT_PASSWD, { ROOT, ROOT "redis:x:705:5::/:/\n", ROOT "redis:x:105:5::/:/\n" }, ROOT "redis:x:105:5::/:/\n",
	  { { LB_REBASE_CONFLICT, "redis", "has number 105 in the container and 705 in the new base" } } },
	{ ACCOUNT_PASSWD, { MAIL, "mail:x:9:8:mail:/var/mail:/usr/sbin/nologin\n", MAIL }, MAIL,
	  { { LB_REBASE_CONFLICT, "mail", "another number for the user mail, 9 instead of 8" } } },
	{ ACCOUNT_GROUP, { "a:x:1:\n", "a:x:2:\n", "a:x:3:\n" }, "a:x:3:\n", { { LB_REBASE_CONFLICT, "a", "3 in the container and 2" } } },
	{ ACCOUNT_PASSWD, { MAIL, "mail:x:9:8:mail:/var/mail:/s\n", "mail:x:9:8:mail:/v:/usr/sbin/nologin\n" }, "mail:x:9:8:mail:/v:/s\n",
	  { { LB_REBASE_MERGED, "mail", "" } } },
	{ ACCOUNT_PASSWD, { MAIL, MAIL ROOT, "mail:x:9:8:mail:/var/mail:/usr/sbin/nologin\n" },
	  "mail:x:9:8:mail:/var/mail:/usr/sbin/nologin\n" ROOT, { { 0 } } },
	{ ACCOUNT_PASSWD, { MAIL, "mail:x:9:8:mail:/var/mail:/usr/sbin/nologin\n", ROOT }, ROOT, { { 0 } } },
	/* 33: what is no account */
	{ ACCOUNT_PASSWD, { ROOT, ROOT MAIL, ROOT "half:x:1\n+@group::::::\n# bad:x:1:1::/:/\n\n+::::::" },
	  ROOT MAIL "half:x:1\n+@group::::::\n# bad:x:1:1::/:/\n+::::::\n", { { 0 } } },
	{ ACCOUNT_PASSWD, { "gone:x\n" ROOT, ROOT, "gone:x\n" ROOT JANE }, ROOT JANE, { { 0 } } },
	{ ACCOUNT_PASSWD, { "", "a:x:8:8::/:/:\nb:x:-8:8::/:/\nc:x:8a:8::/:/\nd:x::8::/:/\ne:x:4294967296:8::/:/\n:x:8:8::/:/\n", MAIL },
	  "a:x:8:8::/:/:\nb:x:-8:8::/:/\nc:x:8a:8::/:/\nd:x::8::/:/\ne:x:4294967296:8::/:/\n:x:8:8::/:/\n" MAIL, { { 0 } } },
	{ ACCOUNT_PASSWD, { "root\n" MAIL, "root\n" MAIL SYNC, ROOT "root\n" MAIL }, "root\n" MAIL SYNC ROOT, { { 0 } } },
	{ ACCOUNT_PASSWD, { "a:x:1:1:g:/h:/s\n", "a:x:1:1:n:/h:/s\n", "a:x:1:1:g:/h:/s\na:x:1:1:g:/h:/2\n" },
	  "a:x:1:1:n:/h:/s\na:x:1:1:g:/h:/2\n", { { 0 } } },
	/* 38: shadow */
	{ ACCOUNT_SHADOW, { "a:*:1:0:9:7:::\n", "a:!:2:0:9:8:::\n", "a:$y$s:3:0:9:7:::\n" }, "a:$y$s:3:0:9:8:::\n",
	  { { LB_REBASE_STAYS, "a", "/etc/shadow: password as in the container" } } },
	{ ACCOUNT_SHADOW, { "a:*:1:0:9:7:::\n", "a:*:2:0:9:7:::\n", "a:$y$s:3:0:9:7:::\n" }, "a:$y$s:3:0:9:7:::\n", { { 0 } } },
	{ ACCOUNT_SHADOW, { "a:*:1:0:9:7:::\n", "a:!:1:0:9:7:::\n", "a:*:1:0:9:7:::\nj:$y$:1::::::\n" }, "a:!:1:0:9:7:::\nj:$y$:1::::::\n", { { 0 } } },
	{ ACCOUNT_SHADOW, { "", "r:!:1::::::\n", "r:!:2::::::\n" }, "r:!:2::::::\n", { { 0 } } },
	{ ACCOUNT_SHADOW, { "a:*:1:0:9:7:::\n", "", "a:*:1:0:9:7:::\n" }, "a:*:1:0:9:7:::\n", { { 0 } } },
	/* 43: members */
	{ ACCOUNT_GROUP, { "g:x:5:a,b\n", "g:x:5:a,b,n\n", "g:x:5:o,a\n" }, "g:x:5:a,n,o\n", { { LB_REBASE_MERGED, "g", "group g" } } },
	{ ACCOUNT_GROUP, { "g:x:5:a,b\n", "g:x:5:\n", "g:x:5:a,b,jane\n" }, "g:x:5:jane\n", { { LB_REBASE_MERGED, "g", "" } } },
	{ ACCOUNT_GROUP, { "g:x:5:\n", "g:x:5:n\nh:x:6:\n", "g:x:5:\ni:x:7:\n" }, "g:x:5:n\nh:x:6:\ni:x:7:\n", { { 0 } } },
	{ ACCOUNT_GROUP, { "", "g:x:5:n\n", "g:x:5:o\n" }, "g:x:5:n,o\n", { { LB_REBASE_MERGED, "g", "brought" } } },
	{ ACCOUNT_GROUP, { "g:x:5:a\n", "g:x:5:a,n\n", "g:x:5:a,n\nh:x:6:\n" }, "g:x:5:a,n\nh:x:6:\n", { { 0 } } },
	{ ACCOUNT_GSHADOW, { "g:!:a:b\n", "g:!:a,n:b\n", "g:*:a,o:b,c\n" }, "g:*:a,n,o:b,c\n", { { LB_REBASE_MERGED, "g", "" } } },
	/* 49: subordinate ids */
	{ ACCOUNT_SUBUID, { "", "n:100000:65536\n", "o:165536:65536\n" }, "n:100000:65536\no:165536:65536\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "", "n:100000:65536\n", "o:165535:65536\n" }, "n:100000:65536\no:165535:65536\n",
	  { { LB_REBASE_CONFLICT, "o", "to the user o of the container from 165535 on, and to the user n that the new base" } } },
	{ ACCOUNT_SUBGID, { "", "n:100000:65536\n", "o:100000:65536\n" }, "n:100000:65536\no:100000:65536\n",
	  { { LB_REBASE_CONFLICT, "o", "--del-subgids" } } },
	{ ACCOUNT_SUBUID, { "a:1:10\n", "a:1:10\nn:50:1\n", "a:1:10\no:5:10\n" }, "a:1:10\nn:50:1\no:5:10\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "", "n:20:5\n", "x:0:1000\no:1:100\n" }, "n:20:5\nx:0:1000\no:1:100\n", { { LB_REBASE_CONFLICT, "x", "" } } },
	{ ACCOUNT_SUBUID, { "", "x:20:5\n", "x:0:1000\nx:5000:1\no:1:100\n" }, "x:20:5\nx:0:1000\nx:5000:1\no:1:100\n", { { LB_REBASE_CONFLICT, "o", "" } } },
	{ ACCOUNT_SUBUID, { "", "n:20:5\n", "o:22:0\n" }, "n:20:5\no:22:0\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "a:100:10\n", "a:200:10\n", "a:100:10\n" }, "a:100:10\n", { { LB_REBASE_STAYS, "a", "as in the container" } } },
	{ ACCOUNT_SUBUID, { "a:100:10\n", "a:100:10\nb:1:1\n", "a:300:10\n" }, "a:300:10\nb:1:1\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "a:100:10\n", "", "a:100:10\n" }, "a:100:10\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "a:1:1\na:3:1\n", "a:1:1\na:5:1\n", "a:1:1\na:3:1\na:7:1\n" }, "a:1:1\na:5:1\na:3:1\na:7:1\n", { { 0 } } },
	{ ACCOUNT_SUBUID, { "a:1:1\na:3:1\n", "a:1:1\na:3:1\nb:9:1\n", "a:3:1\n" }, "a:3:1\nb:9:1\n", { { 0 } } },
	/* 61: shells */
	{ ACCOUNT_SHELLS, { "# x\n/bin/sh\n/bin/old\n", "# x\n/bin/sh\n/bin/new\n", "# x\n/bin/sh\n/bin/old\n/bin/zsh\n" },
	  "# x\n/bin/sh\n/bin/new\n/bin/zsh\n", { { 0 } } },
	{ ACCOUNT_SHELLS, { "/a\n", "/a\n/b\n", NULL }, "/b\n", { { 0 } } },
	{ ACCOUNT_SHELLS, { "/a\n", NULL, "/a\n" }, "", { { 0 } } },
};

static void check_reports(size_t number, const struct expected *reports, const struct report *report)
{
	size_t conflicts = 0, i = 0;

	assert_false(report->failed);
	for (; i < 3 && reports[i].subject; i++) {
		if (i >= report->count)
			fail_msg("case %zu: no report %zu", number, i);
		if (report->items[i].outcome != reports[i].outcome)
			fail_msg("case %zu: outcome %d: %s", number, report->items[i].outcome, report->items[i].text);
		assert_int_equal(report->items[i].kind, LB_REBASE_ACCOUNT);
		if (!strstr(report->items[i].text, reports[i].part))
			fail_msg("case %zu: \"%s\"", number, report->items[i].text);
		assert_string_equal(report->items[i].subject, reports[i].subject);
		conflicts += reports[i].outcome == LB_REBASE_CONFLICT;
	}
	if (report->count > i)
		fail_msg("case %zu: \"%s\"", number, report->items[i].text);
	assert_int_equal(report->conflicts, conflicts);
}

static void free_texts(char **texts)
{
	for (size_t i = 0; i < ACCOUNT_FILES; i++)
		free(texts[i]);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct three_texts texts[ACCOUNT_FILES] = { { 0 } };
		char *merged[ACCOUNT_FILES] = { NULL };
		struct report report = { 0 };
		const char *text;

		texts[cases[i].file] = cases[i].texts;
		assert_int_equal(accounts_merge(texts, &report, merged), 0);
		text = merged[cases[i].file];
		if (!text != !cases[i].merged || (text && !text_equal(text, cases[i].merged)))
			fail_msg("case %zu: \"%s\"", i, text ? text : "(none)");
		check_reports(i, cases[i].reports, &report);
		for (size_t j = 0; j < ACCOUNT_FILES; j++)
			assert_true(j == cases[i].file || !merged[j]);
		free_texts(merged);
		report_free(&report);
	}
}

/* A name is as long as its owner likes, and is shown on terminals. */
static void test_hostile_names(void **state)
{
	CLEANUP_FREE char *own = text_format("\x1b[31m%0200d:x:5:5::/:/\n", 1);
	struct three_texts texts[ACCOUNT_FILES] = { [ACCOUNT_PASSWD] = { "", "n:x:5:5::/:/\n", own } };
	char *merged[ACCOUNT_FILES];
	struct report report = { 0 };

	(void)state;
	assert_int_equal(accounts_merge(texts, &report, merged), 0);
	assert_int_equal(report.conflicts, 1);
	assert_null(strchr(report.items[0].text, '\x1b'));
	assert_null(strchr(report.items[0].subject, '\x1b'));
	assert_true(strlen(report.items[0].subject) < 100);
	assert_true(strlen(report.items[0].text) < 600);
	assert_contains(merged[ACCOUNT_PASSWD], own);
	free_texts(merged);
	report_free(&report);
}

static void test_paths(void **state)
{
	(void)state;
	assert_string_equal(account_file_path(ACCOUNT_PASSWD), "etc/passwd");
	assert_string_equal(account_file_path(ACCOUNT_SHADOW), "etc/shadow");
	assert_string_equal(account_file_path(ACCOUNT_GROUP), "etc/group");
	assert_string_equal(account_file_path(ACCOUNT_GSHADOW), "etc/gshadow");
	assert_string_equal(account_file_path(ACCOUNT_SUBUID), "etc/subuid");
	assert_string_equal(account_file_path(ACCOUNT_SUBGID), "etc/subgid");
	assert_string_equal(account_file_path(ACCOUNT_SHELLS), "etc/shells");
}

static uint32_t seed = 20261121;

static uint32_t next_random(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static char *random_text(enum account_file file)
{
	/* What stands before and behind two numbers. */
	static const char *const forms[][3] = {
		{ ":x:", ":0::/:/", "" }, { ":", ":", "::::::" }, { ":x:", ":a,", "" }, { ":!:", ":", ",b" },
		{ ":", ":", "" }, { ":", ":", "" }, { "/", "", "" },
	};
	const char *const *form = forms[file];
	CLEANUP_BUFFER struct buffer text = { 0 };

	if (next_random(20) == 0)
		return NULL;
	for (uint32_t n = next_random(8); n > 0; n--)
		buffer_format(&text, "%c%s%u%s%u%s\n", "abcd+#"[next_random(6)], form[0], next_random(5), form[1],
			      next_random(4), form[2]);
	if (text.length && next_random(5) == 0)
		text.data[next_random((uint32_t)text.length)] = ":\n,+a\xff"[next_random(6)];
	return buffer_finish(&text);
}

/* The number of the first account @name, which is the one that programs find; -1: none. */
static long number_of(const char *text, char name)
{
	struct slice rest = { text, text ? strlen(text) : 0 }, line;
	struct account_line account;

	while (slice_cut(&rest, '\n', &line))
		if (account_line_read(account_form(ACCOUNT_PASSWD), line, &account) &&
		    slice_equal(account.fields[0], (struct slice){ &name, 1 }))
			return (long)account.number;
	return -1;
}

/*
 * Whoever had a number in the container has it still, conflict or not. And what comes of a merge is merged with its base
 * without a change or a word.
 */
static void test_any_text(void **state)
{
	unsigned conflicts = 0, without = 0;

	(void)state;
	for (unsigned i = 0; i < 40000; i++) {
		enum account_file file = i % ACCOUNT_FILES;
		CLEANUP_FREE char *old = random_text(file), *new = random_text(file), *own = random_text(file);
		struct three_texts texts[ACCOUNT_FILES] = { [0] = { 0 } }, again_texts[ACCOUNT_FILES] = { [0] = { 0 } };
		char *merged[ACCOUNT_FILES], *again[ACCOUNT_FILES];
		struct report report = { 0 }, nothing = { 0 };

		texts[file] = (struct three_texts){ old, new, own };
		assert_int_equal(accounts_merge(texts, &report, merged), 0);
		assert_int_equal(merged[file] != NULL, new || own);
		conflicts += report.conflicts > 0;
		without += report.conflicts == 0;
		for (char name = 'a'; file == ACCOUNT_PASSWD && merged[file] && name <= 'd'; name++)
			if (number_of(own, name) >= 0)
				assert_int_equal(number_of(merged[file], name), number_of(own, name));
		again_texts[file] = (struct three_texts){ new, new, merged[file] };
		assert_int_equal(accounts_merge(again_texts, &nothing, again), 0);
		assert_int_equal(nothing.count, 0);
		if (merged[file] && again[file])
			assert_string_equal(again[file], merged[file]);
		free_texts(merged);
		free_texts(again);
		report_free(&report);
		report_free(&nothing);
	}
	assert_true(conflicts > 1000 && without > 1000);
}

/* Two million bytes in each file that the container wrote: not a matter of more than moments. */
static void test_large_texts(void **state)
{
	enum { SIZE = 2000000 };
	CLEANUP_BUFFER struct buffer users = { 0 }, members = { 0 }, ranges = { 0 }, lines = { 0 };
	struct three_texts texts[ACCOUNT_FILES] = { { 0 } };
	char *merged[ACCOUNT_FILES];
	struct report report = { 0 };
	struct timespec begin, end;

	(void)state;
	buffer_add_text(&members, "g:x:5:");
	for (unsigned i = 0; users.length < SIZE; i++)
		buffer_format(&users, "u%u:x:5:5::/:/\n", i % 1000);
	for (unsigned i = 0; members.length < SIZE; i++)
		buffer_format(&members, "m%u,", i);
	for (unsigned i = 0; ranges.length < SIZE; i++)
		buffer_format(&ranges, "u%u:%u:4294967295\n", i % 2, i);
	while (lines.length < SIZE)
		buffer_add_text(&lines, "a\n");
	texts[ACCOUNT_PASSWD] = (struct three_texts){ ROOT, ROOT "n:x:5:5::/:/\n", users.data };
	texts[ACCOUNT_SHADOW] = (struct three_texts){ ROOT, "n:x:5:5::/:/\n", lines.data };
	texts[ACCOUNT_GROUP] = (struct three_texts){ "g:x:5:\n", "g:x:5:a\n", members.data };
	texts[ACCOUNT_SUBUID] = (struct three_texts){ NULL, "n:7:5\nm:1000000:1\n", ranges.data };
	texts[ACCOUNT_SHELLS] = (struct three_texts){ "a\n", "b\n", lines.data };
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_int_equal(accounts_merge(texts, &report, merged), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(end.tv_sec - begin.tv_sec < 60);
	free_texts(merged);
	report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_large_texts),
	};

	return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
