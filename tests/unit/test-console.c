/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/logs/reader.h"

#define DIRECTORY "logs/wolf/"

/* What was read, a character for each line, and what is done while a line is told. */
struct told {
	char lines[32];
	const char *at;               /* a rotation when this line is told */
};

static void rotate(const char *text)
{
	assert_int_equal(rename(DIRECTORY "console.log", DIRECTORY "console.log.1"), 0);
	put_file(DIRECTORY "console.log", text);
}

static void on_line(const char *name, const char *line, void *userdata)
{
	struct told *told = userdata;

	assert_string_equal(name, "wolf");
	strncat(told->lines, line, 1);
	if (told->at && strcmp(line, told->at) == 0)
		rotate("z\n");
}

static void prepare(const char *before, const char *present)
{
	mkdir("logs", 0755);
	mkdir("logs/wolf", 0755);
	unlink(DIRECTORY "console.log.1");
	unlink(DIRECTORY "console.log");
	if (before)
		put_file(DIRECTORY "console.log.1", before);
	if (present)
		put_file(DIRECTORY "console.log", present);
}

/* Reads the console; followed, until a line is told that ends it. */
static int read_console(const struct lb_logs_options *options, unsigned lines, struct told *told)
{
	CLEANUP_FREE char *root = getcwd(NULL, 0);
	const struct lb_context_options context_options = { .size = sizeof context_options, .root = root };
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct lb_context *ctx = NULL;
	struct reader reader = { .name = "wolf", .options = options, .lines = lines, .mutex = &mutex,
				 .fn = on_line, .userdata = told };
	int r;

	assert_int_equal(lb_context_new(&context_options, &ctx), 0);
	reader.ctx = ctx;
	r = console_read(&reader);
	lb_context_free(ctx);
	return r;
}

static void test_lines(void **state)
{
	const struct lb_logs_options options = { .size = sizeof options };
	static const struct {
		const char *before, *present;
		unsigned lines;
		const char *expected;
	} cases[] = {
		{ "a\nb\n", "c\nd\n", 0, "abcd" }, { "a\nb\n", "c\nd\n", 3, "bcd" }, { "a\nb\n", "c\nd\n", 9, "abcd" },
		{ NULL, "c\nd", 1, "d" },	   { "a\nb\n", NULL, 1, "b" },       { NULL, NULL, 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct told told = { 0 };

		prepare(cases[i].before, cases[i].present);
		assert_int_equal(read_console(&options, cases[i].lines, &told), 0);
		assert_string_equal(told.lines, cases[i].expected);
	}
}

/* What was the present file when it was begun is read, whatever its name is by then. */
static void test_rotation_while_it_is_read(void **state)
{
	const struct lb_logs_options options = { .size = sizeof options };
	struct told told = { .at = "a" }, last = { .at = "b" };

	(void)state;
	prepare("a\n", "b\nc\n");
	assert_int_equal(read_console(&options, 0, &told), 0);
	assert_string_equal(told.lines, "abc");
	prepare("a\nb\n", "c\nd\n");
	assert_int_equal(read_console(&options, 3, &last), 0);
	assert_string_equal(last.lines, "bcd");
}

/* One that is followed, in a thread of its own: of two rotations since it looked last, all three files are read. */
static void *follow(void *userdata)
{
	const struct lb_logs_options options = { .size = sizeof options, .follow = true };

	assert_int_equal(read_console(&options, 1, userdata), 0);
	return NULL;
}

static void test_rotation_while_it_is_followed(void **state)
{
	struct told told = { .at = "c" };
	pthread_t thread;

	(void)state;
	prepare("a\n", "b\n");
	assert_int_equal(pthread_create(&thread, NULL, follow, &told), 0);
	while (!*(volatile char *)told.lines)
		usleep(1000);
	rotate("c\nd\n"); /* of which the first line brings another */
	while (!strchr(told.lines, 'z'))
		usleep(1000);
	unlink(DIRECTORY "console.log"); /* and with its container it ends */
	pthread_join(thread, NULL);
	assert_string_equal(told.lines, "bcdz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_rotation_while_it_is_read),
		cmocka_unit_test(test_rotation_while_it_is_followed),
	};

	alarm(60);
	return cmocka_run_group_tests_name("console", tests, scratch_enter, scratch_leave);
}
