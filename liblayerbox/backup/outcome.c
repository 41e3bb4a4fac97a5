/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include <fcntl.h>
#include <time.h>

#include "../care/alert.h"
#include "../container/container.h"
#include "../container/layout.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/keyfile.h"

enum { OUTCOME_BYTES_MAX = 1 << 16 };

static const char *take_number(const char *value, int64_t *ret_number)
{
	uint64_t number;

	if (!text_to_number(value, 0, INT64_MAX, &number))
		return "is not a number";
	*ret_number = (int64_t)number;
	return NULL;
}

/* Codes are negative: the file has them without their sign. */
static const char *take_result(const char *value, int *ret_result)
{
	uint64_t number;

	if (!text_to_number(value, 0, INT32_MAX, &number))
		return "is not a number";
	*ret_result = -(int)number;
	return NULL;
}

static const char *on_value(const char *key, const char *value, void *userdata)
{
	struct outcome *outcome = userdata;

	if (text_equal(key, "last_run"))
		return take_number(value, &outcome->last_run);
	if (text_equal(key, "last_success"))
		return take_number(value, &outcome->last_success);
	if (text_equal(key, "duration"))
		return take_number(value, &outcome->duration_s);
	if (text_equal(key, "result"))
		return take_result(value, &outcome->result);
	if (text_equal(key, "error"))
		text_copy(outcome->error, sizeof outcome->error, value);
	return NULL; /* a later version's */
}

int outcome_read(struct lb_context *ctx, int container_fd, const char *name, struct outcome *ret_outcome)
{
	CLEANUP_FREE char *text = NULL;
	struct outcome outcome = { .duration_s = -1 };
	char error[512];
	int r = file_read(container_fd, LAYOUT_BACKUP_OUTCOME, OUTCOME_BYTES_MAX, &text, NULL);

	if (r == -ENOENT)
		return 1;
	if (r == 0 && keyfile_parse(text, LAYOUT_BACKUP_OUTCOME, on_value, &outcome, error, sizeof error) < 0)
		r = -EINVAL;
	if (r < 0) {
		log_message(ctx, LB_LOG_WARNING, "cannot read how the last backup of container '%s' went: %s", name,
			    r == -EINVAL ? error : strerrordesc_np(-r));
		return 1;
	}
	*ret_outcome = outcome;
	return 0;
}

static int outcome_write(int container_fd, const struct outcome *outcome)
{
	CLEANUP_BUFFER struct buffer buffer = { 0 };
	CLEANUP_FREE char *text = NULL;

	buffer_format(&buffer, "last_run = %lld\nlast_success = %lld\nduration = %lld\nresult = %d\n",
		      (long long)outcome->last_run, (long long)outcome->last_success, (long long)outcome->duration_s,
		      -outcome->result);
	if (*outcome->error)
		buffer_format(&buffer, "error = %s\n", outcome->error);
	text = buffer_finish(&buffer);
	if (!text)
		return -ENOMEM;
	return file_write(container_fd, LAYOUT_BACKUP_OUTCOME, text, strlen(text), 0600, FILE_DURABLE);
}

void outcome_note(struct lb_context *ctx, const char *name, int64_t began, int result, const char *error)
{
	CLEANUP_FREE char *relative = text_format(STORE_CONTAINERS "/%s", name);
	CLEANUP_FREE char *good = text_format("the backup of container '%s' works again", name);
	CLEANUP_FD int fd = -1;
	struct outcome outcome = { 0 };
	bool was_bad;
	int r;

	if (relative && store_open(ctx) == 0)
		fd = openat(ctx->root_fd, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return; /* deleted meanwhile, or never there */
	was_bad = outcome_read(ctx, fd, name, &outcome) == 0 && outcome.result < 0;
	outcome.last_run = (int64_t)time(NULL);
	outcome.duration_s = outcome.last_run > began ? outcome.last_run - began : 0;
	outcome.result = result < 0 ? result : 0;
	if (result >= 0)
		outcome.last_success = outcome.last_run;
	snprintf(outcome.error, sizeof outcome.error, "%.*s", (int)(sizeof outcome.error / 2), result < 0 ? error : "");
	text_printable(outcome.error);
	r = outcome_write(fd, &outcome);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "cannot note how the backup of container '%s' went: %s", name,
			    strerrordesc_np(-r));
	if (result < 0 && !was_bad)
		alert(ctx, "backup-failed", name, outcome.error);
	else if (result >= 0 && was_bad)
		alert(ctx, "backup-good", name, good ? good : "");
}

int lb_container_get_backup(const struct lb_container *container, struct lb_backup_outcome *ret_outcome)
{
	struct lb_context *ctx = container->ctx;
	struct outcome outcome = { 0 };
	CLEANUP_FD int fd = -1;
	int r = CHECK_INPUT(ctx, ret_outcome, lb_backup_outcome);

	if (r < 0)
		return r;
	fd = open(container->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? fail_no_container(ctx, container->name)
				       : fail_errno(ctx, errno, "cannot open %s", container->directory);
	r = outcome_read(ctx, fd, container->name, &outcome);
	if (r != 0)
		return r;
	ret_outcome->last_run = outcome.last_run;
	ret_outcome->last_success = outcome.last_success;
	ret_outcome->duration_s = outcome.duration_s;
	ret_outcome->result = outcome.result;
	snprintf(ret_outcome->error, sizeof ret_outcome->error, "%.*s", (int)sizeof ret_outcome->error - 1,
		 outcome.error);
	return 0;
}
