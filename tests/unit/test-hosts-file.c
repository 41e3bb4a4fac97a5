/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <sys/xattr.h>

#include "../../liblayerbox/adapters/hosts-file.h"
#include "../../liblayerbox/util/file.h"

#define ROOT "/var/lib/layerbox"
#define BEGIN "# BEGIN layerbox " ROOT ": rendered, do not edit\n"
#define END "# END layerbox " ROOT "\n"
#define TIGER "10.0.3.20\ttiger tiger.lxc\n"
#define LION "10.0.3.21\tlion lion.lxc\n"
#define OTHER "# BEGIN layerbox /srv/b: rendered, do not edit\n10.0.4.2\ttiger tiger.b\n# END layerbox /srv/b\n"

static const struct hosts_entry animals[] = {
	{ "10.0.3.20", { "tiger", "tiger.lxc" } },
	{ "10.0.3.21", { "lion", "lion.lxc" } },
};
static const struct hosts_block two = { ROOT, animals, 2 }, one = { ROOT, animals, 1 }, none = { ROOT, NULL, 0 };

static char error[1024];

static int merge(const char *text, size_t length, const struct hosts_block *block, char **ret_text, size_t *ret_length)
{
	*error = '\0';
	return hosts_file_merge(text, length, "hosts", block, ret_text, ret_length, error, sizeof error);
}

static void expect(const char *before, const struct hosts_block *block, const char *after)
{
	CLEANUP_FREE char *text = NULL;
	size_t length;

	if (merge(before, strlen(before), block, &text, &length) < 0)
		fail_msg("\"%s\" is refused: %s", before, error);
	assert_string_equal(text, after);
	assert_int_equal(length, strlen(after));
}

static void test_block_comes_and_goes(void **state)
{
	(void)state;
	expect("", &two, BEGIN TIGER LION END);
	expect("127.0.0.1\tlocalhost\n", &one, "127.0.0.1\tlocalhost\n" BEGIN TIGER END);
	expect("a\n" BEGIN TIGER END "b\n", &two, "a\n" BEGIN TIGER LION END "b\n");
	expect("a\n" BEGIN TIGER LION END "b\n", &none, "a\nb\n");
	expect("a\n" BEGIN END "b\n", &none, "a\nb\n");
	expect("a\n", &none, "a\n");
	expect("", &none, "");
	expect(BEGIN TIGER END, &one, BEGIN TIGER END);
}

/* A line without newline stays the last: a newline added to it would be a byte that was not there. */
static void test_no_newline_at_the_end(void **state)
{
	(void)state;
	expect("127.0.0.1 localhost\n::1 ip6", &one, "127.0.0.1 localhost\n" BEGIN TIGER END "::1 ip6");
	expect("127.0.0.1 localhost\n" BEGIN TIGER END "::1 ip6", &none, "127.0.0.1 localhost\n::1 ip6");
	expect("x", &one, BEGIN TIGER END "x");
	expect("x\n" BEGIN TIGER "# END layerbox " ROOT, &none, "x\n");
	expect("x\n" BEGIN TIGER "# END layerbox " ROOT, &one, "x\n" BEGIN TIGER END);
}

static void test_carriage_returns(void **state)
{
	(void)state;
	expect("127.0.0.1 localhost\r\n", &one, "127.0.0.1 localhost\r\n" BEGIN TIGER END);
	expect("a\r\n# BEGIN layerbox " ROOT
	       ": rendered, do not edit\r\n10.0.3.20\ttiger tiger.lxc\r\n# END layerbox " ROOT "\r\nb\r\n",
	       &two, "a\r\n" BEGIN TIGER LION END "b\r\n");
}

static void test_other_roots_stand_beside(void **state)
{
	(void)state;
	expect(OTHER, &one, OTHER BEGIN TIGER END);
	expect(OTHER BEGIN TIGER END OTHER, &none, OTHER OTHER);
	expect("# BEGIN layerbox " ROOT "2: rendered, do not edit\n", &one,
	       "# BEGIN layerbox " ROOT "2: rendered, do not edit\n" BEGIN TIGER END);
	expect("# END layerbox " ROOT "/\n", &none, "# END layerbox " ROOT "/\n");
}

static void test_the_operators_names_win(void **state)
{
	(void)state;
	expect("10.1.1.1 TIGER # lion\n", &two, "10.1.1.1 TIGER # lion\n" BEGIN "10.0.3.20\ttiger.lxc\n" LION END);
	expect("10.1.1.1 x tiger.lxc\n", &one, "10.1.1.1 x tiger.lxc\n" BEGIN "10.0.3.20\ttiger\n" END);
	expect("10.1.1.1 tiger tiger.lxc\n", &one, "10.1.1.1 tiger tiger.lxc\n");
	expect("#10.1.1.1 tiger\ntiger x\n", &one, "#10.1.1.1 tiger\ntiger x\n" BEGIN TIGER END);
	expect(BEGIN TIGER END "10.1.1.1 tiger\r\n", &one, BEGIN "10.0.3.20\ttiger.lxc\n" END "10.1.1.1 tiger\r\n");
}

static void test_addresses_of_both_families(void **state)
{
	static const struct hosts_entry entries[] = {
		{ "10.0.3.20", { "tiger", NULL } },
		{ "fd42::14", { NULL, "tiger.lxc" } },
		{ "fd42::15", { NULL, NULL } },
	};
	const struct hosts_block block = { ROOT, entries, 3 };

	(void)state;
	expect("", &block, BEGIN "10.0.3.20\ttiger\nfd42::14\ttiger.lxc\n" END);
	expect(BEGIN "10.0.3.20\ttiger\nfd42::14\ttiger.lxc\n" END, &none, "");
}

static void test_damage_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "a\n" BEGIN TIGER "127.0.0.1 localhost\n", "hosts:2: \"# BEGIN layerbox " ROOT },
		{ "a\n" BEGIN TIGER "x\n",
		  "hosts:4: \"x\": this line is not layerbox's, but in its block that begins in line 2" },
		{ "a\n" BEGIN, "has no end" },
		{ BEGIN TIGER BEGIN TIGER END, "hosts:1: " },
		{ BEGIN TIGER OTHER END, "hosts:1: " },
		{ BEGIN TIGER "# END layerbox /srv/b\n" END, "hosts:1: " },
		{ "a\n\n" END,
		  "hosts:3: \"# END layerbox " ROOT "\": this ends a block of layerbox that begins nowhere" },
		{ BEGIN END END, "hosts:3: " },
		{ BEGIN END "a\n" BEGIN END, "hosts:4: " },
		{ BEGIN END BEGIN END, "is the second block" },
		{ BEGIN "# mine\n" END, "hosts:2: \"# mine\": this line is not layerbox's" },
		{ BEGIN "10.0.0.1 a # mine\n" END, "hosts:2: " },
		{ BEGIN "10.0.0.1 a b c\n" END, "hosts:2: " },
		{ BEGIN "10.0.0.1\n" END, "hosts:2: " },
		{ BEGIN "a b c\n" END, "hosts:2: " },
		{ BEGIN "10.0.0.1x b c\n" END, "hosts:2: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *text = NULL;
		size_t length = 0;

		if (merge(bad[i][0], strlen(bad[i][0]), &one, &text, &length) != -EINVAL || text)
			fail_msg("\"%s\" is not refused", bad[i][0]);
		assert_contains(error, bad[i][1]);
	}
}

static void test_zero_bytes_are_refused(void **state)
{
	char *text = NULL;
	size_t length;

	(void)state;
	assert_int_equal(merge("a\0b\n", 4, &one, &text, &length), -EINVAL);
	assert_contains(error, "zero byte");
	assert_null(text);
}

/* ---- whatever the file is like, what is outside the block does not change ---- */

/* xorshift: the same files every time, so that a failure can be seen again. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	return *seed ^= *seed << 5;
}

/* A file of pieces that mean something and of bytes that do not; never a zero byte. */
static void random_file(uint32_t *seed, struct buffer *ret_file)
{
	static const char *const pieces[] = {
		BEGIN TIGER END,
		BEGIN LION END,
		BEGIN,
		END,
		TIGER,
		OTHER,
		"# BEGIN layerbox",
		"# BEGIN layerbox " ROOT "\r\n",
		"# END layerbox " ROOT " \r\n",
		"127.0.0.1\tlocalhost\r\n",
		"10.9.9.9 tiger\n",
		"\n",
		"\r",
		" ",
		"#",
		"\t",
		"::1 ip6-localhost\n",
		"# END layerbox /srv/b\n",
		"no newline",
		"\xff\xfe\x01",
	};
	unsigned count = next_random(seed) % 8;

	for (unsigned i = 0; i < count; i++) {
		char byte = (char)(next_random(seed) % 255 + 1);

		if (next_random(seed) % 4 == 0)
			buffer_add(ret_file, &byte, 1);
		else
			buffer_add_text(ret_file, pieces[next_random(seed) % (sizeof pieces / sizeof *pieces)]);
	}
	buffer_add(ret_file, "", 0);
}

/* Where @line, which ends in a newline, is a line of @text; or NULL. */
static char *find_line(char *text, const char *line)
{
	char *at = strstr(text, line);

	while (at && at > text && at[-1] != '\n')
		at = strstr(at + 1, line);
	return at;
}

/* Cuts from the begin marker to the end marker, as a reader of the file would. */
static void cut_block(char *text)
{
	char *begin = find_line(text, BEGIN), *end = begin ? find_line(begin, END) : NULL;

	if (end)
		memmove(begin, end + strlen(END), strlen(end + strlen(END)) + 1);
}

static void check_random_file(const struct buffer *file, unsigned number, unsigned *accepted)
{
	CLEANUP_FREE char *outside = NULL, *with = NULL, *again = NULL, *without = NULL;
	size_t length, with_length;

	if (merge(file->data, file->length, &none, &outside, &length) < 0)
		return;
	++*accepted;
	/* Taking out is cutting, and nothing else. */
	assert_int_equal(strlen(outside), length);
	if (length == file->length)
		assert_string_equal(outside, file->data);
	assert_int_equal(merge(file->data, file->length, &two, &with, &with_length), 0);
	assert_int_equal(merge(with, with_length, &two, &again, &length), 0);
	if (strcmp(again, with) != 0)
		fail_msg("file %u is not the same when the block is put in twice", number);
	assert_int_equal(merge(with, with_length, &none, &without, &length), 0);
	if (strcmp(without, outside) != 0)
		fail_msg("file %u: bytes outside the block have changed", number);
	cut_block(with);
	if (strcmp(with, outside) != 0)
		fail_msg("file %u: the block is not all that was added", number);
}

static void test_random_files_keep_their_bytes(void **state)
{
	uint32_t seed = 20261121;
	unsigned accepted = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		CLEANUP_BUFFER struct buffer file = { 0 };

		random_file(&seed, &file);
		check_random_file(&file, i, &accepted);
	}
	/* Else the above has looked at nothing. */
	assert_true(accepted > 20000 && accepted < 49000);
}

/* ---- the file ---- */

static struct lb_context *new_context(void)
{
	static const struct lb_context_options options = { .size = sizeof options,
							   .root = ROOT,
							   .config_file = "/dev/null" };
	struct lb_context *ctx = NULL;

	assert_int_equal(lb_context_new(&options, &ctx), 0);
	return ctx;
}

static void file_is(const char *path, const char *expected)
{
	CLEANUP_FREE char *text = NULL;

	assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void test_file_is_replaced_only_when_it_changes(void **state)
{
	struct lb_context *ctx = new_context();
	struct stat before, after;

	(void)state;
	put_file("hosts", "127.0.0.1 localhost\n");
	assert_int_equal(hosts_file_has(ctx, "hosts", &one), 0);
	assert_int_equal(hosts_file_put(ctx, "hosts", &one), 0);
	file_is("hosts", "127.0.0.1 localhost\n" BEGIN TIGER END);
	assert_int_equal(stat("hosts", &before), 0);
	assert_int_equal(hosts_file_has(ctx, "hosts", &one), 1);
	assert_int_equal(hosts_file_put(ctx, "hosts", &one), 1);
	assert_int_equal(stat("hosts", &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
	assert_int_equal(hosts_file_put(ctx, "hosts", &none), 0);
	file_is("hosts", "127.0.0.1 localhost\n");
	assert_false(exists(".hosts.layerbox-new"));
	lb_context_free(ctx);
}

static void test_missing_file(void **state)
{
	struct lb_context *ctx = new_context();
	struct stat st;

	(void)state;
	assert_int_equal(hosts_file_put(ctx, "missing", &none), 1);
	assert_false(exists("missing"));
	assert_int_equal(hosts_file_put(ctx, "missing", &one), 0);
	file_is("missing", BEGIN TIGER END);
	assert_int_equal(stat("missing", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(hosts_file_put(ctx, "no-directory/hosts", &one), -ENOENT);
	lb_context_free(ctx);
}

static void test_mode_owner_and_attributes_stay(void **state)
{
	struct lb_context *ctx = new_context();
	char label[32] = "";
	struct stat st;

	(void)state;
	need_root();
	put_file("attributes", "x\n");
	put_file(".attributes.layerbox-new", "left by a killed command");
	assert_int_equal(chown("attributes", 1234, 5678), 0);
	assert_int_equal(chmod("attributes", 0640), 0);
	assert_int_equal(setxattr("attributes", "security.label", "etc_t", 5, 0), 0);
	assert_int_equal(hosts_file_put(ctx, "attributes", &one), 0);
	assert_int_equal(stat("attributes", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 5678);
	assert_int_equal(getxattr("attributes", "security.label", label, sizeof label - 1), 5);
	assert_string_equal(label, "etc_t");
	assert_false(exists(".attributes.layerbox-new"));
	lb_context_free(ctx);
}

static void test_links_are_followed(void **state)
{
	struct lb_context *ctx = new_context();
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	put_file("real/hosts", "x\n");
	assert_int_equal(symlink("real/hosts", "link"), 0);
	assert_int_equal(hosts_file_put(ctx, "link", &one), 0);
	file_is("real/hosts", "x\n" BEGIN TIGER END);
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(hosts_file_put(ctx, "dangling", &one), -ENOENT);
	assert_contains(lb_context_error(ctx), "symbolic link to a file that is not there");
	assert_int_equal(hosts_file_put(ctx, "real", &one), -EINVAL);
	assert_contains(lb_context_error(ctx), "real is not a file");
	lb_context_free(ctx);
}

static void test_a_mount_cannot_be_replaced(void **state)
{
	struct lb_context *ctx = new_context();

	(void)state;
	need_root();
	put_file("mounted", "x\n");
	assert_int_equal(mount("mounted", "mounted", "none", MS_BIND, NULL), 0);
	assert_int_equal(hosts_file_put(ctx, "mounted", &one), -EBUSY);
	assert_contains(lb_context_error(ctx), "mounted is a mount of its own");
	assert_contains(lb_context_error(ctx), "host_names = none");
	file_is("mounted", "x\n");
	assert_false(exists(".mounted.layerbox-new"));
	assert_int_equal(umount("mounted"), 0);
	lb_context_free(ctx);
}

static void test_a_full_disk_leaves_the_file(void **state)
{
	struct lb_context *ctx = new_context();
	CLEANUP_BUFFER struct buffer large = { 0 };

	(void)state;
	need_root();
	assert_int_equal(mkdir("full", 0755), 0);
	assert_int_equal(mount("tmpfs", "full", "tmpfs", 0, "size=64k"), 0);
	for (int i = 0; i < 2500; i++)
		buffer_add_text(&large, "192.0.2.1 name\n");
	put_file("full/hosts", large.data);
	assert_int_equal(hosts_file_put(ctx, "full/hosts", &one), -ENOSPC);
	assert_contains(lb_context_error(ctx), "cannot replace full/hosts: No space left");
	file_is("full/hosts", large.data);
	assert_false(exists("full/.hosts.layerbox-new"));
	assert_int_equal(umount("full"), 0);
	lb_context_free(ctx);
}

static void test_damage_is_left_alone(void **state)
{
	struct lb_context *ctx = new_context();

	(void)state;
	put_file("damaged", BEGIN TIGER "127.0.0.1 localhost\n");
	assert_int_equal(hosts_file_put(ctx, "damaged", &two), -LB_ERR_BAD_CONFIG);
	assert_contains(lb_context_error(ctx), "damaged:1: ");
	file_is("damaged", BEGIN TIGER "127.0.0.1 localhost\n");
	assert_int_equal(hosts_file_has(ctx, "damaged", &two), -LB_ERR_BAD_CONFIG);
	lb_context_free(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block_comes_and_goes),
		cmocka_unit_test(test_no_newline_at_the_end),
		cmocka_unit_test(test_carriage_returns),
		cmocka_unit_test(test_other_roots_stand_beside),
		cmocka_unit_test(test_the_operators_names_win),
		cmocka_unit_test(test_addresses_of_both_families),
		cmocka_unit_test(test_damage_is_refused),
		cmocka_unit_test(test_zero_bytes_are_refused),
		cmocka_unit_test(test_random_files_keep_their_bytes),
		cmocka_unit_test(test_file_is_replaced_only_when_it_changes),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_mode_owner_and_attributes_stay),
		cmocka_unit_test(test_links_are_followed),
		cmocka_unit_test(test_a_mount_cannot_be_replaced),
		cmocka_unit_test(test_a_full_disk_leaves_the_file),
		cmocka_unit_test(test_damage_is_left_alone),
	};

	return cmocka_run_group_tests_name("hosts-file", tests, scratch_enter, scratch_leave);
}
