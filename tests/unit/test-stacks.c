/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks of trees: what they show, read without a mount, and in what two of them differ. */
#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/adapters/overlay-view.h"
#include "../../liblayerbox/snapshot/compare.h"
#include "../../liblayerbox/snapshot/stacked.h"
#include "../../liblayerbox/util/text.h"

static struct lb_context *context;

static int begin(void **state)
{
	(void)state;
	need_root();
	return tree_remove(AT_FDCWD, "t") < 0 || mkdir("t", 0755) < 0;
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0)
		fail_msg("mkdir %s: %s", path, strerror(errno));
}

static void make_whiteout(const char *path)
{
	assert_int_equal(mknod(path, S_IFCHR, makedev(0, 0)), 0);
}

static void make_opaque(const char *path)
{
	assert_int_equal(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), 0);
}

/* Opens t/NAME for each of the names, topmost first. */
static struct chain_trees trees_of(const char *names)
{
	struct chain_trees trees = { 0 };
	CLEANUP_TEXT_LIST struct text_list words = { 0 };

	assert_int_equal(text_list_add_words(&words, names), 0);
	for (size_t i = 0; i < words.count; i++) {
		CLEANUP_FREE char *path = text_format("t/%s", words.items[i]);

		trees.fds[trees.count] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(trees.fds[trees.count++] >= 0);
	}
	return trees;
}

static void note(const struct lb_difference *difference, void *userdata)
{
	struct buffer *text = userdata;

	assert_null(difference->package);
	buffer_format(text, "%s: %s -> %s\n", difference->path, difference->before ? difference->before : "nothing",
		      difference->after ? difference->after : "nothing");
}

/* Compares two stacks and wants to hear @expected, line by line. */
static void assert_differences(const char *before, const char *after, const char *expected)
{
	CLEANUP_CHAIN_TREES struct chain_trees old = trees_of(before);
	CLEANUP_CHAIN_TREES struct chain_trees new = trees_of(after);
	const struct compare_side sides[2] = { { .trees = &old, .what = "the one" },
					       { .trees = &new, .what = "the other" } };
	CLEANUP_BUFFER struct buffer text = { 0 };
	CLEANUP_FREE char *result = NULL;
	size_t count = 1000, lines = 0;

	if (stacks_compare(context, &sides[0], &sides[1], note, &text, &count) < 0)
		fail_msg("%s", lb_context_error(context));
	result = buffer_finish(&text);
	assert_string_equal(result ? result : "", expected);
	for (const char *p = expected; *p; p++)
		lines += *p == '\n';
	assert_int_equal(count, lines);
}

static void assert_reads(const char *names, const char *path, const char *expected)
{
	CLEANUP_CHAIN_TREES struct chain_trees trees = trees_of(names);
	CLEANUP_FREE char *text = NULL;
	int r = stacked_read(&trees, path, 100, &text);

	if (!expected) {
		assert_true(r == -ENOENT || r == -EINVAL);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(text, expected);
}

/* A base, two layers, and what overlayfs knows. */
static void make_stack(void)
{
	make_directory("t/base");
	make_directory("t/base/etc");
	make_directory("t/base/etc/deep");
	make_directory("t/base/var");
	make_directory("t/base/usr");
	put_file("t/base/usr/big", "big");
	put_file("t/base/etc/hosts", "of the base");
	put_file("t/base/etc/gone", "of the base");
	put_file("t/base/etc/deep/file", "of the base");
	put_file("t/base/var/hidden", "of the base");
	make_directory("t/one");
	make_directory("t/one/etc");
	put_file("t/one/etc/hosts", "of one");
	put_file("t/one/etc/new", "of one");
	make_whiteout("t/one/etc/gone");
	make_directory("t/one/var");
	make_opaque("t/one/var");
	put_file("t/one/var/own", "of one");
	make_directory("t/two");
	make_directory("t/two/etc");
	put_file("t/two/etc/gone", "back again");
	make_whiteout("t/two/etc/deep");
	put_file("t/two/var", "no directory any more");
}

static void test_read(void **state)
{
	(void)state;
	make_stack();
	assert_reads("base", "etc/hosts", "of the base");
	assert_reads("one base", "etc/hosts", "of one");
	assert_reads("one base", "etc/gone", NULL);
	assert_reads("two one base", "etc/gone", "back again");
	assert_reads("one base", "etc/deep/file", "of the base");
	assert_reads("two one base", "etc/deep/file", NULL);
	assert_reads("one base", "var/hidden", NULL);
	assert_reads("one base", "var/own", "of one");
	assert_reads("two one base", "var/own", NULL);
	assert_reads("two one base", "var", "no directory any more");
	assert_reads("base", "etc", NULL);
	assert_reads("base", "no/such/file", NULL);
	/* Nothing leads out. */
	assert_int_equal(symlink("/etc", "t/one/link"), 0);
	assert_int_equal(symlink("/etc/hostname", "t/one/etc/name"), 0);
	assert_reads("one base", "link/hostname", NULL);
	assert_reads("one base", "etc/name", NULL);
}

static void test_same(void **state)
{
	(void)state;
	make_stack();
	assert_differences("one base", "one base", "");
	assert_differences("base", "base", "");
	/* Another tree, but the same in it. */
	make_directory("t/empty");
	assert_differences("empty one base", "one base", "");
	make_directory("t/again");
	make_directory("t/again/etc");
	put_file("t/again/etc/hosts", "of the base");
	make_whiteout("t/again/etc/never");
	assert_differences("again base", "base", "");
	assert_differences("base", "again base", "");
}

static void test_differences(void **state)
{
	(void)state;
	make_stack();
	assert_differences("base", "one base",
			   "/etc/gone: file, 0644, root:root, 11 bytes -> nothing\n"
			   "/etc/hosts: file, 0644, root:root, 11 bytes -> file, 0644, root:root, 6 bytes\n"
			   "/etc/new: nothing -> file, 0644, root:root, 6 bytes\n"
			   "/var/hidden: file, 0644, root:root, 11 bytes -> nothing\n"
			   "/var/own: nothing -> file, 0644, root:root, 6 bytes\n");
	assert_differences("two one base", "one base",
			   "/etc/deep: nothing -> directory, 0755, root:root\n"
			   "/etc/deep/file: nothing -> file, 0644, root:root, 11 bytes\n"
			   "/etc/gone: file, 0644, root:root, 10 bytes -> nothing\n"
			   "/var: file, 0644, root:root, 21 bytes -> directory, 0755, root:root\n"
			   "/var/own: nothing -> file, 0644, root:root, 6 bytes\n");
}

/* Everything by which two entries of one name can differ. */
static void test_attributes(void **state)
{
	(void)state;
	make_directory("t/a");
	make_directory("t/b");
	for (const char *side = "ab"; *side; side++) {
		static const char *const names[] = { "content", "mode", "owner", "xattr", "time" };

		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			CLEANUP_FREE char *path = text_format("t/%c/%s", *side, names[i]);

			put_file(path, "text");
		}
	}
	put_file("t/b/content", "texd");
	assert_int_equal(chmod("t/b/mode", 04755) | chown("t/b/owner", 1000, 0), 0);
	assert_int_equal(setxattr("t/b/xattr", "trusted.name", "x", 1, 0), 0);
	assert_int_equal(setxattr("t/b/time", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, "t/b/time", (struct timespec[]){ { 1, 0 }, { 1, 0 } }, 0), 0);
	assert_int_equal(symlink("here", "t/a/link") | symlink("there", "t/b/link"), 0);
	assert_int_equal(mknod("t/a/node", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknod("t/b/node", S_IFCHR | 0600, makedev(1, 5)), 0);
	assert_int_equal(mkfifo("t/a/fifo", 0600) | mkfifo("t/b/fifo", 0600), 0);
	assert_int_equal(chmod("t/b", 0700), 0);
	assert_differences("a", "b",
			   "/: directory, 0755, root:root -> directory, 0700, root:root\n"
			   "/content: file, 0644, root:root, 4 bytes, SHA-256 "
			   "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1 -> file, 0644, root:root, 4 bytes, "
			   "SHA-256 6d6176893d85b0a54c1f9174638115a1634b13991937b2652f869ec69e8cdddd\n"
			   "/link: link to here, root:root -> link to there, root:root\n"
			   "/mode: file, 0644, root:root, 4 bytes -> file, 4755, root:root, 4 bytes\n"
			   "/node: character device, 0600, root:root, 1:3 -> character device, 0600, root:root, 1:5\n"
			   "/owner: file, 0644, root:root, 4 bytes -> file, 0644, 1000:root, 4 bytes\n"
			   "/xattr: file, 0644, root:root, 4 bytes, attributes none -> file, 0644, root:root, 4 bytes, "
			   "attributes trusted.name=78\n");
}

/* By the bytes of the whole path, as manifests are. */
static void test_order(void **state)
{
	(void)state;
	make_directory("t/base");
	make_directory("t/top");
	make_directory("t/top/a");
	put_file("t/top/a/x", "");
	put_file("t/top/a-b", "");
	put_file("t/top/a0", "");
	put_file("t/top/\377\001", "");
	assert_differences("base", "top base",
			   "/a: nothing -> directory, 0755, root:root\n"
			   "/a-b: nothing -> file, 0644, root:root, 0 bytes\n"
			   "/a/x: nothing -> file, 0644, root:root, 0 bytes\n"
			   "/a0: nothing -> file, 0644, root:root, 0 bytes\n"
			   "/\377\001: nothing -> file, 0644, root:root, 0 bytes\n");
}

static void count_one(const struct lb_difference *difference, void *userdata)
{
	(void)difference;
	++*(size_t *)userdata;
}

static void count_warning(enum lb_log_level level, const char *text, void *userdata)
{
	(void)level;
	assert_contains(text, "deeper");
	++*(size_t *)userdata;
}

/* Deeper than a path can say: what can be said is, and nothing runs out of anything. */
static void test_deep(void **state)
{
	enum { DEPTH = 5000 };
	int fd, next;
	size_t told = 0, count = 0, warnings = 0;

	(void)state;
	make_directory("t/base");
	make_directory("t/top");
	fd = open("t/top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	{
		CLEANUP_CHAIN_TREES struct chain_trees old = trees_of("base");
		CLEANUP_CHAIN_TREES struct chain_trees new = trees_of("top base");
		const struct compare_side sides[2] = { { .trees = &old, .what = "the one" },
						       { .trees = &new, .what = "the other" } };

		lb_context_set_log(context, count_warning, &warnings);
		assert_int_equal(stacks_compare(context, &sides[0], &sides[1], count_one, &told, &count), 0);
		lb_context_set_log(context, NULL, NULL);
	}
	assert_true(told > 2000 && told < DEPTH);
	assert_int_equal(told, count);
	assert_int_equal(warnings, 1);
}

/* --------------------------------------------------------------- beside the kernel's own idea of an overlay */

static unsigned seed;

static unsigned random_below(unsigned bound)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % bound;
}

/* A layer full of accidents: every name may be a file, a link, a directory (opaque or not), a whiteout, or nothing. */
static void fill(const char *directory, int depth, bool may_hide)
{
	for (unsigned i = 0; i < 4; i++) {
		CLEANUP_FREE char *path = text_format("%s/%c", directory, 'a' + (char)i);

		switch (random_below(6)) {
		case 0:
			put_file(path, random_below(2) ? "one" : "two");
			break;
		case 1:
			assert_int_equal(symlink(random_below(2) ? "x" : "y", path), 0);
			break;
		case 2:
			if (may_hide)
				make_whiteout(path);
			break;
		case 3:
		case 4:
			assert_int_equal(mkdir(path, random_below(2) ? 0755 : 0700), 0);
			if (may_hide && random_below(4) == 0)
				make_opaque(path);
			if (depth > 0)
				fill(path, depth - 1, may_hide);
			break;
		default:
			break;
		}
	}
}

static char *differences_of(const struct chain_trees *before, const struct chain_trees *after)
{
	const struct compare_side sides[2] = { { .trees = before, .what = "the one" },
					       { .trees = after, .what = "the other" } };
	struct buffer text = { 0 };
	size_t count;

	buffer_format(&text, "differences:\n");
	if (stacks_compare(context, &sides[0], &sides[1], note, &text, &count) < 0)
		fail_msg("%s", lb_context_error(context));
	return buffer_finish(&text);
}

static struct chain_trees view_of(const struct chain_trees *trees)
{
	struct chain_trees view = { .count = 1 };
	char error[512];

	view.fds[0] = overlay_view_open(trees->fds, trees->count, "layerbox", error, sizeof error);
	if (view.fds[0] < 0)
		fail_msg("%s", error);
	return view;
}

static size_t compare_with_kernel(const char *before, const char *after)
{
	CLEANUP_CHAIN_TREES struct chain_trees old = trees_of(before);
	CLEANUP_CHAIN_TREES struct chain_trees new = trees_of(after);
	CLEANUP_CHAIN_TREES struct chain_trees old_view = view_of(&old);
	CLEANUP_CHAIN_TREES struct chain_trees new_view = view_of(&new);
	CLEANUP_FREE char *ours = differences_of(&old, &new);
	CLEANUP_FREE char *kernels = differences_of(&old_view, &new_view);

	assert_string_equal(ours, kernels);
	return strlen(ours);
}

/* Comparing stacks says the same as comparing what the kernel makes of each. */
static void test_like_the_kernel(void **state)
{
	static const char *const stacks[] = { "0 1 2 3", "1 2 3", "4 1 2 3", "3", "2 0 3" };
	enum { STACKS = sizeof stacks / sizeof *stacks, ROUNDS = 12 };
	size_t said = 0;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		assert_int_equal(begin(NULL), 0);
		seed = round;
		for (int i = 0; i < 5; i++) {
			CLEANUP_FREE char *path = text_format("t/%d", i);

			make_directory(path);
			fill(path, 3, i != 3);
		}
		for (size_t a = 0; a < STACKS; a++)
			for (size_t b = 0; b < STACKS; b++)
				said += compare_with_kernel(stacks[a], stacks[b]);
	}
	assert_true(said > 50000);
}

static int leave(void **state)
{
	lb_context_free(context);
	return scratch_leave(state);
}

static int enter(void **state)
{
	struct lb_context_options options = { .size = sizeof options, .root = "/nowhere" };

	return scratch_enter(state) < 0 ? -1 : lb_context_new(&options, &context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_read, begin),
		cmocka_unit_test_setup(test_same, begin),
		cmocka_unit_test_setup(test_differences, begin),
		cmocka_unit_test_setup(test_attributes, begin),
		cmocka_unit_test_setup(test_order, begin),
		cmocka_unit_test_setup(test_deep, begin),
		cmocka_unit_test_setup(test_like_the_kernel, begin),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
