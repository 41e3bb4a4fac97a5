/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "../../liblayerbox/adapters/event-line.h"
#include "../../liblayerbox/adapters/journal.h"
#include "../../liblayerbox/core/log-directory.h"
#include "../../liblayerbox/events/event-file.h"
#include "../../liblayerbox/events/words.h"
#include "../../liblayerbox/util/file.h"
#include "../../liblayerbox/util/text.h"
#include "../../liblayerbox/util/utf8.h"

/* ------------------------------------------------------------------------------------------ lines */

static char *line_of(const char *message)
{
	const struct lb_event event = {
		.size = sizeof event,
		.time = 1795291865000123,
		.action = "start",
		.container = "tiger-assemblies",
		.result = "ok",
		.message = message,
		.pid = 42,
		.uid = 1000,
	};
	char *line = event_line_write(&event);

	assert_non_null(line);
	return line;
}

static void test_line(void **state)
{
	CLEANUP_FREE char *line = line_of("");
	struct event_line read;

	(void)state;
	assert_string_equal(line, "{\"time\":\"2026-11-21T20:11:05.000123Z\",\"action\":\"start\","
				  "\"container\":\"tiger-assemblies\",\"result\":\"ok\",\"message\":\"\","
				  "\"pid\":42,\"uid\":1000}\n");
	assert_true(event_line_read(line, &read));
	assert_int_equal(read.event.time, 1795291865000123);
	assert_string_equal(read.event.action, "start");
	assert_string_equal(read.event.container, "tiger-assemblies");
	assert_int_equal(read.event.pid, 42);
	assert_int_equal(read.event.uid, 1000);
	event_line_free(&read);
}

/* Whatever a program inside has said: one line, printable, UTF-8, of a bounded size. */
static void test_hostile_message(void **state)
{
	static const char message[] = "a\nb\x1b[2J\xff\xc2\x9b\"\\ \xe2\x82\xac";
	char much[20000];
	CLEANUP_FREE char *line = line_of(message);
	CLEANUP_FREE char *cut = NULL;
	struct event_line read;

	(void)state;
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_true(event_line_read(line, &read));
	assert_string_equal(read.event.message, "a b?[2J???\"\\ \xe2\x82\xac");
	event_line_free(&read);

	memset(much, '"', sizeof much);
	much[sizeof much - 1] = '\0';
	cut = line_of(much);
	assert_true(strlen(cut) <= EVENT_LINE_MAX);
	assert_true(event_line_read(cut, &read));
	event_line_free(&read);
}

static void test_no_events(void **state)
{
	static const char *const lines[] = {
		"", "\n", "{", "{\"time\":", "null", "[]", "{\"action\":\"start\"}",
		"{\"time\":\"yesterday\",\"action\":\"start\"}",
		"{\"time\":\"2026-11-21T20:11:05.000123Z\"}",
		"{\"time\":\"2026-11-21T20:11:05.000123Z\",\"action\":7}",
		"{\"time\":\"2026-11-21T20:11:05.000123Z\",\"action\":\"start\"",
		"{\"time\":\"2026-11-21T20:11:05.-00123Z\",\"action\":\"start\"}",
	};
	struct event_line read;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (event_line_read(lines[i], &read))
			fail_msg("\"%s\" was taken for an event", lines[i]);
}

/* Half a line, as a full disk leaves it, has no newline: the next event stands behind it. */
static void test_behind_half_a_line(void **state)
{
	CLEANUP_FREE char *line = line_of("{\"time\":\"x\"");
	CLEANUP_FREE char *both = text_format("{\"time\":\"2026-11-21T20:1%s", line);
	struct event_line read;

	(void)state;
	assert_true(event_line_read(both, &read));
	assert_int_equal(read.event.time, 1795291865000123);
	assert_string_equal(read.event.message, "{\"time\":\"x\"");
	event_line_free(&read);
}

static void assert_words(const char *action, bool failed, const char *expected)
{
	char words[64];

	event_words(action, failed, words, sizeof words);
	assert_string_equal(words, expected);
}

static void test_words(void **state)
{
	(void)state;
	assert_words("start", false, "started");
	assert_words("start", true, "start failed");
	assert_words("unhealthy", true, "unhealthy");
}

static void test_utf8(void **state)
{
	char text[] = "\xf0\x9f\x98\x80\xed\xa0\x80\xc0\xaf\tx\x7f";

	(void)state;
	assert_string_equal(utf8_clean(text), "\xf0\x9f\x98\x80?????\tx?");
	assert_int_equal(utf8_whole(text, 4), 4);
	assert_int_equal(utf8_whole(text, 3), 0);
	assert_int_equal(utf8_whole(text, 100), strlen(text));
}

/* ------------------------------------------------------------------------------------------- file */

enum { WRITERS = 8, LINES = 2000, ROUNDS = 3 };

static void write_lines(int logs_fd, int writer)
{
	char line[256];

	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof line, "%d %d %0*d\n", writer, i, 90 + i % 20, 0);
		if (event_file_append(logs_fd, line) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Every line of @file is whole, and the next of its writer. */
static void count_lines(int logs_fd, const char *file, int next[WRITERS])
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	assert_int_equal(file_read(logs_fd, file, 4 << 20, &text, NULL), 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		int writer, number, zeros = 0;

		if (sscanf(line, "%d %d %*s%n", &writer, &number, &zeros) != 2 || !zeros || line[zeros] ||
		    writer < 0 || writer >= WRITERS || strlen(strrchr(line, ' ') + 1) != (size_t)(90 + number % 20))
			fail_msg("a broken line in %s: %s", file, line);
		assert_int_equal(number, next[writer]++);
	}
}

/* Between 1 and 2 MiB in all, so it becomes full once: each line of each writer is in one of both files. */
static void test_many_writers(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char name[16];
		int next[WRITERS] = { 0 };
		pid_t writers[WRITERS];
		CLEANUP_FD int logs_fd = -1;

		snprintf(name, sizeof name, "logs%d", round);
		assert_int_equal(mkdir(name, 0750), 0);
		for (int i = 0; i < WRITERS; i++) {
			writers[i] = fork_mortal();
			if (writers[i] == 0)
				write_lines(open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), i);
		}
		for (int i = 0; i < WRITERS; i++)
			assert_int_equal(end_of(writers[i]), 0);
		logs_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		count_lines(logs_fd, EVENT_FILE_BEFORE, next);
		count_lines(logs_fd, EVENT_FILE, next);
		for (int i = 0; i < WRITERS; i++)
			assert_int_equal(next[i], LINES);
	}
}

/* Nothing of what may stand in its place is written to, or waited for. */
static void test_link_and_fifo_are_refused(void **state)
{
	CLEANUP_FD int logs_fd = -1;

	(void)state;
	assert_int_equal(mkdir("odd", 0750), 0);
	logs_fd = open("odd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlink("/etc/passwd-", "odd/" EVENT_FILE), 0);
	assert_int_equal(event_file_append(logs_fd, "x\n"), -ELOOP);
	assert_int_equal(unlink("odd/" EVENT_FILE), 0);
	assert_int_equal(mkfifo("odd/" EVENT_FILE, 0600), 0);
	assert_int_equal(event_file_append(logs_fd, "x\n"), -ENXIO);
}

static void test_directory(void **state)
{
	const struct lb_context_options options = { .size = sizeof options, .root = "/nowhere", .config_file = "/dev/null" };
	struct lb_context *ctx = NULL;
	char here[256], *root;
	struct stat st;
	int fd;

	(void)state;
	need_root();
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	assert_int_equal(log_directory_open(ctx), -ENOENT);
	assert_non_null(getcwd(here, sizeof here));
	root = strdup(here);
	free(ctx->config.root);
	ctx->config.root = root;
	assert_int_equal(log_directory_open(ctx), -ENOENT); /* no root of ours */
	assert_int_equal(mkdir("containers", 0711), 0);
	umask(077);
	fd = log_directory_open(ctx);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 02750);
	assert_int_equal(event_file_append(fd, "x\n"), 0);
	umask(022);
	assert_int_equal(stat("logs/events.log", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	close(fd);
	lb_context_free(ctx);
}

/* ---------------------------------------------------------------------------------------- journal */

static void test_journal(void **state)
{
	static const char expected[] = "MESSAGE\n\x0b\0\0\0\0\0\0\0two\nlines=1\nPRIORITY=6\nCONTAINER_NAME=tiger\n";
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "journal" };
	const struct journal_field fields[] = {
		{ "MESSAGE", "two\nlines=1" }, { "PRIORITY", "6" }, { "EMPTY", "" }, { "CONTAINER_NAME", "tiger" }, { 0 },
	};
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char got[512];
	ssize_t n;

	(void)state;
	assert_int_equal(journal_send("journal", fields), -ENOENT);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(journal_send("journal", fields), 0);
	n = recv(fd, got, sizeof got, 0);
	assert_int_equal(n, sizeof expected - 1);
	assert_memory_equal(got, expected, sizeof expected - 1);

	/* A journal that does not read holds nobody up. */
	for (int i = 0; i < 10000; i++)
		if (journal_send("journal", fields) == -EAGAIN)
			return;
	fail_msg("the socket took 10000 datagrams that nobody read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_hostile_message),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_behind_half_a_line),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_many_writers),
		cmocka_unit_test(test_link_and_fifo_are_refused),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
