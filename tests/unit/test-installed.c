/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/base/installed.h"

static void stanzas(void **state)
{
	static const char text[] = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n"
				   "Multi-Arch: same\nVersion: 1:1.2\nDescription: x\n Version: 9\n Package: y\n\n\n"
				   "package: bash\nstatus: hold ok installed\nVersion: 5.2-1\nMulti-Arch: foreign\n\n"
				   "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
				   "Package: half\nStatus: install ok half-configured\nVersion: 1\n\n"
				   "Package: waits\nStatus: install ok triggers-awaited\nVersion: 1\n\n"
				   "Package: nothing\nStatus: install ok installed\n\n"
				   "Package: apt\nStatus: install ok installed\nVersion: 2\x1b[1m";
	static const char *const expected[][2] = {
		{ "apt", "2?[1m" }, { "bash", "5.2-1" }, { "waits", "1" }, { "zlib1g:amd64", "1:1.2" }
	};
	struct installed installed;

	(void)state;
	assert_int_equal(installed_parse(strdup(text), &installed), 0);
	assert_int_equal(installed.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(installed.packages[i].name, expected[i][0]);
		assert_string_equal(installed.packages[i].version, expected[i][1]);
	}
	installed_free(&installed);
	assert_int_equal(installed_parse(strdup(""), &installed), 0);
	assert_int_equal(installed.count, 0);
	installed_free(&installed);
}

static void what_lies_there_may_be_anything(void **state)
{
	struct lb_context_options options = { .size = sizeof options, .root = "/nowhere" };
	struct installed installed;
	struct lb_context *ctx;
	int fd;

	(void)state;
	assert_int_equal(lb_context_new(&options, &ctx), 0);
	assert_true(tree_make_directories(AT_FDCWD, "tree/var/lib/dpkg", 0755) == 0);
	put_file("secret", "Package: secret\nStatus: install ok installed\nVersion: 1\n");
	fd = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(installed_read(ctx, fd, "it", &installed), 0);
	assert_int_equal(installed.count, 0);
	/* A link out leads nowhere. */
	assert_int_equal(symlink("../../../../secret", "tree/var/lib/dpkg/status"), 0);
	assert_int_equal(installed_read(ctx, fd, "it", &installed), 0);
	assert_int_equal(installed.count, 0);
	unlink("tree/var/lib/dpkg/status");
	assert_int_equal(mkfifo("tree/var/lib/dpkg/status", 0600), 0);
	assert_true(installed_read(ctx, fd, "it", &installed) < 0);
	assert_contains(lb_context_error(ctx), "/var/lib/dpkg/status of it");
	close(fd);
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas),
		cmocka_unit_test(what_lies_there_may_be_anything),
	};

	return cmocka_run_group_tests_name("installed", tests, scratch_enter, scratch_leave);
}
