/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a program in restic's place: what it is given, and what is made of what it says. */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/adapters/restic.h"
#include "../../liblayerbox/util/file.h"

static struct lb_context *ctx;
static struct restic restic;
static char here[4096];

/* Puts @script in restic's place. */
static void be_restic(const char *script)
{
	CLEANUP_FREE char *text = text_format("#!/bin/sh\n%s\n", script);

	put_file("bin/restic", text);
	assert_int_equal(chmod("bin/restic", 0755), 0);
}

static void set(char **member, const char *value)
{
	free(*member);
	*member = strdup(value);
	assert_non_null(*member);
}

static int setup(void **state)
{
	const struct lb_context_options options = { .size = sizeof options, .config_file = "/dev/null" };
	CLEANUP_FREE char *path = NULL;

	if (scratch_enter(state) < 0 || !getcwd(here, sizeof here) || mkdir("bin", 0755) < 0)
		return -1;
	path = text_format("%s/bin:%s", here, getenv("PATH"));
	if (!path || setenv("PATH", path, 1) < 0)
		return -1;
	return lb_context_new(&options, &ctx);
}

static int teardown(void **state)
{
	restic_close(&restic);
	lb_context_free(ctx);
	return scratch_leave(state);
}

static int open_again(void)
{
	restic_close(&restic);
	return restic_open(ctx, &restic);
}

static char *content_of(const char *file)
{
	char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, file, 1 << 20, &text, NULL), 0);
	return text;
}

/* ---- what it is run with ---- */

static void test_secrets(void **state)
{
	CLEANUP_FREE char *password = text_format("%s/password", here), *environment = text_format("%s/environment", here);
	CLEANUP_FREE char *seen = NULL, *line = NULL;

	(void)state;
	need_root();
	be_restic("env > seen");
	assert_int_equal(open_again(), -LB_ERR_NO_REPOSITORY);
	assert_contains(lb_context_error(ctx), "backup.repository");
	set(&ctx->config.backup_repository, "/some where");
	assert_int_equal(open_again(), -LB_ERR_NO_REPOSITORY);
	assert_contains(lb_context_error(ctx), "backup.password_file");

	set(&ctx->config.backup_password_file, password);
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	put_file("password", "secret\n");
	assert_int_equal(chmod("password", 0644), 0);
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	assert_contains(lb_context_error(ctx), "chmod 600");
	assert_int_equal(chmod("password", 0640), 0);
	assert_int_equal(open_again(), 0);
	assert_int_equal(chown("password", 1, 0), 0);
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	assert_int_equal(chown("password", 0, 0), 0);

	set(&ctx->config.backup_environment_file, environment);
	put_file("environment", "AWS_ACCESS_KEY_ID=abc=/+\n# a remark\n\nQUOTED=\"two words\"\nRESTIC_REPOSITORY=/other\n");
	assert_int_equal(chmod("environment", 0604), 0);
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	assert_int_equal(chmod("environment", 0600), 0);
	assert_int_equal(open_again(), 0);
	assert_int_equal(restic_run(ctx, &restic, (const char *const[]){ "x", NULL }, NULL, NULL), 0);
	seen = content_of("seen");
	assert_contains(seen, "AWS_ACCESS_KEY_ID=abc=/+\n");
	assert_contains(seen, "QUOTED=two words\n");
	line = text_format("RESTIC_PASSWORD_FILE=%s\n", password);
	assert_contains(seen, line);
	assert_contains(seen, "/cache/layerbox/restic\n");
	assert_string_equal(restic.env.items[0], "RESTIC_REPOSITORY=/some where");

	put_file("environment", "not a line\n");
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	assert_contains(lb_context_error(ctx), "environment:1:");
	put_file("environment", "BAD NAME=x\n");
	assert_int_equal(open_again(), -LB_ERR_BAD_CONFIG);
	put_file("environment", "RESTIC_PASSWORD=x\n");
	set(&ctx->config.backup_password_file, "");
	assert_int_equal(open_again(), 0);
}

/* ---- what it says ---- */

/* Debian 12's 0.14 and Debian 13's 0.18, word for word. */
static void test_failures(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *part;
	} cases[] = {
		{ "echo 'Fatal: unable to open config file: stat /r/config: no such file or directory\n"
		  "Is there a repository at the following location?\n/r' >&2; exit 1",
		  -LB_ERR_NO_REPOSITORY, "layerbox backup init" },
		{ "echo '{\"message_type\":\"exit_error\",\"code\":10,\"message\":\"Fatal: repository does not exist: unable to open "
		  "config file: stat /r/config: no such file or directory\"}' >&2; exit 10",
		  -LB_ERR_NO_REPOSITORY, "repository does not exist: unable" },
		{ "echo 'unable to create lock in backend: repository is already locked exclusively by PID 22400 on vm by root "
		  "(UID 0, GID 0)\nlock was created at 2026-11-21 17:44:16 (1.1s ago)\nstorage ID 88d27d6a\n"
		  "the `unlock` command can be used to remove stale locks' >&2; exit 1",
		  -LB_ERR_NO_REPOSITORY, "by PID 22400 on vm" },
		{ "echo locked >&2; exit 11", -LB_ERR_NO_REPOSITORY, "layerbox backup unlock" },
		{ "echo 'Fatal: wrong password or no key found' >&2; exit 1", -LB_ERR_NO_REPOSITORY, "another password" },
		{ "echo nope >&2; exit 12", -LB_ERR_NO_REPOSITORY, "another password" },
		{ "echo 'subprocess ssh: ssh: Could not resolve hostname nohost.invalid: Name or service not known\n"
		  "Fatal: unable to open repository at sftp:nohost.invalid:/x: unable to start the sftp session, error: EOF' >&2; exit 1",
		  -LB_ERR_NO_REPOSITORY, "Could not resolve hostname" },
		{ "echo 'Fatal: unable to save snapshot: write /r/data/d2/d2fe: no space left on device' >&2; exit 1", -ENOSPC,
		  "full disk" },
		{ "echo 'Fatal: repository contains errors' >&2; exit 1", -LB_ERR_DAMAGED, "repository contains errors" },
		{ "printf 'Fatal: \\033[1mred' >&2; exit 3", -LB_ERR_PROGRAM_FAILED, "status 3: ?[1mred" },
		{ "exit 1", -LB_ERR_PROGRAM_FAILED, "did not say why" },
		{ "kill -TERM $$", -LB_ERR_PROGRAM_FAILED, "signal 15" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		be_restic(cases[i].script);
		assert_int_equal(restic_run(ctx, &restic, (const char *const[]){ "x", NULL }, NULL, NULL), cases[i].code);
		assert_contains(lb_context_error(ctx), cases[i].part);
		assert_null(strchr(lb_context_error(ctx), '\n'));
	}
}

/* ---- streams to it ---- */

static int write_some(int fd, void *userdata)
{
	const char *text = userdata;

	return fd_write_all(fd, text, strlen(text));
}

static int write_and_fail(int fd, void *userdata)
{
	int r = write_some(fd, userdata);

	return r < 0 ? r : fail(ctx, -LB_ERR_DAMAGED, "the source is damaged");
}

static int write_for_ever(int fd, void *userdata)
{
	static const char zeros[65536];
	int r = 0;

	(void)userdata;
	signal(SIGPIPE, SIG_IGN);
	while (r == 0)
		r = fd_write_all(fd, zeros, sizeof zeros);
	return fail_errno(ctx, r, "cannot write");
}

static char some[] = "a stream";
static const char *const arguments[] = { "backup", "--stdin", NULL };

static void test_save(void **state)
{
	CLEANUP_FREE char *got = NULL;

	(void)state;
	alarm(60);
	be_restic("cat > got; echo \"$*\" >> got");
	assert_int_equal(restic_save(ctx, &restic, arguments, write_some, some), 0);
	got = content_of("got");
	assert_string_equal(got, "a streambackup --stdin\n");
	/* One that fails of itself: nobody waits for ever, and it is its words that count. */
	be_restic("head -c 1000000 > /dev/null; echo 'no space left on device' >&2; exit 1");
	assert_int_equal(restic_save(ctx, &restic, arguments, write_for_ever, NULL), -ENOSPC);
	be_restic("echo done > got; exit 1");
	assert_int_equal(restic_save(ctx, &restic, arguments, write_some, some), -LB_ERR_PROGRAM_FAILED);
	be_restic("exec < /dev/null; exit 11");
	assert_int_equal(restic_save(ctx, &restic, arguments, write_for_ever, NULL), -LB_ERR_NO_REPOSITORY);
	alarm(0);
}

/* It must not take the end of what could be read for the end of the stream. */
static void test_stream_that_breaks_off(void **state)
{
	CLEANUP_FREE char *commands = NULL, *number = NULL;
	bool started = false, ended;
	pid_t pid;

	(void)state;
	alarm(60);
	unlink("ended");
	be_restic("echo \"$*\" >> commands; [ \"$1\" = backup ] || exit 0; touch started; cat > /dev/null; touch ended");
	assert_int_equal(restic_save(ctx, &restic, arguments, write_and_fail, some), -LB_ERR_DAMAGED);
	assert_string_equal(lb_context_error(ctx), "the source is damaged");
	assert_false(exists("ended"));
	commands = content_of("commands");
	assert_contains(commands, "unlock\n"); /* the killed one's lock */

	/* Its caller is killed, and for once it does not end by that itself. */
	be_restic("exec setpriv --pdeathsig clear sh -c 'echo $$ > started.new; mv started.new started; cat > /dev/null; touch ended'");
	unlink("started");
	pid = fork_mortal();
	if (pid == 0) {
		restic_save(ctx, &restic, arguments, write_for_ever, NULL);
		_exit(0);
	}
	for (; !started; usleep(1000))
		started = exists("started");
	kill(pid, SIGKILL);
	assert_int_equal(end_of(pid), 128 + SIGKILL);
	usleep(300000);
	ended = exists("ended");
	number = content_of("started");
	kill(atoi(number), SIGKILL);
	assert_false(ended);
	alarm(0);
}

/* ---- streams from it ---- */

static int read_all(int fd, void *userdata)
{
	return fd_read_all(fd, 1 << 20, userdata, NULL);
}

static int read_and_refuse(int fd, void *userdata)
{
	char byte;

	(void)userdata;
	(void)!read(fd, &byte, 1);
	return fail(ctx, -LB_ERR_BAD_STREAM, "the stream is cut off");
}

static void test_load(void **state)
{
	char *text = NULL;

	(void)state;
	alarm(60);
	be_restic("echo \"$*\"; echo noise >&2");
	assert_int_equal(restic_load(ctx, &restic, (const char *const[]){ "dump", "id", NULL }, read_all, &text), 0);
	assert_string_equal(text, "dump id\n");
	free(text);
	be_restic("exec cat /dev/zero");
	assert_int_equal(restic_load(ctx, &restic, arguments, read_and_refuse, NULL), -LB_ERR_BAD_STREAM);
	be_restic("echo x; echo 'wrong password or no key found' >&2; exit 1");
	assert_int_equal(restic_load(ctx, &restic, arguments, read_and_refuse, NULL), -LB_ERR_NO_REPOSITORY);
	alarm(0);
}

/* ---- lists ---- */

struct seen {
	struct text_list lines;
};

static int on_snapshot(const struct restic_snapshot *snapshot, void *userdata)
{
	struct seen *seen = userdata;
	const char *container = restic_tag_value(snapshot, "container=");

	return text_list_format(&seen->lines, "%s %s %lld %s", snapshot->id, snapshot->host, (long long)snapshot->time,
				container ? container : "-");
}

static void test_list(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	be_restic("cat << E\n"
		  "[{\"time\":\"2026-11-21T17:44:09.110724624Z\",\"paths\":[\"/c.layerbox\"],\"hostname\":\"hh\",\"tags\":"
		  "[\"layerbox\",\"container=c\"],\"id\":\"d0bb3c80a8\",\"short_id\":\"d0bb3c80\"},"
		  "{\"time\":\"2026-11-21T18:44:09+01:00\",\"hostname\":\"hh\",\"tags\":null,\"id\":\"9e2d25aa4d\",\"short_id\":\"9e2d25aa\"},"
		  "{\"time\":\"2026-11-21T10:44:09.5-07:00\",\"hostname\":\"x\",\"tags\":[\"container=\"],\"id\":\"1111111111\","
		  "\"short_id\":\"11111111\"},"
		  "{\"time\":\"yesterday\",\"hostname\":\"x\",\"tags\":[],\"id\":\"22\",\"short_id\":\"22\"}, 7]\nE");
	assert_int_equal(restic_list(ctx, &restic, "layerbox", on_snapshot, &seen), 0);
	assert_int_equal(seen.lines.count, 3);
	assert_string_equal(seen.lines.items[0], "d0bb3c80 hh 1795283049 c");
	assert_string_equal(seen.lines.items[1], "9e2d25aa hh 1795283049 -");
	assert_string_equal(seen.lines.items[2], "11111111 x 1795283049 ");
	text_list_free(&seen.lines);
	be_restic("echo null");
	assert_int_equal(restic_list(ctx, &restic, "layerbox", on_snapshot, &seen), 0);
	be_restic("echo '[{'");
	assert_int_equal(restic_list(ctx, &restic, "layerbox", on_snapshot, &seen), -LB_ERR_PROGRAM_FAILED);
	be_restic("echo '[]'; echo 'repository is already locked' >&2; exit 1");
	assert_int_equal(restic_list(ctx, &restic, "layerbox", on_snapshot, &seen), -LB_ERR_NO_REPOSITORY);
	assert_int_equal(seen.lines.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),	       cmocka_unit_test(test_failures),
		cmocka_unit_test(test_save),	       cmocka_unit_test(test_stream_that_breaks_off),
		cmocka_unit_test(test_load),	       cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("restic", tests, setup, teardown);
}
