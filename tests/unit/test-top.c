/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What top makes of two samples. */
#include "unit.h"

#include "../../tools/top-sample.h"

static struct rates compare_one(const struct reading *before, const struct reading *after)
{
	const struct sample first = { .readings = (struct reading *)(uintptr_t)before, .count = before ? 1 : 0,
				      .moment = 50, .time = 1000 };
	const struct sample second = { .readings = (struct reading *)(uintptr_t)after, .count = 1, .moment = 52,
				       .time = 1002 };
	struct rates *all = compare_all(&first, &second), rates;

	assert_non_null(all);
	rates = *all;
	free(all);
	return rates;
}

static void check(const struct reading *before, const struct reading *after, long sent)
{
	assert_int_equal((long)compare_one(before, after).sent, sent);
}

static void test_rates(void **state)
{
	const struct reading before = { "a", LB_STATE_RUNNING, { .started = 500, .sent_bytes = 10000 } };
	const struct reading unknown = { "a", LB_STATE_RUNNING, { .started = 500, .sent_bytes = LB_USAGE_UNKNOWN } };
	struct reading after = { "a", LB_STATE_RUNNING, { .started = 500, .sent_bytes = 10200 } };

	(void)state;
	check(&before, &after, 100);
	/* By another look at the clocks it was started a second later. */
	after.usage.started = 501;
	check(&before, &after, 100);
	/* It was missing from the sample before, or not counted there: what it took in all its life is no rate. */
	check(NULL, &after, -1);
	check(&unknown, &after, -1);
	check(&before, &unknown, -1);
	/* The kernel counts anew. */
	after.usage.sent_bytes = 10;
	check(&before, &after, -1);
	/* Started since, again or for the first time. */
	after.usage = (struct lb_usage){ .started = 1001, .sent_bytes = 400 };
	check(&before, &after, 200);
	check(NULL, &after, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
	};

	return cmocka_run_group_tests_name("top", tests, scratch_enter, scratch_leave);
}
