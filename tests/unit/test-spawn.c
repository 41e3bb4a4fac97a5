/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "../../liblayerbox/util/file.h"
#include "../../liblayerbox/util/spawn.h"
#include "../../liblayerbox/util/text.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static void test_status(void **state)
{
	const struct spawn_options options = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("exit 0"), &options, &status, NULL), 0);
	assert_int_equal(status, 0);
	assert_int_equal(spawn_run(SHELL("exit 41"), &options, &status, NULL), 0);
	assert_int_equal(status, 41);
	assert_int_equal(spawn_run(SHELL("kill -TERM $$"), &options, &status, NULL), 0);
	assert_int_equal(status, 128 + SIGTERM);
}

/* One that never ends, whether it is silent, talks all the time, or has left others behind that will not be asked. */
static void test_timeout(void **state)
{
	static const char *const scripts[] = {
		"trap '' TERM; while :; do sleep 100; done",
		"while :; do echo x; done",
		"(trap '' TERM HUP; exec sleep 100) & sleep 100",
	};
	const struct spawn_options options = { .timeout_s = 1, .own_namespaces = true };
	int status = -1;

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
		assert_int_equal(spawn_run(SHELL(scripts[i]), &options, &status, NULL), -ETIMEDOUT);
	assert_int_equal(spawn_run(SHELL("exit 3"), &options, &status, NULL), 0);
	assert_int_equal(status, 3);
}

/* One that prints nothing any more, and cannot be seen to end by that. */
static void test_timeout_of_a_silent_one(void **state)
{
	const struct spawn_options options = { .timeout_s = 1 };
	int status = -1;

	(void)state;
	alarm(60);
	assert_int_equal(spawn_run(SHELL("exec sleep 100 >&- 2>&-"), &options, &status, NULL), -ETIMEDOUT);
	alarm(0);
}

/* A process whose number is in @file: true where it lived still. */
static bool ends_left(const char *file)
{
	CLEANUP_FREE char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, file, 64, &text, NULL), 0);
	return kill((pid_t)atoi(text), SIGKILL) == 0;
}

/* A mail server's delivery, a container's monitor: what a program leaves behind holds its output, and lives on. */
static void test_own_session_leaves_others_alone(void **state)
{
	const struct spawn_options options = { .timeout_s = 60, .own_session = true };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	alarm(30);
	assert_int_equal(spawn_run(SHELL("sleep 1000 & echo $! > left; echo last >&2; exit 3"), &options, &status,
				   &output), 0);
	assert_int_equal(status, 3);
	assert_string_equal(output, "last\n");
	assert_true(ends_left("left"));
	assert_int_equal(spawn_run(SHELL("yes & exit 4"), &options, &status, NULL), 0);
	assert_int_equal(status, 4);
	alarm(0);
}

/* What a program that hangs waits for is ended with it. */
static void test_own_session_ends_by_timeout(void **state)
{
	const struct spawn_options options = { .timeout_s = 1, .own_session = true };
	int status = -1;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(spawn_run(SHELL("sleep 1000 & echo $! > left; wait"), &options, &status, NULL), -ETIMEDOUT);
	assert_int_equal(status, 128 + SIGKILL);
	assert_true(wait(NULL) > 0);
	assert_false(ends_left("left"));
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void count_bytes(const char *line, void *userdata)
{
	*(size_t *)userdata += strlen(line) + 1;
}

/* Unhindered it would be a gigabyte. */
static void test_slow_output(void **state)
{
	size_t bytes = 0;
	const struct spawn_options options = { .timeout_s = 1, .slow_output = true, .on_line = count_bytes,
					       .userdata = &bytes };
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("exec yes"), &options, &status, NULL), -ETIMEDOUT);
	assert_in_range(bytes, 64 << 10, 120 * (64 << 10));
}

/* One that talks for longer than it may be silent, and then says no more. */
static void test_timeout_of_silence(void **state)
{
	const struct spawn_options options = { .timeout_s = 1, .timeout_of_silence = true };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("for i in 1 2 3 4 5; do echo $i; sleep 0.3; done"), &options, &status, &output), 0);
	assert_string_equal(output, "1\n2\n3\n4\n5\n");
	assert_int_equal(spawn_run(SHELL("echo 1; exec sleep 100"), &options, &status, NULL), -ETIMEDOUT);
}

/* It is stopped for longer than the program may be silent, and continued by the program: 0, or what was wrong. */
static int hear_one_that_stops_us(void)
{
	const struct spawn_options options = { .timeout_s = 1, .timeout_of_silence = true };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	if (spawn_run(SHELL("kill -STOP $PPID; echo 1; sleep 1.2; kill -CONT $PPID"), &options, &status, &output) != 0)
		return 1;
	return status == 0 && text_equal(output, "1\n") ? 0 : 2;
}

/* As by Ctrl-Z and fg: what was said meanwhile is no silence. The test itself goes on, for who waits for it. */
static void test_timeout_of_silence_while_stopped(void **state)
{
	pid_t pid = fork();
	int status = -1;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(hear_one_that_stops_us());
	assert_int_equal(spawn_wait(pid, &status), 0);
	assert_int_equal(status, 0);
}

static void test_missing_program(void **state)
{
	const struct spawn_options options = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run((const char *const[]){ "no-such-program", NULL }, &options, &status, NULL), -ENOENT);
	assert_int_equal(spawn_run((const char *const[]){ "/no/such", NULL }, &options, &status, NULL), -ENOENT);
	put_file("script", "#!/no/such/interpreter\n");
	assert_int_equal(chmod("script", 0755), 0);
	assert_int_equal(spawn_run((const char *const[]){ "./script", NULL }, &options, &status, NULL), -ENOENT);
	put_file("script", "\x7f" "ELF is not enough");
	assert_int_equal(spawn_run((const char *const[]){ "./script", NULL }, &options, &status, NULL), -ENOEXEC);
}

static void test_find(void **state)
{
	char *path = NULL;

	(void)state;
	assert_true(spawn_find("sh", &path));
	assert_int_equal(*path, '/');
	free(TAKE_PTR(path));
	assert_false(spawn_find("no-such-program", &path));
	assert_false(spawn_find("", &path));
	assert_null(path);
	setenv("PATH", ".:relative", 1);
	put_file("planted", "#!/bin/sh\n");
	assert_int_equal(chmod("planted", 0755), 0);
	assert_false(spawn_find("planted", &path));
	assert_true(spawn_find("sh", &path));
	free(TAKE_PTR(path));
	unsetenv("PATH");
	assert_true(spawn_find("mount", &path));
	free(path);
	setenv("PATH", "/usr/bin:/bin", 1);
}

static void test_output_and_input(void **state)
{
	const struct spawn_options options = { .input = "a\nb\n" }, nothing = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("cat; echo err >&2"), &options, &status, &output), 0);
	assert_string_equal(output, "a\nb\nerr\n");
	free(TAKE_PTR(output));
	assert_int_equal(spawn_run(SHELL("cat"), &nothing, &status, &output), 0);
	assert_string_equal(output, "");
}

static void test_input_that_nobody_reads(void **state)
{
	CLEANUP_FREE char *big = malloc(1 << 20), *output = NULL;
	struct spawn_options options = { .input = big };
	int status = -1;

	(void)state;
	memset(big, 'x', (1 << 20) - 1);
	big[(1 << 20) - 1] = '\0';
	assert_int_equal(spawn_run(SHELL("exit 3"), &options, &status, NULL), 0);
	assert_int_equal(status, 3);
	assert_int_equal(spawn_run(SHELL("wc -c"), &options, &status, &output), 0);
	assert_string_equal(output, "1048575\n");
}

struct dialogue {
	int given, until, heard;
};

static const char *give_number(void *userdata)
{
	static char line[16];
	struct dialogue *dialogue = userdata;

	snprintf(line, sizeof line, "%d", dialogue->given);
	return dialogue->given < dialogue->until ? dialogue->given++, line : NULL;
}

static void hear_number(const char *line, void *userdata)
{
	struct dialogue *dialogue = userdata;

	assert_int_equal(atoi(line), dialogue->heard++);
}

/* More than any pipe or socket holds, in both directions at once. */
static void test_lines_given_while_lines_come(void **state)
{
	struct dialogue dialogue = { .until = 100000 };
	const struct spawn_options options = { .next_line = give_number, .on_line = hear_number, .userdata = &dialogue };
	int status = -1;

	(void)state;
	alarm(120);
	assert_int_equal(spawn_run(SHELL("cat"), &options, &status, NULL), 0);
	assert_int_equal(status, 0);
	assert_int_equal(dialogue.heard, 100000);
	dialogue = (struct dialogue){ 0 };
	assert_int_equal(spawn_run(SHELL("cat"), &options, &status, NULL), 0);
	assert_int_equal(dialogue.heard, 0);
	alarm(0);
}

/* The program has each line before the next is asked for: it works on one while the caller makes the next. */
static const char *give_and_wait(void *userdata)
{
	struct dialogue *dialogue = userdata;

	for (int i = 0; dialogue->given == 1 && !exists("first"); i++) {
		assert_true(i < 1000);
		usleep(10000);
	}
	return dialogue->given++ < 2 ? "first" : NULL;
}

static void test_line_is_given_at_once(void **state)
{
	struct dialogue dialogue = { 0 };
	const struct spawn_options options = { .next_line = give_and_wait, .userdata = &dialogue };
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("while read -r name; do touch $name; done"), &options, &status, NULL), 0);
	assert_true(exists("first"));
}

/* No SIGPIPE, and no more questions than there was room for. */
static void test_lines_that_nobody_reads(void **state)
{
	struct dialogue dialogue = { .until = INT_MAX };
	const struct spawn_options options = { .next_line = give_number, .userdata = &dialogue };
	int status = -1;

	(void)state;
	alarm(120);
	assert_int_equal(spawn_run(SHELL("exit 3"), &options, &status, NULL), 0);
	alarm(0);
	assert_int_equal(status, 3);
	assert_int_equal(spawn_run((const char *const[]){ "/no/such", NULL }, &options, &status, NULL), -ENOENT);
}

static void test_output_is_bounded(void **state)
{
	const struct spawn_options options = { 0 };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("seq 1 300000"), &options, &status, &output), 0);
	assert_true(strlen(output) <= 8192);
	assert_true(strlen(output) > 4096);
	assert_string_equal(output + strlen(output) - 14, "299999\n300000\n");
}

/* All of it, byte by byte; and what it says of errors is heard as ever. */
static void test_output_to_a_descriptor(void **state)
{
	CLEANUP_FD int fd = open("output", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const struct spawn_options options = { .output_fd = fd };
	CLEANUP_FREE char *output = NULL;
	int status = -1;
	char last[4];

	(void)state;
	assert_true(fd > 2);
	assert_int_equal(spawn_run(SHELL("seq 1 300000; echo err >&2; printf 'a\\0b\\n'"), &options, &status, &output), 0);
	assert_int_equal(status, 0);
	assert_string_equal(output, "err\n");
	assert_int_equal(lseek(fd, 0, SEEK_END), 1988895 + 4);
	assert_int_equal(pread(fd, last, 4, 1988895), 4);
	assert_memory_equal(last, "a\0b\n", 4);
}

static void test_input_from_a_descriptor(void **state)
{
	const char text[] = "one\ntwo\n";
	CLEANUP_FREE char *output = NULL;
	struct spawn_options options = { 0 };
	int fds[2], status = -1;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), (int)strlen(text));
	close(fds[1]);
	options.input_fd = fds[0];
	assert_int_equal(spawn_run(SHELL("cat; exit 3"), &options, &status, &output), 0);
	assert_string_equal(output, text);
	assert_int_equal(status, 3);
	assert_int_equal(close(fds[0]), 0);
}

/* By a byte, or by the end of whoever would have written one. */
static void test_ended_by_a_descriptor(void **state)
{
	int fds[2], status = -1;

	(void)state;
	alarm(20);
	for (int way = 0; way < 2; way++) {
		struct spawn_options options = { 0 };

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		options.end_fd = fds[0];
		assert_int_equal(spawn_run(SHELL("exit 3"), &options, &status, NULL), 0);
		assert_int_equal(status, 3);
		if (way == 0)
			assert_int_equal(write(fds[1], "", 1), 1);
		close(fds[1]);
		assert_int_equal(spawn_run(SHELL("trap '' TERM; while :; do sleep 100; done"), &options, &status, NULL), 0);
		assert_int_equal(status, 128 + SIGKILL);
		close(fds[0]);
	}
	alarm(0);
}

static void test_inherited_descriptors(void **state)
{
	CLEANUP_FD int given = memfd_create("given", MFD_CLOEXEC), kept = memfd_create("kept", MFD_CLOEXEC);
	const struct spawn_options options = { .inherited = (const int[]){ given, 0 } };
	const struct spawn_options both = { .inherited = (const int[]){ given, 0 }, .own_namespaces = true };
	const struct spawn_options bad = { .inherited = (const int[]){ 1000000, 0 } };
	CLEANUP_FREE char *script = text_format("cat /proc/self/fd/%d; test ! -e /proc/self/fd/%d", given, kept);
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	need_root();
	assert_int_equal(write(given, "words", 5), 5);
	assert_int_equal(spawn_run(SHELL(script), &options, &status, &output), 0);
	assert_string_equal(output, "words");
	assert_int_equal(status, 0);
	free(TAKE_PTR(output));
	assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC); /* ours stays ours */
	assert_int_equal(spawn_run(SHELL("exit 0"), &bad, &status, NULL), -EBADF);
	free(TAKE_PTR(script));
	script = text_format("cat <&%d", given);
	assert_int_equal(lseek(given, 0, SEEK_SET), 0);
	assert_int_equal(spawn_run(SHELL(script), &both, &status, &output), 0);
	assert_string_equal(output, "words");
}

/* Whatever numbers they have here. */
static void test_input_and_third_descriptor(void **state)
{
	CLEANUP_FD int input = memfd_create("input", MFD_CLOEXEC), third = memfd_create("third", MFD_CLOEXEC);
	const struct spawn_options none = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(write(input, "input ", 6) + write(third, "third", 5), 11);
	for (int shift = 0; shift < 4; shift++) {
		int moved = fcntl(third, F_DUPFD_CLOEXEC, 3 + shift);
		const struct spawn_options options = { .input_fd = input, .third_fd = moved };
		CLEANUP_FREE char *output = NULL;

		assert_int_equal(lseek(input, 0, SEEK_SET) + lseek(moved, 0, SEEK_SET), 0);
		close_fd(third);
		third = moved;
		assert_int_equal(spawn_run(SHELL("cat; cat <&3"), &options, &status, &output), 0);
		assert_string_equal(output, "input third");
	}
	fcntl(3, F_SETFD, FD_CLOEXEC); /* one that these tests were started with */
	assert_int_equal(spawn_run(SHELL("test ! -e /proc/self/fd/3"), &none, &status, NULL), 0);
	assert_int_equal(status, 0);
}

static void test_environment(void **state)
{
	const struct spawn_options options = { .env = (const char *const[]){ "ONLY=this", NULL } };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run((const char *const[]){ "env", NULL }, &options, &status, &output), 0);
	assert_string_equal(output, "ONLY=this\n");
}

static void count_line(const char *line, void *userdata)
{
	text_list_add(userdata, line);
}

static void test_lines(void **state)
{
	CLEANUP_TEXT_LIST struct text_list lines = { 0 };
	const struct spawn_options options = { .on_line = count_line, .userdata = &lines };
	size_t length = 0;
	int status = -1;

	(void)state;
	assert_int_equal(spawn_run(SHELL("printf '10%%\\r20%%\\n\\nred \\033[31m\\r\\nlast'"), &options, &status, NULL), 0);
	assert_int_equal(lines.count, 4);
	assert_string_equal(lines.items[0], "10%");
	assert_string_equal(lines.items[1], "20%");
	assert_string_equal(lines.items[2], "red ?[31m");
	assert_string_equal(lines.items[3], "last");
	text_list_free(&lines);
	assert_int_equal(spawn_run(SHELL("head -c 10000 /dev/zero | tr '\\0' x"), &options, &status, NULL), 0);
	assert_true(lines.count >= 2);
	for (size_t i = 0; i < lines.count; i++)
		length += strlen(lines.items[i]);
	assert_int_equal(length, 10000);
}

/* The signals that a caller ignores or blocks are no concern of the program's. */
static void test_signals_are_as_usual(void **state)
{
	CLEANUP_FREE char *output = NULL;
	const struct spawn_options options = { 0 };
	sigset_t all, before;
	int status = -1;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(spawn_run(SHELL("grep -E 'Sig(Blk|Ign)' /proc/self/status"), &options, &status, &output), 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_contains(output, "SigBlk:\t0000000000000000");
	assert_int_equal(strtoull(strstr(output, "SigIgn:") + 7, NULL, 16) & (1U << (SIGPIPE - 1)), 0);
}

/* A daemon may have closed its standard descriptors: pipes then get their numbers. */
static int run_without_standard_fds(bool own_namespaces)
{
	const struct spawn_options options = { .input = "in", .own_namespaces = own_namespaces };
	char *output = NULL;
	int status = -1;

	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (spawn_run(SHELL("cat; echo err >&2; exit 7"), &options, &status, &output) != 0)
		return 1;
	if (status != 7 || strcmp(output, "inerr\n") != 0)
		return 2;
	if (spawn_run((const char *const[]){ "/dev/null", NULL }, &options, &status, NULL) >= 0)
		return 3;
	free(output);
	return 0;
}

static void test_without_standard_fds(void **state)
{
	(void)state;
	for (int own = 0; own <= (geteuid() == 0); own++) {
		pid_t pid = fork_mortal();

		if (pid == 0)
			_exit(run_without_standard_fds(own));
		assert_int_equal(end_of(pid), 0);
	}
}

/* ---- a program ends with its caller ---- */

static pid_t *shared_pid;

static void keep_pid(const char *line, void *userdata)
{
	(void)userdata;
	__atomic_store_n(shared_pid, (pid_t)atoi(line), __ATOMIC_SEQ_CST);
}

static pid_t wait_for_pid(void)
{
	pid_t pid = 0;

	for (int i = 0; i < 1000 && pid == 0; i++) {
		pid = __atomic_load_n(shared_pid, __ATOMIC_SEQ_CST);
		usleep(10000);
	}
	return pid;
}

static void *run_long(void *userdata)
{
	const struct spawn_options options = { .on_line = keep_pid, .own_namespaces = userdata != NULL };
	int status;

	spawn_run(SHELL("grep ^NSpid: /proc/self/status | cut -f2; exec sleep 1000"), &options, &status, NULL);
	return NULL;
}

static void end_thread(const char *line, void *userdata)
{
	(void)line;
	(void)userdata;
	pthread_exit(NULL);
}

static void *run_until_first_line(void *userdata)
{
	const struct spawn_options options = { .on_line = end_thread };
	int status;

	(void)userdata;
	spawn_run(SHELL("echo; echo up; exec sleep 1000"), &options, &status, NULL);
	return NULL;
}

static void test_ends_with_its_thread(void **state)
{
	pthread_t thread;
	pid_t pid;

	(void)state;
	/* What the thread leaves behind when it ends in the middle is this child's to lose. */
	pid = fork_mortal();
	if (pid == 0) {
		int status = 0;

		alarm(120);
		pthread_create(&thread, NULL, run_until_first_line, NULL);
		pthread_join(thread, NULL);
		if (wait(&status) < 0)
			_exit(3);
		_exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 4);
	}
	assert_int_equal(end_of(pid), 0);
}

/* Kills a process that is in spawn_run(), and expects what it ran to come to us, dead. */
static void check_ends_with_its_process(void *own_namespaces)
{
	pid_t caller, child;

	*shared_pid = 0;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	caller = fork_mortal();
	if (caller == 0) {
		run_long(own_namespaces);
		_exit(0);
	}
	assert_true(wait_for_pid() > 0);
	assert_int_equal(kill(caller, SIGKILL), 0);
	assert_int_equal(end_of(caller), 128 + SIGKILL);
	alarm(120);
	child = wait(NULL);
	alarm(0);
	assert_true(child > 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void test_ends_with_its_process(void **state)
{
	(void)state;
	check_ends_with_its_process(NULL);
}

static void test_namespaces_end_with_the_process(void **state)
{
	static int yes;

	(void)state;
	need_root();
	check_ends_with_its_process(&yes);
}

/* ---- in namespaces of its own ---- */

/* A daemon keeps an inherited pipe open as long as it lives: we must see its end at once. */
static void test_own_namespaces_end_daemons(void **state)
{
	const struct spawn_options options = { .own_namespaces = true };
	CLEANUP_FREE char *output = NULL, *script = NULL;
	int fds[2], status = -1;
	char byte;

	(void)state;
	need_root();
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFD, FD_CLOEXEC), 0);
	assert_true(asprintf(&script, "setsid sh -c 'trap \"\" TERM HUP; echo up >&%d; exec sleep 1000' >&- 2>&- & sleep 0.3; "
				      "exit 5", fds[1]) > 0);
	assert_int_equal(spawn_run(SHELL(script), &options, &status, &output), 0);
	assert_int_equal(status, 5);
	close(fds[1]);
	alarm(120);
	assert_int_equal(read(fds[0], &byte, 1), 1); /* it was there */
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 0); /* and is not any more */
	alarm(0);
	close(fds[0]);
}

static void test_own_namespaces_keep_mounts(void **state)
{
	const struct spawn_options options = { .own_namespaces = true };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	need_root();
	assert_int_equal(mkdir("mounted", 0755), 0);
	assert_int_equal(spawn_run(SHELL("mount -t tmpfs tmpfs mounted && touch mounted/file && ls mounted"), &options,
				   &status, &output), 0);
	assert_string_equal(output, "file\n");
	assert_int_equal(status, 0);
	assert_false(exists("mounted/file"));
	assert_int_equal(spawn_run((const char *const[]){ "/dev/null", NULL }, &options, &status, NULL), -ENOENT);
	assert_int_equal(spawn_run(SHELL("kill -KILL $$"), &options, &status, NULL), 0);
	assert_int_equal(status, 128 + SIGKILL);
}

static void *hold_namespaces(void *userdata)
{
	const struct spawn_options options = { .own_namespaces = true, .on_line = keep_pid };
	int status;

	(void)userdata;
	spawn_run(SHELL("echo 1; sleep 3"), &options, &status, NULL);
	return NULL;
}

/* The namespaces' first process is a fork of the caller: it must not keep the caller's locks and pipes alive. */
static void test_own_namespaces_hold_no_lock(void **state)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), other;
	pthread_t thread;

	(void)state;
	need_root();
	*shared_pid = 0;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold_namespaces, NULL), 0);
	assert_true(wait_for_pid() > 0);
	close(fd);
	other = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	pthread_join(thread, NULL);
}

static bool allocating;

static void *allocate(void *userdata)
{
	(void)userdata;
	while (__atomic_load_n(&allocating, __ATOMIC_SEQ_CST)) {
		void *volatile memory = malloc(4000);

		free(memory);
		memory = malloc(24);
		free(memory);
	}
	return NULL;
}

/* A fork of a process with threads may find the allocator locked for ever. */
static void test_own_namespaces_from_a_threaded_caller(void **state)
{
	const struct spawn_options options = { .own_namespaces = true };
	pthread_t threads[3];
	int status = -1;

	(void)state;
	need_root();
	__atomic_store_n(&allocating, true, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, allocate, NULL), 0);
	alarm(120);
	for (int i = 0; i < 30; i++)
		assert_int_equal(spawn_run((const char *const[]){ "true", NULL }, &options, &status, NULL), 0);
	alarm(0);
	__atomic_store_n(&allocating, false, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void test_root(void **state)
{
	const struct spawn_options options = { .root = "root", .input = "in" };
	CLEANUP_FREE char *output = NULL;
	int status = -1;

	(void)state;
	need_root();
	assert_int_equal(tree_make_directories(AT_FDCWD, "root/usr", 0755), 0);
	assert_int_equal(mkdir("root/proc", 0755), 0);
	assert_int_equal(symlink("usr/bin", "root/bin"), 0);
	assert_int_equal(symlink("usr/lib", "root/lib"), 0);
	assert_int_equal(symlink("usr/lib64", "root/lib64"), 0);
	assert_int_equal(mount("/usr", "root/usr", NULL, MS_BIND, NULL), 0);
	assert_int_equal(spawn_run((const char *const[]){ "/bin/sh", "-c", "pwd; echo *; cat; test -d /proc/1 && exit 9", NULL },
				   &options, &status, &output), 0);
	assert_string_equal(output, "/\nbin lib lib64 proc usr\nin");
	assert_int_equal(status, 9);
	assert_int_equal(spawn_run((const char *const[]){ "/bin/no-such", NULL }, &options, &status, NULL), -ENOENT);
	assert_int_equal(rmdir("root/proc"), 0); /* nothing is mounted there for us */
	assert_int_equal(umount("root/usr"), 0);
}

static int enter(void **state)
{
	shared_pid = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared_pid == MAP_FAILED ? -1 : scratch_enter(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_timeout_of_a_silent_one),
		cmocka_unit_test(test_own_session_leaves_others_alone),
		cmocka_unit_test(test_own_session_ends_by_timeout),
		cmocka_unit_test(test_slow_output),
		cmocka_unit_test(test_timeout_of_silence),
		cmocka_unit_test(test_timeout_of_silence_while_stopped),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_output_and_input),
		cmocka_unit_test(test_input_that_nobody_reads),
		cmocka_unit_test(test_lines_given_while_lines_come),
		cmocka_unit_test(test_line_is_given_at_once),
		cmocka_unit_test(test_lines_that_nobody_reads),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_output_to_a_descriptor),
		cmocka_unit_test(test_input_from_a_descriptor),
		cmocka_unit_test(test_ended_by_a_descriptor),
		cmocka_unit_test(test_inherited_descriptors),
		cmocka_unit_test(test_input_and_third_descriptor),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_signals_are_as_usual),
		cmocka_unit_test(test_without_standard_fds),
		cmocka_unit_test(test_ends_with_its_thread),
		cmocka_unit_test(test_ends_with_its_process),
		cmocka_unit_test(test_namespaces_end_with_the_process),
		cmocka_unit_test(test_own_namespaces_end_daemons),
		cmocka_unit_test(test_own_namespaces_keep_mounts),
		cmocka_unit_test(test_own_namespaces_hold_no_lock),
		cmocka_unit_test(test_own_namespaces_from_a_threaded_caller),
		cmocka_unit_test(test_root),
	};

	return cmocka_run_group_tests_name("spawn", tests, enter, scratch_leave);
}
