/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lb_metrics(): all that a monitoring system is told, as one text. */
#include "metrics.h"

#include <time.h>

#include "../util/clock.h"

static const struct metric_family build = {
	"layerbox_build", METRIC_INFO, NULL, "The version of layerbox that wrote this"
};
static const struct metric_family made = {
	"layerbox_metrics_time_seconds", METRIC_GAUGE, "seconds", "When this was written, seconds since the epoch"
};
static const struct metric_family took = {
	"layerbox_metrics_duration_seconds", METRIC_GAUGE, "seconds", "How long it took to gather this"
};

int lb_metrics(struct lb_context *ctx, enum lb_metrics_format format, char **ret_text)
{
	struct metrics_text text = { .format = format };
	struct lb_container **containers;
	int64_t began_ms = clock_ms();
	char *result;
	int r;

	if (format != LB_METRICS_OPENMETRICS && format != LB_METRICS_PROMETHEUS)
		return fail(ctx, -EINVAL, "%d is no format of metrics", (int)format);
	r = lb_container_list(ctx, &containers, NULL);
	if (r < 0)
		return r;
	metrics_begin(&text, &build);
	metrics_add(&text, 1, METRIC_LABELS({ "version", lb_version() }));
	metrics_one(&text, &made, (uint64_t)time(NULL));
	r = metrics_add_containers(ctx, containers, &text);
	lb_container_list_free(containers);
	if (r < 0) {
		buffer_free(&text.buffer);
		return r;
	}
	metrics_add_host(ctx, &text);
	metrics_begin(&text, &took);
	metrics_add_micros(&text, (uint64_t)(clock_ms() - began_ms) * 1000, NULL);
	result = metrics_finish(&text);
	if (!result)
		return fail_memory(ctx);
	*ret_text = result;
	return 0;
}
