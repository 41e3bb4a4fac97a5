/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* top: what running containers take, once or again and again. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "output.h"
#include "screen.h"
#include "top-sample.h"

enum { INTERVAL_DEFAULT_S = 2, INTERVAL_MAX_S = 3600 };

/* ---- showing ---- */

static json_t *number(uint64_t value)
{
	return value == LB_USAGE_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

static json_t *rounded(double value)
{
	return value < 0 ? json_null() : json_integer((json_int_t)(value + 0.5));
}

static json_t *row_for_programs(const struct rates *rates)
{
	const struct lb_usage *usage = &rates->reading->usage;
	json_t *row = json_pack("{s:s, s:s, s:I}", "name", rates->reading->name, "state",
				lb_state_name(rates->reading->state), "started", (json_int_t)usage->started);

	json_object_set_new(row, "cpu_percent",
			    rates->cpu < 0 ? json_null() : json_real((double)(long)(rates->cpu * 1000 + 0.5) / 10));
	json_object_set_new(row, "cpu_us", number(usage->cpu_us));
	json_object_set_new(row, "memory_bytes", number(usage->memory_bytes));
	json_object_set_new(row, "memory_working_bytes", number(usage->memory_working_bytes));
	json_object_set_new(row, "memory_limit_bytes", number(usage->memory_limit_bytes));
	json_object_set_new(row, "processes", number(usage->processes));
	json_object_set_new(row, "processes_limit", number(usage->processes_limit));
	json_object_set_new(row, "io_read_bytes_per_second", rounded(rates->io_read));
	json_object_set_new(row, "io_written_bytes_per_second", rounded(rates->io_written));
	json_object_set_new(row, "received_bytes_per_second", rounded(rates->received));
	json_object_set_new(row, "sent_bytes_per_second", rounded(rates->sent));
	json_object_set_new(row, "top_layer_bytes", number(usage->top_layer_bytes));
	return row;
}

static json_t *speed(double bytes)
{
	return bytes < 0 ? json_string("-") : bytes < 1 ? json_string("0") : json_size((uint64_t)bytes);
}

static json_t *amount(uint64_t bytes)
{
	return bytes == LB_USAGE_UNKNOWN ? json_string("-") : json_size(bytes);
}

static json_t *duration(int64_t seconds)
{
	char text[64];

	if (seconds >= 24 * 60 * 60)
		snprintf(text, sizeof text, "%" PRId64 "d %02" PRId64 "h", seconds / 86400, seconds / 3600 % 24);
	else if (seconds >= 60 * 60)
		snprintf(text, sizeof text, "%" PRId64 "h %02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, sizeof text, "%" PRId64 "m %02" PRId64 "s", seconds / 60, seconds % 60);
	return json_string(text);
}

static json_t *row_for_people(const struct rates *rates)
{
	const struct lb_usage *usage = &rates->reading->usage;
	int64_t age = usage->started ? (int64_t)time(NULL) - usage->started : 0;
	json_t *row = json_object();
	char text[64] = "-";

	json_object_set_new(row, "name", json_string(rates->reading->name));
	if (rates->cpu >= 0)
		snprintf(text, sizeof text, "%.1f", rates->cpu * 100);
	json_object_set_new(row, "cpu", json_string(text));
	json_object_set_new(row, "memory", amount(usage->memory_working_bytes));
	json_object_set_new(row, "limit",
			    usage->memory_limit_bytes ? amount(usage->memory_limit_bytes) : json_string("none"));
	snprintf(text, sizeof text, "%" PRIu64, usage->processes);
	json_object_set_new(row, "processes", json_string(usage->processes == LB_USAGE_UNKNOWN ? "-" : text));
	json_object_set_new(row, "read", speed(rates->io_read));
	json_object_set_new(row, "written", speed(rates->io_written));
	json_object_set_new(row, "received", speed(rates->received));
	json_object_set_new(row, "sent", speed(rates->sent));
	json_object_set_new(row, "up", duration(age > 0 ? age : 0));
	return row;
}

static const struct column columns[] = {
	{ "name", "NAME", false },   { "cpu", "CPU%", true },	   { "memory", "MEMORY", true },
	{ "limit", "LIMIT", true },  { "processes", "PROCS", true }, { "read", "READ/S", true },
	{ "written", "WRITTEN/S", true }, { "received", "RECEIVED/S", true }, { "sent", "SENT/S", true },
	{ "up", "UP", true },	     { 0 },
};

/* The rows in their order, NULL without memory. */
static json_t *make_rows(const struct sample *before, const struct sample *after, const struct order *order,
			 json_t *(*make)(const struct rates *rates))
{
	struct rates *all = compare_all(before, after);
	json_t *rows = all ? json_array() : NULL;

	if (all)
		qsort_r(all, after->count, sizeof *all, by_order, (void *)(uintptr_t)order);
	for (size_t i = 0; rows && i < after->count; i++)
		json_array_append_new(rows, make(all + i));
	free(all);
	return rows;
}

static void paint(const struct sample *before, const struct sample *after, const struct order *order)
{
	json_t *rows = make_rows(before, after, order, row_for_people);
	char *table = rows ? rows_to_text(rows, columns, screen_size().width) : NULL, *text = NULL, clock[16] = "";
	time_t seconds = time(NULL);
	struct tm parts;

	if (localtime_r(&seconds, &parts))
		strftime(clock, sizeof clock, "%H:%M:%S", &parts);
	if (asprintf(&text, "%s  %zu running, %zu not; by %s (keys: c m i n; a: by name; q: end)\n\n%s", clock,
		     after->count, after->others, order->name, table ? table : "") < 0)
		text = NULL;
	if (text)
		screen_paint(text);
	free(text);
	free(table);
	json_decref(rows);
}

/* ---- the two ways to run ---- */

static int show_once(struct lb_context *context, unsigned interval, const struct order *order, bool as_json)
{
	struct sample before = { 0 }, after = { 0 };
	json_t *rows = NULL;
	int r = take_sample(context, &before);

	if (r >= 0) {
		sleep(interval);
		r = take_sample(context, &after);
	}
	if (r >= 0)
		rows = make_rows(&before, &after, order, as_json ? row_for_programs : row_for_people);
	if (rows && (as_json || json_array_size(rows)))
		show_rows(rows, columns, as_json);
	else if (rows)
		say("no container is running");
	json_decref(rows);
	free(before.readings);
	free(after.readings);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static const struct order *order_of_key(int key, const struct order *present)
{
	for (const struct order *order = orders; order->name; order++)
		if (key == (order->of ? order->name[0] : 'a')) /* that of net is taken */
			return order;
	return present;
}

/* Waits for the next sample's time, and paints what there is whenever a key or another size asks for it. False: end. */
static bool wait_for_next(const struct sample *before, const struct sample *after, unsigned interval,
			  const struct order **order)
{
	double end = after->moment + interval;

	for (;;) {
		double left = end - clock_now();
		int key = screen_wait(left > 0 ? (unsigned)(left * 1000) + 1 : 0);

		if (key == SCREEN_END || key == 'q')
			return false;
		if (key == SCREEN_TIMEOUT)
			return true;
		*order = order_of_key(key, *order);
		paint(before, after, *order);
	}
}

static int show_live(struct lb_context *context, unsigned interval, const struct order *order)
{
	struct sample before = { 0 }, after = { 0 };
	bool go_on = true;
	int r = 0;

	lb_context_set_log(context, NULL, NULL); /* words would stand in the middle of the table */
	while (go_on && r >= 0) {
		free(before.readings);
		before = after;
		after = (struct sample){ 0 };
		r = take_sample(context, &after);
		if (r < 0)
			break;
		/* The first has nothing to be compared with: soon there is. */
		if (!before.readings)
			before = (struct sample){ .moment = after.moment };
		paint(&before, &after, order);
		go_on = wait_for_next(&before, &after, before.count || !after.count ? interval : 1, &order);
	}
	screen_close();
	free(before.readings);
	free(after.readings);
	return r < 0 ? report_failure(context, r) : EXIT_OK;
}

static bool read_interval(const char *text, unsigned *ret_seconds)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || seconds < 1 || seconds > INTERVAL_MAX_S)
		return false;
	*ret_seconds = (unsigned)seconds;
	return true;
}

static const struct order *find_order(const char *name)
{
	for (const struct order *order = orders; order->name; order++)
		if (strcmp(order->name, name) == 0)
			return order;
	return NULL;
}

static int run_top(struct lb_context *context, int argc, char **argv)
{
	static const struct option options[] = { { "once", no_argument, NULL, 'o' },
						 { "interval", required_argument, NULL, 'i' },
						 { "sort", required_argument, NULL, 's' },
						 { "json", no_argument, NULL, 'j' },
						 { 0 } };
	const struct order *order = orders;
	unsigned interval = INTERVAL_DEFAULT_S;
	bool once = false, as_json = false;
	int option;

	while ((option = next_option(&command_top, argc, argv, options)) > 0) {
		once = once || option == 'o' || option == 'j';
		as_json = as_json || option == 'j';
		if (option == 'i' && !read_interval(optarg, &interval))
			return usage_error(&command_top, "--interval %s is not a number of seconds from 1 to %d",
					   optarg, INTERVAL_MAX_S);
		if (option == 's')
			order = find_order(optarg);
		if (!order)
			return usage_error(&command_top, "there is no order --sort %s", optarg);
	}
	if (option < 0)
		return EXIT_USAGE;
	if (optind != argc)
		return usage_error(&command_top, "it takes no names");
	return once || !screen_open() ? show_once(context, interval, order, as_json)
				      : show_live(context, interval, order);
}

const struct command command_top = {
	.name = "top",
	.arguments = "[--once] [--interval S] [--sort cpu|memory|io|net|name] [--json]",
	.summary = "Show what running containers take: processors, memory, disk, network",
	.help = "  --once         show it once, of one interval; also where the output is no terminal\n"
		"  --interval S   seconds from look to look; 2\n"
		"  --sort WHAT    the biggest first; cpu\n"
		"  --json         once, as an array of objects; see layerbox(8), JSON\n\n"
		"Keys: c, m, i, n, a sort by cpu, memory, io, net, name; q ends it.\n",
	.run = run_top,
};
