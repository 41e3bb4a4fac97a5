/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making a tree generic: what goes, what stays, and that a hostile tree reaches nothing beside itself. */
#include "unit.h"

#include "../../liblayerbox/base/generalise.h"
#include "../../liblayerbox/util/text.h"

static struct lb_context *ctx;
static int tree_fd;

static void make(const char *path)
{
	char full[256];

	snprintf(full, sizeof full, "tree/%s", path);
	assert_true(tree_make_directories(AT_FDCWD, full, 0755) >= 0);
}

static void put(const char *path, const char *text)
{
	char full[256], *slash;

	snprintf(full, sizeof full, "tree/%s", path);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_true(tree_make_directories(AT_FDCWD, full, 0755) >= 0);
	*slash = '/';
	put_file(full, text);
}

static bool there(const char *path)
{
	char full[256];

	snprintf(full, sizeof full, "tree/%s", path);
	return exists(full);
}

static int begin(void **state)
{
	(void)state;
	if (tree_remove(AT_FDCWD, "tree") < 0 || mkdir("tree", 0755) < 0)
		return -1;
	tree_fd = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tree_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	return close(tree_fd);
}

static void make_systemd(void)
{
	put("usr/lib/systemd/systemd", "x");
	make("usr/sbin");
	make("etc");
	assert_int_equal(symlink("usr/sbin", "tree/sbin"), 0);
	assert_int_equal(symlink("/lib/systemd/systemd", "tree/usr/sbin/init"), 0);
	assert_int_equal(symlink("usr/lib", "tree/lib"), 0);
}

static void test_machine(void **state)
{
	static const char *const gone[] = {
		"etc/hostname",
		"etc/resolv.conf",
		"etc/ssh/ssh_host_rsa_key",
		"etc/ssh/ssh_host_rsa_key.pub",
		"var/lib/dbus/machine-id",
		"var/lib/systemd/random-seed",
		"var/lib/systemd/credential.secret",
		"var/lib/dhcp/eth0.leases",
		"var/lib/apt/lists/partial/x",
		"var/cache/apt/pkgcache.bin",
		"var/cache/apt/archives/a.deb",
		"var/log/dpkg.log",
		"var/log/apt/history.log",
		"var/log/syslog.1",
		"var/log/journal/1234/system.journal",
		"tmp/x/y",
		"dev/null",
		"root/.bash_history",
	};
	static const char *const kept[] = {
		"etc/ssh/sshd_config", "etc/passwd",   "var/lib/dpkg/status",
		"var/log/nginx/x",     "var/log/wtmp", "var/lib/apt/extended_states",
		"root/.bashrc",        "tmp",          "dev",
		"var/lib/apt/lists",   "var/log/apt",
	};
	struct stat st;

	(void)state;
	make_systemd();
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		put(gone[i], "of one machine");
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (!there(kept[i]))
			put(kept[i], "of all");
	put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	assert_int_equal(generalise(ctx, tree_fd), 0);
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
		if (there(gone[i]))
			fail_msg("%s is still there", gone[i]);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (!there(kept[i]))
			fail_msg("%s is gone", kept[i]);
	assert_int_equal(stat("tree/etc/machine-id", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(stat("tree/var/log/wtmp", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(generalise(ctx, tree_fd), 0);
}

static void test_links_lead_nowhere(void **state)
{
	char outside[4096], target[4200];

	(void)state;
	assert_non_null(getcwd(outside, sizeof outside));
	strcat(outside, "/outside");
	mkdir("outside", 0755);
	put_file("outside/ssh_host_rsa_key", "secret");
	put_file("outside/x.log", "log");
	put_file("outside/wtmp", "log");
	put_file("outside/id", "id");
	make_systemd();
	make("var");
	assert_int_equal(symlink(outside, "tree/etc/ssh"), 0);
	assert_int_equal(symlink(outside, "tree/var/log"), 0);
	assert_int_equal(symlink("../../../../../../../..", "tree/var/tmp"), 0);
	assert_int_equal(symlink("../outside", "tree/tmp"), 0);
	snprintf(target, sizeof target, "%s/id", outside);
	assert_int_equal(symlink(target, "tree/etc/machine-id"), 0);
	make("outside");
	put("outside/inside", "a directory of that name inside is fair game");
	assert_int_equal(generalise(ctx, tree_fd), 0);
	assert_true(exists("outside/ssh_host_rsa_key"));
	assert_true(exists("outside/x.log"));
	assert_true(exists("outside/id"));
	assert_false(there("outside/inside"));
	assert_false(there("usr")); /* var/tmp was a link to its root: the tree harmed itself and nothing else */
}

static void test_odd_types(void **state)
{
	(void)state;
	make_systemd();
	put("var/log", "a file where a directory should be");
	make("etc/hostname/dir");
	make("var/lib/dbus");
	assert_int_equal(mkfifo("tree/var/lib/dbus/machine-id", 0644), 0);
	assert_int_equal(symlink("loop", "tree/loop"), 0);
	assert_int_equal(symlink("../loop", "tree/var/tmp"), 0);
	assert_int_equal(generalise(ctx, tree_fd), 0);
	assert_false(there("var/lib/dbus/machine-id"));
	assert_true(there("etc/hostname/dir"));
}

static void test_init(void **state)
{
	(void)state;
	assert_int_equal(init_detect(tree_fd), INIT_NONE);
	make("sbin");
	make("bin");
	put("bin/busybox", "x");
	assert_int_equal(symlink("/bin/busybox", "tree/sbin/init"), 0);
	assert_int_equal(init_detect(tree_fd), INIT_BUSYBOX);
	assert_int_equal(unlink("tree/sbin/init"), 0);
	assert_int_equal(link("tree/bin/busybox", "tree/sbin/init"), 0);
	assert_int_equal(init_detect(tree_fd), INIT_BUSYBOX);
	assert_int_equal(unlink("tree/sbin/init"), 0);
	put("sbin/init", "y");
	assert_int_equal(init_detect(tree_fd), INIT_OTHER);
	assert_int_equal(generalise(ctx, tree_fd), 0);
	assert_false(there("etc/machine-id"));
	assert_int_equal(tree_remove(tree_fd, "sbin"), 0);
	make_systemd();
	assert_int_equal(init_detect(tree_fd), INIT_SYSTEMD);
}

static void take_warning(enum lb_log_level level, const char *message, void *userdata)
{
	(void)level;
	snprintf(userdata, 512, "%s", message);
}

static void test_private_keys(void **state)
{
	char warning[512] = "";

	(void)state;
	make_systemd();
	put("etc/ssl/private/ssl-cert-snakeoil.key", "secret");
	lb_context_set_log(ctx, take_warning, warning);
	assert_int_equal(generalise(ctx, tree_fd), 0);
	lb_context_set_log(ctx, NULL, NULL);
	assert_contains(warning, "/etc/ssl/private/ssl-cert-snakeoil.key");
}

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	return lb_context_new(NULL, &ctx);
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_machine, begin, end),
		cmocka_unit_test_setup_teardown(test_links_lead_nowhere, begin, end),
		cmocka_unit_test_setup_teardown(test_odd_types, begin, end),
		cmocka_unit_test_setup_teardown(test_init, begin, end),
		cmocka_unit_test_setup_teardown(test_private_keys, begin, end),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
