/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/adapters/digest.h"

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_MD5 "900150983cd24fb0d6963f7d28e17f72"

static void known_values(void **state)
{
	uint8_t bytes[DIGEST_SHA256_BYTES];
	char text[2 * DIGEST_SHA256_BYTES + 1];

	(void)state;
	digest_sha256("abc", 3, bytes);
	digest_to_text(bytes, DIGEST_SHA256_BYTES, text);
	assert_string_equal(text, ABC_SHA256);
	digest_md5("abc", 3, bytes);
	digest_to_text(bytes, DIGEST_MD5_BYTES, text);
	assert_string_equal(text, ABC_MD5);
	digest_sha256("", 0, bytes);
	digest_to_text(bytes, DIGEST_SHA256_BYTES, text);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_whole_file_wherever_its_offset_is(void **state)
{
	uint8_t bytes[DIGEST_SHA256_BYTES], expected[DIGEST_SHA256_BYTES];
	static char large[300 * 1000];
	FILE *file = fopen("large", "w+e");

	(void)state;
	memset(large, 'x', sizeof large - 1);
	assert_non_null(file);
	assert_int_equal(fwrite(large, 1, sizeof large, file), sizeof large);
	fflush(file);
	lseek(fileno(file), 17, SEEK_SET);
	digest_sha256(large, sizeof large, expected);
	assert_int_equal(digest_sha256_fd(fileno(file), bytes), 0);
	assert_memory_equal(bytes, expected, DIGEST_SHA256_BYTES);
	digest_md5(large, sizeof large, expected);
	assert_int_equal(digest_md5_fd(fileno(file), bytes), 0);
	assert_memory_equal(bytes, expected, DIGEST_MD5_BYTES);
	assert_int_equal(lseek(fileno(file), 0, SEEK_CUR), 17);
	fclose(file);
	assert_int_equal(digest_sha256_fd(-1, bytes), -EBADF);
}

static void piece_by_piece(void **state)
{
	static char large[300000];
	uint8_t bytes[DIGEST_SHA256_BYTES], expected[DIGEST_SHA256_BYTES];
	struct digest *digest = digest_begin();

	(void)state;
	memset(large, 'y', sizeof large);
	assert_non_null(digest);
	for (size_t at = 0; at < sizeof large; at += 1000)
		digest_add(digest, large + at, 1000);
	digest_end(digest, bytes);
	digest_sha256(large, sizeof large, expected);
	assert_memory_equal(bytes, expected, sizeof bytes);
}

static void text_and_back(void **state)
{
	uint8_t bytes[4];

	(void)state;
	assert_true(digest_from_text("00ff10ab", 4, bytes));
	assert_memory_equal(bytes, "\x00\xff\x10\xab", 4);
	assert_false(digest_from_text("00ff10aB", 4, bytes));
	assert_false(digest_from_text("00ff10a", 4, bytes));
	assert_false(digest_from_text("", 1, bytes));
	assert_false(digest_from_text("0 ", 1, bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(a_whole_file_wherever_its_offset_is),
		cmocka_unit_test(piece_by_piece),
		cmocka_unit_test(text_and_back),
	};

	return cmocka_run_group_tests_name("digest", tests, scratch_enter, scratch_leave);
}
