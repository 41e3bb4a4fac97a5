/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/file.h>

#include "../../liblayerbox/core/store.h"

static char directory[256];

static struct lb_context *new_context(const char *name)
{
	char path[300];
	const struct lb_context_options options = { .size = sizeof options, .root = path, .config_file = "/dev/null" };
	struct lb_context *ctx = NULL;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	return ctx;
}

static void assert_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	if ((st.st_mode & 07777) != mode)
		fail_msg("%s has mode %04o, not %04o", path, st.st_mode & 07777, mode);
}

static void check_modes(const char *root)
{
	static const struct {
		const char *name;
		mode_t mode;
	} expected[] = {
		{ "", 0711 },		   { "os-bases", 0711 },  { "containers", 0711 }, { "include", 0755 },
		{ "templates", 0755 }, { "bases", 0755 }, { "network", 0711 },
	};
	char path[300];

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		snprintf(path, sizeof path, "%s/%s", root, expected[i].name);
		assert_mode(path, expected[i].mode);
	}
}

static void test_prepare(void **state)
{
	struct lb_context *ctx = new_context("host/layerbox");

	(void)state;
	assert_int_equal(store_prepare(ctx), 0);
	check_modes("host/layerbox");
	assert_int_equal(store_prepare(ctx), 1);
	assert_int_equal(rmdir("host/layerbox/network"), 0);
	assert_int_equal(store_prepare(ctx), 0);
	check_modes("host/layerbox");
	assert_int_equal(chmod("host/layerbox/bases", 0750), 0);
	assert_int_equal(store_prepare(ctx), 1);
	assert_mode("host/layerbox/bases", 0750); /* the operator's own choice */
	assert_int_equal(chmod("host/layerbox/bases", 0755), 0);
	/* As older versions made it: everybody could hold these locks. */
	assert_int_equal(chmod("host/layerbox", 0755) | chmod("host/layerbox/network", 0755), 0);
	assert_int_equal(store_close_locks(ctx, false), 1);
	assert_int_equal(store_prepare(ctx), 0);
	check_modes("host/layerbox");
	assert_int_equal(store_close_locks(ctx, true), 0);
	lb_context_free(ctx);
}

static void test_prepare_under_a_strict_umask(void **state)
{
	struct lb_context *ctx = new_context("strict");
	mode_t before = umask(077);

	(void)state;
	assert_int_equal(store_prepare(ctx), 0);
	umask(before);
	check_modes("strict");
	lb_context_free(ctx);
}

static void test_prepare_where_it_cannot_be(void **state)
{
	struct lb_context *ctx = new_context("a-file/root"), *other = new_context("blocked");

	(void)state;
	put_file("a-file", "x");
	assert_int_equal(store_prepare(ctx), -ENOTDIR);
	assert_contains(lb_context_error(ctx), "a-file/root: Not a directory");
	assert_int_equal(mkdir("blocked", 0755), 0);
	put_file("blocked/containers", "x");
	assert_true(store_prepare(other) < 0);
	assert_contains(lb_context_error(other), "blocked/containers");
	lb_context_free(ctx);
	lb_context_free(other);
}

static void test_open_says_what_to_do(void **state)
{
	struct lb_context *ctx = new_context("missing");

	(void)state;
	assert_int_equal(store_open(ctx), -ENOENT);
	assert_contains(lb_context_error(ctx), "missing does not exist; make it with `layerbox init`");
	assert_int_equal(mkdir("missing", 0755), 0);
	assert_int_equal(store_open(ctx), -ENOENT);
	assert_contains(lb_context_error(ctx), "is not a layerbox root");
	assert_int_equal(ctx->root_fd, -1);
	assert_int_equal(store_prepare(ctx), 0);
	assert_true(ctx->root_fd >= 0);
	assert_int_equal(store_open_directory(ctx, "nothing"), -ENOENT);
	assert_contains(lb_context_error(ctx), "missing/nothing");
	lb_context_free(ctx);
}

static void test_read_data(void **state)
{
	struct lb_context *ctx = new_context("data");
	CLEANUP_FREE char *text = NULL, *path = NULL, *expected = NULL;

	(void)state;
	assert_int_equal(store_prepare(ctx), 0);
	put_file("data/templates/unit-test.conf", "own");
	assert_int_equal(store_read_data(ctx, STORE_TEMPLATES, "unit-test.conf", &text, &path), 0);
	assert_string_equal(text, "own");
	expected = store_path(ctx, "templates/%s", "unit-test.conf");
	assert_string_equal(path, expected);
	free(TAKE_PTR(text));
	assert_int_equal(store_read_data(ctx, STORE_TEMPLATES, "no-such.conf", &text, NULL), -ENOENT);
	assert_contains(lb_context_error(ctx), "templates/no-such.conf: No such file");
	assert_null(text);
	lb_context_free(ctx);
}

static void test_hide(void **state)
{
	struct lb_context *ctx = new_context("hide");
	char hidden[128], long_name[200] = "", path[400];
	int fd;

	(void)state;
	assert_int_equal(store_prepare(ctx), 0);
	fd = store_open_directory(ctx, STORE_CONTAINERS);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mkdir("hide/containers/tiger", 0700), 0);
		assert_int_equal(store_hide(ctx, fd, "tiger", hidden), 0);
		assert_false(exists("hide/containers/tiger"));
		assert_int_equal(strncmp(hidden, ".deleted-tiger.", 15), 0);
		snprintf(path, sizeof path, "hide/containers/%s", hidden);
		assert_true(exists(path));
	}
	assert_int_equal(store_hide(ctx, fd, "tiger", hidden), -ENOENT);
	memset(long_name, 'x', sizeof long_name - 1);
	snprintf(path, sizeof path, "hide/containers/%s", long_name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(store_hide(ctx, fd, long_name, hidden), 0);
	assert_true(strlen(hidden) < sizeof hidden);
	close(fd);
	lb_context_free(ctx);
}

static void collect_log(enum lb_log_level level, const char *message, void *userdata)
{
	text_list_format(userdata, "%d %s", (int)level, message);
}

/* What a living command works on is locked by it; the rest of what is hidden goes. */
static void test_sweep(void **state)
{
	struct lb_context *ctx = new_context("sweep");
	CLEANUP_TEXT_LIST struct text_list log = { 0 };
	CLEANUP_FD int parent = -1;
	CLEANUP_FD int alive = -1;

	(void)state;
	assert_int_equal(store_prepare(ctx), 0);
	lb_context_set_log(ctx, collect_log, &log);
	assert_int_equal(tree_make_directories(AT_FDCWD, "sweep/containers/.new-dead/rootfs-layer/etc", 0755), 0);
	assert_int_equal(tree_make_directories(AT_FDCWD, "sweep/containers/.deleted-dead.0badcafe/work", 0755), 0);
	assert_int_equal(tree_make_directories(AT_FDCWD, "sweep/containers/.new-alive/work", 0755), 0);
	assert_int_equal(mkdir("sweep/containers/tiger", 0700), 0);
	assert_int_equal(mkdir("sweep/containers/.other", 0700), 0);
	assert_int_equal(symlink("tiger", "sweep/containers/.new-link"), 0);
	alive = open("sweep/containers/.new-alive", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(alive, LOCK_EX), 0);
	parent = store_open_directory(ctx, STORE_CONTAINERS);
	assert_int_equal(store_sweep(ctx, parent, "container"), 0);
	assert_false(exists("sweep/containers/.new-dead"));
	assert_false(exists("sweep/containers/.deleted-dead.0badcafe"));
	assert_true(exists("sweep/containers/.new-alive/work"));
	assert_true(exists("sweep/containers/tiger"));
	assert_true(exists("sweep/containers/.other"));
	assert_int_equal(log.count, 2);
	text_list_sort(&log);
	assert_string_equal(log.items[1], "6 removed what a killed command left of a container: .new-dead");
	assert_int_equal(store_sweep(ctx, parent, "container"), 0);
	assert_int_equal(log.count, 2);
	lb_context_free(ctx);
}

static void test_sweep_reports_what_stays(void **state)
{
	struct lb_context *ctx = new_context("stuck");
	CLEANUP_TEXT_LIST struct text_list log = { 0 };
	CLEANUP_FD int parent = -1;

	(void)state;
	need_root();
	assert_int_equal(store_prepare(ctx), 0);
	lb_context_set_log(ctx, collect_log, &log);
	assert_int_equal(tree_make_directories(AT_FDCWD, "stuck/os-bases/.new-x/rootfs", 0755), 0);
	assert_int_equal(mount("tmpfs", "stuck/os-bases/.new-x/rootfs", "tmpfs", 0, NULL), 0);
	parent = store_open_directory(ctx, STORE_BASES);
	assert_int_equal(store_sweep(ctx, parent, "base"), 0);
	assert_int_equal(log.count, 1);
	assert_contains(log.items[0], "4 what a killed command left of a base, .new-x, could not be removed");
	assert_int_equal(umount("stuck/os-bases/.new-x/rootfs"), 0);
	assert_int_equal(store_sweep(ctx, parent, "base"), 0);
	assert_false(exists("stuck/os-bases/.new-x"));
	lb_context_free(ctx);
}

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	snprintf(directory, sizeof directory, "%s", (const char *)*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_prepare_under_a_strict_umask),
		cmocka_unit_test(test_prepare_where_it_cannot_be),
		cmocka_unit_test(test_open_says_what_to_do),
		cmocka_unit_test(test_read_data),
		cmocka_unit_test(test_hide),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_sweep_reports_what_stays),
	};

	return cmocka_run_group_tests_name("store", tests, enter, scratch_leave);
}
