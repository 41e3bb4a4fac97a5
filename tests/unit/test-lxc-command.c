/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "../../liblayerbox/adapters/lxc-command.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_monitors),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
