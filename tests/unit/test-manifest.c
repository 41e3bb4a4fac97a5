/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "../../liblayerbox/base/manifest-difference.h"
#include "../../liblayerbox/util/file.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct lb_context *ctx;

static int enter(void **state)
{
	struct lb_context_options options = { .size = sizeof options, .root = "/nowhere" };

	return scratch_enter(state) < 0 ? -1 : lb_context_new(&options, &ctx);
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

static void start(void)
{
	assert_int_equal(tree_remove(AT_FDCWD, "1"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, "2"), 0);
	assert_int_equal(tree_make_directories(AT_FDCWD, "1/rootfs", 0755), 0);
	assert_int_equal(chmod("1/rootfs", 0755), 0);
}

/* The manifest of generation @name, by way of the disk, with the hashes of generation @previous. */
static int try_to_write(const char *name, const char *previous)
{
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int tree_fd = openat(fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int previous_fd = previous ? open(previous, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r;

	assert_true(tree_fd >= 0 && (!previous || previous_fd >= 0));
	r = manifest_write(ctx, fd, tree_fd, previous_fd);
	close(fd);
	close(tree_fd);
	if (previous)
		close(previous_fd);
	return r;
}

static char *written(const char *name, const char *previous)
{
	char *text = NULL;
	int fd, r = try_to_write(name, previous);

	if (r < 0)
		fail_msg("%d: %s", r, lb_context_error(ctx));
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_read(fd, "manifest", 1 << 24, &text, NULL), 0);
	close(fd);
	return text;
}

/* ---- text ---- */

static int parse(const char *text, struct manifest *ret_manifest, char error[256])
{
	return manifest_parse(strdup(text), strlen(text), ret_manifest, error, 256);
}

static void text_stays_the_same(void **state)
{
	static const char text[] = "layerbox-manifest 1 8\n"
				   "d 755 0:0 - .\n"
				   "f 4755 0:4294967295 security.capability=01000002,user.a\\054b=(" EMPTY ") 3 " ABC
				   " a\\040b\\134\\012\\177\xc3\xa4\xff\n"
				   "d 1777 0:0 - b\n"
				   "p 600 1:2 - b-c\n"
				   "l 777 0:0 - ../a\\040b b/c\n"
				   "s 0 0:0 - d\n"
				   "b 660 0:6 - 7:0 loop\n"
				   "c 666 0:0 user.x= 1:3 null\n";
	struct manifest manifest;
	char error[256], *again;
	size_t length;

	(void)state;
	assert_int_equal(parse(text, &manifest, error), 0);
	assert_int_equal(manifest.count, 8);
	assert_string_equal(manifest.entries[0].path, "");
	assert_string_equal(manifest.entries[1].path, "a b\\\n\177\xc3\xa4\xff");
	assert_int_equal(manifest.entries[1].mode, 04755);
	assert_int_equal(manifest.entries[1].gid, 4294967295U);
	assert_string_equal(manifest.entries[4].target, "../a b");
	assert_int_equal(manifest.entries[6].major, 7);
	assert_string_equal(manifest_find(&manifest, "b/c")->path, "b/c");
	assert_string_equal(manifest_find(&manifest, "")->path, "");
	assert_null(manifest_find(&manifest, "b/d"));
	again = manifest_to_text(&manifest, &length);
	assert_string_equal(again, text);
	assert_int_equal(length, strlen(text));
	free(again);
	manifest_free(&manifest);
}

static void wrong_text_is_refused_with_its_line(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "1: " },
		{ "layerbox-manifest 1 1", "1: " },
		{ "layerbox-manifest 2 1\nd 755 0:0 - .\n", "1: " },
		{ "layerbox-manifest 1 \nd 755 0:0 - .\n", "1: " },
		{ "layerbox-manifest 1 67108864\nd 755 0:0 - .\n", "1: there are fewer" },
		{ "layerbox-manifest 1 67108865\nd 755 0:0 - .\n", "1: this is not" },
		{ "layerbox-manifest 1 99999999999999999999\n", "1: " },
		{ "layerbox-manifest 1 2\nd 755 0:0 - .\n", "3: the end" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - .", "2: the end" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - .\nd 755 0:0 - a\n", "3: there are more" },
		{ "layerbox-manifest 1 1\nx 755 0:0 - a\n", "2: the type" },
		{ "layerbox-manifest 1 1\ndd 755 0:0 - a\n", "2: the type" },
		{ "layerbox-manifest 1 1\n           \n", "2: the type" },
		{ "layerbox-manifest 1 1\nd 855 0:0 - a\n", "2: the mode" },
		{ "layerbox-manifest 1 1\nd 10755 0:0 - a\n", "2: the mode" },
		{ "layerbox-manifest 1 1\nd  0:0 - aaaa\n", "2: the mode" },
		{ "layerbox-manifest 1 1\nd 755 0 - aa\n", "2: the owner" },
		{ "layerbox-manifest 1 1\nd 755 0:-1 - a\n", "2: the owner" },
		{ "layerbox-manifest 1 1\nd 755 0:4294967296 - a\n", "2: the owner" },
		{ "layerbox-manifest 1 1\nd 755 0:0  a\n", "2: the attributes" },
		{ "layerbox-manifest 1 1\nd 755 0:0\n", "2: the attributes" },
		{ "layerbox-manifest 1 1\nd 755 0:0 \x01 a\n", "2: the attributes" },
		{ "layerbox-manifest 1 1\nd 755 0:0 -\n", "2: there are too few" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - \n", "2: there are too few" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a b\n", "2: there are too few or too many" },
		{ "layerbox-manifest 1 1\nf 755 0:0 - -1 " ABC " a\n", "2: the size" },
		{ "layerbox-manifest 1 1\nf 755 0:0 - 1 abc a\n", "2: the checksum" },
		{ "layerbox-manifest 1 1\nf 755 0:0 - 1 " ABC "0 a\n", "2: the checksum" },
		{ "layerbox-manifest 1 1\nl 777 0:0 -  a\n", "2: the target" },
		{ "layerbox-manifest 1 1\nl 777 0:0 - \\000 a\n", "2: the target" },
		{ "layerbox-manifest 1 1\nc 666 0:0 - 1 null\n", "2: the numbers" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - /a\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a/\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a//b\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a/../b\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - \\056\\056\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a/.\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a\\\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a\\40\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a\\400\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a\\089\n", "2: the path" },
		{ "layerbox-manifest 1 1\nd 755 0:0 - a\tb\n", "2: the path" },
		{ "layerbox-manifest 1 2\nd 755 0:0 - a\nd 755 0:0 - a\n", "3: the path does not come after" },
		{ "layerbox-manifest 1 2\nd 755 0:0 - b\nd 755 0:0 - a\n", "3: the path does not come after" },
	};
	struct manifest manifest;
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		error[0] = '\0';
		if (parse(wrong[i][0], &manifest, error) != -EINVAL || strncmp(error, wrong[i][1], strlen(wrong[i][1])))
			fail_msg("\"%s\": \"%s\"", wrong[i][0], error);
	}
	assert_int_equal(manifest_parse(memcpy(malloc(40), "layerbox-manifest 1 1\nd 755 0:0 - .\n\0x", 39), 38, &manifest,
					error, sizeof error), -EINVAL);
	assert_contains(error, "NUL");
}

/* ---- trees ---- */

static void every_type_is_written(void **state)
{
	char *text;

	(void)state;
	need_root();
	start();
	put_file("1/rootfs/file", "abc");
	chmod("1/rootfs/file", 04755);
	assert_int_equal(chown("1/rootfs/file", 1, 70000), 0);
	chmod("1/rootfs/file", 04755);
	assert_int_equal(link("1/rootfs/file", "1/rootfs/same"), 0);
	put_file("1/rootfs/odd \n\\\xff=", "");
	chmod("1/rootfs/odd \n\\\xff=", 0644);
	assert_int_equal(symlink("/no where", "1/rootfs/link"), 0);
	assert_int_equal(mkdir("1/rootfs/dir", 0700), 0);
	put_file("1/rootfs/dir/x", "abc");
	chmod("1/rootfs/dir/x", 0600);
	assert_int_equal(mkdir("1/rootfs/dir-", 0755), 0);
	assert_int_equal(mkfifo("1/rootfs/fifo", 0600), 0);
	assert_int_equal(mknod("1/rootfs/null", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknod("1/rootfs/socket", S_IFSOCK | 0600, 0), 0);
	chmod("1/rootfs/dir-", 0755);
	text = written("1", NULL);
	assert_string_equal(text, "layerbox-manifest 1 11\n"
				  "d 755 0:0 - .\n"
				  "d 700 0:0 - dir\n"
				  "d 755 0:0 - dir-\n"
				  "f 600 0:0 - 3 " ABC " dir/x\n"
				  "p 600 0:0 - fifo\n"
				  "f 4755 1:70000 - 3 " ABC " file\n"
				  "l 777 0:0 - /no\\040where link\n"
				  "c 600 0:0 - 1:3 null\n"
				  "f 644 0:0 - 0 " EMPTY " odd\\040\\012\\134\xff=\n"
				  "f 4755 1:70000 - 3 " ABC " same\n"
				  "s 600 0:0 - socket\n");
	free(text);
}

static void attributes_are_written_sorted_without_overlays(void **state)
{
	static const char long_value[65] = "0";
	char *text;

	(void)state;
	need_root();
	start();
	put_file("1/rootfs/a", "abc");
	chmod("1/rootfs/a", 0644);
	assert_int_equal(setxattr("1/rootfs/a", "trusted.z", "\x01\xff", 2, 0), 0);
	assert_int_equal(setxattr("1/rootfs/a", "trusted.b,=c", "", 0, 0), 0);
	assert_int_equal(setxattr("1/rootfs/a", "trusted.long", long_value, 64, 0), 0);
	assert_int_equal(setxattr("1/rootfs/a", "trusted.longer", long_value, 65, 0), 0);
	assert_int_equal(setxattr("1/rootfs/a", "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(setxattr("1/rootfs", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(symlink("a", "1/rootfs/l"), 0); /* has none, what it leads to has */
	text = written("1", NULL);
	assert_contains(text, "\nd 755 0:0 - .\nf 644 0:0 trusted.b\\054\\075c=,trusted.long=30000000");
	assert_contains(text, "0000,trusted.longer=(");
	assert_contains(text, "),trusted.z=01ff 3 " ABC " a\nl 777 0:0 - a l\n");
	assert_null(strstr(text, "overlay"));
	free(text);
}

/* More bytes than one thread is used for; names of one inode, which several threads meet. */
static void threads_come_to_the_same(void **state)
{
	enum { FILES = 400, BYTES = 20000 };
	struct manifest manifest;
	char path[64], other[64], *content = calloc(1, BYTES + 1), *text, error[256];
	uint8_t expected[DIGEST_SHA256_BYTES];

	(void)state;
	start();
	for (int i = 0; i < FILES; i++) {
		memset(content, 'a' + i % 26, BYTES - 100);
		snprintf(content + BYTES - 100, 100, "%d", i);
		snprintf(path, sizeof path, "1/rootfs/%d", i);
		put_file(path, content);
		snprintf(other, sizeof other, "1/rootfs/%d-again", i);
		assert_int_equal(link(path, other), 0);
	}
	text = written("1", NULL);
	assert_int_equal(manifest_parse(text, strlen(text), &manifest, error, sizeof error), 0);
	assert_int_equal(manifest.count, 2 * FILES + 1);
	for (int i = 0; i < FILES; i++) {
		memset(content, 'a' + i % 26, BYTES - 100);
		snprintf(content + BYTES - 100, 100, "%d", i);
		digest_sha256(content, strlen(content), expected);
		snprintf(path, sizeof path, "%d", i);
		assert_memory_equal(manifest_find(&manifest, path)->sha256, expected, sizeof expected);
		snprintf(path, sizeof path, "%d-again", i);
		assert_memory_equal(manifest_find(&manifest, path)->sha256, expected, sizeof expected);
	}
	manifest_free(&manifest);
	free(content);
}

static void a_link_to_the_generation_before_is_not_read(void **state)
{
	char *text;

	(void)state;
	start();
	put_file("1/rootfs/linked", "abc");
	put_file("1/rootfs/copied", "abc");
	put_file("1/rootfs/moved", "abc");
	free(written("1", NULL));
	assert_int_equal(tree_make_directories(AT_FDCWD, "2/rootfs", 0755), 0);
	assert_int_equal(link("1/rootfs/linked", "2/rootfs/linked"), 0);
	assert_int_equal(link("1/rootfs/moved", "2/rootfs/elsewhere"), 0);
	put_file("2/rootfs/copied", "abc");
	assert_int_equal(link("2/rootfs/copied", "2/rootfs/copied-too"), 0); /* with as many names */
	/* Damage that came after the first manifest: what is the same inode keeps the checksum that it had. */
	put_file("1/rootfs/linked", "abd");
	put_file("1/rootfs/moved", "abd");
	put_file("2/rootfs/copied", "abd");
	text = written("2", "1");
	assert_contains(text, " 3 " ABC " linked\n");
	assert_null(strstr(text, ABC " elsewhere"));
	assert_null(strstr(text, ABC " copied"));
	free(text);
	/* Without a manifest there, everything is read. */
	assert_int_equal(unlink("1/manifest"), 0);
	text = written("2", "1");
	assert_null(strstr(text, ABC));
	free(text);
	/* A damaged one is not passed over. */
	put_file("1/manifest", "layerbox-manifest 1 1\nd 755 0:0 - .\nx");
	assert_int_equal(try_to_write("2", "1"), -LB_ERR_DAMAGED);
	assert_contains(lb_context_error(ctx), "line 3");
}

static void depth_is_no_trap(void **state)
{
	char name[201];
	char *text;
	int r, depth;

	(void)state;
	start();
	memset(name, 'd', 200);
	name[200] = '\0';
	assert_int_equal(chdir("1/rootfs"), 0);
	for (depth = 1; depth <= 20; depth++) {
		assert_int_equal(mkdir(name, 0755), 0);
		assert_int_equal(chdir(name), 0);
	}
	put_file("end", "abc");
	for (depth = 1; depth <= 22; depth++)
		assert_int_equal(chdir(".."), 0);
	text = written("1", NULL);
	assert_contains(text, "ddd/end\n");
	free(text);
	/* One name more and nobody could open it by its path. */
	assert_int_equal(chdir("1/rootfs"), 0);
	for (depth = 1; depth <= 20; depth++)
		assert_int_equal(chdir(name), 0);
	assert_int_equal(mkdir(name, 0755), 0);
	for (depth = 1; depth <= 22; depth++)
		assert_int_equal(chdir(".."), 0);
	r = try_to_write("1", NULL);
	assert_int_equal(r, -ENAMETOOLONG);
	assert_contains(lb_context_error(ctx), "/dddd");
}

static void what_is_mounted_there_is_not_entered(void **state)
{
	(void)state;
	need_root();
	start();
	assert_int_equal(mkdir("1/rootfs/mnt", 0755), 0);
	assert_int_equal(mount("tmpfs", "1/rootfs/mnt", "tmpfs", 0, ""), 0);
	assert_int_equal(try_to_write("1", NULL), -EBUSY);
	assert_contains(lb_context_error(ctx), "mounted on /mnt");
	assert_int_equal(umount("1/rootfs/mnt"), 0);
}

/* ---- differences ---- */

static void note(const struct lb_difference *difference, void *userdata)
{
	FILE *file = userdata;

	assert_int_equal(difference->size, sizeof *difference);
	assert_null(difference->package);
	fprintf(file, "%s: %s => %s\n", difference->path, difference->before ? difference->before : "none",
		difference->after ? difference->after : "none");
}

static void differences_are_told_in_words(void **state)
{
	static const char before[] = "layerbox-manifest 1 7\n"
				     "d 755 0:0 - .\n"
				     "f 644 0:0 - 3 " ABC " content\n"
				     "f 644 0:0 - 3 " ABC " gone\n"
				     "l 777 0:0 - a link\n"
				     "f 644 0:0 - 3 " ABC " mode\n"
				     "f 644 0:0 - 3 " ABC " same\n"
				     "f 644 0:0 - 3 " ABC " type\n";
	static const char after[] = "layerbox-manifest 1 7\n"
				    "d 755 0:0 user.x=01 .\n"
				    "f 644 0:0 - 3 " EMPTY " content\n"
				    "l 777 0:0 - b link\n"
				    "f 4644 0:7 - 3 " ABC " mode\n"
				    "b 644 0:0 - 7:1 new\n"
				    "f 644 0:0 - 3 " ABC " same\n"
				    "d 644 0:0 - type\n";
	struct manifest old, new;
	char error[256], *text;
	size_t size, count;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(parse(before, &old, error), 0);
	assert_int_equal(parse(after, &new, error), 0);
	assert_int_equal(manifest_compare(&old, &new, note, file, &count), 0);
	fclose(file);
	assert_int_equal(count, 7);
	assert_string_equal(text, "/: directory, 0755, root:root, attributes none => "
				  "directory, 0755, root:root, attributes user.x=01\n"
				  "/content: file, 0644, root:root, 3 bytes, SHA-256 " ABC
				  " => file, 0644, root:root, 3 bytes, SHA-256 " EMPTY "\n"
				  "/gone: file, 0644, root:root, 3 bytes => none\n"
				  "/link: link to a, root:root => link to b, root:root\n"
				  "/mode: file, 0644, root:root, 3 bytes => file, 4644, root:7, 3 bytes\n"
				  "/new: none => block device, 0644, root:root, 7:1\n"
				  "/type: file, 0644, root:root, 3 bytes => directory, 0644, root:root\n");
	free(text);
	assert_int_equal(manifest_compare(&old, &old, NULL, NULL, &count), 0);
	assert_int_equal(count, 0);
	manifest_free(&old);
	manifest_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_the_same),
		cmocka_unit_test(wrong_text_is_refused_with_its_line),
		cmocka_unit_test(every_type_is_written),
		cmocka_unit_test(attributes_are_written_sorted_without_overlays),
		cmocka_unit_test(threads_come_to_the_same),
		cmocka_unit_test(a_link_to_the_generation_before_is_not_read),
		cmocka_unit_test(depth_is_no_trap),
		cmocka_unit_test(what_is_mounted_there_is_not_entered),
		cmocka_unit_test(differences_are_told_in_words),
	};

	umask(022);
	return cmocka_run_group_tests_name("manifest", tests, enter, leave);
}
