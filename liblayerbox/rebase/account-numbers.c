/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "account-numbers.h"

#include <inttypes.h>

#include "../util/array.h"

void account_numbers_add(struct account_numbers *numbers, struct account_number number)
{
	struct account_number *items = array_grow(numbers->items, numbers->count, &numbers->capacity, sizeof *items);

	numbers->failed = numbers->failed || !items;
	if (!items)
		return;
	numbers->items = items;
	numbers->items[numbers->count++] = number;
}

void account_numbers_free(struct account_numbers *numbers)
{
	free(numbers->items);
	*numbers = (struct account_numbers){ 0 };
}

static int compare_numbers(const void *left, const void *right)
{
	const struct account_number *a = left, *b = right;
	int order = (a->number > b->number) - (a->number < b->number);

	return order ? order : slice_compare(a->name, b->name);
}

static void report_number(const struct account_form *form, const struct account_number *base,
			  const struct account_number *own, struct report *report)
{
	struct account_name theirs = account_name(base->name), ours = account_name(own->name);

	report_add(report, LB_REBASE_ACCOUNT, LB_REBASE_CONFLICT, ours.text,
		   "number %" PRIu64 " would belong to two: to the %s %s of the container, and to the %s %s that the "
		   "new base brings; give %s another number in the container (%s, then chown what it owns), or remove "
		   "it",
		   own->number, form->what, ours.text, form->what, theirs.text, ours.text, form->change_number);
}

/* Among @count of one number: each that is only the base's stands against the first that is only the container's. */
static void check_number(const struct account_number *numbers, size_t count, const struct account_form *form,
			 struct report *report)
{
	const struct account_number *own = NULL;

	for (size_t i = 0; i < count && !own; i++)
		if (!numbers[i].in_new)
			own = &numbers[i];
	for (size_t i = 0; i < count && own; i++)
		if (!numbers[i].in_own && !slice_equal(numbers[i].name, own->name))
			report_number(form, &numbers[i], own, report);
}

/* The ranges that reach furthest so far, of two names: one of them is not the name that is asked for. */
struct reach {
	const struct account_number *first, *second;
};

static void reach_add(struct reach *reach, const struct account_number *range)
{
	bool same = reach->first && slice_equal(reach->first->name, range->name);

	if (!reach->first || range->end > reach->first->end) {
		if (!same)
			reach->second = reach->first;
		reach->first = range;
	} else if (!same && (!reach->second || range->end > reach->second->end)) {
		reach->second = range;
	}
}

/* A range of another name that was added and has ids of @range, which begins at none of theirs or later. */
static const struct account_number *reach_into(const struct reach *reach, const struct account_number *range)
{
	const struct account_number *other = reach->first;

	if (other && slice_equal(other->name, range->name))
		other = reach->second;
	return other && other->end > range->number && range->end > range->number ? other : NULL;
}

static void report_range(const struct account_form *form, const struct account_number *base,
			 const struct account_number *own, struct report *report)
{
	struct account_name theirs = account_name(base->name), ours = account_name(own->name);

	report_add(report, LB_REBASE_ACCOUNT, LB_REBASE_CONFLICT, ours.text,
		   "subordinate ids in /%s would belong to two: to the user %s of the container from %" PRIu64
		   " on, and to the user %s that the new base brings from %" PRIu64
		   " on; give %s others in the container (%s)",
		   form->path, ours.text, own->number, theirs.text, base->number, ours.text, form->change_number);
}

/* They are sorted by where they begin. */
static void check_ranges(const struct account_numbers *numbers, const struct account_form *form, struct report *report)
{
	struct reach base = { 0 }, own = { 0 };

	for (size_t i = 0; i < numbers->count; i++) {
		const struct account_number *range = &numbers->items[i], *other = NULL;

		if (!range->in_own) {
			other = reach_into(&own, range);
			reach_add(&base, range);
			if (other)
				report_range(form, range, other, report);
		} else if (!range->in_new) {
			other = reach_into(&base, range);
			reach_add(&own, range);
			if (other)
				report_range(form, other, range, report);
		}
	}
}

void account_numbers_check(struct account_numbers *numbers, const struct account_form *form, struct report *report)
{
	const struct account_number *items = numbers->items;

	if (numbers->count < 2)
		return;
	qsort(numbers->items, numbers->count, sizeof *numbers->items, compare_numbers);
	if (form->ranges)
		check_ranges(numbers, form, report);
	for (size_t i = 0, n; i < numbers->count && !form->ranges; i += n) {
		for (n = 1; i + n < numbers->count && items[i + n].number == items[i].number;)
			n++;
		check_number(&items[i], n, form, report);
	}
}
