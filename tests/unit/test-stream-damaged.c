/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that were cut off or changed on their way are refused, wherever it was. */
#include "stream.h"

/* Everything outside of "out" that an unpacked stream could have changed. */
static void check_outside(void)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(file_read(AT_FDCWD, "outside/victim", 100, &text, NULL), 0);
	assert_string_equal(text, "secret");
	assert_int_equal(tree_list_names(fd, &names), 0);
	for (size_t i = 0; i < names.count; i++) {
		static const char *const ours[] = { "a", "b", "gen", "out", "outside", "s", "t" };
		bool known = false;

		for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
			known |= text_equal(names.items[i], ours[k]);
		assert_true(known);
	}
}

static size_t load(char **ret_data)
{
	size_t length;

	assert_int_equal(file_read(AT_FDCWD, "s", 16 << 20, ret_data, &length), 0);
	return length;
}

static void store(const char *data, size_t length)
{
	CLEANUP_FD int fd = open("s", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && fd_write_all(fd, data, length) == 0);
}

/* A tree with one of everything, small enough to be damaged thousands of times. */
static void make_small_tree(void)
{
	assert_int_equal(mkdir("a/d", 0755), 0);
	put_file("a/d/f", "some text");
	assert_int_equal(link("a/d/f", "a/d/g"), 0);
	assert_int_equal(symlink("/nowhere", "a/link"), 0);
	assert_int_equal(mknod("a/whiteout", S_IFCHR, 0), 0);
	assert_int_equal(setxattr("a/d", "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(chown("a/d/f", 1000, 4000000), 0);
	put_file("a/holes", "x");
	assert_int_equal(truncate("a/holes", 5 << 20), 0);
	put_file("outside/victim", "secret");
}

/* What is written for restic: pieces between its paddings do not depend on what the layer is called. */
static void test_masked(void **state)
{
	static const char other_head[] = "file layerbox-stream 12\nformat = 10\n\nfile container.conf 4\na = \n";
	CLEANUP_FREE char *first = NULL;
	CLEANUP_FREE char *second = NULL;
	CLEANUP_FREE char *plan = text_format("%stree layers/1 a\nend\n", other_head);
	const size_t head = 8 * 512, padding = 640 * 1024;
	size_t length, blocks_of_zeros = 0;

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		make_random_tree("a", i);
		pack(TREE_A, STREAM_MASKED);
		unpack(&layer_a);
		compare_trees("a", LAYER_A);
	}
	length = load(&first);
	pack(plan, STREAM_MASKED);
	assert_int_equal(load(&second), length);
	assert_true(length > head + 2 * padding);
	assert_int_not_equal(memcmp(first, second, head), 0);
	assert_memory_equal(first + head, second + head, length - head - padding);
	for (size_t at = 0; at + 512 <= length; at += 512)
		blocks_of_zeros += first[at] == 0 && memcmp(first + at, first + at + 1, 511) == 0;
	assert_true(blocks_of_zeros >= 2 * (padding / 512 - 1));
	/* Each of its bytes counts. */
	for (size_t at = 0; at < length; at += length / 50) {
		first[at] ^= 1;
		store(first, length);
		refused(&layer_a, "");
		first[at] ^= 1;
	}
}

static void test_cut_off(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		CLEANUP_FREE char *data = NULL;
		size_t length;

		pack(TREE_A, plain ? STREAM_PLAIN : STREAM_COMPRESSED);
		length = load(&data);
		for (size_t cut = 0; cut < length; cut += plain ? 37 : 1) {
			store(data, cut);
			refused(&layer_a, "");
		}
		for (size_t cut = 1; cut <= 2048 && cut < length; cut += 13) {
			store(data, length - cut);
			refused(&layer_a, "");
		}
	}
	check_outside();
}

static void test_something_behind(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		static const size_t extras[] = { 1, 512, 1024, 10240, 1 << 20 };

		for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
			CLEANUP_FREE char *data = NULL;
			CLEANUP_FREE char *longer = calloc(1, 2 << 20);
			size_t length;

			pack(TREE_A, plain ? STREAM_PLAIN : STREAM_COMPRESSED);
			length = load(&data);
			memcpy(longer, data, length);
			store(longer, length + extras[i]);
			refused(&layer_a, "");
			memset(longer + length, 'x', extras[i]);
			store(longer, length + extras[i]);
			refused(&layer_a, "");
			memcpy(longer + length, data, length);
			store(longer, 2 * length);
			refused(&layer_a, "");
		}
	}
}

/* Every bit of the plain form counts; of the other one, some only say how it is compressed. */
static void test_flipped_bits(void **state)
{
	(void)state;
	make_small_tree();
	for (int plain = 0; plain < 2; plain++) {
		CLEANUP_FREE char *data = NULL;
		size_t length;

		pack(TREE_A, plain ? STREAM_PLAIN : STREAM_COMPRESSED);
		length = load(&data);
		seed = 1;
		for (size_t at = 0; at < length; at += plain ? 1 + dice(9) : 1) {
			char flip = (char)(1 << dice(8));
			int r;

			data[at] ^= flip;
			store(data, length);
			r = unpack_file("s", &layer_a);
			if (r == 0 && plain)
				fail_msg("byte %zu was changed, and nobody saw it", at);
			if (r == 0)
				compare_trees("a", LAYER_A);
			data[at] ^= flip;
		}
	}
	check_outside();
}

/* Whole blocks changed places, came twice, went. */
static void test_moved_blocks(void **state)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;

	(void)state;
	make_small_tree();
	pack(TREE_A, STREAM_PLAIN);
	length = load(&data);
	seed = 1;
	for (int round = 0; round < 300; round++) {
		size_t from = dice((unsigned)(length / 512)) * 512, to = dice((unsigned)(length / 512)) * 512;
		CLEANUP_FREE char *changed = malloc(length);

		memcpy(changed, data, length);
		memcpy(changed + to, data + from, 512);
		if (memcmp(changed, data, length) == 0)
			continue;
		store(changed, length);
		refused(&layer_a, "");
	}
	check_outside();
}

/* A header that lies is given the checksum of a true one. */
static void correct_checksum(char *header)
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
}

static void test_lying_headers(void **state)
{
	CLEANUP_FREE char *data = NULL;
	size_t length;

	(void)state;
	make_small_tree();
	pack(TREE_A, STREAM_PLAIN);
	length = load(&data);
	seed = 1;
	for (int round = 0; round < 2000; round++) {
		CLEANUP_FREE char *changed = malloc(length);
		size_t block = dice((unsigned)(length / 512)) * 512;

		memcpy(changed, data, length);
		for (unsigned n = 1 + dice(3); n > 0; n--)
			changed[block + dice(512)] = (char)(dice(2) ? '0' + dice(8) : dice(256));
		if (memcmp(changed + block + 257, "ustar", 5) == 0)
			correct_checksum(changed + block);
		if (memcmp(changed, data, length) == 0)
			continue;
		store(changed, length);
		refused(&layer_a, "");
	}
	check_outside();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_masked, begin),
		cmocka_unit_test_setup(test_cut_off, begin),       cmocka_unit_test_setup(test_something_behind, begin),
		cmocka_unit_test_setup(test_flipped_bits, begin),  cmocka_unit_test_setup(test_moved_blocks, begin),
		cmocka_unit_test_setup(test_lying_headers, begin), cmocka_unit_test_setup(test_masked, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
