/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/base/generation.h"

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

static int read_text(const char *text, struct generation_record *ret_record)
{
	put_file("generation.conf", text);
	return generation_read(ctx, AT_FDCWD, "test", 1, ret_record);
}

static void a_parent_is_kept(void **state)
{
	struct generation_record record, again;
	char *text;

	(void)state;
	assert_int_equal(read_text("recipe = x\nparent = debian-bookworm@12\n", &record), 0);
	assert_string_equal(record.parent, "debian-bookworm@12");
	text = generation_to_text(&record);
	assert_int_equal(read_text(text, &again), 0);
	assert_string_equal(again.parent, "debian-bookworm@12");
	free(text);
	generation_record_free(&again);
	generation_record_free(&record);
}

static void without_a_parent_it_is_empty(void **state)
{
	struct generation_record record;
	char *text;

	(void)state;
	assert_int_equal(read_text("recipe = x\n", &record), 0);
	assert_string_equal(record.parent, "");
	text = generation_to_text(&record);
	assert_null(strstr(text, "parent"));
	free(text);
	generation_record_free(&record);
	assert_int_equal(read_text("parent =\n", &record), 0);
	assert_string_equal(record.parent, "");
	generation_record_free(&record);
}

static void wrong_parents_are_refused(void **state)
{
	static const char *const wrong[] = { "debian", "debian@", "debian@0", "debian@x", "@1", "../x@1", "A@1", "a@1@2",
					     "a-very-long-name-a-very-long-name-a-very-long-name-a-very-long-name@1" };
	struct generation_record record;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "parent = %s\n", wrong[i]);
		assert_int_equal(read_text(text, &record), -LB_ERR_BAD_CONFIG);
		assert_contains(lb_context_error(ctx), "generation.conf:1:");
	}
}

static void generations_are_listed_in_order(void **state)
{
	unsigned *generations, newest;
	size_t count;
	int fd;

	(void)state;
	assert_int_equal(mkdir("base", 0755), 0);
	fd = open("base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(generation_find_newest(fd, &newest), -ENOENT);
	mkdir("base/10", 0755);
	mkdir("base/9", 0755);
	mkdir("base/2", 0755);
	mkdir("base/.new-11", 0755);
	mkdir("base/.deleted-12.00000000", 0755);
	mkdir("base/x", 0755);
	assert_int_equal(generation_list(fd, &generations, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(generations[0], 2);
	assert_int_equal(generations[1], 9);
	assert_int_equal(generations[2], 10);
	assert_int_equal(generation_find_newest(fd, &newest), 0);
	assert_int_equal(newest, 10);
	free(generations);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parent_is_kept),
		cmocka_unit_test(without_a_parent_it_is_empty),
		cmocka_unit_test(wrong_parents_are_refused),
		cmocka_unit_test(generations_are_listed_in_order),
	};

	return cmocka_run_group_tests_name("generation", tests, enter, leave);
}
