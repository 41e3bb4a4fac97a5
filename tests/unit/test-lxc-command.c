/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "../../liblayerbox/adapters/lxc-command.h"
#include "../../liblayerbox/util/clock.h"

/* A socket as a monitor opens it. */
static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path + 1, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static bool both_say(const char *lxcpath, const char *name)
{
	struct lxc_monitors monitors = { 0 };
	bool has;

	assert_int_equal(lxc_monitors_load(&monitors), 0);
	has = lxc_monitors_has(&monitors, lxcpath, name);
	lxc_monitors_free(&monitors);
	assert_int_equal(has, lxc_command_has_monitor(lxcpath, name));
	return has;
}

static void test_monitors(void **state)
{
	static const char *const paths[] = { "/unit test/b/command", "/unit test/a/command", "/unit test/c" };
	int fds[3];

	(void)state;
	assert_false(both_say("/unit test", "b"));
	for (int i = 0; i < 3; i++)
		fds[i] = listen_on(paths[i]);
	assert_true(both_say("/unit test", "a"));
	assert_true(both_say("/unit test", "b"));
	assert_false(both_say("/unit test", "c"));
	assert_false(both_say("/unit test", "aa"));
	assert_false(both_say("/unit test/", "a"));
	assert_false(both_say("", "a"));
	close(fds[0]);
	assert_false(both_say("/unit test", "b"));
	assert_true(both_say("/unit test", "a"));
	close(fds[1]);
	close(fds[2]);
}

/* A path that does not fit into an address is hashed, as LXC does it. */
static void test_long_path(void **state)
{
	char lxcpath[201];
	int fd;

	(void)state;
	memset(lxcpath, 'x', 200);
	lxcpath[0] = '/';
	lxcpath[200] = '\0';
	assert_false(both_say(lxcpath, "a"));
	fd = listen_on("lxc/7c28b3b49f27f752/command");
	assert_true(both_say(lxcpath, "a"));
	assert_false(both_say(lxcpath, "b"));
	close(fd);
}

/* One that never answers lets nobody wait for ever, however many have asked it. */
static void test_hung(void **state)
{
	struct lxc_answer answer;
	int fd = listen_on("/unit test/hung/command");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(lxc_command_has_monitor("/unit test", "hung"));
	assert_int_equal(lxc_command_query("/unit test", "hung", &answer), -EAGAIN);
	assert_int_equal(answer.pid, 0);
	close(fd);
}

/* They are waited for together: for two seconds, not eight. */
static void test_all_hung(void **state)
{
	struct lxc_question questions[] = { { .name = "a" }, { .name = "b" }, { .name = "none" }, { .name = "c" },
					    { .name = "d" } };
	static const char *const paths[] = { "/unit test/a/command", "/unit test/b/command", "/unit test/c/command",
					     "/unit test/d/command" };
	int64_t begin = clock_ms();
	int fds[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		fds[i] = listen_on(paths[i]);
	lxc_command_query_all("/unit test", questions, 5, LXC_ASK_STATE | LXC_ASK_PID);
	assert_true(clock_ms() - begin < 6000);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(questions[i].result, i == 2 ? 0 : -EAGAIN);
		assert_int_equal(questions[i].answer.state, LB_STATE_STOPPED);
	}
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monitors),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_hung),
		cmocka_unit_test(test_all_hung),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
