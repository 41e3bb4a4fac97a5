/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams: what comes back is what was sent. */
#include "stream.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#include "../../libexec/stream-names.h"

static char program[PATH_MAX]; /* layerbox-stream, as it was built */

static void test_random_trees(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 25; i++) {
		make_random_tree("a", i);
		pack(TREE_A, i % 2 ? STREAM_PLAIN : STREAM_COMPRESSED);
		unpack(&layer_a);
		compare_trees("a", LAYER_A);
	}
}

static void test_nothing_is_inherited(void **state)
{
	(void)state;
	make_random_tree("a", 4);
	if (setxattr("b", "system.posix_acl_default", acl, sizeof acl - 1, 0) < 0 && errno == EOPNOTSUPP)
		return;
	pack(TREE_A, STREAM_PLAIN);
	unpack(&(struct told){ .layer = A, .acl = true });
	compare_trees("a", LAYER_A);
	pack(HEAD "difference layers/1 a a\nend\n", STREAM_PLAIN);
	unpack(&(struct told){ .layer = A, .from = "a", .acl = true });
	compare_trees("a", LAYER_A);
}

static void test_small_files(void **state)
{
	CLEANUP_FREE char *text = NULL;

	(void)state;
	pack(HEAD "file snapshots/x-1 2\nab\nfile snapshots/y 0\n\nend\n", STREAM_COMPRESSED);
	unpack(&(struct told){ 0 });
	assert_int_equal(file_read(AT_FDCWD, "out/snapshots/x-1", 100, &text, NULL), 0);
	assert_string_equal(text, "ab");
	assert_true(exists("out/snapshots/y") && exists("out/layerbox-stream") && exists("out/container.conf"));
	assert_false(exists("out/layers"));
}

static void test_large_holes(void **state)
{
	CLEANUP_FD int fd = open("a/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	(void)state;
	assert_int_equal(ftruncate(fd, 100LL << 30), 0);
	assert_int_equal(pwrite(fd, "x", 1, 70LL << 30), 1);
	assert_int_equal(truncate("a/large", 100LL << 30), 0);
	put_file("a/none", "");
	assert_int_equal(truncate("a/none", 10LL << 30), 0);
	pack(TREE_A, STREAM_PLAIN);
	assert_int_equal(stat("s", &st), 0);
	assert_true(st.st_size < 64 << 10);
	unpack(&layer_a);
	compare_trees("a", LAYER_A);
}

/* More pieces than a header tells of: small holes become content, which is the same to a reader. */
static void test_many_holes(void **state)
{
	enum { PIECES = STREAM_EXTENTS_MAX + 1000, STEP = 8192 };
	CLEANUP_FD int fd = open("a/many", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP_FD int other = -1;
	char c;

	(void)state;
	for (off_t i = 0; i < PIECES; i++)
		assert_int_equal(pwrite(fd, &"0123456789"[i % 10], 1, i * STEP), 1);
	pack(TREE_A, STREAM_COMPRESSED);
	unpack(&layer_a);
	other = open(LAYER_A "/many", O_RDONLY | O_CLOEXEC);
	for (off_t i = 0; i < PIECES; i++)
		assert_true(pread(other, &c, 1, i * STEP) == 1 && c == '0' + i % 10);
}

static void test_deep(void **state)
{
	struct rlimit limit;
	int fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC), below;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 1; i < STREAM_DEPTH_MAX; i++) {
		assert_true(mkdirat(fd, "directory", 0755) == 0);
		below = openat(fd, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = below;
	}
	below = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(below);
	assert_int_equal(linkat(fd, "f", fd, "g", 0), 0);
	pack(TREE_A, STREAM_PLAIN);
	unpack(&layer_a);
	assert_int_equal(mkdirat(fd, "directory", 0755), 0);
	close(fd);
	assert_int_equal(pack_to("s", TREE_A, STREAM_PLAIN), -STREAM_FAILED);
	assert_contains(error.text, "directories deep");
	refused(&layer_a, "cut off");
}

static void test_names_in_order(void **state)
{
	CLEANUP_STREAM_NAMES struct stream_names names = STREAM_NAMES_EMPTY;
	CLEANUP_FD int fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char last[NAME_MAX + 1] = "";
	const char *name;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char path[64];

		snprintf(path, sizeof path, "a/%d", i * 7919 % 1000);
		put_file(path, "");
	}
	assert_int_equal(stream_names_open(fd, &names), 0);
	names.at_once = 7;
	while (stream_names_next(&names, &name) > 0) {
		assert_true(strcmp(last, name) < 0);
		text_copy(last, sizeof last, name);
		count++;
	}
	assert_int_equal(count, 1000);
}

static void test_left_out(void **state)
{
	char value[8];

	(void)state;
	assert_int_equal(mkdir("a/d", 0755), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.impure", "y", 1, 0), 0);
	put_file("a/f", "");
	assert_int_equal(setxattr("a/f", "trusted.overlay.metacopy", "", 0, 0), 0);
	assert_int_equal(setxattr("a/f", "trusted.overlay.redirect", "/etc", 4, 0), 0);
	assert_int_equal(setxattr("a/f", "security.other", "x", 1, 0), 0);
	pack(TREE_A, STREAM_PLAIN);
	unpack(&layer_a);
	assert_int_equal(getxattr(LAYER_A "/d", "trusted.overlay.opaque", value, sizeof value), 1);
	assert_int_equal(listxattr(LAYER_A "/d", NULL, 0), sizeof "trusted.overlay.opaque");
	assert_int_equal(listxattr(LAYER_A "/f", NULL, 0), 0);
}

/* Where no layer below has that directory, the kernel would list them otherwise. */
static void test_whiteouts_are_marked(void **state)
{
	(void)state;
	assert_true(mkdir("a/d", 0755) == 0 && mkdir("a/d/e", 0755) == 0);
	assert_true(mknod("a/gone", S_IFCHR, 0) == 0 && mknod("a/d/gone", S_IFCHR, 0) == 0);
	pack(TREE_A, STREAM_PLAIN);
	unpack(&layer_a);
	assert_true(is_marked(LAYER_A "/d"));
	assert_false(is_marked(LAYER_A) || is_marked(LAYER_A "/d/e"));
}

static void test_privileged(void **state)
{
	const struct told privileged = { .layer = A, .privileged = true };

	(void)state;
	assert_int_equal(mknod("a/disk", S_IFBLK | 0660, makedev(8, 300)), 0);
	assert_int_equal(mknod("a/tty", S_IFCHR | 0620, makedev(4, 1)), 0);
	pack(TREE_A, STREAM_PLAIN);
	refused(&layer_a, "disk");
	unpack(&privileged);
	compare_trees("a", LAYER_A);
	assert_int_equal(unlink("a/disk") + unlink("a/tty"), 0);
	put_file("a/f", "");
	assert_int_equal(setxattr("a/f", "trusted.other", "x", 1, 0), 0);
	assert_int_equal(setxattr("a/f", "trusted.overlay.overlay.opaque", "y", 1, 0), 0); /* of an overlay inside */
	pack(TREE_A, STREAM_PLAIN);
	refused(&layer_a, "only a privileged container");
	unpack(&privileged);
	compare_trees("a", LAYER_A);
}

static void test_base_and_two_layers(void **state)
{
	const struct told told = { .layer = A, .other = B, .base = true };

	(void)state;
	make_random_tree("a", 1);
	make_random_tree("b", 2);
	assert_true(mkdir("gen", 0700) == 0 && mkdir("gen/rootfs", 0755) == 0 && mkdir("gen/rootfs/etc", 0755) == 0);
	put_file("gen/rootfs/etc/x", "1");
	assert_int_equal(link("gen/rootfs/etc/x", "gen/rootfs/y"), 0);
	put_file("gen/generation.conf", "a = b\n");
	put_file("gen/manifest", "layerbox-manifest\n");
	pack(HEAD "tree base gen\ntree layers/2 b\ntree layers/1 a\nend\n", STREAM_COMPRESSED);
	unpack(&told);
	compare_trees("a", LAYER_A);
	compare_trees("b", LAYER_B);
	compare_trees("gen", "out/base");
	pack(HEAD "file base/manifest 1\nx\ntree base/rootfs gen/rootfs\nend\n", STREAM_PLAIN);
	unpack(&(struct told){ .base = true });
	compare_trees("gen/rootfs", "out/base/rootfs");
	refused(&(struct told){ 0 }, "nobody asked for");
	refused(&(struct told){ .base = true, .layer = A }, "layer " A " is not in the stream");
}

/* ------------------------------------------------------------------------------------------- the program */

static int text_fd(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int open_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* layerbox-stream COMMAND [ARGUMENT], with all its descriptors; what it wrote to them is in "stdout" and "t". */
static int run(const char *command, const char *argument, int in, const char *plan, int out)
{
	int third = plan ? text_fd(plan) : -1, words = open_new("t"), r;
	pid_t pid = fork_mortal();

	assert_true(pid >= 0);
	if (pid == 0) {
		char *const arguments[] = { program, (char *)(uintptr_t)command, (char *)(uintptr_t)argument, NULL };

		dup2(in, 0);
		dup2(out, 1);
		dup2(words, 2);
		if (third >= 0 && third != 3)
			dup2(third, 3);
		else if (third < 0)
			close(3);
		execv(program, arguments);
		_exit(99);
	}
	r = end_of(pid);
	close_fd(third);
	close_fd(in);
	close_fd(out);
	close_fd(words);
	return r;
}

static char *words(const char *file)
{
	char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, file, 4096, &text, NULL), 0);
	return text;
}

static int run_pack(const char *plan)
{
	return run("pack", NULL, text_fd(plan), NULL, open_new("s"));
}

static int run_unpack(const char *plan)
{
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	return run("unpack", "out", open("s", O_RDONLY | O_CLOEXEC), plan, open_new("stdout"));
}

static void test_program(void **state)
{
	CLEANUP_FREE char *said = NULL;
	CLEANUP_FREE char *why = NULL;

	(void)state;
	make_random_tree("a b", 5);
	assert_int_equal(run_pack(HEAD "tree layers/1 a\\040b\nend\n"), 0);
	assert_int_equal(run_unpack("layer " A "\nlimit entries 1000\ngo\n"), 0);
	said = words("stdout");
	assert_string_equal(said, "ready\n");
	compare_trees("a b", LAYER_A);
	assert_int_equal(run_unpack("go\n"), 3);
	why = words("t");
	assert_contains(why, "nobody asked for");
	assert_int_equal(run_unpack("layer " A "\n"), 1);
	assert_int_equal(run_unpack("layer x\ngo\n"), 1);
	assert_int_equal(run_unpack("layer " A " x\ngo\n"), 1);
	assert_int_equal(run_unpack(NULL), 1);
	assert_int_equal(run_pack(HEAD "tree layers/1 missing\nend\n"), 1);
	assert_int_equal(run_pack(HEAD "tree layers/1 a\\040b\n"), 1);
	assert_int_equal(run_pack("end"), 1);
	assert_int_equal(run_pack("file x 5\nabc\n"), 1);
	assert_int_equal(run_pack("file ../x 1\na\nend\n"), 1);
	assert_int_equal(run_pack("other\nend\n"), 1);
}

static void test_program_difference(void **state)
{
	char path[PATH_MAX];
	CLEANUP_FREE char *plan = NULL;

	(void)state;
	make_random_tree("a", 6);
	share_tree();
	seed = 6;
	change_randomly("b", 0);
	assert_non_null(realpath("a", path));
	plan = text_format("from " A " %s\ngo\n", path);
	assert_int_equal(run_pack(DIFFERENCE), 0);
	assert_int_equal(run_unpack(plan), 0);
	compare_trees("b", LAYER_A);
	free(plan);
	plan = text_format("from " A " %s/missing\ngo\n", path);
	assert_int_equal(run_unpack(plan), 1);
}

static void test_no_space(void **state)
{
	CLEANUP_FREE char *why = NULL;
	CLEANUP_FD int fd = open("a/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	for (int i = 0; i < 300; i++)
		assert_int_equal(write(fd, program, 4096), 4096);
	assert_int_equal(run_pack(TREE_A), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	assert_int_equal(mount("tmpfs", "out", "tmpfs", 0, "size=1m"), 0);
	assert_int_equal(run("unpack", "out", open("s", O_RDONLY | O_CLOEXEC), "layer " A "\ngo\n", open_new("stdout")),
			 2);
	why = words("t");
	assert_contains(why, "No space left");
	assert_int_equal(umount("out"), 0);
	/* And on the way out. */
	assert_int_equal(run("pack", NULL, text_fd(TREE_A), NULL, open("/dev/full", O_WRONLY | O_CLOEXEC)), 2);
}

static int enter(void **state)
{
	umask(0);
	if (!realpath("layerbox-stream", program))
		return -1;
	return scratch_enter(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_random_trees, begin),
		cmocka_unit_test_setup(test_nothing_is_inherited, begin),
		cmocka_unit_test_setup(test_small_files, begin),
		cmocka_unit_test_setup(test_large_holes, begin),
		cmocka_unit_test_setup(test_many_holes, begin),
		cmocka_unit_test_setup(test_deep, begin),
		cmocka_unit_test_setup(test_names_in_order, begin),
		cmocka_unit_test_setup(test_left_out, begin),
		cmocka_unit_test_setup(test_whiteouts_are_marked, begin),
		cmocka_unit_test_setup(test_privileged, begin),
		cmocka_unit_test_setup(test_base_and_two_layers, begin),
		cmocka_unit_test_setup(test_program, begin),
		cmocka_unit_test_setup(test_program_difference, begin),
		cmocka_unit_test_setup(test_no_space, begin),
	};

	return cmocka_run_group_tests(tests, enter, scratch_leave);
}
