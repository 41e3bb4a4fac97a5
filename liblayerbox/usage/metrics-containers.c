/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics of containers: gathered one container after the other, told one family after the other. */
#include "../core/store.h"
#include "../health/status-file.h"
#include "../watch/policy.h"
#include "metrics-values.h"
#include "metrics.h"
#include "usage.h"

struct row {
	struct lb_container *container;
	uint64_t values[VALUES];      /* LB_USAGE_UNKNOWN: not told */
};

struct rows {
	struct row *items;            /* by name */
	size_t count;
};

static int compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct row *)row)->container->name);
}

/* NULL: it is of none of them. */
static struct row *find(const struct rows *rows, const char *name)
{
	return bsearch(name, rows->items, rows->count, sizeof *rows->items, compare_name);
}

/* ---- gathering ---- */

static uint64_t known_time(int64_t seconds)
{
	return seconds > 0 ? (uint64_t)seconds : LB_USAGE_UNKNOWN;
}

/* No limit is no number. */
static uint64_t known_limit(uint64_t limit)
{
	return limit ? limit : LB_USAGE_UNKNOWN;
}

static void on_usage(struct lb_container *container, const struct lb_usage *usage, void *userdata)
{
	uint64_t *v = find(userdata, container->name)->values;

	v[VALUE_STARTED] = known_time(usage->started);
	v[VALUE_CPU] = usage->cpu_us;
	v[VALUE_MEMORY] = usage->memory_bytes;
	v[VALUE_MEMORY_WORKING] = usage->memory_working_bytes;
	v[VALUE_MEMORY_PEAK] = usage->memory_peak_bytes;
	v[VALUE_MEMORY_LIMIT] = known_limit(usage->memory_limit_bytes);
	v[VALUE_PROCESSES] = usage->processes;
	v[VALUE_PROCESSES_LIMIT] = known_limit(usage->processes_limit);
	v[VALUE_IO_READ_BYTES] = usage->io_read_bytes;
	v[VALUE_IO_WRITTEN_BYTES] = usage->io_written_bytes;
	v[VALUE_IO_READS] = usage->io_reads;
	v[VALUE_IO_WRITES] = usage->io_writes;
	v[VALUE_RECEIVED_BYTES] = usage->received_bytes;
	v[VALUE_RECEIVED_PACKETS] = usage->received_packets;
	v[VALUE_RECEIVED_ERRORS] = usage->received_errors;
	v[VALUE_RECEIVED_DROPPED] = usage->received_dropped;
	v[VALUE_SENT_BYTES] = usage->sent_bytes;
	v[VALUE_SENT_PACKETS] = usage->sent_packets;
	v[VALUE_SENT_ERRORS] = usage->sent_errors;
	v[VALUE_SENT_DROPPED] = usage->sent_dropped;
	v[VALUE_TOP_LAYER] = usage->top_layer_bytes;
	v[VALUE_TOP_LAYER_MEASURED] = known_time(usage->top_layer_measured);
}

static void take_record(struct row *row)
{
	const struct record *record = &row->container->record;

	row->values[VALUE_AUTOSTART] = record->autostart;
	row->values[VALUE_CPU_LIMIT] = record->limits.cpu_millis ? record->limits.cpu_millis * 1000 : LB_USAGE_UNKNOWN;
	row->values[VALUE_GENERATION] = record->generation;
	row->values[VALUE_REBASE_PENDING] = *record->rebase_to != '\0';
	row->values[VALUE_SNAPSHOTS] = 0;
}

static void take_backup(struct row *row)
{
	struct lb_backup_outcome outcome = { .size = sizeof outcome };

	if (lb_container_get_backup(row->container, &outcome) != 0)
		return;
	row->values[VALUE_BACKUP_RUN] = known_time(outcome.last_run);
	row->values[VALUE_BACKUP_GOOD] = known_time(outcome.last_success);
	row->values[VALUE_BACKUP_SUCCESS] = outcome.result == 0;
	row->values[VALUE_BACKUP_TOOK] = outcome.duration_s >= 0 ? (uint64_t)outcome.duration_s : LB_USAGE_UNKNOWN;
}

static void on_lag(const struct lb_lag *lag, void *userdata)
{
	struct row *row = find(userdata, lag->container);

	if (!row)
		return;
	row->values[VALUE_GENERATION_NEWEST] = lag->newest;
	row->values[VALUE_GENERATIONS_BEHIND] = lag->newest > lag->generation ? lag->newest - lag->generation : 0;
	row->values[VALUE_BEHIND_SINCE] = known_time(lag->behind_since);
	row->values[VALUE_PACKAGES_BEHIND] = lag->packages;
	row->values[VALUE_SECURITY_BEHIND] = lag->security;
}

static void take_snapshots(struct lb_context *ctx, struct rows *rows)
{
	struct lb_snapshot **snapshots;

	if (lb_snapshot_list(ctx, NULL, &snapshots, NULL) < 0) {
		log_message(ctx, LB_LOG_WARNING, "metrics are without snapshots: %s", ctx->error);
		return;
	}
	for (size_t i = 0; snapshots[i]; i++) {
		struct row *row = find(rows, lb_snapshot_get_container(snapshots[i]));

		if (!row)
			continue;
		row->values[VALUE_SNAPSHOTS]++;
		row->values[VALUE_SNAPSHOT_NEWEST] = known_time(lb_snapshot_get_created(snapshots[i]));
	}
	lb_snapshot_list_free(snapshots);
}

static int gather(struct lb_context *ctx, struct lb_container *const *containers, struct rows *rows)
{
	int r = lb_usage_list(ctx, containers, on_usage, rows);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rows->count; i++) {
		take_record(&rows->items[i]);
		take_backup(&rows->items[i]);
	}
	take_snapshots(ctx, rows);
	if (lb_lags(ctx, on_lag, rows) < 0)
		log_message(ctx, LB_LOG_WARNING, "metrics do not say who is behind: %s", ctx->error);
	return 0;
}

/* ---- telling ---- */

static void tell_states(const struct rows *rows, struct metrics_text *text)
{
	static const struct metric_family each = { "layerbox_container_state", METRIC_GAUGE, NULL,
						   "1 for the state that a container is in, 0 for the others" };
	static const struct metric_family all = { "layerbox_containers", METRIC_GAUGE, NULL,
						  "How many containers are in a state" };
	uint64_t counts[LB_STATE_ABORTING + 1] = { 0 };

	metrics_begin(text, &each);
	for (size_t i = 0; i < rows->count; i++) {
		const struct lb_container *container = rows->items[i].container;

		for (enum lb_state state = LB_STATE_STOPPED; state <= LB_STATE_ABORTING; state++) {
			metrics_add(text, state == container->live.state,
				    METRIC_LABELS({ "name", container->name }, { "state", lb_state_name(state) }));
			counts[state] += state == container->live.state;
		}
	}
	metrics_begin(text, &all);
	for (enum lb_state state = LB_STATE_STOPPED; state <= LB_STATE_ABORTING; state++)
		metrics_add(text, counts[state], METRIC_LABELS({ "state", lb_state_name(state) }));
}

/* Nothing of those that are not checked. */
static void tell_health(const struct rows *rows, struct metrics_text *text)
{
	static const struct metric_family family = { "layerbox_container_health", METRIC_GAUGE, NULL,
						     "1 for how a container does, 0 for the others" };
	static const char *const states[] = { "starting", "healthy", "unhealthy", "failed", "unknown" };

	metrics_begin(text, &family);
	for (size_t i = 0; i < rows->count; i++) {
		struct lb_container *container = rows->items[i].container;
		const char *health = lb_container_get_health(container);

		for (size_t k = 0; *health && k < sizeof states / sizeof *states; k++)
			metrics_add(text, text_equal(health, states[k]),
				    METRIC_LABELS({ "name", container->name }, { "state", states[k] }));
	}
}

/* Whether somebody looks after them, and after how many: without, no check fails and nobody is told. */
static void tell_supervisor(struct lb_context *ctx, const struct rows *rows, struct metrics_text *text)
{
	static const struct metric_family running = { "layerbox_supervisor_running", METRIC_GAUGE, NULL,
						      "Whether the supervisor, layerbox watch, is there" };
	static const struct metric_family supervised = { "layerbox_containers_supervised", METRIC_GAUGE, NULL,
							 "Containers that it is to check, or to start again" };
	CLEANUP_FREE char *path = health_status_path_of(ctx);
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const struct lb_container *container = rows->items[i].container;

		count += policy_supervises(&container->record, container->name, ctx->config.restart_policy);
	}
	if (path)
		metrics_one(text, &running, health_status_is_locked(path));
	metrics_one(text, &supervised, count);
}

/* Those whose record cannot be read are in no list, so nothing else would tell of them. */
static void tell_unreadable(struct lb_context *ctx, const struct rows *rows, struct metrics_text *text)
{
	static const struct metric_family family = { "layerbox_containers_unreadable", METRIC_GAUGE, NULL,
						     "Containers whose record cannot be read, and that are in no "
						     "other number" };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };

	if (record_list_names(ctx, &names) == 0)
		metrics_one(text, &family, names.count > rows->count ? names.count - rows->count : 0);
}

static void tell_infos(const struct rows *rows, struct metrics_text *text)
{
	static const struct metric_family info = { "layerbox_container", METRIC_INFO, NULL, "What a container is" };

	metrics_begin(text, &info);
	for (size_t i = 0; i < rows->count; i++) {
		const struct lb_container *container = rows->items[i].container;

		metrics_add(text, 1,
			    METRIC_LABELS({ "name", container->name }, { "base", container->record.base },
					  { "network", lb_container_get_network(container) },
					  { "ipv4", container->record.identity.ipv4 },
					  { "privileged", container->record.privileged ? "yes" : "no" }));
	}
}

static void tell_values(const struct rows *rows, struct metrics_text *text)
{
	for (size_t v = 0; v < VALUES; v++) {
		metrics_begin(text, &metric_values[v].family);
		for (size_t i = 0; i < rows->count; i++) {
			const struct row *row = &rows->items[i];
			const struct metric_label *labels = METRIC_LABELS({ "name", row->container->name });

			if (row->values[v] == LB_USAGE_UNKNOWN)
				continue;
			if (metric_values[v].is_micros)
				metrics_add_micros(text, row->values[v], labels);
			else
				metrics_add(text, row->values[v], labels);
		}
	}
}

int metrics_add_containers(struct lb_context *ctx, struct lb_container *const *containers, struct metrics_text *text)
{
	CLEANUP_FREE struct row *items = NULL;
	struct rows rows = { 0 };
	int r;

	while (containers[rows.count])
		rows.count++;
	rows.items = items = malloc((rows.count + 1) * sizeof *items);
	if (!items)
		return fail_memory(ctx);
	memset(items, 0xff, (rows.count + 1) * sizeof *items);
	for (size_t i = 0; i < rows.count; i++)
		items[i].container = containers[i];
	r = gather(ctx, containers, &rows);
	if (r < 0)
		return r;
	tell_infos(&rows, text);
	tell_states(&rows, text);
	tell_health(&rows, text);
	tell_supervisor(ctx, &rows, text);
	tell_unreadable(ctx, &rows, text);
	tell_values(&rows, text);
	return 0;
}
