/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/stream/header.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddd"
#define DIGEST A B
#define FRONT                                                             \
	"format = 1\ncontainer = tiger\nbase = debian-bookworm@4\n"       \
	"files_name = lion\nfiles_ipv4 = 10.0.3.7\n"                    \
	"base_manifest = " DIGEST "\nbase_included = no\n"

static int parse(const char *text, struct stream_header *header, char error[512])
{
	CLEANUP_FREE char *copy = strdup(text);

	assert_non_null(copy);
	return header_parse(copy, header, error, 512);
}

static void test_reads_what_it_writes(void **state)
{
	struct stream_header header = { 0 }, again = { 0 };
	CLEANUP_FREE char *first = NULL;
	CLEANUP_FREE char *second = NULL;
	char error[512] = "";

	(void)state;
	assert_int_equal(parse(FRONT "snapshot = before-upgrade\nlayers = " A " " B " " C "\nwhole = " A "\nhave = " C
				     "\ndiffers = " B ":" D "\n",
			       &header, error),
			 0);
	assert_string_equal(header.container, "tiger");
	assert_string_equal(header.snapshot, "before-upgrade");
	assert_string_equal(header.base, "debian-bookworm");
	assert_int_equal(header.generation, 4);
	assert_string_equal(header.base_manifest, DIGEST);
	assert_false(header.base_included);
	assert_int_equal(header.layers.count, 3);
	assert_int_equal(header.ways[0], LAYER_WHOLE);
	assert_int_equal(header.ways[1], LAYER_DIFFERS);
	assert_string_equal(header.from[1], D);
	assert_int_equal(header.ways[2], LAYER_HAVE);
	first = header_to_text(&header);
	assert_int_equal(parse(first, &again, error), 0);
	second = header_to_text(&again);
	assert_string_equal(first, second);
	assert_memory_equal(&header, &again, sizeof header);
}

static void test_without_layers(void **state)
{
	struct stream_header header = { 0 };
	CLEANUP_FREE char *text = NULL;
	char error[512] = "";

	(void)state;
	assert_int_equal(parse(FRONT "layers =\n", &header, error), 0);
	assert_int_equal(header.layers.count, 0);
	assert_string_equal(header.snapshot, "");
	text = header_to_text(&header);
	assert_int_equal(parse(text, &header, error), 0);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "`format` is missing" },
		{ "format = 2\n", "1: format is not one that" },
		{ "format = 1\nformat = 1\n", "2: format comes twice" },
		{ "format = 1\ncolour = red\n", "2: colour is not a key" },
		{ "container = ../../etc\n", "1: container must be" },
		{ "container = .new-x\n", "1: container must be" },
		{ "snapshot = ../x\n", "1: snapshot must be" },
		{ "snapshot =\n", "1: snapshot must be" },
		{ "files_name = Lion\n", "1: files_name must be" },
		{ "files_ipv4 = 10.0.3.256\n", "1: files_ipv4 must be" },
		{ "files_gateway = 10.0.3\n", "1: files_gateway must be" },
		{ "base = debian\n", "1: base must be" },
		{ "base = debian@0\n", "1: base must be" },
		{ "base_manifest = " A "\n", "1: base_manifest must be" },
		{ "base_manifest = " A A "a\n", "1: base_manifest must be" },
		{ "base_manifest = " A "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", "1: base_manifest must be" },
		{ "base_included = perhaps\n", "1: base_included must be" },
		{ "layers = ../../../../../../../../../../../x\n", "1: layers must be" },
		{ "layers = " A " " A "\n", "1: layers must be" },
		{ "layers = " A "  " B "\n", "1: layers must be" },
		{ "differs = " A "\n", "1: differs must be" },
		{ "differs = " A ":" B ":" C "\n", "1: differs must be" },
		{ "differs = " A ":\n", "1: differs must be" },
		{ "differs = " A ":" B " " A ":" C "\n", "1: differs must be" },
		{ "differs = " A ":" B " \n" FRONT "layers = " A "\nx\n", "expected `key = value`" },
		{ FRONT, "`layers` is missing" },
		{ FRONT "layers = " A "\n", "contradicts" },
		{ FRONT "layers =\nwhole = " A "\n", "contradicts" },
		{ FRONT "layers = " A "\nwhole = " B "\n", "contradicts" },
		{ FRONT "layers = " A " " B "\nwhole = " A " " B "\nhave = " A "\n", "contradicts" },
		{ FRONT "layers = " A " " B "\nwhole = " A "\nhave = " A "\n", "contradicts" },
		{ FRONT "layers = " A "\ndiffers = " A ":" A "\n", "contradicts" },
		{ FRONT "layers = " A " " B "\nwhole = " B "\ndiffers = " A ":" B "\n", "contradicts" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct stream_header header = { .generation = 77 };
		char error[512] = "";

		if (parse(bad[i].text, &header, error) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_contains(error, bad[i].why);
		assert_int_equal(header.generation, 77);
	}
}

/* A chain of @count layers, and the same as a list of differences. */
static void add_many(struct buffer *text, size_t count, const char *suffix)
{
	for (size_t i = 0; i < count; i++)
		buffer_format(text, "%s%032zx%s", i ? " " : "", i, suffix);
	buffer_add_text(text, "\n");
}

static void test_bounds(void **state)
{
	(void)state;
	for (size_t count = CHAIN_MAX; count <= CHAIN_MAX + 1; count++) {
		CLEANUP_BUFFER struct buffer text = { 0 };
		struct stream_header header = { 0 };
		char error[512] = "";

		buffer_add_text(&text, FRONT "layers = ");
		add_many(&text, count, "");
		buffer_add_text(&text, "differs = ");
		add_many(&text, count, ":" D);
		assert_int_equal(parse(text.data, &header, error), count == CHAIN_MAX ? 0 : -EINVAL);
	}
	for (size_t count = CHAIN_MAX; count <= CHAIN_MAX + 1; count++) {
		CLEANUP_BUFFER struct buffer text = { 0 };
		struct stream_header header = { 0 };
		char error[512] = "";

		buffer_add_text(&text, "differs = ");
		add_many(&text, count, ":" D);
		assert_int_equal(parse(text.data, &header, error), -EINVAL);
		assert_contains(error, count == CHAIN_MAX ? "is missing" : "must be pairs");
	}
}

/* Whatever bytes come: no more is read than there is (for a build with sanitizers), and nothing half is taken. */
static void test_any_bytes(void **state)
{
	static const char good[] = FRONT "snapshot = x\nlayers = " A " " B " " C "\nwhole = " A "\nhave = " C "\ndiffers = " B ":" D "\n";
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct stream_header header = { 0 };
		char text[sizeof good], error[512] = "";
		size_t length = sizeof good - 1;

		memcpy(text, good, sizeof good);
		if (round % 4 == 0)
			length = (size_t)rand_r(&seed) % sizeof good;
		text[length] = '\0';
		for (int flips = round % 3; length && flips >= 0; flips--)
			text[(size_t)rand_r(&seed) % length] = (char)(rand_r(&seed) & 0xff);
		if (header_parse(text, &header, error, sizeof error) == 0)
			assert_true(name_is_valid(header.container) && digest_text_is_valid(header.base_manifest));
		else
			assert_true(*error && !*header.container);
	}
}

static struct chain chain_of(const char *text)
{
	struct chain chain = { 0 };

	assert_true(chain_parse(text, &chain));
	return chain;
}

static void test_ways(void **state)
{
	struct stream_header header = { .layers = chain_of(A " " B) };

	(void)state;
	header_choose_ways(&header, NULL, 0);
	assert_int_equal(header.ways[0], LAYER_WHOLE);
	assert_int_equal(header.ways[1], LAYER_WHOLE);
	/* A snapshot of the layer below: only what came on top goes. */
	header_choose_ways(&header, (struct chain[]){ chain_of(B) }, 1);
	assert_int_equal(header.ways[0], LAYER_WHOLE);
	assert_int_equal(header.ways[1], LAYER_HAVE);
	/* A copy of the top layer, made earlier. */
	header_choose_ways(&header, (struct chain[]){ chain_of(C " " B) }, 1);
	assert_int_equal(header.ways[0], LAYER_DIFFERS);
	assert_string_equal(header.from[0], C);
	assert_int_equal(header.ways[1], LAYER_HAVE);
	/* Since that copy there was a cold snapshot, of the top layer that was copied, and now there is another one. */
	header_choose_ways(&header, (struct chain[]){ chain_of(C) }, 1);
	assert_int_equal(header.ways[0], LAYER_WHOLE);
	assert_int_equal(header.ways[1], LAYER_DIFFERS);
	/* The reader has all of an older one, too; what is newest counts for differences. */
	header_choose_ways(&header, (struct chain[]){ chain_of(D " " B), chain_of(C) }, 2);
	assert_int_equal(header.ways[0], LAYER_DIFFERS);
	assert_string_equal(header.from[0], C);
	assert_int_equal(header.ways[1], LAYER_HAVE);
	/* The reader has all. */
	header_choose_ways(&header, (struct chain[]){ chain_of(C " " A " " B) }, 1);
	assert_int_equal(header.ways[0], LAYER_HAVE);
	assert_int_equal(header.ways[1], LAYER_HAVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_it_writes),
		cmocka_unit_test(test_without_layers),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_ways),
	};

	return cmocka_run_group_tests_name("stream-header", tests, NULL, NULL);
}
