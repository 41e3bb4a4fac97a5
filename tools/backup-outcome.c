/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup-outcome.h"

#include <stdio.h>
#include <time.h>

enum { OLD_SECONDS = 2 * 24 * 60 * 60 };

json_t *backup_outcome_to_json(const struct lb_container *container)
{
	struct lb_backup_outcome outcome = { .size = sizeof outcome };
	json_t *object;

	if (lb_container_get_backup(container, &outcome) != 0)
		return json_null();
	object = json_pack("{s:I, s:I, s:s}", "last_run", (json_int_t)outcome.last_run, "last_success",
			   (json_int_t)outcome.last_success, "result", lb_error_name(outcome.result));
	json_object_set_new(object, "error", json_text(outcome.error));
	return object;
}

json_t *backup_outcome_to_text(const struct lb_container *container)
{
	struct lb_backup_outcome outcome = { .size = sizeof outcome };
	json_t *run, *success, *result;
	char text[512];

	if (lb_container_get_backup(container, &outcome) != 0)
		return json_string("");
	run = json_time(outcome.last_run);
	success = outcome.last_success ? json_time(outcome.last_success) : json_string("never");
	snprintf(text, sizeof text, "FAILED at %s (last good one: %s): %s", json_string_value(run), json_string_value(success),
		 outcome.error);
	result = outcome.result < 0 ? json_text(text) : json_incref(success);
	json_decref(run);
	json_decref(success);
	return result;
}

const char *backup_outcome_mark(const struct lb_container *container)
{
	struct lb_backup_outcome outcome = { .size = sizeof outcome };

	if (lb_container_get_backup(container, &outcome) != 0)
		return "-";
	if (outcome.result < 0)
		return "FAILED";
	return outcome.last_success + OLD_SECONDS < (int64_t)time(NULL) ? "old" : "ok";
}
