/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in a repository. */
#include <jansson.h>
#include <sys/mman.h>
#include <time.h>

#include "../util/file.h"
#include "../util/spawn.h"
#include "restic.h"

enum { ANSWER_BYTES_MAX = 256 << 20 };

const char *restic_tag_value(const struct restic_snapshot *snapshot, const char *prefix)
{
	for (size_t i = 0; i < snapshot->tags.count; i++) {
		const char *value = text_after(snapshot->tags.items[i], prefix);

		if (value)
			return value;
	}
	return NULL;
}

/* RFC 3339 as restic writes it: 2026-11-21T17:44:26.964426012+01:00, or Z; -1 for anything else. */
static int64_t parse_time(const char *text)
{
	struct tm parts = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
	int hours, minutes;
	int64_t time;

	if (!rest)
		return -1;
	time = timegm(&parts);
	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (text_equal(rest, "Z"))
		return time;
	if ((*rest != '+' && *rest != '-') || sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2)
		return -1;
	return time - (*rest == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/* 1 where it is nothing that layerbox could have put there. */
static int read_snapshot(const json_t *object, struct restic_snapshot *ret_snapshot)
{
	const json_t *tags = json_object_get(object, "tags");
	const char *id = json_string_value(json_object_get(object, "short_id"));

	ret_snapshot->id = id;
	ret_snapshot->full_id = json_string_value(json_object_get(object, "id"));
	ret_snapshot->host = json_string_value(json_object_get(object, "hostname"));
	ret_snapshot->time = parse_time(json_string_value(json_object_get(object, "time")));
	if (!id || !ret_snapshot->full_id || !ret_snapshot->host || ret_snapshot->time < 0)
		return 1;
	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *tag = json_string_value(json_array_get(tags, i));

		if (tag && text_list_add(&ret_snapshot->tags, tag) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int tell(struct lb_context *ctx, const json_t *object, restic_snapshot_fn fn, void *userdata)
{
	struct restic_snapshot snapshot = { 0 };
	int r = read_snapshot(object, &snapshot);

	if (r < 0)
		r = fail_memory(ctx);
	else if (r == 0)
		r = fn(&snapshot, userdata);
	text_list_free(&snapshot.tags);
	return r < 0 ? r : 0;
}

/* spawn_run() keeps only the end of what is printed: all of it goes to a file in memory. */
static int ask(struct lb_context *ctx, const struct restic *restic, const char *tags, char **ret_answer)
{
	const char *const argv[] = { "restic", "snapshots", "--json", "--tag", tags, NULL };
	struct spawn_options options = { .env = (const char *const *)restic->env.items };
	CLEANUP_FD int fd = memfd_create("layerbox-backups", MFD_CLOEXEC);
	CLEANUP_FREE char *output = NULL;
	int status, r;

	if (fd < 0)
		return fail_errno(ctx, errno, "cannot make a file in memory");
	options.output_fd = fd;
	r = spawn_run(argv, &options, &status, &output);
	if (r < 0)
		return restic_not_run(ctx, r);
	if (status != 0)
		return restic_failed(ctx, status, output);
	r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, ANSWER_BYTES_MAX, ret_answer, NULL);
	return r < 0 ? fail_errno(ctx, r, "cannot read what restic says") : 0;
}

int restic_list(struct lb_context *ctx, const struct restic *restic, const char *tags, restic_snapshot_fn fn,
		void *userdata)
{
	CLEANUP_FREE char *answer = NULL;
	json_t *list, *object;
	json_error_t error;
	size_t i;
	int r = ask(ctx, restic, tags, &answer);

	if (r < 0)
		return r;
	/* Without any, some say null. */
	list = json_loads(answer, JSON_DECODE_ANY, &error);
	if (!list)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED, "restic's list of snapshots is not understood: %s", error.text);
	json_array_foreach(list, i, object) {
		r = tell(ctx, object, fn, userdata);
		if (r < 0)
			break;
	}
	json_decref(list);
	return r < 0 ? r : 0;
}
