/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit.h"

#include "../../liblayerbox/usage/metrics-text.h"

static const struct metric_family bytes = { "lb_sent_bytes", METRIC_COUNTER, "bytes", "What it sent" };
static const struct metric_family seconds = { "lb_cpu_seconds", METRIC_COUNTER, "seconds", "What it computed" };
static const struct metric_family nothing = { "lb_nothing", METRIC_GAUGE, NULL, "Of which there are no samples" };
static const struct metric_family state_of = { "lb_state", METRIC_GAUGE, NULL, "What it does" };
static const struct metric_family info = { "lb_build", METRIC_INFO, NULL, "What it is" };

static char *write_all(enum lb_metrics_format format)
{
	struct metrics_text text = { .format = format };

	metrics_begin(&text, &info);
	metrics_add(&text, 1, METRIC_LABELS({ "version", "1.0" }));
	metrics_begin(&text, &bytes);
	metrics_add(&text, UINT64_MAX - 1, METRIC_LABELS({ "name", "a" }));
	metrics_add(&text, 0, METRIC_LABELS({ "name", "b" }));
	metrics_begin(&text, &nothing);
	metrics_begin(&text, &seconds);
	metrics_add_micros(&text, 12000034, METRIC_LABELS({ "name", "a" }));
	metrics_begin(&text, &state_of);
	metrics_add(&text, 1, METRIC_LABELS({ "name", "a" }, { "state", "running" }));
	metrics_one(&text, &state_of, 7);
	return metrics_finish(&text);
}

static void test_openmetrics(void **state)
{
	CLEANUP_FREE char *text = write_all(LB_METRICS_OPENMETRICS);

	(void)state;
	assert_string_equal(text, "# HELP lb_build What it is\n"
				  "# TYPE lb_build info\n"
				  "lb_build_info{version=\"1.0\"} 1\n"
				  "# HELP lb_sent_bytes What it sent\n"
				  "# TYPE lb_sent_bytes counter\n"
				  "# UNIT lb_sent_bytes bytes\n"
				  "lb_sent_bytes_total{name=\"a\"} 18446744073709551614\n"
				  "lb_sent_bytes_total{name=\"b\"} 0\n"
				  "# HELP lb_cpu_seconds What it computed\n"
				  "# TYPE lb_cpu_seconds counter\n"
				  "# UNIT lb_cpu_seconds seconds\n"
				  "lb_cpu_seconds_total{name=\"a\"} 12.000034\n"
				  "# HELP lb_state What it does\n"
				  "# TYPE lb_state gauge\n"
				  "lb_state{name=\"a\",state=\"running\"} 1\n"
				  "# HELP lb_state What it does\n"
				  "# TYPE lb_state gauge\n"
				  "lb_state 7\n"
				  "# EOF\n");
}

static void test_prometheus(void **state)
{
	CLEANUP_FREE char *text = write_all(LB_METRICS_PROMETHEUS);

	(void)state;
	assert_string_equal(text, "# HELP lb_build_info What it is\n"
				  "# TYPE lb_build_info gauge\n"
				  "lb_build_info{version=\"1.0\"} 1\n"
				  "# HELP lb_sent_bytes_total What it sent\n"
				  "# TYPE lb_sent_bytes_total counter\n"
				  "lb_sent_bytes_total{name=\"a\"} 18446744073709551614\n"
				  "lb_sent_bytes_total{name=\"b\"} 0\n"
				  "# HELP lb_cpu_seconds_total What it computed\n"
				  "# TYPE lb_cpu_seconds_total counter\n"
				  "lb_cpu_seconds_total{name=\"a\"} 12.000034\n"
				  "# HELP lb_state What it does\n"
				  "# TYPE lb_state gauge\n"
				  "lb_state{name=\"a\",state=\"running\"} 1\n"
				  "# HELP lb_state What it does\n"
				  "# TYPE lb_state gauge\n"
				  "lb_state 7\n");
}

/* No value can end its label, its line, or the text's being UTF-8. */
static void test_labels(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "", "" },
		{ "plain {} = 1, #", "plain {} = 1, #" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\b" },
		{ "\\\"", "\\\\\\\"" },
		{ "two\nlines\r", "two?lines?" },
		{ "\x1b[2J\x7f", "?[2J?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr????" },
		{ "broken \xff\xc3", "broken ??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct metrics_text text = { .format = LB_METRICS_PROMETHEUS };
		CLEANUP_FREE char *expected = text_format("lb_state{x=\"%s\"} 1\n", cases[i].expected);
		CLEANUP_FREE char *got = NULL;

		metrics_begin(&text, &state_of);
		metrics_add(&text, 1, METRIC_LABELS({ "x", cases[i].value }));
		got = metrics_finish(&text);
		assert_contains(got, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_prometheus),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
