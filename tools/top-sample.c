/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "top-sample.h"

#include <errno.h>
#include <time.h>

#include "command.h"

double clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- sampling ---- */

static void on_usage(struct lb_container *container, const struct lb_usage *usage, void *userdata)
{
	struct sample *sample = userdata;
	struct reading *reading = sample->readings + sample->count;

	if (!lb_container_get_pid(container)) {
		sample->others++;
		return;
	}
	snprintf(reading->name, sizeof reading->name, "%s", lb_container_get_name(container));
	reading->state = lb_container_get_state(container);
	reading->usage = *usage;
	sample->count++;
}

int take_sample(struct lb_context *context, struct sample *sample)
{
	struct lb_container **containers;
	size_t count;
	int r = lb_container_list(context, &containers, &count);

	if (r < 0)
		return r;
	*sample = (struct sample){ .moment = clock_now(), .time = (int64_t)time(NULL) };
	sample->readings = calloc(count + 1, sizeof *sample->readings);
	r = sample->readings ? lb_usage_list(context, containers, on_usage, sample) : -ENOMEM;
	lb_container_list_free(containers);
	return r;
}

static int compare_names(const void *name, const void *reading)
{
	return strcmp(name, ((const struct reading *)reading)->name);
}

/* Not known where the kernel has begun to count anew, or did not count before: that would be all since the start. */
static double rate(uint64_t before, uint64_t after, double seconds)
{
	if (before == LB_USAGE_UNKNOWN || after == LB_USAGE_UNKNOWN || before > after || seconds <= 0)
		return -1;
	return (double)(after - before) / seconds;
}

/* The moment of a start is told by two clocks: a second more or less is the same one. */
static bool is_same_start(int64_t a, int64_t b)
{
	return a - b <= 1 && b - a <= 1;
}

/* One that was started since has begun with nothing; of another, that was not there before, nothing is known. */
static void compare(const struct sample *sample, const struct reading *before, const struct reading *after,
		    double seconds, struct rates *ret_rates)
{
	static const struct lb_usage nothing = { .size = sizeof nothing };
	const struct lb_usage *old = NULL, *new = &after->usage;

	if (before && is_same_start(before->usage.started, new->started))
		old = &before->usage;
	else if (new->started + 1 >= sample->time)
		old = &nothing;
	*ret_rates = (struct rates){ after, -1, -1, -1, -1, -1 };
	if (!old)
		return;
	ret_rates->cpu = rate(old->cpu_us, new->cpu_us, seconds * 1e6);
	ret_rates->io_read = rate(old->io_read_bytes, new->io_read_bytes, seconds);
	ret_rates->io_written = rate(old->io_written_bytes, new->io_written_bytes, seconds);
	ret_rates->received = rate(old->received_bytes, new->received_bytes, seconds);
	ret_rates->sent = rate(old->sent_bytes, new->sent_bytes, seconds);
}

struct rates *compare_all(const struct sample *before, const struct sample *after)
{
	struct rates *all = calloc(after->count + 1, sizeof *all);

	for (size_t i = 0; all && i < after->count; i++) {
		const struct reading *old = NULL;

		if (before->count)
			old = bsearch(after->readings[i].name, before->readings, before->count,
				      sizeof *before->readings, compare_names);
		compare(before, old, after->readings + i, after->moment - before->moment, all + i);
	}
	return all;
}

/* ---- order ---- */

static double memory_of(const struct rates *rates)
{
	uint64_t bytes = rates->reading->usage.memory_working_bytes;

	return bytes == LB_USAGE_UNKNOWN ? -1 : (double)bytes;
}

static double cpu_of(const struct rates *rates)
{
	return rates->cpu;
}

static double io_of(const struct rates *rates)
{
	return rates->io_read + rates->io_written;
}

static double net_of(const struct rates *rates)
{
	return rates->received + rates->sent;
}

const struct order orders[] = {
	{ "cpu", cpu_of }, { "memory", memory_of }, { "io", io_of }, { "net", net_of }, { "name", NULL }, { 0 },
};

int by_order(const void *a, const void *b, void *userdata)
{
	const struct rates *x = a, *y = b;
	const struct order *order = userdata;
	double of_x = order->of ? order->of(x) : 0, of_y = order->of ? order->of(y) : 0;

	if (of_x < of_y || of_x > of_y)
		return of_x < of_y ? 1 : -1;
	return strcmp(x->reading->name, y->reading->name);
}
