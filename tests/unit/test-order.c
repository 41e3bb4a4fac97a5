/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include <errno.h>

#include "../../liblayerbox/boot/order.h"

enum { MEMBERS_MAX = 512 };

/* Members are written "NAME PRIORITY DELAY_MS AFTER...". */
struct scene {
	struct order_member members[MEMBERS_MAX];
	struct text_list words[MEMBERS_MAX], after[MEMBERS_MAX];
	size_t count;
	struct order *order;
};

static struct scene scene;

static void add(const char *line)
{
	size_t i = scene.count++;
	struct text_list *words = &scene.words[i];

	assert_int_equal(text_list_add_words(words, line), 0);
	scene.members[i] = (struct order_member){
		.name = words->items[0],
		.priority = strtoul(words->items[1], NULL, 10),
		.delay_ms = strtoul(words->items[2], NULL, 10),
		.after = &scene.after[i],
	};
	for (size_t k = 3; k < words->count; k++)
		assert_int_equal(text_list_add(&scene.after[i], words->items[k]), 0);
}

static void begin(const char *const *lines)
{
	for (; *lines; lines++)
		add(*lines);
	assert_int_equal(order_make(scene.members, scene.count, 1000, &scene.order), 0);
}

#define BEGIN(...) begin((const char *const[]){ __VA_ARGS__, NULL })

static void end(void)
{
	order_free(&scene.order);
	for (size_t i = 0; i < scene.count; i++) {
		text_list_free(&scene.words[i]);
		text_list_free(&scene.after[i]);
	}
	scene = (struct scene){ 0 };
}

/* Who begins at that moment, in which order: names with spaces between them. */
static void begins(int64_t now, const char *expected)
{
	CLEANUP_BUFFER struct buffer names = { 0 };
	ssize_t i;

	while ((i = order_next(scene.order, now)) != ORDER_NOBODY)
		buffer_format(&names, "%s%s", names.length ? " " : "", scene.members[i].name);
	assert_string_equal(names.data ? names.data : "", expected);
}

static void through(const char *name, int64_t now)
{
	for (size_t i = 0; i < scene.count; i++)
		if (text_equal(scene.members[i].name, name)) {
			order_through(scene.order, i, now);
			return;
		}
	fail_msg("there is no %s", name);
}

static void test_nothing_special(void **state)
{
	(void)state;
	BEGIN("c 0 0", "a 0 0", "b 0 0");
	assert_int_equal(order_left(scene.order), 3);
	begins(1000, "a b c");
	begins(1000, "");
	assert_int_equal(order_due(scene.order), ORDER_NEVER);
	through("b", 1100);
	through("b", 1200);
	assert_int_equal(order_left(scene.order), 2);
	through("a", 1300);
	through("c", 1300);
	assert_int_equal(order_left(scene.order), 0);
	end();
}

static void test_nobody(void **state)
{
	(void)state;
	assert_int_equal(order_make(scene.members, 0, 0, &scene.order), 0);
	assert_int_equal(order_left(scene.order), 0);
	begins(1000, "");
	assert_int_equal(order_due(scene.order), ORDER_NEVER);
	end();
}

static void test_priority_is_only_who_is_first(void **state)
{
	(void)state;
	BEGIN("a 0 0", "b 10 0", "c 10 0", "d 1000 0 a", "e 999 0");
	begins(1000, "e b c a");
	through("a", 1001);
	begins(1001, "d");
	end();
}

/* A, then A1 thirty seconds later, B meanwhile. */
static void test_chain(void **state)
{
	(void)state;
	BEGIN("a 0 0", "a1 0 30000 a", "b 0 0");
	begins(1000, "a b");
	through("b", 2000);
	begins(90000, "");
	assert_int_equal(order_due(scene.order), ORDER_NEVER);
	through("a", 90000);
	begins(90000, "");
	assert_int_equal(order_due(scene.order), 120000);
	begins(119999, "");
	begins(120000, "a1");
	assert_int_equal(order_due(scene.order), ORDER_NEVER);
	through("a1", 120001);
	assert_int_equal(order_left(scene.order), 0);
	end();
}

static void test_dropped(void **state)
{
	(void)state;
	BEGIN("a 0 0", "b 0 0 a", "c 0 5000 b", "d 7 9000");
	begins(1000, "a");
	order_drop(scene.order);
	assert_int_equal(order_due(scene.order), 1000);
	begins(1001, "d b c");
	assert_int_equal(order_due(scene.order), ORDER_NEVER);
	through("a", 1002);
	assert_int_equal(order_left(scene.order), 3);
	end();
}

static void test_delay_counts_from_the_last_that_is_through(void **state)
{
	(void)state;
	BEGIN("x 0 50 b a", "a 0 0", "b 0 0");
	begins(1000, "a b");
	through("b", 5000);
	begins(9000, "");
	through("a", 6000);
	assert_int_equal(order_due(scene.order), 6050);
	begins(6049, "");
	begins(6050, "x");
	end();
	BEGIN("x 0 50 b a", "a 0 0", "b 0 0");
	begins(1000, "a b");
	through("a", 5000);
	through("b", 6000);
	assert_int_equal(order_due(scene.order), 6050);
	end();
}

static void test_delay_without_predecessor_counts_from_the_beginning(void **state)
{
	(void)state;
	BEGIN("a 0 300", "b 0 100", "c 0 0");
	begins(1000, "c");
	assert_int_equal(order_due(scene.order), 1100);
	begins(1100, "b");
	assert_int_equal(order_due(scene.order), 1300);
	/* Late, both at once, in the order of their names. */
	end();
	BEGIN("a 0 300", "b 0 100", "c 0 0");
	begins(9000, "a b c");
	end();
}

static void test_who_is_not_there_is_not_waited_for(void **state)
{
	(void)state;
	BEGIN("a 0 0 gone", "b 0 10 gone b a gone", "c 0 0 c");
	begins(1000, "a c");
	through("a", 1005);
	assert_int_equal(order_due(scene.order), 1015);
	end();
}

static void test_who_runs_already(void **state)
{
	(void)state;
	add("a 0 0");
	add("b 0 20 a");
	add("c 0 0 w");
	add("w 0 0");
	scene.members[0].state = ORDER_THROUGH;
	scene.members[3].state = ORDER_BEGUN; /* runs, and is waited for */
	begin((const char *const[]){ NULL });
	assert_int_equal(order_left(scene.order), 3);
	begins(1000, "");
	assert_int_equal(order_due(scene.order), 1020);
	begins(1020, "b");
	through("w", 1030);
	begins(1030, "c");
	end();
}

static void test_long_chain(void **state)
{
	char line[64];

	(void)state;
	add("n0 0 0");
	for (int i = 1; i < MEMBERS_MAX; i++) {
		snprintf(line, sizeof line, "n%d 0 0 n%d", i, i - 1);
		add(line);
	}
	begin((const char *const[]){ NULL });
	for (int i = 0; i < MEMBERS_MAX; i++) {
		snprintf(line, sizeof line, "n%d", i);
		begins(1000 + i, line);
		through(line, 1000 + i);
	}
	assert_int_equal(order_left(scene.order), 0);
	end();
}

static void test_cycles_do_not_stand_still(void **state)
{
	(void)state;
	/* The first by name begins, and the others keep what they come after. */
	BEGIN("c 0 0 a", "b 0 0 c", "a 0 0 b", "d 0 0 a");
	begins(1000, "a");
	through("a", 1000);
	begins(1000, "c d");
	through("c", 1000);
	begins(1000, "b");
	assert_int_equal(order_get_broken(scene.order)->count, 1);
	assert_string_equal(order_get_broken(scene.order)->items[0], "a");
	end();
	/* Two that share a member, and one who comes after one of them. */
	BEGIN("a 0 0 m", "m 0 0 a z", "z 0 0 m", "q 0 0 z");
	begins(1000, "a");
	through("a", 1000);
	begins(1000, "m");
	through("m", 1000);
	begins(1000, "z");
	through("z", 1000);
	begins(1000, "q");
	end();
}

/* Whatever is written by hand, everybody begins in the end. */
static void test_random_graphs(void **state)
{
	unsigned seed = 1;
	char line[1024];

	(void)state;
	for (int round = 0; round < 300; round++) {
		int count = 1 + rand_r(&seed) % 12, turns = 0;
		bool begun[12] = { 0 };

		for (int i = 0; i < count; i++) {
			int n = snprintf(line, sizeof line, "n%d %d %d", i, rand_r(&seed) % 3, rand_r(&seed) % 3);

			for (int k = rand_r(&seed) % 4; k > 0; k--)
				n += snprintf(line + n, sizeof line - (size_t)n, " n%d", rand_r(&seed) % (count + 1));
			add(line);
		}
		begin((const char *const[]){ NULL });
		for (int64_t now = 1000; order_left(scene.order); now++) {
			ssize_t i;

			while ((i = order_next(scene.order, now)) != ORDER_NOBODY) {
				assert_false(begun[i]);
				begun[i] = true;
			}
			i = rand_r(&seed) % count;
			if (begun[i])
				order_through(scene.order, (size_t)i, now);
			assert_in_range(++turns, 1, 10000);
		}
		end();
	}
}

static void finds(const char *name, int expected, const char *text)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FREE char *shown = NULL;

	assert_int_equal(order_find_cycle(scene.members, scene.count, name, &names), expected);
	if (expected == 1) {
		shown = order_cycle_text(&names);
		assert_string_equal(shown, text);
	}
}

static void test_finding_cycles(void **state)
{
	(void)state;
	BEGIN("a 0 0 b", "b 0 0 c", "c 0 0 a", "d 0 0 a", "e 0 0 f", "f 0 0 e", "g 0 0 g", "h 0 0 gone");
	finds("a", 1, "a comes after b, b after c, c after a");
	finds("b", 1, "b comes after c, c after a, a after b");
	finds("d", 0, NULL);
	finds("e", 1, "e comes after f, f after e");
	finds("h", 0, NULL);
	finds("gone", 0, NULL);
	end();
	/* The shortest. */
	BEGIN("a 0 0 x b", "x 0 0 y", "y 0 0 a", "b 0 0 a");
	finds("a", 1, "a comes after b, b after a");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_special),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_priority_is_only_who_is_first),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_delay_counts_from_the_last_that_is_through),
		cmocka_unit_test(test_delay_without_predecessor_counts_from_the_beginning),
		cmocka_unit_test(test_who_is_not_there_is_not_waited_for),
		cmocka_unit_test(test_who_runs_already),
		cmocka_unit_test(test_long_chain),
		cmocka_unit_test(test_cycles_do_not_stand_still),
		cmocka_unit_test(test_random_graphs),
		cmocka_unit_test(test_finding_cycles),
	};

	return cmocka_run_group_tests_name("order", tests, scratch_enter, scratch_leave);
}
